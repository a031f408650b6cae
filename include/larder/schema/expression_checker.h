// How registry/ asks what an expression means without knowing transform/: the facade hands one to
// the other.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/data_type.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct CheckedExpression {
  DataType type;
  std::vector<std::string> inputs;  // names used, sorted; request fields as `request.x`
  bool uses_clock = false;  // current_date or now(): evaluated on read, whatever view it is in
  std::string canonical;    // parsed form, blanks and case normalised: hashed as meaning
  // The text with C++ functions and fitted constants named exactly (`name@version#hash`): what it means for ever, also
  // when there are later versions.
  std::string pinned;
  // Where `pinned` names an input: bytes from `begin` to `end`, in their order.
  struct Use {
    std::string name;
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Use> uses;
  std::size_t body = 0;  // where in `pinned` the expression begins, behind `name =`
};

class ExpressionChecker {
 public:
  virtual ~ExpressionChecker() = default;
  // Parses and types `text` over `inputs`. Errors: kInvalidArgument with line, column, caret and
  // suggestion.
  [[nodiscard]] virtual absl::StatusOr<CheckedExpression> Check(
      std::string_view text, std::span<const Field> inputs) const = 0;
};

}  // namespace larder::inline LARDER_ABI
