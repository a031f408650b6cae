// The parts of the table of casts, and what they share.
#pragma once

#include <cstdint>

#include "transform/builtin.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// The register serves as it is.
inline CastKernel FreeCast() { return {nullptr, true, false, false}; }
inline CastKernel SafeCast(Kernel kernel) { return {kernel, true, false, false}; }
inline CastKernel CostlyCast(Kernel kernel) { return {kernel, true, false, true}; }

struct Int64ToInt32 {
  static bool Do(int64_t a, int64_t* out) {
    *out = a;
    return a == static_cast<int32_t>(a);
  }
};

CastKernel CastFromText(TypeId to, bool lenient);
CastKernel CastToText(TypeId from);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
