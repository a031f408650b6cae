// Two texts of one object, key by key.
#pragma once

#include <vector>

#include "larder/base/config.h"
#include "larder/registry/plan.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {

// Objects in lists are matched by their `name`; other list items by position.
[[nodiscard]] std::vector<FieldDiff> DiffTrees(const JsonNode& before, const JsonNode& after);

}  // namespace larder::inline LARDER_ABI
