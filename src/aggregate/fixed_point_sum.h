// An exact sum: one wide fixed-point number, kept in pieces whose carries wait (Neal, "Fast exact summation using
// small and large superaccumulators", 2015).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "aggregate/big_integer.h"
#include "aggregate/varint.h"
#include "aggregate/wide_integer.h"
#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

// Sums of numbers that are multiples of 2^kLowest and below 2^kHighest in magnitude, as many as one likes.
//
// Digit i counts 2^(kLowest + 32 i) and is 64 bits wide, so a number of 53 bits is added to two digits without a
// carry, 512 times in a row. Only digits from low_ to high_ are in use; the others are 0.
template <int64_t kLowest, int64_t kHighest>
class FixedPointSum {
 public:
  static constexpr int64_t kExponent = kLowest;
  // 64 bits of room for the count, one digit for a carry, one for the upper half of a number's digits.
  static constexpr std::size_t kDigits =
      static_cast<std::size_t>((kHighest - kLowest + 63) / 32 + 4);

  // Requires: mantissa < 2^53, exponent >= kLowest.
  void Add(uint64_t mantissa, int64_t exponent, bool negative) {
    if (pending_ >= kPendingMax) Carry();
    ++pending_;
    const auto position = static_cast<uint64_t>(exponent - kLowest);
    const std::size_t i = position / 32;
    const unsigned shift = position % 32;
    const auto low = static_cast<int64_t>((mantissa << shift) & 0xFFFFFFFFU);
    const auto high = static_cast<int64_t>(mantissa >> (32 - shift));
    const int64_t sign = negative ? -1 : 0;
    digits_[i] += (low ^ sign) - sign;
    digits_[i + 1] += (high ^ sign) - sign;
    Use(i, i + 1);
  }

  // A wider one: base 2^32, least significant first. Requires: it is below 2^kHighest.
  void AddDigits(std::span<const uint32_t> digits, int64_t exponent, bool negative) {
    if (digits.empty()) return;
    if (pending_ >= kPendingMax) Carry();
    ++pending_;
    const auto position = static_cast<uint64_t>(exponent - kLowest);
    const std::size_t first = position / 32;
    const unsigned shift = position % 32;
    const int64_t sign = negative ? -1 : 0;
    uint64_t carry = 0;
    std::size_t i = first;
    for (const uint32_t digit : digits) {
      carry |= uint64_t{digit} << shift;
      digits_[i++] += (static_cast<int64_t>(carry & 0xFFFFFFFFU) ^ sign) - sign;
      carry >>= 32U;
    }
    if (carry != 0) digits_[i++] += (static_cast<int64_t>(carry) ^ sign) - sign;
    Use(first, i - 1);
  }

  // A signed number of 128 bits, in units of 2^exponent. Requires: its magnitude is below 2^127, and as AddDigits.
  void AddWide(Uint128 value, int64_t exponent) {
    const bool is_negative = value >> 127U != 0;
    if (is_negative) value = ~value + 1;
    uint32_t digits[4];
    std::size_t count = 0;
    for (; value != 0; value >>= 32U) digits[count++] = static_cast<uint32_t>(value);
    AddDigits({digits, count}, exponent, is_negative);
  }

  void Merge(const FixedPointSum& other) {
    if (other.low_ > other.high_) return;
    if (pending_ + other.pending_ > 2 * kPendingMax) Carry();
    pending_ += other.pending_;
    for (std::size_t i = other.low_; i <= other.high_; ++i) digits_[i] += other.digits_[i];
    Use(other.low_, other.high_);
  }

  void Clear() {
    for (std::size_t i = low_; i <= high_; ++i) digits_[i] = 0;
    low_ = kDigits;
    high_ = 0;
    pending_ = 0;
  }

