#include "larder/registry/rollback.h"

#include <algorithm>
#include <map>
#include <utility>

#include "registry/binary.h"
#include "registry/catalog_state.h"
#include "registry/definitions_tree.h"
#include "registry/diff.h"
#include "registry/plan_target.h"

namespace larder::inline LARDER_ABI {
namespace {

struct Pointer {
  uint32_t object = 0;
  int version = 0;
};
using ObjectName = std::pair<ObjectKind, std::string>;
using Pointers = std::map<ObjectName, Pointer>;

Pointers PointersNow(const Catalog& current, std::string_view project) {
  Pointers out;
  const CatalogState& state = current.state();
  const ProjectState* owner = state.FindProject(project);
  if (owner == nullptr) return out;
  out[{ObjectKind::kProject, owner->name}] = {owner->object_id, 0};
  ForEachKind([&]<class T>() {
    for (const Current<T>& item : owner->List<T>()) {
      int version = 0;
      if constexpr (std::is_same_v<T, FeatureView>) {
        version = state.views[item.version_id - 1]->version;
      } else if constexpr (std::is_same_v<T, OnDemandView>) {
        version = state.on_demand[item.version_id - 1]->version;
      } else if constexpr (std::is_same_v<T, FeatureService>) {
        version = state.services[item.version_id - 1]->version;
      }
      out[{kKindOf<T>, item.definition->name}] = {item.object_id, version};
    }
  });
  return out;
}

// Walks back from now, entry by entry.
absl::StatusOr<Pointers> PointersAt(const Catalog& current, std::span<const HistoryEntry> later,
                                    std::string_view project, uint64_t number) {
  Pointers out = PointersNow(current, project);
  std::vector<const HistoryEntry*> entries;
  for (const HistoryEntry& entry : later) {
    if (entry.number > number) entries.push_back(&entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const HistoryEntry* a, const HistoryEntry* b) { return a->number > b->number; });
  for (const HistoryEntry* entry : entries) {
    for (const ObjectChange& change : entry->changes) {
      if (change.project != project) continue;
      const ObjectName name{change.kind, change.name};
      const auto found = out.find(name);
      const uint32_t object = found == out.end() ? 0 : found->second.object;
      const int version = found == out.end() ? 0 : found->second.version;
      if (object != change.object_after || version != change.version_after) {
        return WithKind(DataLossError("the history is not whole: entry ", entry->number,
                                      " does not lead to what ", ObjectKindName(change.kind), " ",
                                      change.name, " was after it"),
                        ErrorKind::kCorrupt);
      }
      if (change.object_before == 0) {
        out.erase(name);
      } else {
        out[name] = {change.object_before, change.version_before};
      }
    }
  }
  return out;
}

absl::StatusOr<std::string_view> ArchivedText(const Catalog& current, uint32_t object) {
  const auto& archive = current.state().archive;
  if (object == 0 || object > archive.size()) {
    return WithKind(DataLossError("the history names a text that the catalog does not have"),
                    ErrorKind::kCorrupt);
  }
  return std::string_view(*archive[object - 1]);
}

struct Past {
  Definitions definitions;
  std::map<ObjectName, bool> by_api;
};

absl::StatusOr<Past> PastAt(const Catalog& current, const Pointers& pointers,
                            std::string_view project) {
  Past past;
  Definitions& out = past.definitions;
  out.project = std::string(project);
  if (const ProjectState* owner = current.state().FindProject(project)) {
    out.base_path = owner->base_path;
  }
  for (const auto& [name, pointer] : pointers) {
    LARDER_ASSIGN_OR_RETURN(const std::string_view text, ArchivedText(current, pointer.object));
    absl::Status status;
    bool by_api = false;
    const auto read = [&](auto& list) {
      using T = typename std::decay_t<decltype(list)>::value_type;
      absl::StatusOr<T> definition = ReadArchive<T>(text, &by_api);
      if (definition.ok()) {
        list.push_back(*std::move(definition));
      } else {
        status = definition.status();
      }
    };
    switch (name.first) {
      case ObjectKind::kEntity:
        read(out.entities);
        break;
      case ObjectKind::kSource:
        read(out.sources);
        break;
      case ObjectKind::kFeatureView:
        read(out.feature_views);
        break;
      case ObjectKind::kOnDemandView:
        read(out.on_demand_views);
        break;
      case ObjectKind::kLabel:
        read(out.labels);
        break;
      case ObjectKind::kFeatureService:
        read(out.feature_services);
        break;
      case ObjectKind::kProject: {
        BinaryReader in(text);
        ObjectKind kind{};
        in.Get(kind);
        in.Get(by_api);
        in.Get(out.metadata);
        break;
      }
    }
    if (!status.ok()) return status;
    past.by_api[name] = by_api;
  }
  return past;
}

JsonNode TreeOf(const Definitions& definitions, const ObjectName& name) {
  const auto find = [&](const auto& list) {
    for (const auto& item : list) {
      if (item.name == name.second) return ToTree(item);
    }
    return JsonObject();
  };
  switch (name.first) {
    case ObjectKind::kEntity:
      return find(definitions.entities);
    case ObjectKind::kSource:
      return find(definitions.sources);
    case ObjectKind::kFeatureView:
      return find(definitions.feature_views);
    case ObjectKind::kOnDemandView:
      return find(definitions.on_demand_views);
    case ObjectKind::kLabel:
      return find(definitions.labels);
    case ObjectKind::kFeatureService:
      return find(definitions.feature_services);
    case ObjectKind::kProject: {
      Definitions text;
      text.metadata = definitions.metadata;
      return ToTree(text);
    }
  }
  return JsonObject();
}

ChangeKind KindOfChange(const Change& change, bool before, bool after, bool versioned) {
  if (!before) return ChangeKind::kAdded;
  if (!after) return ChangeKind::kRemoved;
  if (versioned) {
    if (change.version_before == change.version_after) return ChangeKind::kMetadata;
    return change.version_after > change.version_before ? ChangeKind::kNewVersion
                                                        : ChangeKind::kKnownVersion;
  }
  const bool meant = std::any_of(change.diffs.begin(), change.diffs.end(),
                                 [](const FieldDiff& diff) { return diff.meaning; });
  return meant && change.kind != ObjectKind::kProject ? ChangeKind::kChanged : ChangeKind::kMetadata;
}

// What a view is made from, for the message that it cannot go back alone.
std::vector<std::string> ChangedInputs(const FeatureView& view, const Pointers& then,
                                       const Pointers& now) {
  std::vector<ObjectName> inputs;
  for (const std::string& entity : view.entities) inputs.emplace_back(ObjectKind::kEntity, entity);
  inputs.emplace_back(ObjectKind::kSource, view.source);
  for (const std::string& source : view.union_sources) {
    inputs.emplace_back(ObjectKind::kSource, source);
  }
  std::vector<std::string> out;
  for (const ObjectName& name : inputs) {
    const auto a = then.find(name);
    const auto b = now.find(name);
    const uint32_t object_a = a == then.end() ? 0 : a->second.object;
    const uint32_t object_b = b == now.end() ? 0 : b->second.object;
    if (object_a != object_b) out.push_back(Concat(ObjectKindName(name.first), " ", name.second));
  }
  return out;
}

absl::StatusOr<ChangePlan> PlanViewRollback(const Catalog& current, const Pointers& then,
                                            const Past& past, std::string_view project,
                                            uint64_t number, std::string_view view,
                                            const ExpressionChecker& checker) {
  const auto pointer = then.find({ObjectKind::kFeatureView, std::string(view)});
  if (pointer == then.end()) {
    std::vector<std::string> names;
    for (const FeatureView& other : past.definitions.feature_views) names.push_back(other.name);
    return NotFoundError("there was no feature view ", view, " at entry ", number,
                         DidYouMean(view, names));
  }
  Definitions target = current.DefinitionsOf(project);
  const auto same = [&](const FeatureView& other) { return other.name == view; };
  const FeatureView old = *std::find_if(past.definitions.feature_views.begin(),
                                        past.definitions.feature_views.end(), same);
  const auto place = std::find_if(target.feature_views.begin(), target.feature_views.end(), same);
  if (place == target.feature_views.end()) {
    target.feature_views.push_back(old);
  } else {
    *place = old;
  }
  absl::StatusOr<ChangePlan> plan = MakePlan(current, target, checker, {});
  const std::vector<std::string> changed = ChangedInputs(old, then, PointersNow(current, project));
  const auto cannot = [&](std::string_view why) {
    return FailedPreconditionError(
        "feature view ", view, " cannot go back to @", pointer->second.version, " alone",
        changed.empty() ? "" : Concat(", because ", Join(changed, ", "), " changed since"), why,
        "; roll the project back instead");
  };
  if (!plan.ok()) return cannot(Concat(": ", MessageOf(plan.status())));
  for (const Change& change : plan->changes) {
    if (change.kind == ObjectKind::kFeatureView && change.name == view &&
        change.version_after != pointer->second.version) {
      return cannot("");
    }
  }
  return plan;
}

}  // namespace

absl::StatusOr<Definitions> DefinitionsAt(const Catalog& current,
                                          std::span<const HistoryEntry> later,
                                          std::string_view project, uint64_t number) {
  LARDER_ASSIGN_OR_RETURN(const Pointers pointers, PointersAt(current, later, project, number));
  LARDER_ASSIGN_OR_RETURN(Past past, PastAt(current, pointers, project));
  return std::move(past.definitions);
}

absl::StatusOr<ChangePlan> PlanRollback(const Catalog& current, std::span<const HistoryEntry> later,
                                        std::string_view project, uint64_t number,
                                        const ExpressionChecker& checker, std::string_view view) {
  LARDER_ASSIGN_OR_RETURN(const Pointers pointers, PointersAt(current, later, project, number));
  LARDER_ASSIGN_OR_RETURN(const Past past, PastAt(current, pointers, project));
  if (!view.empty()) {
    return PlanViewRollback(current, pointers, past, project, number, view, checker);
  }
  TargetOptions options;
  options.exact = true;
  options.owner = [&](ObjectKind kind, std::string_view name) {
    const auto found = past.by_api.find({kind, std::string(name)});
    return found != past.by_api.end() && found->second;
  };
  return PlanTarget(current, past.definitions, checker, options);
}

absl::StatusOr<ChangePlan> DiffRevisions(const Catalog& current, std::span<const HistoryEntry> later,
                                         std::string_view project, uint64_t from, uint64_t to) {
  LARDER_ASSIGN_OR_RETURN(const Pointers before, PointersAt(current, later, project, from));
  LARDER_ASSIGN_OR_RETURN(const Pointers after, PointersAt(current, later, project, to));
  LARDER_ASSIGN_OR_RETURN(const Past past_before, PastAt(current, before, project));
  LARDER_ASSIGN_OR_RETURN(const Past past_after, PastAt(current, after, project));
  ChangePlan plan;
  plan.project = std::string(project);
  plan.base_revision = from;
  Pointers all = before;
  all.insert(after.begin(), after.end());
  for (const auto& [name, unused] : all) {
    const auto a = before.find(name);
    const auto b = after.find(name);
    const Pointer old_pointer = a == before.end() ? Pointer{} : a->second;
    const Pointer new_pointer = b == after.end() ? Pointer{} : b->second;
    if (old_pointer.object == new_pointer.object && old_pointer.version == new_pointer.version) {
      continue;
    }
    Change change;
    change.kind = name.first;
    change.name = name.second;
    change.version_before = old_pointer.version;
    change.version_after = new_pointer.version;
    if (a != before.end() && b != after.end()) {
      change.diffs =
          DiffTrees(TreeOf(past_before.definitions, name), TreeOf(past_after.definitions, name));
    }
    const bool versioned = change.version_before != 0 || change.version_after != 0;
    change.change = KindOfChange(change, a != before.end(), b != after.end(), versioned);
    plan.changes.push_back(std::move(change));
  }
  return plan;
}

}  // namespace larder::inline LARDER_ABI
