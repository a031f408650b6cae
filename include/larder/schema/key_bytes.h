// Entity keys written in place, for loops over many of them: the bytes of entity_key.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// What AppendKeyInteger appends, at `out`.
inline constexpr std::size_t kKeyIntegerSize = 9;
void WriteKeyInteger(int64_t value, char* out);

}  // namespace larder::inline LARDER_ABI
