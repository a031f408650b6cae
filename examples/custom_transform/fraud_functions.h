// A team's own functions, written in C++ and called from expressions like any other.
#pragma once

#include "larder/base/status.h"
#include "larder/transform/function.h"

namespace fraud {

// luhn_valid(string) -> bool
// network(string) -> string
// risk(float64, float64) -> float64, in two versions
absl::Status RegisterFunctions(larder::FunctionRegistry* functions);

}  // namespace fraud
