// What the system is told of pages of the map.
#pragma once

#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Whether the system took the advice (madvise) about the pages that `bytes` touch.
bool AskForPages(std::string_view bytes, int advice);

// Maps the pages under `bytes`, reading those that are not in memory.
void BringPages(std::string_view bytes);

}  // namespace larder::inline LARDER_ABI
