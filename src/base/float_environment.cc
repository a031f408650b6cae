#include "larder/base/float_environment.h"

#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// By what the settings do rather than by their register, so that no processor is forgotten. Volatile: computed here
// and now, not by the compiler.
absl::Status CheckFloatEnvironment() {
  volatile double smallest = 4.9406564584124654e-324;
  volatile double smallest_normal = 2.2250738585072014e-308;
  const volatile double doubled = smallest + smallest;
  const volatile double halved = smallest_normal * 0.5;
  if (doubled == 0 || halved == 0) {
    return FailedPreconditionError(
        "this thread flushes subnormal numbers to zero (FTZ or DAZ), so features would not have "
        "the same bits "
        "everywhere: link without -Ofast and -ffast-math, or clear the setting before larder is "
        "called");
  }
  volatile double one = 1.0;
  volatile double quarter_ulp = 0x1p-54;
  const volatile double above = one + quarter_ulp;
  const volatile double below = one - quarter_ulp;
  if (above != 1.0 || below != 1.0) {
    return FailedPreconditionError(
        "this thread does not round to nearest, so features would not have the same bits "
        "everywhere: restore the "
        "rounding mode (fesetround(FE_TONEAREST)) before larder is called");
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
