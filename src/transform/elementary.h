// Elementary functions whose bits do not depend on compiler, CPU or vector width: SLEEF's deterministic family. `One`
// and `Many` agree bit for bit on every input but in the payload of a NaN.
#pragma once

#include <cstddef>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

#define LARDER_ELEMENTARY_FUNCTIONS(X) \
  X(exp)                               \
  X(expm1)                             \
  X(log)                               \
  X(log2)                              \
  X(log10)                             \
  X(log1p)                             \
  X(sin)                               \
  X(cos)                               \
  X(tan)                               \
  X(asin)                              \
  X(acos)                              \
  X(atan)                              \
  X(sinh)                              \
  X(cosh)                              \
  X(tanh)                              \
  X(cbrt)

namespace elementary {
#define LARDER_DECLARE(name)                                           \
  struct name {                                                        \
    static double One(double x);                                       \
    static void Many(const double* x, double* out, std::size_t count); \
  };
LARDER_ELEMENTARY_FUNCTIONS(LARDER_DECLARE)
#undef LARDER_DECLARE

#define LARDER_DECLARE(name)                                                            \
  struct name {                                                                         \
    static double One(double x, double y);                                              \
    static void Many(const double* x, const double* y, double* out, std::size_t count); \
  };
LARDER_DECLARE(pow)
LARDER_DECLARE(atan2)
#undef LARDER_DECLARE
}  // namespace elementary

// `sleef 3.5.1`: for revisions and manifests.
const char* ElementaryVersion();

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
