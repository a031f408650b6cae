#include "larder/registry/feature_edits.h"

#include <algorithm>
#include <set>

#include "larder/schema/reference.h"
#include "registry/catalog_state.h"
#include "registry/plan_target.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
T* FindNamed(std::vector<T>& list, std::string_view name) {
  for (T& item : list) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

std::vector<std::string> ViewNames(const Definitions& definitions) {
  std::vector<std::string> names;
  for (const FeatureView& view : definitions.feature_views) names.push_back(view.name);
  for (const OnDemandView& view : definitions.on_demand_views) names.push_back(view.name);
  return names;
}

// The features of a view of either kind; null when there is no such view.
std::vector<Feature>* FeaturesOf(Definitions& definitions, std::string_view view) {
  if (FeatureView* found = FindNamed(definitions.feature_views, view)) return &found->features;
  if (OnDemandView* found = FindNamed(definitions.on_demand_views, view)) return &found->features;
  return nullptr;
}

absl::Status UnknownView(const Definitions& definitions, std::string_view view) {
  return NotFoundError("unknown view: ", view, DidYouMean(view, ViewNames(definitions)));
}

absl::Status UnknownFeature(const std::vector<Feature>& features, std::string_view view,
                            std::string_view feature) {
  std::vector<std::string> names;
  for (const Feature& other : features) names.push_back(other.name);
  return NotFoundError("unknown feature: ", view, ":", feature, DidYouMean(feature, names));
}

// Edits keep every object's owner; what is new belongs to the API.
absl::StatusOr<ChangePlan> PlanEdit(const Catalog& current, const Definitions& target,
                                    const ExpressionChecker& checker) {
  TargetOptions options;
  options.exact = true;
  const ProjectState* project = current.state().FindProject(target.project);
  options.owner = [project](ObjectKind kind, std::string_view name) {
    bool by_api = true;
    if (project == nullptr) return by_api;
    ForEachKind([&]<class T>() {
      if (kKindOf<T> != kind) return;
      for (const Current<T>& item : project->List<T>()) {
        if (item.definition->name == name) by_api = item.by_api;
      }
    });
    return by_api;
  };
  return PlanTarget(current, target, checker, options);
}

absl::StatusOr<std::vector<std::string>> OnlyEntityOf(const Definitions& definitions,
                                                      const Catalog& current,
                                                      const std::string& source_name) {
  LARDER_ASSIGN_OR_RETURN(const Source* source, current.GetSource(definitions.project, source_name));
  std::vector<std::string> fitting;
  for (const Entity& entity : definitions.entities) {
    const bool fits =
        std::all_of(entity.join_keys.begin(), entity.join_keys.end(), [&](const Field& key) {
          return std::any_of(source->fields.begin(), source->fields.end(),
                             [&](const Field& field) { return field.name == key.name; });
        });
    if (fits) fitting.push_back(entity.name);
  }
  if (fitting.size() == 1) return fitting;
  if (fitting.empty()) {
    return NotFoundError("source ", source_name,
                         " has the join keys of no entity; name the "
                         "entities of the new view");
  }
  return InvalidArgumentError("source ", source_name, " has the join keys of the entities ",
                              Join(fitting, ", "), "; name those of the new view");
}

// Who reads `view:feature`, and what taking it away takes with it.
class Uses {
 public:
  Uses(const Catalog& current, std::string_view project, const ExpressionChecker& checker,
       Definitions* definitions)
      : catalog_(current), project_(project), checker_(checker), definitions_(*definitions) {}

  // An empty feature means the whole view.
  void Remove(const std::string& view, const std::string& feature) {
    if (!done_.insert(Concat(view, ":", feature)).second) return;
    RemoveOnDemandReaders(view, feature);
    RemoveDerivedReaders(view, feature);
    RemoveLabels(view, feature);
    RemoveFromServices(view, feature);
  }
  [[nodiscard]] const std::vector<std::string>& users() const { return users_; }

 private:
  static bool Reads(const std::string& reference, const std::string& view,
                    const std::string& feature) {
    const auto parsed = ParseFeatureReference(reference);
    return parsed.ok() && parsed->view.name == view &&
           (feature.empty() || parsed->feature == feature);
  }
  [[nodiscard]] bool ReadsField(const FeatureView& view, std::span<const Field> fields,
                                const std::string& name) const {
    const auto names = [&](const std::string& text) {
      if (text.empty() || text == name) return !text.empty();
      const auto checked = checker_.Check(text, fields);
      return !checked.ok() ||
             std::binary_search(checked->inputs.begin(), checked->inputs.end(), name);
    };
    const auto is_key = [&](const std::string& entity) {
      Entity* const found = FindNamed(definitions_.entities, entity);
      return found != nullptr && FindNamed(found->join_keys, name) != nullptr;
    };
    return std::any_of(view.entities.begin(), view.entities.end(), is_key) ||
           std::any_of(view.features.begin(), view.features.end(),
                       [&](const Feature& f) { return names(f.expr.empty() ? f.name : f.expr); }) ||
           std::any_of(view.aggregates.begin(), view.aggregates.end(), [&](const Aggregate& line) {
             return names(line.input) || names(line.where) || line.group_by == name;
           });
  }
  void RemoveOnDemandReaders(const std::string& view, const std::string& feature) {
    auto& list = definitions_.on_demand_views;
    for (std::size_t i = 0; i < list.size();) {
      const bool reads =
          std::any_of(list[i].inputs.begin(), list[i].inputs.end(),
                      [&](const auto& input) { return Reads(input.second, view, feature); });
      if (!reads) {
        ++i;
        continue;
      }
      const std::string name = list[i].name;
      users_.push_back(Concat("on-demand view ", name));
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
      Remove(name, "");
      i = 0;
    }
  }
  void RemoveDerivedReaders(const std::string& view, const std::string& feature) {
    std::set<std::string> sources;
    for (const Source& source : definitions_.sources) {
      const auto parsed = ParseVersionedName(source.view);
      if (source.kind == SourceKind::kView && parsed.ok() && parsed->name == view) {
        sources.insert(source.name);
      }
    }
    std::vector<std::string> gone;
    for (const FeatureView& other : definitions_.feature_views) {
      if (sources.count(other.source) == 0) continue;
      const auto source = catalog_.GetSource(project_, other.source);
      if (feature.empty() || !source.ok() || ReadsField(other, (*source)->fields, feature))
        gone.push_back(other.name);
    }
    for (const std::string& name : gone) {
      users_.push_back(Concat("feature view ", name));
      auto& list = definitions_.feature_views;
      list.erase(std::remove_if(list.begin(), list.end(),
                                [&](const FeatureView& other) { return other.name == name; }),
                 list.end());
      Remove(name, "");
    }
    if (!feature.empty()) return;
    auto& list = definitions_.sources;
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const Source& other) { return sources.count(other.name) > 0; }),
               list.end());
  }
  void RemoveLabels(const std::string& view, const std::string& feature) {
    auto& list = definitions_.labels;
    const auto reads = [&](const Label& label) {
      const auto parsed = ParseVersionedName(label.view);
      if (!parsed.ok() || parsed->name != view) return false;
      return feature.empty() || label.feature == feature ||
             (label.aggregate && label.aggregate->input == feature);
    };
    for (const Label& label : list) {
      if (reads(label)) users_.push_back(Concat("label ", label.name));
    }
    list.erase(std::remove_if(list.begin(), list.end(), reads), list.end());
  }
  void RemoveFromServices(const std::string& view, const std::string& feature) {
    auto& services = definitions_.feature_services;
    for (std::size_t s = 0; s < services.size();) {
      FeatureService& service = services[s];
      std::set<std::string> aliases = {view};
      bool used = false;
      std::vector<FeatureSelection> kept;
      for (const FeatureSelection& selection : service.features) {
        const auto parsed = ParseVersionedName(selection.view);
        // A pinned version stays as it is.
        const bool same = parsed.ok() && parsed->name == view && !parsed->version;
        if (same && !selection.alias.empty()) aliases.insert(selection.alias);
        FeatureSelection rest = selection;
        if (same && (feature.empty() || selection.features.empty() ||
                     std::count(selection.features.begin(), selection.features.end(), feature))) {
          used = true;
          if (feature.empty()) continue;
          rest.features.erase(std::remove(rest.features.begin(), rest.features.end(), feature),
                              rest.features.end());
          if (rest.features.empty() && !selection.features.empty()) continue;
        }
        kept.push_back(std::move(rest));
      }
      // Keys that came from the feature leave nothing to look up by.
      const auto keyed_by = [&](const FeatureSelection& selection) {
        return std::any_of(
            selection.join_keys.begin(), selection.join_keys.end(), [&](const auto& key) {
              return std::any_of(aliases.begin(), aliases.end(), [&](const std::string& alias) {
                return Reads(key.second, alias, feature);
              });
            });
      };
      const std::size_t before = kept.size();
      kept.erase(std::remove_if(kept.begin(), kept.end(), keyed_by), kept.end());
      used = used || kept.size() != before;
      if (used) users_.push_back(Concat("feature service ", service.name));
      service.features = std::move(kept);
      if (service.features.empty()) {
        services.erase(services.begin() + static_cast<std::ptrdiff_t>(s));
      } else {
        ++s;
      }
    }
  }

  const Catalog& catalog_;
  std::string project_;
  const ExpressionChecker& checker_;
  Definitions& definitions_;
  std::vector<std::string> users_;
  std::set<std::string> done_;
};

