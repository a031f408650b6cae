#include "larder/registry/plan.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "registry/binary.h"
#include "registry/catalog_state.h"
#include "registry/definitions_tree.h"
#include "registry/diff.h"
#include "registry/plan_target.h"
#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

// One object of the target, and what it is now.
template <class T>
struct Slot {
  const Current<T>* before = nullptr;
  bool from_input = true;
  bool by_api = false;
};

template <class T>
const std::vector<T>& InputList(const Definitions& input) {
  if constexpr (std::is_same_v<T, Entity>) return input.entities;
  if constexpr (std::is_same_v<T, Source>) return input.sources;
  if constexpr (std::is_same_v<T, FeatureView>) return input.feature_views;
  if constexpr (std::is_same_v<T, OnDemandView>) return input.on_demand_views;
  if constexpr (std::is_same_v<T, Label>) return input.labels;
  if constexpr (std::is_same_v<T, FeatureService>) return input.feature_services;
}

template <class T>
auto& TargetList(Target& target) {
  if constexpr (std::is_same_v<T, Entity>) return target.entities;
  if constexpr (std::is_same_v<T, Source>) return target.sources;
  if constexpr (std::is_same_v<T, FeatureView>) return target.feature_views;
  if constexpr (std::is_same_v<T, OnDemandView>) return target.on_demand_views;
  if constexpr (std::is_same_v<T, Label>) return target.labels;
  if constexpr (std::is_same_v<T, FeatureService>) return target.feature_services;
}

template <class T>
std::vector<std::string>& Places(Target& target) {
  if constexpr (std::is_same_v<T, Entity>) return target.entity_places;
  if constexpr (std::is_same_v<T, Source>) return target.source_places;
  if constexpr (std::is_same_v<T, FeatureView>) return target.view_places;
  if constexpr (std::is_same_v<T, OnDemandView>) return target.on_demand_places;
  if constexpr (std::is_same_v<T, Label>) return target.label_places;
  if constexpr (std::is_same_v<T, FeatureService>) return target.service_places;
}

template <class T>
constexpr const char* kListKey = "entities";
template <>
constexpr const char* kListKey<Source> = "sources";
template <>
constexpr const char* kListKey<FeatureView> = "feature_views";
template <>
constexpr const char* kListKey<OnDemandView> = "on_demand_views";
template <>
constexpr const char* kListKey<Label> = "labels";
template <>
constexpr const char* kListKey<FeatureService> = "feature_services";

struct Slots {
  std::vector<Slot<Entity>> entities;
  std::vector<Slot<Source>> sources;
  std::vector<Slot<FeatureView>> feature_views;
  std::vector<Slot<OnDemandView>> on_demand_views;
  std::vector<Slot<Label>> labels;
  std::vector<Slot<FeatureService>> feature_services;
  template <class T>
  auto& List() {
    if constexpr (std::is_same_v<T, Entity>) return entities;
    if constexpr (std::is_same_v<T, Source>) return sources;
    if constexpr (std::is_same_v<T, FeatureView>) return feature_views;
    if constexpr (std::is_same_v<T, OnDemandView>) return on_demand_views;
    if constexpr (std::is_same_v<T, Label>) return labels;
    if constexpr (std::is_same_v<T, FeatureService>) return feature_services;
  }
};

class Planner {
 public:
  Planner(const Catalog& current, const Definitions& next, const ExpressionChecker& checker,
          const TargetOptions& options)
      : old_(current.state()),
        state_(std::make_shared<CatalogState>(current.state())),
        next_(next),
        checker_(checker),
        options_(options) {
    before_ = old_.FindProject(next.project);
  }

