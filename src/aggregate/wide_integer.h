// 128-bit integers, which both compilers have but standard C++ does not.
#pragma once

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
