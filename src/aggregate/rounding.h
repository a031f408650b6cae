// From exact numbers to floats, rounded once, to nearest and ties to even.
#pragma once

#include <cstdint>
#include <span>

#include "aggregate/big_integer.h"
#include "aggregate/wide_integer.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

// A magnitude in (top - 1, top + 1] * 2^exponent: exactly top when not `sticky`, else a little more.
struct Truncated {
  uint64_t top = 0;  // 0, or bit 63 is set
  bool sticky = false;
  int64_t exponent = 0;
};

[[nodiscard]] double ToFloat64(bool negative, const Truncated& magnitude);
[[nodiscard]] float ToFloat32(bool negative, const Truncated& magnitude);

// Of a magnitude in units of 2^exponent.
[[nodiscard]] Truncated Truncate(Uint128 magnitude, int64_t exponent);
// Of base-2^32 digits, least significant first, the first of them in units of 2^exponent.
[[nodiscard]] Truncated TruncateDigits(std::span<const uint32_t> digits, int64_t exponent);
// The same divided by `divisor`, which is not 0.
[[nodiscard]] Truncated DivideDigits(std::span<const uint32_t> digits, int64_t exponent,
                                     uint64_t divisor);

// |numerator / denominator| * 2^exponent. Requires: denominator not 0.
[[nodiscard]] Truncated Quotient(const BigInteger& numerator, const BigInteger& denominator,
                                 int64_t exponent);
// The square root of that.
[[nodiscard]] Truncated QuotientRoot(const BigInteger& numerator, const BigInteger& denominator,
                                     int64_t exponent);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
