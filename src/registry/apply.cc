#include <algorithm>
#include <map>

#include "larder/registry/plan.h"
#include "larder/registry/rollback.h"
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

absl::StatusOr<uint64_t> NextNumber(const CatalogState& state, const ApplyOptions& options) {
  const uint64_t last = std::max(state.revision, state.last_change.number);
  if (options.number == 0) return last + 1;
  if (options.number > last) return options.number;
  return InvalidArgumentError("history number ", options.number, " is not after ", last);
}

// A version the name has left is kept up for a while; one it came back to has not left.
void StampLeft(const ProjectState* before, Timestamp time, ProjectState* after) {
  if (before != nullptr) {
    for (const Current<FeatureView>& item : before->feature_views) {
      after->left.emplace(item.version_id, time);
    }
  }
  for (const Current<FeatureView>& item : after->feature_views) {
    after->left.erase(item.version_id);
  }
}

// A view that a rollback moved stays as it is until someone releases it.
void HoldMoved(const HistoryEntry& entry, ProjectState* project) {
  for (const ObjectChange& change : entry.changes) {
    if (change.kind != ObjectKind::kFeatureView) continue;
    if (change.version_after == 0) {
      project->holds.erase(change.name);
    } else if (entry.kind == HistoryKind::kRollback && change.version_before != 0 &&
               change.version_before != change.version_after) {
      project->holds[change.name] = entry.number;
    }
  }
}

// As the caller describes it, without changes.
HistoryEntry EntryOf(uint64_t number, const ApplyOptions& options) {
  HistoryEntry entry;
  entry.number = number;
  entry.time = options.time;
  entry.kind = options.kind;
  entry.author = options.author;
  entry.message = options.message;
  entry.detail = options.detail;
  return entry;
}

void HoldNamed(const std::vector<std::string>& views, uint64_t number, ProjectState* project) {
  for (const std::string& view : views) {
    const auto is_it = [&view](const Current<FeatureView>& item) {
      return item.definition->name == view;
    };
    if (std::any_of(project->feature_views.begin(), project->feature_views.end(), is_it))
      project->holds.emplace(view, number);
  }
}

absl::StatusOr<Catalog> SetHold(const Catalog& current, std::string_view project,
                                std::string_view view, bool hold, const ApplyOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const ViewVersion* found, current.GetView(project, view));
  const CatalogState& old_state = current.state();
  const ProjectState* owner = old_state.FindProject(found->project);
  if (owner == nullptr) return NotFoundError("feature view ", view, " is only staged");
  if ((owner->holds.count(found->name) > 0) == hold) return current;
  LARDER_ASSIGN_OR_RETURN(const uint64_t number, NextNumber(old_state, options));
  auto state = std::make_shared<CatalogState>(old_state);
  ProjectState& changed = state->projects.find(found->project)->second;
  if (hold) {
    changed.holds[found->name] = number;
  } else {
    changed.holds.erase(found->name);
  }
  HistoryEntry entry = EntryOf(number, options);
  entry.kind = hold ? HistoryKind::kHold : HistoryKind::kRelease;
  entry.detail = Concat("feature view ", found->name, " of ", found->project);
  state->last_change = std::move(entry);
  return Catalog(std::move(state));
}

}  // namespace

std::vector<Hold> Holds(const Catalog& catalog) {
  std::vector<Hold> out;
  for (const auto& [name, project] : catalog.state().projects) {
    for (const auto& [view, number] : project.holds) out.push_back({name, view, number});
  }
  return out;
}

bool IsHeld(const Catalog& catalog, std::string_view project, std::string_view view) {
  const ProjectState* found = catalog.state().FindProject(project);
  return found != nullptr && found->holds.find(view) != found->holds.end();
}

absl::StatusOr<Catalog> HoldView(const Catalog& current, std::string_view project,
                                 std::string_view view, ApplyOptions options) {
  return SetHold(current, project, view, true, options);
}

absl::StatusOr<Catalog> HoldViews(const Catalog& current, std::string_view project,
                                  const ApplyOptions& options) {
  const CatalogState& old_state = current.state();
  if (old_state.FindProject(project) == nullptr)
    return NotFoundError("there is no project ", project);
  LARDER_ASSIGN_OR_RETURN(const uint64_t number, NextNumber(old_state, options));
  auto state = std::make_shared<CatalogState>(old_state);
  HoldNamed(options.holds, number, &state->projects.find(project)->second);
  HistoryEntry entry = EntryOf(number, options);
  state->last_change = std::move(entry);
  return Catalog(std::move(state));
}

absl::StatusOr<Catalog> ReleaseView(const Catalog& current, std::string_view project,
                                    std::string_view view, ApplyOptions options) {
  return SetHold(current, project, view, false, options);
}

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
  LARDER_ASSIGN_OR_RETURN(const uint64_t number, NextNumber(old_state, options));
  auto state = std::make_shared<CatalogState>(*plan.outcome);
  state->revision = number;
  Stamp(number, old_state.views.size(), &state->views);
  Stamp(number, old_state.on_demand.size(), &state->on_demand);
  Stamp(number, old_state.services.size(), &state->services);
  HistoryEntry entry = EntryOf(number, options);
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
    StampLeft(before, options.time, &after);
    // Holds change without a new revision: what counts is what is held now, not when the plan was made.
    if (before != nullptr) after.holds = before->holds;
    HoldMoved(entry, &after);
    HoldNamed(options.holds, number, &after);
  }
  state->last_change = std::move(entry);
  return Catalog(std::move(state));
}

}  // namespace larder::inline LARDER_ABI