  absl::StatusOr<ChangePlan> Run() {
    plan_.project = next_.project;
    plan_.base_revision = before_ == nullptr ? 0 : before_->revision;
    plan_.options = options_.plan;
    plan_.input = next_;
    target_.project = next_.project;
    ForEachKind([&]<class T>() { BuildTarget<T>(); });
    Problems problems;
    Resolver resolver(target_, checker_, !options_.plan.stage, state_.get(), &problems,
                      &plan_.warnings);
    resolved_ = resolver.Run();
    LARDER_RETURN_IF_ERROR(problems.ToStatus(""));
    ProjectState& project = state_->projects[next_.project];
    project.name = next_.project;
    if (!options_.plan.stage) ChangeProject(&project);
    ForEachKind([&]<class T>() { ChangeKindOf<T>(&project); });
    for (Change& change : unmanaged_) plan_.changes.push_back(std::move(change));
    for (Change& change : removed_) plan_.changes.push_back(std::move(change));
    if (!options_.plan.stage) {
      project.resolved_sources = resolved_.sources;
      project.resolved_labels = resolved_.labels;
    } else if (before_ == nullptr) {
      state_->projects.erase(next_.project);  // nothing of it has a bare name yet
    }
    state_->BuildIndex();
    plan_.outcome = state_;
    return std::move(plan_);
  }

 private:
  template <class T>
  void BuildTarget() {
    const std::vector<T>& input = InputList<T>(next_);
    auto& list = TargetList<T>(target_);
    auto& places = Places<T>(target_);
    auto& slots = slots_.List<T>();
    std::unordered_map<std::string_view, const Current<T>*> known;
    if (before_ != nullptr) {
      for (const Current<T>& item : before_->List<T>()) known[item.definition->name] = &item;
    }
    std::unordered_set<std::string_view> taken;
    for (std::size_t i = 0; i < input.size(); ++i) {
      Slot<T> slot;
      if (const auto found = known.find(input[i].name); found != known.end()) {
        slot.before = found->second;
      }
      taken.insert(input[i].name);
      slot.by_api = Owner(kKindOf<T>, input[i].name, slot.before != nullptr,
                          slot.before != nullptr && slot.before->by_api);
      const bool same = slot.before != nullptr && *slot.before->definition == input[i];
      list.push_back(same ? slot.before->definition : std::make_shared<const T>(input[i]));
      slots.push_back(slot);
      std::string place = Concat("/", kListKey<T>, "/", i);
      if (const auto origin = next_.origins.find(place); origin != next_.origins.end()) {
        place = origin->second;
      }
      places.push_back(std::move(place));
    }
    if (before_ == nullptr) return;
    for (const Current<T>& item : before_->List<T>()) {
      if (taken.count(item.definition->name) > 0) continue;
      if (options_.exact || (options_.plan.prune && !item.by_api)) {
        Remove(item);
        continue;
      }
      Slot<T> slot;
      slot.before = &item;
      slot.from_input = false;
      slot.by_api = item.by_api;
      slots.push_back(slot);
      list.push_back(item.definition);
      places.push_back(Concat("stored ", ObjectKindName(kKindOf<T>), " ", item.definition->name));
    }
  }

  bool Owner(ObjectKind kind, std::string_view name, bool exists, bool by_api) const {
    if (options_.owner) return options_.owner(kind, name);
    return options_.plan.by_api && (!exists || by_api);
  }

  template <class T>
  void Remove(const Current<T>& item) {
    Change change;
    change.kind = kKindOf<T>;
    change.name = item.definition->name;
    change.change = ChangeKind::kRemoved;
    change.version_before = VersionOf<T>(item.version_id, old_);
    removed_.push_back(std::move(change));
  }