// Casts of outputs that are no longer there.
void DropStaleCasts(FeatureService* service, const std::string& feature) {
  for (auto it = service->casts.begin(); it != service->casts.end();) {
    const std::string suffix = Concat("__", feature);
    const bool same = it->first == feature || (it->first.size() > suffix.size() &&
                                               it->first.compare(it->first.size() - suffix.size(),
                                                                 suffix.size(), suffix) == 0);
    it = same ? service->casts.erase(it) : std::next(it);
  }
}

}  // namespace

absl::StatusOr<ChangePlan> PlanCreateFeature(const Catalog& current, const NewFeature& feature,
                                             const ExpressionChecker& checker) {
  Definitions target = current.DefinitionsOf(feature.project);
  const std::string view = feature.view.empty() ? feature.feature.name : feature.view;
  if (std::vector<Feature>* features = FeaturesOf(target, view)) {
    for (const Feature& other : *features) {
      if (other.name == feature.feature.name) {
        return AlreadyExistsError("feature ", view, ":", feature.feature.name, " exists already");
      }
    }
    features->push_back(feature.feature);
    return PlanEdit(current, target, checker);
  }
  if (feature.source.empty()) return UnknownView(target, view);
  FeatureView made;
  made.name = view;
  made.source = feature.source;
  made.ttl = feature.ttl;
  made.entities = feature.entities;
  if (made.entities.empty()) {
    LARDER_ASSIGN_OR_RETURN(made.entities, OnlyEntityOf(target, current, feature.source));
  }
  made.features = {feature.feature};
  target.feature_views.push_back(std::move(made));
  return PlanEdit(current, target, checker);
}

