// What a view's validators may say.
#pragma once

#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/registry/versions.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// The names and types of what a load's validators are about: `keys` and `keys_before`, int64; of every stored feature
// `null_share_NAME`, float64, and of those that are numbers, times or dates `min_NAME` and `max_NAME` of its type.
[[nodiscard]] std::vector<Field> ValidatorFields(const ViewVersion& view);
// Whether a type has a least and a greatest value here.
[[nodiscard]] bool HasRange(const DataType& type);

}  // namespace larder::inline LARDER_ABI
