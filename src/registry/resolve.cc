#include "registry/resolve.h"

#include <map>

#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {

Resolver::Resolver(const Target& target, const ExpressionChecker& checker, bool refresh,
                   CatalogState* state, Problems* problems, std::vector<LintFinding>* warnings)
    : target_(target),
      checker_(checker),
      refresh_(refresh),
      state_(*state),
      problems_(*problems),
      warnings_(*warnings) {
  if (const auto found = state_.indexes.find(target.project); found != state_.indexes.end()) {
    known_ = &found->second;
  }
}

Resolver::~Resolver() = default;

template <class T>
void Resolver::CheckNames(const std::vector<std::shared_ptr<const T>>& list,
                          const std::vector<std::string>& places, NameIndex* index) {
  std::map<std::string, std::size_t> folded;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string& name = list[i]->name;
    if (!IsValidName(name)) {
      problems_.Add(Concat(places[i], "/name"), "not a name: ", Quoted(name),
                    "; names are letters, digits and _, at most 63, not starting with a digit");
      continue;
    }
    const auto [other, fresh] = folded.emplace(ToLowerAscii(name), i);
    if (!fresh) {
      const std::string& first = list[other->second]->name;
      problems_.Add(Concat(places[i], "/name"), name == first ? "repeated name: " : "", name,
                    name == first ? "" : Concat(" differs from ", first, " only in case"),
                    ", also at ", places[other->second]);
      continue;
    }
    index->emplace(name, static_cast<uint32_t>(i));
  }
}

Resolved Resolver::Run() {
  if (!IsValidName(target_.project)) {
    problems_.Add("/project", "not a name: ", Quoted(target_.project));
  }
  CheckNames(target_.entities, target_.entity_places, &entities_);
  CheckNames(target_.sources, target_.source_places, &sources_);
  CheckNames(target_.feature_views, target_.view_places, &views_);
  CheckNames(target_.on_demand_views, target_.on_demand_places, &on_demand_);
  CheckNames(target_.labels, target_.label_places, &labels_);
  CheckNames(target_.feature_services, target_.service_places, &services_);
  // `view:feature` says nothing about the kind of view.
  std::map<std::string, std::string> folded;
  for (const auto& [name, i] : views_) folded[ToLowerAscii(name)] = target_.view_places[i];
  for (const auto& [name, i] : on_demand_) {
    const auto found = folded.find(ToLowerAscii(name));
    if (found == folded.end()) continue;
    problems_.Add(Concat(target_.on_demand_places[i], "/name"), name,
                  " is the name of a feature view already, at ", found->second);
  }

  out_.sources.resize(target_.sources.size());
  out_.views.resize(target_.feature_views.size());
  out_.on_demand.resize(target_.on_demand_views.size());
  out_.labels.resize(target_.labels.size());
  out_.services.resize(target_.feature_services.size());
  entity_ok_.resize(target_.entities.size());
  source_steps_.resize(target_.sources.size());
  view_steps_.resize(target_.feature_views.size());
  on_demand_steps_.resize(target_.on_demand_views.size());

  for (std::size_t i = 0; i < target_.entities.size(); ++i) CheckEntity(i);
  for (std::size_t i = 0; i < target_.sources.size(); ++i) ResolveSource(i);
  for (std::size_t i = 0; i < target_.feature_views.size(); ++i) ResolveView(i);
  for (std::size_t i = 0; i < target_.on_demand_views.size(); ++i) ResolveOnDemand(i);
  for (std::size_t i = 0; i < target_.labels.size(); ++i) ResolveLabel(i);
  for (std::size_t i = 0; i < target_.feature_services.size(); ++i) ResolveService(i);
  if (!problems_.empty()) return std::move(out_);
  if (refresh_) FollowLocations();
  Lint();
  return std::move(out_);
}

void Resolver::Unknown(const std::string& path, std::string_view what, std::string_view name,
                       const std::vector<std::string>& known) {
  const std::string near = DidYouMean(name, known);
  if (!near.empty() || known.empty() || known.size() > 20) {
    problems_.Add(path, "unknown ", what, ": ", name, near);
  } else {
    problems_.Add(path, "unknown ", what, ": ", name, "; there are ", Join(known, ", "));
  }
}

Resolver::AnyView Resolver::FindAnyView(const std::string& reference, const std::string& path) {
  AnyView out;
  const absl::StatusOr<VersionedName> name = ParseVersionedName(reference);
  if (!name.ok()) {
    problems_.AddStatus(path, name.status());
    return out;
  }
  const auto view = views_.find(name->name);
  const auto on_demand = on_demand_.find(name->name);
  if (view == views_.end() && on_demand == on_demand_.end()) {
    std::vector<std::string> names;
    for (const auto& other : target_.feature_views) names.push_back(other->name);
    for (const auto& other : target_.on_demand_views) names.push_back(other->name);
    Unknown(path, "view", name->name, names);
    return out;
  }
  if (view != views_.end()) {
    out.view = ResolveView(view->second);
  } else {
    out.on_demand = ResolveOnDemand(on_demand->second);
  }
  if (!name->version) return out;
  const int version = *name->version;
  if ((out.view != nullptr && out.view->version == version) ||
      (out.on_demand != nullptr && out.on_demand->version == version)) {
    return out;
  }
  // Not the current version: one of the past.
  const bool is_view = view != views_.end();
  out = {};
  std::vector<std::string> versions;
  if (known_ != nullptr) {
    const VersionIndex& index = is_view ? known_->view_versions : known_->on_demand_versions;
    if (const auto ids = index.find(name->name); ids != index.end()) {
      for (const uint32_t id : ids->second) {
        const ViewVersion* past = is_view ? state_.views[id - 1].get() : nullptr;
        const OnDemandVersion* past_on_demand = is_view ? nullptr : state_.on_demand[id - 1].get();
        const int number = past != nullptr ? past->version : past_on_demand->version;
        versions.push_back(Concat("@", number));
        if (number == version) return {past, past_on_demand};
      }
    }
  }
  problems_.Add(path, name->name, " has no version ", version,
                versions.empty() ? "" : Concat("; there are ", Join(versions, ", ")));
  return out;
}

}  // namespace larder::inline LARDER_ABI
