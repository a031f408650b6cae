// Integers of any size and the rounding of their quotients, in the most obvious way: the twin of src/aggregate's.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace larder_test {

class NaiveInteger {
 public:
  NaiveInteger(int64_t value = 0) {  // NOLINT(google-explicit-constructor)
    negative_ = value < 0;
    const uint64_t magnitude =
        negative_ ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
    *this = FromMagnitude(magnitude, negative_);
  }
  static NaiveInteger FromMagnitude(uint64_t magnitude, bool negative) {
    NaiveInteger result(Raw{});
    for (; magnitude != 0; magnitude >>= 16U) {
      result.digits_.push_back(static_cast<uint16_t>(magnitude));
    }
    result.negative_ = negative && !result.digits_.empty();
    return result;
  }
  // A finite double in units of 2^-1074.
  static NaiveInteger FromDouble(double value) {
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t exponent = (bits >> 52U) & 0x7FFU;
    const uint64_t fraction = bits & 0xFFFFFFFFFFFFFU;
    if (exponent == 0) return FromMagnitude(fraction, bits >> 63U);
    return FromMagnitude(fraction | 0x10000000000000U, bits >> 63U)
        .TimesPowerOfTwo(static_cast<int>(exponent) - 1);
  }

  [[nodiscard]] bool is_zero() const { return digits_.empty(); }
  [[nodiscard]] bool is_negative() const { return negative_; }
  [[nodiscard]] NaiveInteger Magnitude() const {
    NaiveInteger result = *this;
    result.negative_ = false;
    return result;
  }
  [[nodiscard]] NaiveInteger TimesPowerOfTwo(int power) const {
    NaiveInteger result(Raw{});
    result.negative_ = negative_;
    result.digits_.assign(static_cast<std::size_t>(power / 16), 0);
    uint32_t carry = 0;
    for (const uint16_t digit : digits_) {
      carry |= static_cast<uint32_t>(digit) << static_cast<unsigned>(power % 16);
      result.digits_.push_back(static_cast<uint16_t>(carry));
      carry >>= 16U;
    }
    result.digits_.push_back(static_cast<uint16_t>(carry));
    result.Trim();
    return result;
  }
  friend NaiveInteger operator-(NaiveInteger a) {
    a.negative_ = !a.negative_ && !a.is_zero();
    return a;
  }
  friend NaiveInteger operator+(const NaiveInteger& a, const NaiveInteger& b) {
    const bool subtract = a.negative_ != b.negative_;
    const bool swap = subtract && CompareMagnitude(a, b) < 0;
    const NaiveInteger& x = swap ? b : a;
    const NaiveInteger& y = swap ? a : b;
    NaiveInteger sum(Raw{});
    sum.negative_ = x.negative_;
    int32_t carry = 0;
    for (std::size_t i = 0; i < x.digits_.size() || i < y.digits_.size() || carry != 0; ++i) {
      carry += x.Digit(i) + (subtract ? -y.Digit(i) : y.Digit(i));
      sum.digits_.push_back(static_cast<uint16_t>(carry));
      carry >>= 16U;
    }
    sum.Trim();
    return sum;
  }
  friend NaiveInteger operator-(const NaiveInteger& a, const NaiveInteger& b) { return a + -b; }
  friend NaiveInteger operator*(const NaiveInteger& a, const NaiveInteger& b) {
    NaiveInteger product(Raw{});
    product.negative_ = a.negative_ != b.negative_;
    product.digits_.assign(a.digits_.size() + b.digits_.size(), 0);
    for (std::size_t i = 0; i < a.digits_.size(); ++i) {
      uint64_t carry = 0;
      for (std::size_t j = 0; j < b.digits_.size() || carry != 0; ++j) {
        carry += product.digits_[i + j] + uint64_t{a.digits_[i]} * static_cast<uint64_t>(b.Digit(j));
        product.digits_[i + j] = static_cast<uint16_t>(carry);
        carry >>= 16U;
      }
    }
    product.Trim();
    return product;
  }
  friend int CompareMagnitude(const NaiveInteger& a, const NaiveInteger& b) {
    if (a.digits_.size() != b.digits_.size()) return a.digits_.size() < b.digits_.size() ? -1 : 1;
    for (std::size_t i = a.digits_.size(); i-- > 0;) {
      if (a.digits_[i] != b.digits_[i]) return a.digits_[i] < b.digits_[i] ? -1 : 1;
    }
    return 0;
  }
  // Drops common factors of two.
  [[nodiscard]] bool is_even() const { return digits_.empty() || digits_[0] % 2 == 0; }

 private:
  struct Raw {};
  explicit NaiveInteger(Raw) {}
  [[nodiscard]] int32_t Digit(std::size_t i) const { return i < digits_.size() ? digits_[i] : 0; }
  void Trim() {
    while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
    if (digits_.empty()) negative_ = false;
  }
  bool negative_ = false;
  std::vector<uint16_t> digits_;
};

// The float nearest to (|numerator| / |denominator| * 2^exponent)^(1 / root) with the numerator's sign, ties to the even
// one: found by halving the range of all floats until only one is left whose upper midpoint is not passed.
template <class Float, class Bits>
Float NearestFloat(const NaiveInteger& numerator, const NaiveInteger& denominator, int exponent,
                   int root = 1) {
  constexpr bool kWide = sizeof(Float) == 8;
  constexpr unsigned kFraction = kWide ? 52 : 23;
  constexpr int kUnit = kWide ? 1075 : 150;  // midpoints are whole in units of 2^-kUnit
  const auto in_units = [](Bits bits) {      // of half the least number
    const Bits field = bits >> kFraction;
    const Bits fraction = bits & ((Bits{1} << kFraction) - 1);
    const uint64_t mantissa = field == 0 ? fraction : fraction | (Bits{1} << kFraction);
    return NaiveInteger::FromMagnitude(mantissa, false)
        .TimesPowerOfTwo(field == 0 ? 1 : static_cast<int>(field));
  };
  const int shift = exponent + kUnit * root;
  const NaiveInteger left = numerator.Magnitude().TimesPowerOfTwo(shift > 0 ? shift : 0);
  const NaiveInteger scaled = denominator.Magnitude().TimesPowerOfTwo(shift < 0 ? -shift : 0);
  const auto not_above = [&](Bits bits) {
    // (a + b) / 2 of two numbers in units of half the least.
    NaiveInteger midpoint = in_units(bits) + in_units(bits + 1);
    midpoint = root == 1 ? midpoint : midpoint * midpoint;
    // Both sides doubled as often as the midpoint was.
    const int order = CompareMagnitude(left.TimesPowerOfTwo(root), scaled * midpoint);
    return order < 0 || (order == 0 && bits % 2 == 0);
  };
  const Bits infinity = std::bit_cast<Bits>(std::numeric_limits<Float>::infinity());
  Bits low = 0;
  Bits high = infinity;
  while (low < high) {
    const Bits middle = low + (high - low) / 2;
    if (not_above(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const Float magnitude = std::bit_cast<Float>(low);
  return numerator.is_negative() && magnitude != 0 ? -magnitude : magnitude;
}

inline double NearestDouble(const NaiveInteger& numerator, const NaiveInteger& denominator,
                            int exponent, int root = 1) {
  return NearestFloat<double, uint64_t>(numerator, denominator, exponent, root);
}

}  // namespace larder_test
