#include "aggregate/rounding.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

struct Float64 {
  using Bits = uint64_t;
  static constexpr int64_t kFraction = 52;
  static constexpr int64_t kLowest = -1074;  // the exponent of the smallest number
  static constexpr int64_t kHighest = 1023;
  static constexpr Bits kInfinity = Bits{0x7FF} << 52U;
};
struct Float32 {
  using Bits = uint32_t;
  static constexpr int64_t kFraction = 23;
  static constexpr int64_t kLowest = -149;
  static constexpr int64_t kHighest = 127;
  static constexpr Bits kInfinity = Bits{0xFF} << 23U;
};

// The bits of the rounded magnitude.
template <class Float>
typename Float::Bits Round(const Truncated& magnitude) {
  using Bits = typename Float::Bits;
  if (magnitude.top == 0) return 0;
  const int64_t highest = magnitude.exponent + 63;
  if (highest > Float::kHighest) return Float::kInfinity;
  const int64_t lowest = std::max(highest - Float::kFraction, Float::kLowest);
  const int64_t dropped = lowest - magnitude.exponent;
  if (dropped > 64) return 0;
  const uint64_t kept = dropped == 64 ? 0 : magnitude.top >> static_cast<unsigned>(dropped);
  const uint64_t rest = magnitude.top << static_cast<unsigned>(64 - dropped) % 64U;
  constexpr uint64_t kHalf = uint64_t{1} << 63U;
  const bool up = rest > kHalf || (rest == kHalf && (magnitude.sticky || kept % 2 == 1));
  // A carry out of the fraction raises the exponent, up to infinity, all by itself.
  const auto exponent = static_cast<uint64_t>(lowest - Float::kLowest);
  return static_cast<Bits>((exponent << static_cast<unsigned>(Float::kFraction)) + kept +
                           (up ? 1 : 0));
}

// `value` / 2^-exponent as 64 bits and what is below them.
Truncated Normalize(Uint128 value, bool sticky, int64_t exponent) {
  if (value == 0) return {};
  const auto high = static_cast<uint64_t>(value >> 64U);
  const int length = high != 0 ? 128 - std::countl_zero(high)
                               : 64 - std::countl_zero(static_cast<uint64_t>(value));
  if (length <= 64) {
    return {static_cast<uint64_t>(value) << static_cast<unsigned>(64 - length), sticky,
            exponent - (64 - length)};
  }
  const auto shift = static_cast<unsigned>(length - 64);
  const auto top = static_cast<uint64_t>(value >> shift);
  return {top, sticky || (static_cast<Uint128>(top) << shift) != value, exponent + length - 64};
}

uint64_t Root(Uint128 value) {
  // A double's root is right in 52 bits; one step of Newton's method makes it right but for the last.
  auto root = static_cast<Uint128>(std::sqrt(static_cast<double>(value)));
  constexpr Uint128 kMax = ~uint64_t{0};
  root = std::clamp((root + value / root) / 2, Uint128{1}, kMax);
  while (root * root > value) --root;
  while (root < kMax && (root + 1) * (root + 1) <= value) ++root;
  return static_cast<uint64_t>(root);
}

}  // namespace

double ToFloat64(bool negative, const Truncated& magnitude) {
  const uint64_t bits = Round<Float64>(magnitude);
  return std::bit_cast<double>(bits | (uint64_t{negative && bits != 0} << 63U));
}

float ToFloat32(bool negative, const Truncated& magnitude) {
  const uint32_t bits = Round<Float32>(magnitude);
  return std::bit_cast<float>(bits | (uint32_t{negative && bits != 0} << 31U));
}

Truncated Truncate(Uint128 magnitude, int64_t exponent) {
  return Normalize(magnitude, false, exponent);
}

Truncated TruncateDigits(std::span<const uint32_t> digits, int64_t exponent) {
  std::size_t size = digits.size();
  while (size > 0 && digits[size - 1] == 0) --size;
  Uint128 top = 0;
  std::size_t taken = 0;
  for (; taken < 3 && taken < size; ++taken) top = (top << 32U) | digits[size - 1 - taken];
  const std::size_t below = size - taken;
  const bool sticky =
      std::any_of(digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(below),
                  [](uint32_t digit) { return digit != 0; });
  return Normalize(top, sticky, exponent + 32 * static_cast<int64_t>(below));
}

Truncated DivideDigits(std::span<const uint32_t> digits, int64_t exponent, uint64_t divisor) {
  std::size_t i = digits.size();
  uint64_t rest = 0;
  Uint128 quotient = 0;
  bool sticky = false;
  const bool small = (divisor >> 32U) == 0;
  const auto step = [&](uint32_t digit) {
    if (small) {
      const uint64_t part = (rest << 32U) | digit;
      quotient = (quotient << 32U) | (part / divisor);
      rest = part % divisor;
    } else {
      const Uint128 part = (static_cast<Uint128>(rest) << 32U) | digit;
      quotient = (quotient << 32U) | (part / divisor);
      rest = static_cast<uint64_t>(part % divisor);
    }
  };
  // 65 bits are more than enough; what is left of the number then only matters as not nothing.
  while (i > 0 && (quotient >> 65U) == 0) step(digits[--i]);
  for (std::size_t j = 0; j < i; ++j) sticky = sticky || digits[j] != 0;
  exponent += 32 * static_cast<int64_t>(i);
  while (i == 0 && (quotient >> 65U) == 0 && rest != 0) {
    step(0);
    exponent -= 32;
  }
  return Normalize(quotient, sticky || rest != 0, exponent);
}

Truncated Quotient(const BigInteger& numerator, const BigInteger& denominator, int64_t exponent) {
  if (numerator.is_zero()) return {};
  const int64_t shift = 66 + denominator.bit_length() - numerator.bit_length();
  const DivisionResult result = shift >= 0
                                    ? DivideMagnitudes(numerator.ShiftedLeft(shift), denominator)
                                    : DivideMagnitudes(numerator, denominator.ShiftedLeft(-shift));
  return Normalize(result.quotient, result.has_remainder, exponent - shift);
}

Truncated QuotientRoot(const BigInteger& numerator, const BigInteger& denominator,
                       int64_t exponent) {
  if (numerator.is_zero()) return {};
  int64_t shift = 126 + denominator.bit_length() - numerator.bit_length();
  if ((exponent - shift) % 2 != 0) --shift;
  const DivisionResult result = shift >= 0
                                    ? DivideMagnitudes(numerator.ShiftedLeft(shift), denominator)
                                    : DivideMagnitudes(numerator, denominator.ShiftedLeft(-shift));
  const uint64_t root = Root(result.quotient);
  const bool exact = !result.has_remainder &&
                     static_cast<Uint128>(root) * static_cast<Uint128>(root) == result.quotient;
  return Normalize(root, !exact, (exponent - shift) / 2);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
