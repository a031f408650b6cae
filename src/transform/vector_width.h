// How wide vectors are in the loops of kernels. Chosen at run time, and never visible in a result: a value is computed
// by the same IEEE operations whatever its neighbours, and contraction is off everywhere.
#pragma once

#include <cstddef>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// 64 with AVX-512, 32 with AVX2, else 16.
std::size_t VectorBytes();
// At most `bytes` from now on, and gives what is used: to see that the width changes no bit.
std::size_t LimitVectorBytesForTesting(std::size_t bytes);

#if defined(__x86_64__)
#define LARDER_WIDE __attribute__((target("avx2")))
#else
#define LARDER_WIDE
#endif
// Behind the parameters of a lambda: its loop is compiled inside RunWide, for RunWide's processor.
#define LARDER_ALWAYS_INLINE __attribute__((always_inline))

template <class Loop>
LARDER_WIDE void RunWide(const Loop& loop) {
  loop();
}

// Runs a loop with the widest vectors that compilers use well: 32 bytes where the processor has them.
template <class Loop>
inline void Widely(const Loop& loop) {
  if (VectorBytes() > 16) {
    RunWide(loop);
  } else {
    loop();
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
