// What values depend on besides larder's own code.
#pragma once

#include <string>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Name and version of the elementary functions, of the time zone database this host has, and of the tables of letters:
// `sleef 3.5.1`, `tzdata 2025b` (`tzdata unknown` where the host does not say), `unicode 14.0.0`.
[[nodiscard]] std::vector<std::string> LibraryVersions();

}  // namespace larder::inline LARDER_ABI
