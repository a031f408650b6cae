// The calling thread's floating-point settings, on which the bits of every sum depend.
#pragma once

#include "absl/status/status.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Whether this thread computes as IEEE 754 says by default: to nearest, subnormal numbers kept. Settings are a
// thread's own and new threads inherit them; a program linked with -Ofast or -ffast-math starts with them changed.
//
// Errors: kFailedPrecondition saying which setting is off and what sets it.
// Cost: nanoseconds.
[[nodiscard]] absl::Status CheckFloatEnvironment();

}  // namespace larder::inline LARDER_ABI
