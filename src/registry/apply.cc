#include <map>

#include "larder/registry/plan.h"
#include "registry/catalog_state.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
int VersionOf(const Current<T>& item, const CatalogState& state) {
  if constexpr (std::is_same_v<T, FeatureView>) return state.views[item.version_id - 1]->version;
  if constexpr (std::is_same_v<T, OnDemandView>) {
    return state.on_demand[item.version_id - 1]->version;
  }
  if constexpr (std::is_same_v<T, FeatureService>) {
    return state.services[item.version_id - 1]->version;
  }
  return 0;
}

// What differs between two states of one project, object by object.
template <class T>
void AddChanges(const CatalogState& old_state, const ProjectState* before,
                const CatalogState& new_state, const ProjectState* after,
                std::vector<ObjectChange>* out) {
  std::map<std::string_view, ObjectChange> found;
  const auto visit = [&](const CatalogState& state, const ProjectState* project, bool is_after) {
    if (project == nullptr) return;
    for (const Current<T>& item : project->List<T>()) {
      ObjectChange& change = found[item.definition->name];
      change.kind = kKindOf<T>;
      change.project = project->name;
      change.name = item.definition->name;
      (is_after ? change.object_after : change.object_before) = item.object_id;
      (is_after ? change.version_after : change.version_before) = VersionOf(item, state);
    }
  };
  visit(old_state, before, false);
  visit(new_state, after, true);
  for (auto& [name, change] : found) {
    if (change.object_before != change.object_after ||
        change.version_before != change.version_after) {
      out->push_back(std::move(change));
    }
  }
}

// New versions stand at the end of their pool and carry no revision yet.
template <class T>
void Stamp(uint64_t number, std::size_t old_size, std::vector<std::shared_ptr<const T>>* pool) {
  for (std::size_t i = old_size; i < pool->size(); ++i) {
    auto stamped = std::make_shared<T>(*(*pool)[i]);
    stamped->revision = number;
    (*pool)[i] = std::move(stamped);
  }
}

}  // namespace

absl::StatusOr<Catalog> ApplyPlan(const Catalog& current, const ChangePlan& plan,
                                  const ApplyOptions& options) {
  if (plan.outcome == nullptr) return InvalidArgumentError("the plan was not made by MakePlan");
  const CatalogState& old_state = current.state();
  if (plan.outcome->revision != old_state.revision ||
      plan.base_revision != current.ProjectRevision(plan.project)) {
    return WithKind(
        AbortedError("the definitions changed since the plan was made: it starts from revision ",
                     plan.outcome->revision, ", and the store is at ", old_state.revision,
                     "; plan again"),
        ErrorKind::kConflict);
  }
  if (plan.empty()) return current;
  const uint64_t number = options.number == 0 ? old_state.revision + 1 : options.number;
  if (number <= old_state.revision) {
    return InvalidArgumentError("history number ", number, " is not after revision ",
                                old_state.revision);
  }
  auto state = std::make_shared<CatalogState>(*plan.outcome);
  state->revision = number;
  Stamp(number, old_state.views.size(), &state->views);
  Stamp(number, old_state.on_demand.size(), &state->on_demand);
  Stamp(number, old_state.services.size(), &state->services);
  // Texts of versioned objects are those inside their versions: one copy, whether parsed or applied.
  HistoryEntry entry;
  entry.number = number;
  entry.time = options.time;
  entry.kind = options.kind;
  entry.author = options.author;
  entry.message = options.message;
  entry.detail = options.detail;
  const ProjectState* before = old_state.FindProject(plan.project);
  if (const auto found = state->projects.find(plan.project); found != state->projects.end()) {
    ProjectState& after = found->second;
    after.revision = number;
    for (RemovedName& name : after.removed) {
      if (name.revision == 0) name.revision = number;
    }
    ForEachKind(
        [&]<class T>() { AddChanges<T>(old_state, before, *state, &after, &entry.changes); });
    const uint32_t text_before = before == nullptr ? 0 : before->object_id;
    if (text_before != after.object_id) {
      ObjectChange change;
      change.kind = ObjectKind::kProject;
      change.project = change.name = plan.project;
      change.object_before = text_before;
      change.object_after = after.object_id;
      entry.changes.push_back(std::move(change));
    }
  }
  state->last_change = std::move(entry);
  return Catalog(std::move(state));
}

}  // namespace larder::inline LARDER_ABI
