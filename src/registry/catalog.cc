#include "larder/registry/catalog.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "larder/schema/reference.h"
#include "registry/catalog_state.h"

namespace larder::inline LARDER_ABI {
namespace {

using ProjectIndex = CatalogState::ProjectIndex;

constexpr Duration kRollbackWindowDefault = Duration::Days(7);

const std::shared_ptr<const CatalogState>& EmptyState() {
  static const auto* const state =
      new std::shared_ptr<const CatalogState>(std::make_shared<CatalogState>());
  return *state;
}

std::vector<std::string> Keys(const NameIndex& index) {
  std::vector<std::string> names;
  names.reserve(index.size());
  for (const auto& [name, i] : index) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

// The project that a name is looked up in. An empty `project` means the only one for which `knows` holds.
absl::StatusOr<const ProjectIndex*> ChooseProject(const CatalogState& state,
                                                  std::string_view project, ObjectKind kind,
                                                  std::string_view name,
                                                  const NameIndex ProjectIndex::*names,
                                                  const VersionIndex ProjectIndex::*versions) {
  const std::string_view what = ObjectKindName(kind);
  if (!project.empty()) {
    const auto found = state.indexes.find(project);
    if (found != state.indexes.end()) return &found->second;
    std::vector<std::string> known;
    for (const auto& [other, index] : state.indexes) known.push_back(other);
    return NotFoundError("unknown project: ", project, DidYouMean(project, known));
  }
  const ProjectIndex* chosen = nullptr;
  std::vector<std::string> where;
  std::vector<std::string> all;
  for (const auto& [other, index] : state.indexes) {
    for (const std::string& known : Keys(index.*names)) all.push_back(known);
    const ProjectState* owner = state.FindProject(other);
    const bool removed = owner != nullptr && owner->IsRemoved(kind, name);
    const bool staged = versions != nullptr && (index.*versions).count(std::string(name)) > 0;
    const bool knows = (index.*names).count(std::string(name)) > 0 || (staged && !removed);
    if (!knows) continue;
    chosen = &index;
    where.push_back(other);
  }
  if (where.size() > 1) {
    return InvalidArgumentError(what, " ", name, " is in the projects ", Join(where, ", "),
                                "; name one");
  }
  if (chosen != nullptr) return chosen;
  return NotFoundError("unknown ", what, ": ", name, DidYouMean(name, all),
                       all.empty() ? "; the store has none" : "");
}

template <class V>
absl::StatusOr<const V*> GetVersion(const CatalogState& state, std::string_view project,
                                    std::string_view text, ObjectKind kind,
                                    const NameIndex ProjectIndex::*names,
                                    const VersionIndex ProjectIndex::*versions,
                                    const std::vector<std::shared_ptr<const V>>& pool,
                                    uint32_t (*current)(const ProjectState&, uint32_t)) {
  LARDER_ASSIGN_OR_RETURN(const VersionedName name, ParseVersionedName(text));
  const std::string_view what = ObjectKindName(kind);
  LARDER_ASSIGN_OR_RETURN(const ProjectIndex* index,
                          ChooseProject(state, project, kind, name.name, names, versions));
  const auto ids = (index->*versions).find(name.name);
  const auto bare = (index->*names).find(name.name);
  if (ids == (index->*versions).end()) {
    return NotFoundError("unknown ", what, ": ", name.name,
                         DidYouMean(name.name, Keys(index->*names)));
  }
  const std::string& in_project = pool[ids->second.front() - 1]->project;
  const ProjectState* owner = state.FindProject(in_project);
  if (owner != nullptr && owner->IsRemoved(kind, name.name)) {
    return NotFoundError(what, " ", name.name, " was removed");
  }
  if (!name.version) {
    if (bare == (index->*names).end() || owner == nullptr) {
      return NotFoundError(what, " ", name.name, " is only staged; name a version, such as ",
                           pool[ids->second.back() - 1]->ToString());
    }
    return pool[current(*owner, bare->second) - 1].get();
  }
  std::vector<std::string> known;
  for (const uint32_t id : ids->second) {
    if (pool[id - 1]->version == *name.version) return pool[id - 1].get();
    known.push_back(pool[id - 1]->ToString());
  }
  return NotFoundError(what, " ", name.name, " has no version ", *name.version, "; there are ",
                       Join(known, ", "));
}

template <class F>
void ForProjects(const CatalogState& state, std::string_view project, F&& f) {
  for (const auto& [name, value] : state.projects) {
    if (project.empty() || project == name) f(value);
  }
}

template <class V, class T>
std::vector<const V*> ListVersions(const CatalogState& state, std::string_view project, bool all,
                                   const std::vector<std::shared_ptr<const V>>& pool) {
  std::vector<const V*> out;
  if (!all) {
    ForProjects(state, project, [&](const ProjectState& owner) {
      for (const auto& item : owner.List<T>()) out.push_back(pool[item.version_id - 1].get());
    });
  } else {
    for (const auto& version : pool) {
      if (!project.empty() && version->project != project) continue;
      const ProjectState* owner = state.FindProject(version->project);
      if (owner != nullptr && owner->IsRemoved(kKindOf<T>, version->name)) continue;
      out.push_back(version.get());
    }
  }
  std::sort(out.begin(), out.end(), [](const V* a, const V* b) {
    return std::tie(a->project, a->name, a->version) < std::tie(b->project, b->name, b->version);
  });
  return out;
}

}  // namespace

Catalog::Catalog() : state_(EmptyState()) {}
Catalog::Catalog(std::shared_ptr<const CatalogState> state) : state_(std::move(state)) {}

uint64_t Catalog::revision() const { return state_->revision; }

uint64_t Catalog::ProjectRevision(std::string_view project) const {
  const ProjectState* found = state_->FindProject(project);
  return found == nullptr ? 0 : found->revision;
}

const HistoryEntry& Catalog::last_change() const { return state_->last_change; }

std::vector<std::string> Catalog::Projects() const {
  std::vector<std::string> names;
  for (const auto& [name, project] : state_->projects) names.push_back(name);
  return names;
}

Definitions Catalog::DefinitionsOf(std::string_view project) const {
  Definitions out;
  out.project = std::string(project);
  const ProjectState* found = state_->FindProject(project);
  if (found == nullptr) return out;
  out.base_path = found->base_path;
  out.metadata = found->metadata;
  for (const auto& item : found->entities) out.entities.push_back(*item.definition);
  for (const auto& item : found->sources) out.sources.push_back(*item.definition);
  for (const auto& item : found->feature_views) out.feature_views.push_back(*item.definition);
  for (const auto& item : found->on_demand_views) out.on_demand_views.push_back(*item.definition);
  for (const auto& item : found->labels) out.labels.push_back(*item.definition);
  for (const auto& item : found->feature_services) {
    out.feature_services.push_back(*item.definition);
  }
  return out;
}

absl::StatusOr<const ViewVersion*> Catalog::GetView(std::string_view project,
                                                    std::string_view name) const {
  return GetVersion<ViewVersion>(
      *state_, project, name, ObjectKind::kFeatureView, &ProjectIndex::feature_views,
      &ProjectIndex::view_versions, state_->views,
      [](const ProjectState& owner, uint32_t i) { return owner.feature_views[i].version_id; });
}

absl::StatusOr<const OnDemandVersion*> Catalog::GetOnDemandView(std::string_view project,
                                                                std::string_view name) const {
  return GetVersion<OnDemandVersion>(
      *state_, project, name, ObjectKind::kOnDemandView, &ProjectIndex::on_demand_views,
      &ProjectIndex::on_demand_versions, state_->on_demand,
      [](const ProjectState& owner, uint32_t i) { return owner.on_demand_views[i].version_id; });
}

absl::StatusOr<const ServiceVersion*> Catalog::GetService(std::string_view project,
                                                          std::string_view name) const {
  return GetVersion<ServiceVersion>(
      *state_, project, name, ObjectKind::kFeatureService, &ProjectIndex::feature_services,
      &ProjectIndex::service_versions, state_->services,
      [](const ProjectState& owner, uint32_t i) { return owner.feature_services[i].version_id; });
}

absl::StatusOr<const ServiceVersion*> Catalog::GetServiceBySchema(std::string_view project,
                                                                  const Hash128& schema_hash) const {
  const ServiceVersion* best = nullptr;
  for (const ServiceVersion* service : Services(project, /*all_versions=*/true)) {
    if (service->schema_hash() == schema_hash && (best == nullptr || service->id > best->id)) {
      best = service;
    }
  }
  if (best != nullptr) return best;
  return NotFoundError("no feature service has the schema ", ToHex(schema_hash));
}

absl::StatusOr<const Entity*> Catalog::GetEntity(std::string_view project,
                                                 std::string_view name) const {
  LARDER_ASSIGN_OR_RETURN(
      const ProjectIndex* index,
      ChooseProject(*state_, project, ObjectKind::kEntity, name, &ProjectIndex::entities, nullptr));
  const auto found = index->entities.find(std::string(name));
  if (found == index->entities.end()) {
    return NotFoundError("unknown entity: ", name, DidYouMean(name, Keys(index->entities)));
  }
  for (const auto& [project_name, other] : state_->indexes) {
    if (&other == index) {
      return state_->FindProject(project_name)->entities[found->second].definition.get();
    }
  }
  return InternalError("an index without its project");
}

absl::StatusOr<const Source*> Catalog::GetSource(std::string_view project,
                                                 std::string_view name) const {
  LARDER_ASSIGN_OR_RETURN(
      const ProjectIndex* index,
      ChooseProject(*state_, project, ObjectKind::kSource, name, &ProjectIndex::sources, nullptr));
  const auto found = index->sources.find(std::string(name));
  if (found == index->sources.end()) {
    return NotFoundError("unknown source: ", name, DidYouMean(name, Keys(index->sources)));
  }
  for (const auto& [project_name, other] : state_->indexes) {
    if (&other == index) {
      return state_->FindProject(project_name)->resolved_sources[found->second].get();
    }
  }
  return InternalError("an index without its project");
}

absl::StatusOr<const LabelVersion*> Catalog::GetLabel(std::string_view project,
                                                      std::string_view name) const {
  LARDER_ASSIGN_OR_RETURN(
      const ProjectIndex* index,
      ChooseProject(*state_, project, ObjectKind::kLabel, name, &ProjectIndex::labels, nullptr));
  const auto found = index->labels.find(std::string(name));
  if (found == index->labels.end()) {
    return NotFoundError("unknown label: ", name, DidYouMean(name, Keys(index->labels)));
  }
  for (const auto& [project_name, other] : state_->indexes) {
    if (&other == index) {
      return state_->FindProject(project_name)->resolved_labels[found->second].get();
    }
  }
  return InternalError("an index without its project");
}

const ViewVersion* Catalog::FindView(uint32_t id) const {
  return id == 0 || id > state_->views.size() ? nullptr : state_->views[id - 1].get();
}
const OnDemandVersion* Catalog::FindOnDemandView(uint32_t id) const {
  return id == 0 || id > state_->on_demand.size() ? nullptr : state_->on_demand[id - 1].get();
}
const ServiceVersion* Catalog::FindService(uint32_t id) const {
  return id == 0 || id > state_->services.size() ? nullptr : state_->services[id - 1].get();
}

std::vector<const ViewVersion*> Catalog::Views(std::string_view project, bool all_versions) const {
  return ListVersions<ViewVersion, FeatureView>(*state_, project, all_versions, state_->views);
}
std::vector<const OnDemandVersion*> Catalog::OnDemandViews(std::string_view project,
                                                           bool all_versions) const {
  return ListVersions<OnDemandVersion, OnDemandView>(*state_, project, all_versions,
                                                     state_->on_demand);
}
std::vector<const ServiceVersion*> Catalog::Services(std::string_view project,
                                                     bool all_versions) const {
  return ListVersions<ServiceVersion, FeatureService>(*state_, project, all_versions,
                                                      state_->services);
}

std::vector<const Entity*> Catalog::Entities(std::string_view project) const {
  std::vector<const Entity*> out;
  ForProjects(*state_, project, [&](const ProjectState& owner) {
    for (const auto& item : owner.entities) out.push_back(item.definition.get());
  });
  return out;
}

std::vector<const Source*> Catalog::Sources(std::string_view project) const {
  std::vector<const Source*> out;
  ForProjects(*state_, project, [&](const ProjectState& owner) {
    for (const auto& source : owner.resolved_sources) out.push_back(source.get());
  });
  return out;
}

std::vector<const LabelVersion*> Catalog::Labels(std::string_view project) const {
  std::vector<const LabelVersion*> out;
  ForProjects(*state_, project, [&](const ProjectState& owner) {
    for (const auto& label : owner.resolved_labels) out.push_back(label.get());
  });
  return out;
}

std::optional<Timestamp> Catalog::LeftAt(const ViewVersion& view) const {
  const ProjectState* owner = state_->FindProject(view.project);
  if (owner == nullptr) return std::nullopt;
  const auto found = owner->left.find(view.id);
  if (found == owner->left.end()) return std::nullopt;
  return found->second;
}

Duration Catalog::RollbackWindowOf(const ViewVersion& view) const {
  std::optional<Duration> window = view.definition.rollback_window;
  if (const auto index = state_->indexes.find(view.project); index != state_->indexes.end()) {
    const auto place = index->second.feature_views.find(view.name);
    const ProjectState* owner = state_->FindProject(view.project);
    if (place != index->second.feature_views.end() && owner != nullptr)
      window = owner->feature_views[place->second].definition->rollback_window;
  }
  return window.value_or(kRollbackWindowDefault);
}

std::vector<const ViewVersion*> Catalog::MaintainedViews(std::string_view project,
                                                         Timestamp now) const {
  std::set<uint32_t> live;
  std::set<uint32_t> pinned;
  for (const ViewVersion* view : Views(project)) live.insert(view->id);
  for (const ServiceVersion* service : Services(project, /*all_versions=*/true)) {
    for (const ViewUse& use : service->views) pinned.insert(use.view_id);
  }
  for (const LabelVersion* label : Labels(project)) pinned.insert(label->view_id);
  const auto is_kept = [&](const ViewVersion& view) {
    if (live.count(view.id) > 0 || pinned.count(view.id) > 0) return true;
    const std::optional<Timestamp> left = LeftAt(view);
    if (left) return now < left->Plus(RollbackWindowOf(view));
    const ProjectState* owner = state_->FindProject(view.project);
    const bool removed = owner != nullptr && owner->IsRemoved(ObjectKind::kFeatureView, view.name);
    return !removed;  // staged
  };
  std::map<uint32_t, const ViewVersion*> by_data;
  for (const auto& view : state_->views) {
    if ((!project.empty() && view->project != project) || !is_kept(*view)) continue;
    const ViewVersion*& chosen = by_data[view->data_id];
    if (chosen == nullptr || live.count(view->id) > 0) chosen = view.get();
  }
  std::vector<const ViewVersion*> out;
  out.reserve(by_data.size());
  for (const auto& [data_id, view] : by_data) out.push_back(view);
  std::sort(out.begin(), out.end(), [](const ViewVersion* a, const ViewVersion* b) {
    return std::tie(a->project, a->name, a->version) < std::tie(b->project, b->name, b->version);
  });
  return out;
}

std::vector<const ViewVersion*> Catalog::ViewsOfSource(std::string_view project,
                                                       std::string_view source,
                                                       Timestamp now) const {
  std::vector<const ViewVersion*> out = MaintainedViews(project, now);
  std::erase_if(out, [&](const ViewVersion* view) { return !view->IsFedBy(source); });
  return out;
}

}  // namespace larder::inline LARDER_ABI
