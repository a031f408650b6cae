// Casts a feature service declares: every type that counts something as a number of another type.
#pragma once

#include <cstdint>
#include <optional>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// bool as 0 or 1, date as days, timestamp and duration as microseconds, numbers as themselves.
struct Number {
  enum class Kind : uint8_t { kSigned, kUnsigned, kFloat };
  Kind kind = Kind::kSigned;
  int64_t i = 0;
  uint64_t u = 0;
  double f = 0;  // of a float32: the same value
  static Number Signed(int64_t v) { return {Kind::kSigned, v, 0, 0}; }
  static Number Unsigned(uint64_t v) { return {Kind::kUnsigned, 0, v, 0}; }
  static Number Float(double v) { return {Kind::kFloat, 0, 0, v}; }
};

// To bool, int32, int64, uint64, float32 or float64, from these, date, timestamp and duration; any type to itself.
[[nodiscard]] bool CanCast(const DataType& from, const DataType& to);

// To floats the nearest; to integers half to even; to bool whether it is not 0. nullopt for what does not fit: NaN and
// what is outside the range of an integer or bool, finite values beyond float32.
// Requires: CanCast to `to` from the number's type, which is not `to`.
[[nodiscard]] std::optional<Number> CastNumber(const Number& number, TypeId to);

// The same for a value. Null stays null, and what does not fit becomes null. Requires: null, or CanCast.
[[nodiscard]] Value CastValue(const Value& value, const DataType& to);

}  // namespace larder::inline LARDER_ABI
