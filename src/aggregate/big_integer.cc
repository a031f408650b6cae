#include "aggregate/big_integer.h"

#include <algorithm>
#include <bit>

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

using Digits = std::vector<uint32_t>;

int CompareMagnitudes(const Digits& a, const Digits& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  for (std::size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

Digits AddMagnitudes(const Digits& a, const Digits& b) {
  const Digits& longer = a.size() >= b.size() ? a : b;
  const Digits& shorter = a.size() >= b.size() ? b : a;
  Digits sum;
  sum.reserve(longer.size() + 1);
  uint64_t carry = 0;
  for (std::size_t i = 0; i < longer.size(); ++i) {
    carry += uint64_t{longer[i]} + (i < shorter.size() ? shorter[i] : 0);
    sum.push_back(static_cast<uint32_t>(carry));
    carry >>= 32U;
  }
  sum.push_back(static_cast<uint32_t>(carry));
  return sum;
}

// Requires: a >= b.
Digits SubtractMagnitudes(const Digits& a, const Digits& b) {
  Digits difference;
  difference.reserve(a.size());
  int64_t borrow = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    borrow += int64_t{a[i]} - (i < b.size() ? int64_t{b[i]} : 0);
    difference.push_back(static_cast<uint32_t>(borrow));
    borrow >>= 32U;
  }
  return difference;
}

DivisionResult DivideByDigit(std::span<const uint32_t> numerator, uint32_t divisor) {
  DivisionResult result;
  uint64_t rest = 0;
  for (std::size_t i = numerator.size(); i-- > 0;) {
    rest = (rest << 32U) | numerator[i];
    result.quotient = (result.quotient << 32U) | (rest / divisor);
    rest %= divisor;
  }
  result.has_remainder = rest != 0;
  return result;
}

}  // namespace

BigInteger::BigInteger(Int128 value) : negative_(value < 0) {
  auto magnitude = static_cast<Uint128>(value);
  if (negative_) magnitude = ~magnitude + 1;
  for (; magnitude != 0; magnitude >>= 32U) digits_.push_back(static_cast<uint32_t>(magnitude));
}

BigInteger::BigInteger(bool negative, std::span<const uint32_t> digits)
    : negative_(negative), digits_(digits.begin(), digits.end()) {
  Trim();
}

void BigInteger::Trim() {
  while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  if (digits_.empty()) negative_ = false;
}

int64_t BigInteger::bit_length() const {
  if (digits_.empty()) return 0;
  return static_cast<int64_t>(digits_.size()) * 32 - std::countl_zero(digits_.back());
}

int64_t BigInteger::trailing_zeros() const {
  int64_t zeros = 0;
  std::size_t i = 0;
  for (; digits_[i] == 0; ++i) zeros += 32;
  return zeros + std::countr_zero(digits_[i]);
}

BigInteger BigInteger::Negated() const {
  BigInteger result = *this;
  result.negative_ = !negative_ && !is_zero();
  return result;
}

BigInteger BigInteger::ShiftedLeft(int64_t bits) const {
  if (is_zero() || bits == 0) return *this;
  BigInteger result;
  result.negative_ = negative_;
  result.digits_.assign(static_cast<std::size_t>(bits / 32), 0);
  const auto shift = static_cast<unsigned>(bits % 32);
  uint64_t carry = 0;
  for (const uint32_t digit : digits_) {
    carry |= uint64_t{digit} << shift;
    result.digits_.push_back(static_cast<uint32_t>(carry));
    carry >>= 32U;
  }
  result.digits_.push_back(static_cast<uint32_t>(carry));
  result.Trim();
  return result;
}

BigInteger BigInteger::ShiftedRight(int64_t bits) const {
  if (is_zero() || bits == 0) return *this;
  BigInteger result;
  result.negative_ = negative_;
  const auto shift = static_cast<unsigned>(bits % 32);
  for (auto i = static_cast<std::size_t>(bits / 32); i < digits_.size(); ++i) {
    const uint64_t above = i + 1 < digits_.size() ? digits_[i + 1] : 0;
    result.digits_.push_back(static_cast<uint32_t>(((above << 32U) | digits_[i]) >> shift));
  }
  result.Trim();
  return result;
}

