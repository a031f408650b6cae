#include "registry/catalog_state.h"

#include "registry/binary.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
void IndexNames(const std::vector<Current<T>>& list, NameIndex* index) {
  index->reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    index->emplace(list[i].definition->name, static_cast<uint32_t>(i));
  }
}

}  // namespace

bool ProjectState::IsRemoved(ObjectKind kind, std::string_view object) const {
  for (const RemovedName& entry : removed) {
    if (entry.kind == kind && entry.name == object) return true;
  }
  return false;
}

const ProjectState* CatalogState::FindProject(std::string_view name) const {
  const auto found = projects.find(name);
  return found == projects.end() ? nullptr : &found->second;
}

void CatalogState::BuildIndex() {
  indexes.clear();
  for (const auto& [name, project] : projects) {
    ProjectIndex& index = indexes[name];
    IndexNames(project.entities, &index.entities);
    IndexNames(project.sources, &index.sources);
    IndexNames(project.feature_views, &index.feature_views);
    IndexNames(project.on_demand_views, &index.on_demand_views);
    IndexNames(project.labels, &index.labels);
    IndexNames(project.feature_services, &index.feature_services);
  }
  for (const auto& view : views) {
    indexes[view->project].view_versions[view->name].push_back(view->id);
  }
  for (const auto& view : on_demand) {
    indexes[view->project].on_demand_versions[view->name].push_back(view->id);
  }
  for (const auto& service : services) {
    indexes[service->project].service_versions[service->name].push_back(service->id);
  }
}

template <class T>
std::string ArchiveBytes(const T& definition, bool by_api) {
  BinaryWriter out;
  out.Put(kKindOf<T>);
  out.Put(by_api);
  out.Put(definition);
  return std::move(out).Take();
}

template <class T>
absl::StatusOr<T> ReadArchive(std::string_view bytes, bool* by_api) {
  BinaryReader in(bytes);
  ObjectKind kind{};
  in.Get(kind);
  in.Get(*by_api);
  T definition;
  in.Get(definition);
  if (!in.finished() || kind != kKindOf<T>) {
    return WithKind(DataLossError("the text of a definition is damaged"), ErrorKind::kCorrupt);
  }
  return definition;
}

#define LARDER_ARCHIVED(T)                           \
  template std::string ArchiveBytes(const T&, bool); \
  template absl::StatusOr<T> ReadArchive(std::string_view, bool*)
LARDER_ARCHIVED(Entity);
LARDER_ARCHIVED(Source);
LARDER_ARCHIVED(FeatureView);
LARDER_ARCHIVED(OnDemandView);
LARDER_ARCHIVED(Label);
LARDER_ARCHIVED(FeatureService);
#undef LARDER_ARCHIVED

}  // namespace larder::inline LARDER_ABI
