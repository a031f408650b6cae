// What the expression compiler takes and what evaluation counts. The language: docs/reference/expressions.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

class FunctionRegistry;
class FittedLookup;

// One feature's definition. `text` may begin with `name =`, this name or any other that is not nearly an input's. An empty name is allowed
// where nothing needs one (`where`, validators); the output is then called after its position, `expression_1`.
struct NamedExpression {
  std::string name;
  std::string text;
};

// Bounds on untrusted text, checked before memory is spent. Each is inclusive: exactly the limit still compiles.
struct ExpressionLimits {
  std::size_t text_bytes = 8 * 1024;      // of one expression
  std::size_t depth = 64;                 // of nesting: parentheses, calls, case
  std::size_t nodes = 1024;               // of one expression's syntax tree
  std::size_t program_nodes = 64 * 1024;  // of all expressions compiled together, after sharing
  std::size_t pattern_bytes = 256;        // of a like or regexp pattern
  std::size_t result_bytes =
      1 << 20;  // of a text made by concat, replace, ...; longer gives null, counted

  // For text from strangers.
  static constexpr ExpressionLimits Hardened() { return {1024, 16, 128, 4096, 50, 64 * 1024}; }
};

struct CompileOptions {
  ExpressionLimits limits;
  // Where an expression that reads the clock would make stored data depend on when it was stored (`where`, the input
  // of an aggregate), set this to refuse it.
  bool refuse_clock = false;
  // C++ functions by name and version; null: built-ins only. Lifetime: programs keep what they use alive.
  const FunctionRegistry* functions = nullptr;
  // Constants of fitted transforms, read by `zscore(x, fitted_name)`; null: none.
  const FittedLookup* fitted = nullptr;
};

// How often a rule turned a row into null, by cause. Null inputs are not counted, nor rows of a branch not taken.
// An operation that several features share is counted once.
struct EvalCounts {
  int64_t division_by_zero = 0;  // x / 0, x // 0, x % 0
  int64_t overflow =
      0;  // outside int64, uint64, date or timestamp; text over ExpressionLimits::result_bytes
  int64_t domain = 0;  // ln(-1), sqrt(-1), asin(2), ...
  int64_t bad_cast =
      0;              // cast('abc' as int64), cast(1e30 as int64), NaN to an integer; not try_cast
  int64_t other = 0;  // a C++ function said so, or answered with a string that is no UTF-8

  [[nodiscard]] int64_t total() const {
    return division_by_zero + overflow + domain + bad_cast + other;
  }
  EvalCounts& operator+=(const EvalCounts& more) {
    division_by_zero += more.division_by_zero;
    overflow += more.overflow;
    domain += more.domain;
    bad_cast += more.bad_cast;
    other += more.other;
    return *this;
  }
  friend bool operator==(const EvalCounts&, const EvalCounts&) = default;
};

}  // namespace larder::inline LARDER_ABI
