// The numbers that exact sums of products are kept of, and how many others there are.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "aggregate/scalar.h"
#include "aggregate/varint.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

// The lowest bit of a number of at least 2^-250 counts 2^-302; the greatest is 2^250.
inline constexpr int64_t kLowestBit = -302;
inline constexpr double kLeastMagnitude = 0x1p-250;
inline constexpr double kGreatestMagnitude = 0x1p250;

struct NumberTally {
  uint64_t count = 0;  // not null, whatever else
  uint64_t not_finite = 0;
  uint64_t out_of_range = 0;

  // Counts an input that is not null, or counts it off. Whether `*number` is one to sum, that is not zero.
  bool Take(uint64_t word, TypeId type, bool remove, ExactNumber* number) {
    const uint64_t one = remove ? ~uint64_t{0} : 1;
    count += one;
    if (!IsFloat(type)) {
      *number = ExactInteger(word, type);
      return true;
    }
    const double value = FloatOf(word, type);
    const double magnitude = std::fabs(value);
    if (!(magnitude <= std::numeric_limits<double>::max())) {
      not_finite += one;
      return false;
    }
    if (magnitude == 0) return false;
    if (magnitude < kLeastMagnitude || magnitude > kGreatestMagnitude) {
      out_of_range += one;
      return false;
    }
    *number = ExactFloat(value);
    return true;
  }

  void Merge(const NumberTally& other) {
    count += other.count;
    not_finite += other.not_finite;
    out_of_range += other.out_of_range;
  }
  void Encode(ByteWriter* out) const {
    PutVarint(count, out);
    PutVarint(not_finite, out);
    PutVarint(out_of_range, out);
  }
  bool MergeEncoded(ByteReader* in) {
    NumberTally other;
    if (!GetVarint(in, &other.count) || !GetVarint(in, &other.not_finite) ||
        !GetVarint(in, &other.out_of_range)) {
      return false;
    }
    Merge(other);
    return true;
  }
};

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
