#include "transform/ieee.h"

#include <limits>

namespace larder::inline LARDER_ABI {
namespace transform::ieee {
namespace {

struct Parts {
  uint64_t mantissa;  // with the hidden bit, or below it for subnormals
  int exponent;       // value = mantissa * 2^exponent
};

Parts Split(double magnitude) {
  const uint64_t bits = Bits(magnitude);
  const int biased = static_cast<int>(bits >> 52U);
  const uint64_t fraction = bits & ((uint64_t{1} << 52U) - 1);
  if (biased == 0) return {fraction, -1074};
  return {fraction | (uint64_t{1} << 52U), biased - 1075};
}

// mantissa * 2^exponent, exact. Requires: mantissa < 2^53, exponent >= -1074 where mantissa is not zero.
double Join(uint64_t mantissa, int exponent) {
  if (mantissa == 0) return 0.0;
  const int shift = std::countl_zero(mantissa) - 11;
  const int room = exponent + 1074;
  const int left = shift < room ? shift : room;
  mantissa <<= static_cast<unsigned>(left);
  exponent -= left;
  if (mantissa < (uint64_t{1} << 52U)) return std::bit_cast<double>(mantissa);
  return std::bit_cast<double>((static_cast<uint64_t>(exponent + 1075) << 52U) |
                               (mantissa & ((uint64_t{1} << 52U) - 1)));
}

}  // namespace

double Remainder(double x, double y) {
  if (IsNan(x) || IsNan(y) || !IsFinite(x) || y == 0)
    return std::numeric_limits<double>::quiet_NaN();
  if (!IsFinite(y) || Abs(x) < Abs(y)) return x;
  const Parts a = Split(Abs(x));
  const Parts b = Split(Abs(y));
  uint64_t rest = a.mantissa % b.mantissa;
  int steps = a.exponent - b.exponent;
  while (steps > 0 && rest != 0) {
    const int shift = steps < 11 ? steps : 11;
    rest = (rest << static_cast<unsigned>(shift)) % b.mantissa;
    steps -= shift;
  }
  return WithSignOf(Join(rest, b.exponent), x);
}

}  // namespace transform::ieee
}  // namespace larder::inline LARDER_ABI