  // The sum as sign and magnitude, without zeros at either end: one form for one sum.
  struct Magnitude {
    bool negative = false;
    std::size_t low = 0;    // index of the first digit
    std::size_t count = 0;  // 0: the sum is 0
    std::array<uint32_t, kDigits> buffer;
    [[nodiscard]] std::span<const uint32_t> digits() const { return {buffer.data(), count}; }
    [[nodiscard]] int64_t exponent() const { return kLowest + 32 * static_cast<int64_t>(low); }
  };
  [[nodiscard]] Magnitude magnitude() const {
    Magnitude result;
    // The sign is that of the last carry, so go through twice where it is negative.
    if (CarryInto(&result, 0) < 0) {
      result.negative = true;
      CarryInto(&result, -1);
    }
    while (result.count > 0 && result.buffer[result.count - 1] == 0) --result.count;
    std::size_t zeros = 0;
    while (zeros < result.count && result.buffer[zeros] == 0) ++zeros;
    if (zeros > 0) {
      std::copy(result.buffer.begin() + static_cast<std::ptrdiff_t>(zeros),
                result.buffer.begin() + static_cast<std::ptrdiff_t>(result.count),
                result.buffer.begin());
      result.count -= zeros;
      result.low += zeros;
    }
    return result;
  }
  // Whether its digits in use fit, in units of 2^low_exponent().
  bool IsNarrow(Int128* value) const {
    // Three of them: each is below 2^62.
    if (low_ > high_ || high_ - low_ > 2) return false;
    Uint128 sum = 0;
    for (std::size_t i = high_ + 1; i-- > low_;)
      sum = (sum << 32U) + static_cast<Uint128>(static_cast<Int128>(digits_[i]));
    *value = static_cast<Int128>(sum);
    return true;
  }
  [[nodiscard]] int64_t low_exponent() const { return kLowest + 32 * static_cast<int64_t>(low_); }
  [[nodiscard]] BigInteger ToBigInteger() const {  // in units of 2^kLowest
    const Magnitude value = magnitude();
    return BigInteger(value.negative, value.digits())
        .ShiftedLeft(32 * static_cast<int64_t>(value.low));
  }

  // Digits and their place only: 3 bytes and 4 a digit.
  void Encode(ByteWriter* out) const {
    const Magnitude value = magnitude();
    PutVarint((value.count << 1U) | (value.negative ? 1 : 0), out);
    if (value.count == 0) return;
    PutVarint(value.low, out);
    for (const uint32_t digit : value.digits()) out->Put(digit);
  }
  bool MergeEncoded(ByteReader* in) {
    uint64_t head = 0;
    uint64_t low = 0;
    if (!GetVarint(in, &head)) return false;
    const uint64_t count = head >> 1U;
    const bool negative = head % 2 == 1;
    if (count == 0) return !negative;
    // What is written never uses the last two digits, so that carries have room.
    if (!GetVarint(in, &low) || count > kDigits - 2 || low > kDigits - 2 - count) return false;
    if (pending_ >= kPendingMax) Carry();
    ++pending_;
    const int64_t sign = negative ? -1 : 0;
    uint32_t digit = 0;
    for (uint64_t i = 0; i < count; ++i) {
      digit = in->Get<uint32_t>();
      if (i == 0 && digit == 0) return false;
      digits_[low + i] += (static_cast<int64_t>(digit) ^ sign) - sign;
    }
    Use(low, low + count - 1);
    return in->ok() && digit != 0;
  }

 private:
  // Each pending number adds less than 2^52 to a digit; a merge may double what is pending.
  static constexpr uint32_t kPendingMax = 512;

  void Use(std::size_t low, std::size_t high) {
    if (low < low_) low_ = low;
    if (high > high_) high_ = high;
  }

  // Brings all digits but the last into [0, 2^32).
  void Carry() {
    pending_ = 1;
    if (low_ > high_) return;
    int64_t carry = 0;
    for (std::size_t i = low_;; ++i) {
      const int64_t digit = digits_[i] + carry;
      const bool last = i >= high_;
      if (last && (digit == static_cast<int32_t>(digit) || i + 1 == kDigits)) {
        digits_[i] = digit;
        high_ = i;
        return;
      }
      digits_[i] = digit & 0xFFFFFFFF;
      carry = digit >> 32U;
    }
  }

  // Writes the digits of the sum, or of its negative, carried; gives what is left at the top: -1, or 0.
  int64_t CarryInto(Magnitude* result, int64_t sign) const {
    result->low = low_;
    result->count = 0;
    int64_t carry = 0;
    for (std::size_t i = low_; i < kDigits && (i <= high_ || (carry != 0 && carry != -1)); ++i) {
      const int64_t digit = (i <= high_ ? (digits_[i] ^ sign) - sign : 0) + carry;
      result->buffer[result->count++] = static_cast<uint32_t>(digit);
      carry = digit >> 32U;
    }
    return carry;
  }

  std::array<int64_t, kDigits> digits_{};
  std::size_t low_ = kDigits;
  std::size_t high_ = 0;
  uint32_t pending_ = 0;
};

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
