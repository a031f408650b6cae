// Exact float64 operations without the C library: bit work and the four IEEE operations only, so that every compiler
// and machine gives the same bits and loops over them vectorise.
#pragma once

#include <bit>
#include <cstdint>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform::ieee {

inline constexpr uint64_t kSign = uint64_t{1} << 63U;

inline uint64_t Bits(double x) { return std::bit_cast<uint64_t>(x); }
inline double Abs(double x) { return std::bit_cast<double>(Bits(x) & ~kSign); }
inline double WithSignOf(double magnitude, double sign) {
  return std::bit_cast<double>((Bits(magnitude) & ~kSign) | (Bits(sign) & kSign));
}
inline bool IsNan(double x) { return x != x; }
inline bool IsFinite(double x) { return Abs(x) <= 1.7976931348623157e308; }

// Half to even; zeros, infinities and NaN as they are.
inline double RoundEven(double x) {
  constexpr double kTwo52 = 4503599627370496.0;
  const double magnitude = Abs(x);
  const double rounded = (magnitude + kTwo52) - kTwo52;
  return magnitude < kTwo52 ? WithSignOf(rounded, x) : x;
}
inline double Trunc(double x) {
  const double r = RoundEven(x);
  const double down = Abs(r) > Abs(x) ? Abs(r) - 1.0 : Abs(r);
  return IsNan(x) ? x : WithSignOf(down, x);
}
inline double Floor(double x) {
  const double r = RoundEven(x);
  return r > x ? WithSignOf(r - 1.0, x) : r;
}
inline double Ceil(double x) {
  const double r = RoundEven(x);
  return r < x ? WithSignOf(r + 1.0, x) : r;
}
// Half away from zero.
inline double Round(double x) {
  const double t = Trunc(x);
  return Abs(x - t) >= 0.5 ? WithSignOf(Abs(t) + 1.0, x) : t;
}

// The exact remainder of truncated division (C's fmod), sign of `x`. NaN for y = 0, infinite x or NaN.
double Remainder(double x, double y);

// -1 or 1 with NaN above everything and -0 below 0 equal to it: the order in which values sort.
inline bool SortsBefore(double a, double b) { return a < b || (IsNan(b) && !IsNan(a)); }

}  // namespace transform::ieee
}  // namespace larder::inline LARDER_ABI
