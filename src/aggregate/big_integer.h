// Integers of any size, for the one division or root at the end of an exact aggregate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "aggregate/wide_integer.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

class BigInteger {
 public:
  BigInteger() = default;  // 0
  explicit BigInteger(Int128 value);
  // Base 2^32, least significant first.
  BigInteger(bool negative, std::span<const uint32_t> digits);

  [[nodiscard]] bool is_zero() const { return digits_.empty(); }
  [[nodiscard]] bool is_negative() const { return negative_; }
  // Of the magnitude: without leading zeros.
  [[nodiscard]] std::span<const uint32_t> digits() const LARDER_LIFETIME_BOUND { return digits_; }
  [[nodiscard]] int64_t bit_length() const;
  // Requires: not zero.
  [[nodiscard]] int64_t trailing_zeros() const;

  [[nodiscard]] BigInteger Negated() const;
  [[nodiscard]] BigInteger ShiftedLeft(int64_t bits) const;
  // Requires: trailing_zeros() >= bits, or zero.
  [[nodiscard]] BigInteger ShiftedRight(int64_t bits) const;

  friend BigInteger operator+(const BigInteger& a, const BigInteger& b);
  friend BigInteger operator-(const BigInteger& a, const BigInteger& b) { return a + b.Negated(); }
  friend BigInteger operator*(const BigInteger& a, const BigInteger& b);

 private:
  void Trim();
  bool negative_ = false;  // never of zero
  std::vector<uint32_t> digits_;
};

// Of the magnitudes. Requires: the quotient is below 2^128, the denominator not zero.
struct DivisionResult {
  Uint128 quotient = 0;
  bool has_remainder = false;
};
[[nodiscard]] DivisionResult DivideMagnitudes(const BigInteger& numerator,
                                              const BigInteger& denominator);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
