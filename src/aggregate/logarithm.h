// Logarithms and powers of two whose bits do not depend on compiler or machine.
#pragma once

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

[[nodiscard]] double Log2(double x);
[[nodiscard]] double Exp2(double x);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