  template <class T>
  static int VersionOf(uint32_t id, const CatalogState& state) {
    if (id == 0) return 0;
    if constexpr (std::is_same_v<T, FeatureView>) return state.views[id - 1]->version;
    if constexpr (std::is_same_v<T, OnDemandView>) return state.on_demand[id - 1]->version;
    if constexpr (std::is_same_v<T, FeatureService>) return state.services[id - 1]->version;
    return 0;
  }
  template <class T>
  uint32_t ResolvedId(std::size_t i) const {
    if constexpr (std::is_same_v<T, FeatureView>) return resolved_.views[i]->id;
    if constexpr (std::is_same_v<T, OnDemandView>) return resolved_.on_demand[i]->id;
    if constexpr (std::is_same_v<T, FeatureService>) return resolved_.services[i]->id;
    return 0;
  }
  template <class T>
  static bool IsOld(uint32_t id, const CatalogState& state) {
    if constexpr (std::is_same_v<T, FeatureView>) return id <= state.views.size();
    if constexpr (std::is_same_v<T, OnDemandView>) return id <= state.on_demand.size();
    if constexpr (std::is_same_v<T, FeatureService>) return id <= state.services.size();
    return true;
  }
  template <class T>
  static constexpr bool kVersioned =
      std::is_same_v<T, FeatureView> || std::is_same_v<T, OnDemandView> ||
      std::is_same_v<T, FeatureService>;

  void ChangeProject(ProjectState* project) {
    Change change;
    change.kind = ObjectKind::kProject;
    change.name = next_.project;
    Definitions old_text, new_text;
    if (before_ != nullptr) old_text.metadata = before_->metadata;
    new_text.metadata = next_.metadata;
    change.diffs = DiffTrees(ToTree(old_text), ToTree(new_text));
    const std::string base = before_ == nullptr ? std::string() : before_->base_path;
    if (before_ != nullptr && !next_.base_path.empty() && next_.base_path != base) {
      change.diffs.push_back({"folder", FormatJsonLine(JsonText(base)),
                              FormatJsonLine(JsonText(next_.base_path)), false});
    }
    for (FieldDiff& diff : change.diffs) diff.meaning = false;
    if (!next_.base_path.empty()) project->base_path = next_.base_path;
    project->metadata = next_.metadata;
    BinaryWriter text;
    text.Put(ObjectKind::kProject);
    text.Put(false);
    text.Put(next_.metadata);
    project->object_id = Archive(std::move(text).Take());
    if (before_ != nullptr && !change.diffs.empty()) {
      change.change = ChangeKind::kMetadata;
      plan_.changes.push_back(std::move(change));
    }
  }

