// What a Catalog shares between its copies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/text.h"
#include "larder/registry/history.h"
#include "larder/registry/versions.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// The definition a bare name means now.
template <class T>
struct Current {
  std::shared_ptr<const T> definition;
  uint32_t object_id = 0;   // into CatalogState::archive, from 1
  uint32_t version_id = 0;  // of versioned kinds: into views, on_demand or services, from 1
  bool by_api = false;
};

// Names in the order of a list, found by text. Built once.
using NameIndex = std::unordered_map<std::string, uint32_t, StringHash, StringEqual>;
// Every version's id by name, oldest first.
using VersionIndex = std::unordered_map<std::string, std::vector<uint32_t>, StringHash, StringEqual>;

struct RemovedName {
  ObjectKind kind = ObjectKind::kFeatureView;
  std::string name;
  uint64_t revision = 0;
};

struct ProjectState {
  std::string name;
  std::string base_path;
  Metadata metadata;
  uint32_t object_id = 0;  // the archived text of project and metadata
  uint64_t revision = 0;
  std::vector<Current<Entity>> entities;
  std::vector<Current<Source>> sources;
  std::vector<Current<FeatureView>> feature_views;
  std::vector<Current<OnDemandView>> on_demand_views;
  std::vector<Current<Label>> labels;
  std::vector<Current<FeatureService>> feature_services;
  std::vector<std::shared_ptr<const Source>> resolved_sources;       // beside sources
  std::vector<std::shared_ptr<const LabelVersion>> resolved_labels;  // beside labels
  std::vector<RemovedName> removed;  // versioned kinds; their versions stay, unreachable
  std::map<std::string, uint64_t, std::less<>> holds;  // feature view -> the entry that holds it
  std::map<uint32_t, Timestamp> left;  // feature view versions that were live: when the name left them

  template <class T>
  [[nodiscard]] const std::vector<Current<T>>& List() const {
    if constexpr (std::is_same_v<T, Entity>) return entities;
    if constexpr (std::is_same_v<T, Source>) return sources;
    if constexpr (std::is_same_v<T, FeatureView>) return feature_views;
    if constexpr (std::is_same_v<T, OnDemandView>) return on_demand_views;
    if constexpr (std::is_same_v<T, Label>) return labels;
    if constexpr (std::is_same_v<T, FeatureService>) return feature_services;
  }
  template <class T>
  [[nodiscard]] std::vector<Current<T>>& List() {
    return const_cast<std::vector<Current<T>>&>(std::as_const(*this).List<T>());
  }
  [[nodiscard]] bool IsRemoved(ObjectKind kind, std::string_view object) const;
};

template <class T>
inline constexpr ObjectKind kKindOf = ObjectKind::kEntity;
template <>
inline constexpr ObjectKind kKindOf<Source> = ObjectKind::kSource;
template <>
inline constexpr ObjectKind kKindOf<FeatureView> = ObjectKind::kFeatureView;
template <>
inline constexpr ObjectKind kKindOf<OnDemandView> = ObjectKind::kOnDemandView;
template <>
inline constexpr ObjectKind kKindOf<Label> = ObjectKind::kLabel;
template <>
inline constexpr ObjectKind kKindOf<FeatureService> = ObjectKind::kFeatureService;

// Calls f.template operator()<T>() for every kind of object, in the order they depend on each other.
template <class F>
void ForEachKind(F&& f) {
  f.template operator()<Entity>();
  f.template operator()<Source>();
  f.template operator()<FeatureView>();
  f.template operator()<OnDemandView>();
  f.template operator()<Label>();
  f.template operator()<FeatureService>();
}

struct CatalogState {
  uint64_t revision = 0;
  HistoryEntry last_change;
  // Every text an object ever had, as written by BinaryWriter; ids count from 1.
  std::vector<std::shared_ptr<const std::string>> archive;
  // Every version ever made; ids count from 1 and are never reused.
  std::vector<std::shared_ptr<const ViewVersion>> views;
  std::vector<std::shared_ptr<const OnDemandVersion>> on_demand;
  std::vector<std::shared_ptr<const ServiceVersion>> services;
  std::map<std::string, ProjectState, std::less<>> projects;

  // Derived; BuildIndex makes them.
  struct ProjectIndex {
    NameIndex entities, sources, feature_views, on_demand_views, labels, feature_services;
    VersionIndex view_versions, on_demand_versions, service_versions;
  };
  std::map<std::string, ProjectIndex, std::less<>> indexes;

  void BuildIndex();
  [[nodiscard]] const ProjectState* FindProject(std::string_view name) const;
};

// How an object's text stands in the archive: kind, whether an API made it, then the struct.
template <class T>
[[nodiscard]] std::string ArchiveBytes(const T& definition, bool by_api);
// Errors: kDataLoss when `bytes` is not a T.
template <class T>
[[nodiscard]] absl::StatusOr<T> ReadArchive(std::string_view bytes, bool* by_api);

}  // namespace larder::inline LARDER_ABI
