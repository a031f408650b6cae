#include "transform/vector_width.h"

#include <atomic>

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

std::size_t Widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx2")) return 64;
  if (__builtin_cpu_supports("avx2")) return 32;
#endif
  return 16;
}

// 0: not looked up yet.
std::atomic<std::size_t> in_use = 0;

}  // namespace

std::size_t VectorBytes() {
  const std::size_t bytes = in_use.load(std::memory_order_relaxed);
  if (bytes != 0) return bytes;
  in_use.store(Widest(), std::memory_order_relaxed);
  return Widest();
}

std::size_t LimitVectorBytesForTesting(std::size_t bytes) {
  in_use.store(bytes < Widest() ? bytes : Widest(), std::memory_order_relaxed);
  return VectorBytes();
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