  template <class T>
  void ChangeKindOf(ProjectState* project) {
    auto& slots = slots_.List<T>();
    auto& list = TargetList<T>(target_);
    std::vector<Current<T>> now;
    now.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Slot<T>& slot = slots[i];
      Current<T> item;
      item.definition = list[i];
      item.by_api = slot.by_api;
      item.version_id = ResolvedId<T>(i);
      Change change = Compare<T>(i, slot, item);
      const bool text_differs =
          slot.before == nullptr || !change.diffs.empty() || slot.before->by_api != slot.by_api;
      item.object_id = text_differs && !options_.plan.stage
                           ? Archive(ArchiveBytes(*list[i], slot.by_api))
                           : (slot.before == nullptr ? 0 : slot.before->object_id);
      now.push_back(std::move(item));
      (change.change == ChangeKind::kUnmanaged ? unmanaged_ : plan_.changes)
          .push_back(std::move(change));
    }
    if (options_.plan.stage) return;
    if (before_ != nullptr && kVersioned<T>) {
      for (const Current<T>& item : before_->List<T>()) {
        const std::string& name = item.definition->name;
        const bool kept = std::any_of(now.begin(), now.end(), [&](const Current<T>& other) {
          return other.definition->name == name;
        });
        if (!kept) project->removed.push_back({kKindOf<T>, name, 0});
      }
    }
    if (kVersioned<T> && !project->removed.empty()) {
      for (const Current<T>& item : now) {
        auto& removed = project->removed;
        removed.erase(std::remove_if(removed.begin(), removed.end(),
                                     [&](const RemovedName& other) {
                                       return other.kind == kKindOf<T> &&
                                              other.name == item.definition->name;
                                     }),
                      removed.end());
      }
    }
    project->List<T>() = std::move(now);
  }

  template <class T>
  Change Compare(std::size_t i, const Slot<T>& slot, const Current<T>& item) {
    Change change;
    change.kind = kKindOf<T>;
    change.name = item.definition->name;
    change.version_after = VersionOf<T>(item.version_id, *state_);
    change.fresh = !IsOld<T>(item.version_id, old_);
    if (slot.before != nullptr) {
      change.version_before = VersionOf<T>(slot.before->version_id, old_);
      if (slot.before->definition != item.definition &&
          !(*slot.before->definition == *item.definition)) {
        change.diffs = DiffTrees(ToTree(*slot.before->definition), ToTree(*item.definition));
      }
    }
    const bool meant = std::any_of(change.diffs.begin(), change.diffs.end(),
                                   [](const FieldDiff& diff) { return diff.meaning; });
    bool moved = change.version_after != change.version_before;
    if constexpr (std::is_same_v<T, Label>) {
      const auto& labels = before_ != nullptr ? before_->resolved_labels
                                              : std::vector<std::shared_ptr<const LabelVersion>>();
      for (const auto& label : labels) {
        if (label->name == change.name) {
          moved = label->meaning_hash != resolved_.labels[i]->meaning_hash;
        }
      }
    }
    const bool differs =
        !change.diffs.empty() || (slot.before != nullptr && slot.before->by_api != slot.by_api);
    if (slot.before == nullptr) {
      change.change = ChangeKind::kAdded;
    } else if (kVersioned<T> && moved) {
      change.change =
          IsOld<T>(item.version_id, old_) ? ChangeKind::kKnownVersion : ChangeKind::kNewVersion;
    } else if (!kVersioned<T> && (meant || moved)) {
      change.change = ChangeKind::kChanged;
    } else if (differs) {
      change.change = ChangeKind::kMetadata;
      for (FieldDiff& diff : change.diffs) diff.meaning = false;
    } else {
      change.change = slot.from_input ? ChangeKind::kUnchanged : ChangeKind::kUnmanaged;
    }
    if (change.diffs.empty() && differs) {
      change.diffs.push_back({"managed by", slot.before->by_api ? "\"api\"" : "\"files\"",
                              slot.by_api ? "\"api\"" : "\"files\"", false});
    }
    const bool changed = change.change != ChangeKind::kUnchanged &&
                         change.change != ChangeKind::kUnmanaged &&
                         change.change != ChangeKind::kMetadata;
    if (changed) {
      moved_.insert(Concat(ObjectKindName(change.kind), " ", change.name));
      if (slot.before != nullptr && !meant) change.causes = Causes<T>(i);
    }
    if constexpr (std::is_same_v<T, FeatureView>) AddWork(*resolved_.views[i], changed, &change);
    return change;
  }

  // Which of the objects that this one names have changed themselves.
  template <class T>
  std::vector<std::string> Causes(std::size_t i) const {
    std::vector<std::string> named;
    const auto view_name = [&](uint32_t id) {
      return Concat("feature view ", state_->views[id - 1]->name);
    };
    if constexpr (std::is_same_v<T, FeatureView>) {
      const ViewVersion& view = *resolved_.views[i];
      for (const std::string& entity : view.definition.entities) {
        named.push_back(Concat("entity ", entity));
      }
      named.push_back(Concat("source ", view.source.name));
      if (view.batch) named.push_back(Concat("source ", view.batch->name));
      for (const Source& source : view.union_sources) {
        named.push_back(Concat("source ", source.name));
      }
      if (view.base_view) {
        named.push_back(Concat("source ", view.definition.source));
        named.push_back(view_name(*view.base_view));
      }
    } else if constexpr (std::is_same_v<T, OnDemandView>) {
      for (const OnDemandInput& input : resolved_.on_demand[i]->inputs) {
        if (input.request) continue;
        named.push_back(input.on_demand
                            ? Concat("on-demand view ", state_->on_demand[input.view_id - 1]->name)
                            : view_name(input.view_id));
      }
    } else if constexpr (std::is_same_v<T, Label>) {
      named.push_back(view_name(resolved_.labels[i]->view_id));
    } else if constexpr (std::is_same_v<T, FeatureService>) {
      const ServiceVersion& service = *resolved_.services[i];
      for (const ViewUse& use : service.views) named.push_back(view_name(use.view_id));
      for (const OnDemandUse& use : service.on_demand) {
        named.push_back(Concat("on-demand view ", state_->on_demand[use.view_id - 1]->name));
      }
    }
    std::vector<std::string> out;
    for (std::string& name : named) {
      if (moved_.count(name) > 0 && std::find(out.begin(), out.end(), name) == out.end()) {
        out.push_back(std::move(name));
      }
    }
    return out;
  }

  void AddWork(const ViewVersion& view, bool changed, Change* change) {
    change->view_id = view.id;
    if (!changed) return;
    for (const auto& other : state_->views) {
      if (other->id != view.id && other->data_id == view.data_id && other->id <= old_.views.size()) {
        change->shares_with = other->version;
      }
    }
    if (change->change == ChangeKind::kKnownVersion && change->shares_with == 0) {
      change->work = DataWork::kNothing;
    } else if (change->shares_with != 0) {
      change->work = DataWork::kShares;
    } else if (view.offline_source().kind == SourceKind::kPush) {
      change->work = DataWork::kPush;
    } else {
      change->work = DataWork::kMaterialize;
    }
  }

  uint32_t Archive(std::string bytes) {
    if (archived_.empty()) {
      for (std::size_t i = 0; i < state_->archive.size(); ++i) {
        archived_.emplace(*state_->archive[i], static_cast<uint32_t>(i + 1));
      }
    }
    const auto id = static_cast<uint32_t>(state_->archive.size() + 1);
    auto text = std::make_shared<const std::string>(std::move(bytes));
    const auto [found, fresh] = archived_.emplace(*text, id);
    if (!fresh) return found->second;
    // The map's view stays good: the text lives as long as the archive.
    state_->archive.push_back(std::move(text));
    return id;
  }

  const CatalogState& old_;
  std::shared_ptr<CatalogState> state_;
  const Definitions& next_;
  const ExpressionChecker& checker_;
  const TargetOptions& options_;
  const ProjectState* before_ = nullptr;
  Target target_;
  Slots slots_;
  Resolved resolved_;
  ChangePlan plan_;
  std::vector<Change> unmanaged_, removed_;
  std::unordered_set<std::string> moved_;
  std::unordered_map<std::string_view, uint32_t> archived_;
};

}  // namespace

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kUnchanged:
      return "unchanged";
    case ChangeKind::kMetadata:
      return "metadata only";
    case ChangeKind::kChanged:
      return "changed";
    case ChangeKind::kNewVersion:
      return "new version";
    case ChangeKind::kKnownVersion:
      return "known version";
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kRemoved:
      return "removed";
    case ChangeKind::kUnmanaged:
      return "unmanaged";
  }
  return "changed";
}

absl::StatusOr<ChangePlan> PlanTarget(const Catalog& current, const Definitions& next,
                                      const ExpressionChecker& checker,
                                      const TargetOptions& options) {
  return Planner(current, next, checker, options).Run();
}

absl::StatusOr<ChangePlan> MakePlan(const Catalog& current, const Definitions& next,
                                    const ExpressionChecker& checker, const PlanOptions& options) {
  TargetOptions target;
  target.plan = options;
  return PlanTarget(current, next, checker, target);
}

bool ChangePlan::empty() const {
  return std::all_of(changes.begin(), changes.end(), [&](const Change& change) {
    switch (change.change) {
      case ChangeKind::kUnchanged:
      case ChangeKind::kUnmanaged:
        return true;
      case ChangeKind::kAdded:
      case ChangeKind::kNewVersion:
        // Staging moves no name: only versions that do not exist yet count.
        return options.stage && (change.version_after == 0 || !change.fresh);
      default:
        return options.stage;
    }
  });
}

}  // namespace larder::inline LARDER_ABI
