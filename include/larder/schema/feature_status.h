// What became of one requested feature value.
#pragma once

#include <cstdint>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Ordered from best to worst for computed features, which carry the worst status among their
// inputs.
enum class FeatureStatus : uint8_t {
  kPresent = 0,
  kNullValue = 1,      // a row is visible and holds null
  kPartialWindow = 2,  // the window begins before the source is complete
  kOutsideMaxAge =
      3,  // the newest visible row is older than the TTL: value null, the old one as stale_value
  kNotFound = 4,  // no visible row
};

[[nodiscard]] constexpr std::string_view FeatureStatusName(FeatureStatus status) {
  switch (status) {
    case FeatureStatus::kPresent:
      return "PRESENT";
    case FeatureStatus::kNullValue:
      return "NULL_VALUE";
    case FeatureStatus::kPartialWindow:
      return "PARTIAL_WINDOW";
    case FeatureStatus::kOutsideMaxAge:
      return "OUTSIDE_MAX_AGE";
    case FeatureStatus::kNotFound:
      return "NOT_FOUND";
  }
  return "UNKNOWN";
}

}  // namespace larder::inline LARDER_ABI