absl::StatusOr<ChangePlan> PlanUpdateFeature(const Catalog& current, std::string_view project,
                                             std::string_view view, const Feature& feature,
                                             const ExpressionChecker& checker) {
  Definitions target = current.DefinitionsOf(project);
  std::vector<Feature>* features = FeaturesOf(target, view);
  if (features == nullptr) return UnknownView(target, view);
  Feature* found = FindNamed(*features, feature.name);
  if (found == nullptr) return UnknownFeature(*features, view, feature.name);
  *found = feature;
  return PlanEdit(current, target, checker);
}

absl::StatusOr<ChangePlan> PlanDeleteFeature(const Catalog& current, std::string_view project,
                                             std::string_view view, std::string_view feature,
                                             const ExpressionChecker& checker, bool force) {
  Definitions target = current.DefinitionsOf(project);
  std::vector<Feature>* features = FeaturesOf(target, view);
  if (features == nullptr) return UnknownView(target, view);
  if (FindNamed(*features, feature) == nullptr) return UnknownFeature(*features, view, feature);
  features->erase(std::remove_if(features->begin(), features->end(),
                                 [&](const Feature& other) { return other.name == feature; }),
                  features->end());
  const bool last = features->empty();
  Uses uses(current, project, checker, &target);
  uses.Remove(std::string(view), last ? "" : std::string(feature));
  if (!uses.users().empty() && !force) {
    return FailedPreconditionError("feature ", view, ":", feature, " is still used by ",
                                   Join(uses.users(), ", "));
  }
  for (FeatureService& service : target.feature_services) {
    DropStaleCasts(&service, std::string(feature));
  }
  if (last) {
    const auto same = [&](const auto& other) { return other.name == view; };
    auto& views = target.feature_views;
    views.erase(std::remove_if(views.begin(), views.end(), same), views.end());
    auto& on_demand = target.on_demand_views;
    on_demand.erase(std::remove_if(on_demand.begin(), on_demand.end(), same), on_demand.end());
  }
  return PlanEdit(current, target, checker);
}

}  // namespace larder::inline LARDER_ABI
