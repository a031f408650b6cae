// The text of an expression's meaning.
#pragma once

#include <string>

#include "larder/base/config.h"
#include "transform/analyzer.h"
#include "transform/ast.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// Fully parenthesised, lower-case words, one spelling per operator; a part used twice is named once (`#1 := ...`), so
// that the length is bounded by the text's. `analyzer` has lowered `ast` and knows the versions of what it calls.
std::string CanonicalText(const Ast& ast, const Analyzer& analyzer);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
