// Definitions to and from the JSON tree, by the table in describe.h.
#pragma once

#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/definitions.h"
#include "registry/json_tree.h"
#include "registry/problems.h"

namespace larder::inline LARDER_ABI {

// Keys that hold their default are left out. Members know whether they are part of the meaning.
[[nodiscard]] JsonNode ToTree(const Entity& value);
[[nodiscard]] JsonNode ToTree(const Source& value);
[[nodiscard]] JsonNode ToTree(const FeatureView& value);
[[nodiscard]] JsonNode ToTree(const OnDemandView& value);
[[nodiscard]] JsonNode ToTree(const Label& value);
[[nodiscard]] JsonNode ToTree(const FeatureService& value);
[[nodiscard]] JsonNode ToTree(const Definitions& value);

// Reads what it can; everything else goes to `problems` with its path below `path`.
[[nodiscard]] Definitions DefinitionsFromTree(const JsonNode& node, const std::string& path,
                                              Problems* problems);
[[nodiscard]] Feature FeatureFromTree(const JsonNode& node, const std::string& path,
                                      Problems* problems);

}  // namespace larder::inline LARDER_ABI
