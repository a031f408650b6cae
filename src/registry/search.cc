#include <algorithm>

#include "larder/registry/lineage.h"
#include "registry/catalog_state.h"

namespace larder::inline LARDER_ABI {
namespace {

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  return ToLowerAscii(text).find(ToLowerAscii(part)) != std::string::npos;
}

bool HasTag(const Metadata& metadata, std::string_view tag) {
  const std::size_t equals = tag.find('=');
  const auto found = metadata.tags.find(std::string(tag.substr(0, equals)));
  if (found == metadata.tags.end()) return false;
  return equals == std::string_view::npos || found->second == tag.substr(equals + 1);
}

// What a feature does not say itself, its view says.
Metadata WithParent(const Metadata& own, const Metadata& parent) {
  Metadata out = own;
  if (out.owner.empty()) out.owner = parent.owner;
  out.tags.insert(parent.tags.begin(), parent.tags.end());
  return out;
}

class Searcher {
 public:
  Searcher(const SearchQuery& query, std::vector<SearchHit>* out) : query_(query), out_(*out) {}

  void Consider(const std::string& project, LineageNode object, const Metadata& metadata,
                const std::vector<std::string>& entities,
                const std::optional<DataType>& type = std::nullopt) {
    if (query_.kind && object.kind != *query_.kind) return;
    if (query_.type && (!type || !(*type == *query_.type))) return;
    if (!query_.entity.empty() &&
        std::find(entities.begin(), entities.end(), query_.entity) == entities.end()) {
      return;
    }
    if (!query_.owner.empty() && metadata.owner != query_.owner) return;
    if (!query_.tag.empty() && !HasTag(metadata, query_.tag)) return;
    if (!query_.text.empty()) {
      const std::string& name = object.feature.empty() ? object.name : object.feature;
      if (!ContainsIgnoringCase(name, query_.text) &&
          !ContainsIgnoringCase(metadata.description, query_.text)) {
        return;
      }
    }
    out_.push_back({project, std::move(object), type, metadata});
  }

 private:
  const SearchQuery& query_;
  std::vector<SearchHit>& out_;
};

}  // namespace

std::vector<SearchHit> Search(const Catalog& catalog, const SearchQuery& query) {
  std::vector<SearchHit> out;
  Searcher searcher(query, &out);
  const CatalogState& state = catalog.state();
  for (const auto& [name, project] : state.projects) {
    if (!query.project.empty() && query.project != name) continue;
    const std::string& project_name = name;
    const auto plain = [&](ObjectKind kind, const std::string& object, const Metadata& metadata,
                           const std::vector<std::string>& entities = {}) {
      LineageNode node;
      node.kind = kind;
      node.name = object;
      searcher.Consider(project_name, node, metadata, entities);
    };
    const auto versioned = [&](ObjectKind kind, const auto& version,
                               const std::vector<std::string>& entities) {
      LineageNode node;
      node.kind = kind;
      node.name = version.name;
      node.version = version.version;
      searcher.Consider(project_name, node, version.definition.metadata, entities);
      if constexpr (requires { version.features; }) {
        for (const FeatureColumn& feature : version.features) {
          node.feature = feature.name;
          searcher.Consider(project_name, node,
                            WithParent(feature.metadata, version.definition.metadata), entities,
                            feature.type);
        }
      }
    };
    for (const auto& item : project.entities) {
      plain(ObjectKind::kEntity, item.definition->name, item.definition->metadata,
            {item.definition->name});
    }
    for (const auto& item : project.sources) {
      plain(ObjectKind::kSource, item.definition->name, item.definition->metadata);
    }
    for (const auto& item : project.feature_views) {
      versioned(ObjectKind::kFeatureView, *state.views[item.version_id - 1],
                item.definition->entities);
    }
    for (const auto& item : project.on_demand_views) {
      versioned(ObjectKind::kOnDemandView, *state.on_demand[item.version_id - 1], {});
    }
    for (const auto& item : project.labels) {
      plain(ObjectKind::kLabel, item.definition->name, item.definition->metadata);
    }
    for (const auto& item : project.feature_services) {
      versioned(ObjectKind::kFeatureService, *state.services[item.version_id - 1], {});
    }
  }
  return out;
}

}  // namespace larder::inline LARDER_ABI