BigInteger operator+(const BigInteger& a, const BigInteger& b) {
  BigInteger sum;
  if (a.negative_ == b.negative_) {
    sum.negative_ = a.negative_;
    sum.digits_ = AddMagnitudes(a.digits_, b.digits_);
  } else {
    const bool a_greater = CompareMagnitudes(a.digits_, b.digits_) >= 0;
    sum.negative_ = a_greater ? a.negative_ : b.negative_;
    sum.digits_ = a_greater ? SubtractMagnitudes(a.digits_, b.digits_)
                            : SubtractMagnitudes(b.digits_, a.digits_);
  }
  sum.Trim();
  return sum;
}

BigInteger operator*(const BigInteger& a, const BigInteger& b) {
  BigInteger product;
  product.negative_ = a.negative_ != b.negative_;
  product.digits_.assign(a.digits_.size() + b.digits_.size(), 0);
  for (std::size_t i = 0; i < a.digits_.size(); ++i) {
    uint64_t carry = 0;
    for (std::size_t j = 0; j < b.digits_.size(); ++j) {
      carry += uint64_t{a.digits_[i]} * b.digits_[j] + product.digits_[i + j];
      product.digits_[i + j] = static_cast<uint32_t>(carry);
      carry >>= 32U;
    }
    product.digits_[i + b.digits_.size()] = static_cast<uint32_t>(carry);
  }
  product.Trim();
  return product;
}

// Knuth's algorithm D (The Art of Computer Programming, 4.3.1).
DivisionResult DivideMagnitudes(const BigInteger& numerator, const BigInteger& denominator) {
  if (numerator.digits().size() < denominator.digits().size()) {
    return {0, !numerator.is_zero()};
  }
  if (denominator.digits().size() == 1) {
    return DivideByDigit(numerator.digits(), denominator.digits()[0]);
  }
  const int shift = std::countl_zero(denominator.digits().back());
  const BigInteger divisor = denominator.ShiftedLeft(shift);
  const BigInteger shifted = numerator.ShiftedLeft(shift);
  const std::span<const uint32_t> v = divisor.digits();
  Digits u(shifted.digits().begin(), shifted.digits().end());
  u.push_back(0);

  DivisionResult result;
  for (std::size_t j = u.size() - v.size(); j-- > 0;) {
    const std::size_t top = j + v.size();
    const uint64_t high = (uint64_t{u[top]} << 32U) | u[top - 1];
    uint64_t digit = high / v.back();
    uint64_t rest = high % v.back();
    while ((digit >> 32U) != 0 || digit * v[v.size() - 2] > ((rest << 32U) | u[top - 2])) {
      --digit;
      rest += v.back();
      if ((rest >> 32U) != 0) break;
    }
    uint64_t carry = 0;
    int64_t borrow = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      carry += digit * v[i];
      borrow += int64_t{u[i + j]} - static_cast<int64_t>(carry & 0xFFFFFFFFU);
      u[i + j] = static_cast<uint32_t>(borrow);
      borrow >>= 32U;
      carry >>= 32U;
    }
    borrow += int64_t{u[top]} - static_cast<int64_t>(carry);
    u[top] = static_cast<uint32_t>(borrow);
    if (borrow < 0) {  // one too many
      --digit;
      uint64_t sum = 0;
      for (std::size_t i = 0; i < v.size(); ++i) {
        sum += uint64_t{u[i + j]} + v[i];
        u[i + j] = static_cast<uint32_t>(sum);
        sum >>= 32U;
      }
      u[top] += static_cast<uint32_t>(sum);
    }
    result.quotient = (result.quotient << 32U) | digit;
  }
  result.has_remainder = std::any_of(u.begin(), u.end(), [](uint32_t d) { return d != 0; });
  return result;
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
