// Shares as people read them.
#pragma once

#include <cstddef>
#include <string>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// `12.5%`, `0%` for none and `100%` for all; what is neither none nor all never looks like it: `<0.1%`, `>99.9%`.
[[nodiscard]] std::string PercentText(std::size_t part, std::size_t whole);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
