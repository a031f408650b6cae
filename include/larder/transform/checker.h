// The transform engine behind schema's ExpressionChecker: what registry/ asks about an expression's meaning.
#pragma once

#include <span>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/expression_checker.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

// Two texts with the same canonical form mean the same: blanks, comments, keyword case, redundant parentheses, the
// leading `name =` and spellings of one operator (`<>`, `!=`) are not meaning. C++ functions appear in it with their
// version and the hash of their probe outputs, fitted constants with the hash of their values.
// Threads: thread-compatible.
class TransformChecker : public ExpressionChecker {
 public:
  explicit TransformChecker(CompileOptions options = {}) : options_(options) {}
  [[nodiscard]] absl::StatusOr<CheckedExpression> Check(std::string_view text,
                                                        std::span<const Field> inputs) const override;

 private:
  CompileOptions options_;
};

}  // namespace larder::inline LARDER_ABI
