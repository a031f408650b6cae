// Scalars of fixed width, as AggregateInput::word holds them.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "aggregate/wide_integer.h"
#include "larder/aggregate/event.h"
#include "larder/base/config.h"
#include "larder/base/text.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

inline constexpr uint64_t kSignBit = uint64_t{1} << 63U;

inline bool IsFloat(TypeId type) { return type == TypeId::kFloat32 || type == TypeId::kFloat64; }
inline bool IsText(TypeId type) { return type == TypeId::kString || type == TypeId::kBytes; }

// Requires: a float type. float32 widens exactly.
inline double FloatOf(uint64_t word, TypeId type) {
  if (type == TypeId::kFloat64) return std::bit_cast<double>(word);
  return std::bit_cast<float>(static_cast<uint32_t>(word));
}
// Requires: a type that is not float.
inline Int128 IntegerOf(uint64_t word, TypeId type) {
  if (type == TypeId::kUint64) return static_cast<Int128>(word);
  return static_cast<int64_t>(word);
}
// The nearest float64 of any of them.
inline double NumberOf(uint64_t word, TypeId type) {
  if (IsFloat(type)) return FloatOf(word, type);
  if (type == TypeId::kUint64) return static_cast<double>(word);
  return static_cast<double>(static_cast<int64_t>(word));
}

// A finite number as it is: mantissa * 2^exponent.
struct ExactNumber {
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  bool negative = false;
};
inline ExactNumber ExactFloat(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const uint64_t exponent = (bits >> 52U) & 0x7FFU;
  const uint64_t fraction = bits & ((uint64_t{1} << 52U) - 1);
  return {exponent == 0 ? fraction : fraction | (uint64_t{1} << 52U),
          (exponent == 0 ? 1 : static_cast<int64_t>(exponent)) - 1075, (bits & kSignBit) != 0};
}
inline ExactNumber ExactInteger(uint64_t word, TypeId type) {
  const bool negative = type != TypeId::kUint64 && (word & kSignBit) != 0;
  return {negative ? ~word + 1 : word, 0, negative};
}

// Words in the order of their values. One NaN is as good as another, and greater than every number; -0 before +0.
inline uint64_t OrderedWord(uint64_t word, TypeId type) {
  if (type == TypeId::kUint64) return word;
  if (!IsFloat(type)) return word ^ kSignBit;
  double value = FloatOf(word, type);
  if (value != value) value = std::numeric_limits<double>::quiet_NaN();
  const auto bits = std::bit_cast<uint64_t>(value);
  return (bits & kSignBit) != 0 ? ~bits : bits ^ kSignBit;
}
// The word again.
inline uint64_t WordFromOrdered(uint64_t ordered, TypeId type) {
  if (type == TypeId::kUint64) return ordered;
  if (!IsFloat(type)) return ordered ^ kSignBit;
  const uint64_t bits = (ordered & kSignBit) != 0 ? ordered ^ kSignBit : ~ordered;
  if (type == TypeId::kFloat64) return bits;
  return std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
}

// Bytes that are equal when two values count as one value, as the distinct functions see it: -0 is 0, NaN is NaN.
// In the order of the values: words most significant byte first.
inline void AppendIdentity(const AggregateInput& input, TypeId type, std::string* out) {
  if (IsText(type)) {
    out->append(input.bytes);
    return;
  }
  uint64_t word = input.word;
  if (IsFloat(type) && FloatOf(word, type) == 0) word = 0;
  const uint64_t ordered = OrderedWord(word, type);
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(ordered >> static_cast<unsigned>(shift)));
  }
}

// Requires: a scalar type.
inline Value ScalarValue(uint64_t word, TypeId type) {
  const auto integer = static_cast<int64_t>(word);
  switch (type) {
    case TypeId::kBool:
      return word != 0;
    case TypeId::kInt32:
      return static_cast<int32_t>(integer);
    case TypeId::kUint64:
      return word;
    case TypeId::kFloat32:
      return std::bit_cast<float>(static_cast<uint32_t>(word));
    case TypeId::kFloat64:
      return std::bit_cast<double>(word);
    case TypeId::kTimestamp:
      return Timestamp{integer};
    case TypeId::kDate:
      return Date{static_cast<int32_t>(integer)};
    case TypeId::kDuration:
      return Duration{integer};
    default:
      return integer;
  }
}
inline Value TextValue(std::string_view bytes, TypeId type) {
  if (type == TypeId::kBytes) return Bytes{std::string(bytes)};
  return std::string(bytes);
}
inline Value ValueFromIdentity(std::string_view identity, TypeId type) {
  if (IsText(type)) return TextValue(identity, type);
  uint64_t ordered = 0;
  for (const char byte : identity) ordered = (ordered << 8U) | static_cast<uint8_t>(byte);
  return ScalarValue(WordFromOrdered(ordered, type), type);
}

// Whether `identity` can be what AppendIdentity makes of a value.
bool IsIdentityOf(std::string_view identity, TypeId type);

// Whether a word of this type can be what an input of it holds.
inline bool IsWordOf(uint64_t word, TypeId type) {
  const auto integer = static_cast<int64_t>(word);
  switch (type) {
    case TypeId::kBool:
      return word <= 1;
    case TypeId::kInt32:
    case TypeId::kDate:
      return integer == static_cast<int32_t>(integer);
    case TypeId::kFloat32:
      return (word >> 32U) == 0;
    default:
      return true;
  }
}

// The same for text.
inline bool IsTextOf(std::string_view bytes, TypeId type) {
  return type != TypeId::kString || IsValidUtf8(bytes);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
