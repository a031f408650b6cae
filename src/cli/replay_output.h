// What a replay found, for people and for programs.
#pragma once

#include <string>

#include "larder/base/config.h"
#include "larder/feature_store/replay.h"

namespace larder::inline LARDER_ABI {
namespace cli {

[[nodiscard]] std::string ReplayText(const ReplayReport& report);
[[nodiscard]] std::string ReplayJson(const ReplayReport& report);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
