// Reading numbers from text exactly: what std::from_chars leaves open at larder's edges.
#pragma once

#include <cstdint>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

enum class NumberProblem : uint8_t { kNone, kNotANumber, kNotWhole, kOutOfRange };

struct IntegerText {
  NumberProblem problem = NumberProblem::kNone;
  bool negative = false;
  uint64_t magnitude = 0;
  bool decimal = false;  // written with a point or an exponent, and whole all the same
};

// Decimal digits with an optional sign; also `12345.0` and `1e3`, decided digit by digit, so that
// nothing is rounded.
[[nodiscard]] IntegerText ReadInteger(std::string_view text);

// Decimal numbers, `nan`, `inf`, `infinity` in any case, an optional sign. Too small becomes a zero
// of its sign; too large is out of range.
template <class Float>
[[nodiscard]] NumberProblem ReadFloat(std::string_view text, Float* value);

extern template NumberProblem ReadFloat<float>(std::string_view, float*);
extern template NumberProblem ReadFloat<double>(std::string_view, double*);

// `magnitude` with its sign as `type` (int8, int32, int64 or uint64). False when out of its range;
// int8 gives int32.
[[nodiscard]] bool FitInteger(bool negative, uint64_t magnitude, TypeId type, Value* value);

// ` [-2147483648, 2147483647]`-like text for messages; empty for other types.
[[nodiscard]] std::string_view IntegerRangeText(TypeId type);

}  // namespace larder::inline LARDER_ABI
