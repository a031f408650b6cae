// An exact sum of floats, with NaN and the infinities counted beside it so that they leave with their events.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "aggregate/fixed_point_sum.h"
#include "aggregate/rounding.h"
#include "aggregate/varint.h"
#include "aggregate/wide_integer.h"
#include "larder/aggregate/accumulator.h"
#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

struct Float64Layout {
  using Bits = uint64_t;
  using Sum = FixedPointSum<-1074, 1024>;
  static constexpr unsigned kFraction = 52;
  static constexpr Bits kExponentMax = 0x7FF;
  static double Rounded(bool negative, const Truncated& magnitude) {
    return ToFloat64(negative, magnitude);
  }
};
struct Float32Layout {
  using Bits = uint32_t;
  using Sum = FixedPointSum<-149, 128>;
  static constexpr unsigned kFraction = 23;
  static constexpr Bits kExponentMax = 0xFF;
  static float Rounded(bool negative, const Truncated& magnitude) {
    return ToFloat32(negative, magnitude);
  }
};

template <class Float, class Layout>
class FloatSum {
 public:
  void Add(Float value) { Change(value, false); }
  void Remove(Float value) { Change(value, true); }
  // The same as Add of each. False, and nothing is added: they are not all zeros and ordinary numbers whose exponents are
  // within kSpread, so that one wide integer holds them. Requires: Float is double.
  bool AddNearby(const WordColumn& words) {
    uint64_t least = Layout::kExponentMax;
    uint64_t greatest = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] << 1U == 0) continue;
      const uint64_t exponent = ExponentOf(words[i]);
      least = std::min(least, exponent);
      greatest = std::max(greatest, exponent);
    }
    const bool has_others = greatest == Layout::kExponentMax || least == 0;
    if (words.size() > kNearbyMax || has_others || greatest > least + kSpread) return false;
    constexpr uint64_t kOne = uint64_t{1} << Layout::kFraction;
    Uint128 sum = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] << 1U == 0) continue;
      const uint64_t mantissa = (words[i] & (kOne - 1)) | kOne;
      const Uint128 placed = static_cast<Uint128>(mantissa) << (ExponentOf(words[i]) - least);
      const Uint128 sign = words[i] >> 63U != 0 ? ~Uint128{0} : 0;
      sum += (placed ^ sign) - sign;
    }
    sum_.AddWide(sum, Layout::Sum::kExponent + static_cast<int64_t>(least) - 1);
    return true;
  }
  void Merge(const FloatSum& other) {
    sum_.Merge(other.sum_);
    nan_ += other.nan_;
    infinity_ += other.infinity_;
    minus_infinity_ += other.minus_infinity_;
  }
  void Clear() {
    sum_.Clear();
    nan_ = infinity_ = minus_infinity_ = 0;
  }

  // The sum divided by `count`, rounded once. An exact zero is +0. Requires: count > 0.
  [[nodiscard]] Float Quotient(uint64_t count) const {
    using Limits = std::numeric_limits<Float>;
    if (nan_ > 0 || (infinity_ > 0 && minus_infinity_ > 0)) return Limits::quiet_NaN();
    if (infinity_ > 0) return Limits::infinity();
    if (minus_infinity_ > 0) return -Limits::infinity();
    if (Int128 narrow = 0; count == 1 && sum_.IsNarrow(&narrow)) {
      const bool is_negative = narrow < 0;
      const auto magnitude = static_cast<Uint128>(narrow);
      return Layout::Rounded(
          is_negative, Truncate(is_negative ? ~magnitude + 1 : magnitude, sum_.low_exponent()));
    }
    const auto value = sum_.magnitude();
    return Layout::Rounded(value.negative,
                           count == 1 ? TruncateDigits(value.digits(), value.exponent())
                                      : DivideDigits(value.digits(), value.exponent(), count));
  }
  [[nodiscard]] const typename Layout::Sum& finite() const LARDER_LIFETIME_BOUND { return sum_; }
  [[nodiscard]] bool is_finite() const { return nan_ + infinity_ + minus_infinity_ == 0; }

  void Encode(ByteWriter* out) const {
    // Almost always all three are absent: one byte.
    const bool special = !is_finite();
    out->Put(static_cast<uint8_t>(special));
    if (special) {
      PutVarint(nan_, out);
      PutVarint(infinity_, out);
      PutVarint(minus_infinity_, out);
    }
    sum_.Encode(out);
  }
  bool MergeEncoded(ByteReader* in) {
    const auto special = in->Get<uint8_t>();
    if (special > 1) return false;
    if (special == 1) {
      uint64_t counts[3] = {};
      for (uint64_t& count : counts) {
        if (!GetVarint(in, &count)) return false;
      }
      if ((counts[0] | counts[1] | counts[2]) == 0) return false;
      nan_ += counts[0];
      infinity_ += counts[1];
      minus_infinity_ += counts[2];
    }
    return sum_.MergeEncoded(in);
  }

 private:
  // 53 bits, moved by up to kSpread, kNearbyMax times: less than 127.
  static constexpr uint64_t kSpread = 64;
  static constexpr std::size_t kNearbyMax = 256;
  static uint64_t ExponentOf(uint64_t word) {
    return (word >> Layout::kFraction) & Layout::kExponentMax;
  }

  void Change(Float value, bool remove) {
    using Bits = typename Layout::Bits;
    const Bits bits = std::bit_cast<Bits>(value);
    constexpr unsigned kSign = sizeof(Bits) * 8 - 1;
    const Bits magnitude = bits & ~(Bits{1} << kSign);
    if (magnitude == 0) return;
    const bool negative = (bits >> kSign) != 0;
    const Bits exponent = magnitude >> Layout::kFraction;
    const Bits fraction = magnitude & ((Bits{1} << Layout::kFraction) - 1);
    if (exponent == Layout::kExponentMax) {
      uint64_t& count = fraction != 0 ? nan_ : negative ? minus_infinity_ : infinity_;
      count += remove ? ~uint64_t{0} : 1;
      return;
    }
    const bool normal = exponent != 0;
    const Bits mantissa = fraction | (Bits{normal} << Layout::kFraction);
    const int64_t place = normal ? static_cast<int64_t>(exponent) - 1 : 0;
    sum_.Add(mantissa, Layout::Sum::kExponent + place, negative != remove);
  }

  typename Layout::Sum sum_;
  uint64_t nan_ = 0;
  uint64_t infinity_ = 0;
  uint64_t minus_infinity_ = 0;
};

using Float64Sum = FloatSum<double, Float64Layout>;
using Float32Sum = FloatSum<float, Float32Layout>;

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
