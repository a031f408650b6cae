// Tokens to syntax tree: a Pratt parser with bounds on depth and size.
#pragma once

#include <span>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/definitions.h"
#include "larder/transform/expression.h"
#include "transform/ast.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// A leading `name =` is taken as the definition's name when no input is called so; otherwise `=` compares.
// Errors: kInvalidArgument with a caret; kind kTooLarge over a limit.
absl::StatusOr<Ast> Parse(std::string_view source, std::span<const Field> inputs,
                          const ExpressionLimits& limits);

// What to write for a function that has no name for writing: `x + y` for `add`. Empty for all others.
std::string_view WrittenInstead(std::string_view name);
// A word of the grammar, in lower case: it names no column and no function.
bool IsReservedWord(std::string_view word);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
