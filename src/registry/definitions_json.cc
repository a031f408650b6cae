#include "larder/registry/definitions_json.h"

#include "registry/definitions_tree.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<Definitions> ParseDefinitions(std::string_view json, std::string_view origin) {
  Problems problems;
  absl::StatusOr<JsonNode> tree = ParseJson(json, &problems);
  if (!tree.ok()) return Annotate(tree.status(), origin);
  Definitions definitions = DefinitionsFromTree(*tree, "", &problems);
  LARDER_RETURN_IF_ERROR(problems.ToStatus(origin));
  return definitions;
}

absl::StatusOr<Feature> ParseFeature(std::string_view json, std::string_view origin) {
  Problems problems;
  absl::StatusOr<JsonNode> tree = ParseJson(json, &problems);
  if (!tree.ok()) return Annotate(tree.status(), origin);
  Feature feature = FeatureFromTree(*tree, "", &problems);
  LARDER_RETURN_IF_ERROR(problems.ToStatus(origin));
  return feature;
}

std::string DefinitionsToJson(const Definitions& definitions) {
  return FormatJson(ToTree(definitions));
}

std::string ToJson(const Entity& entity) { return FormatJson(ToTree(entity)); }
std::string ToJson(const Source& source) { return FormatJson(ToTree(source)); }
std::string ToJson(const FeatureView& view) { return FormatJson(ToTree(view)); }
std::string ToJson(const OnDemandView& view) { return FormatJson(ToTree(view)); }
std::string ToJson(const Label& label) { return FormatJson(ToTree(label)); }
std::string ToJson(const FeatureService& service) { return FormatJson(ToTree(service)); }

}  // namespace larder::inline LARDER_ABI
