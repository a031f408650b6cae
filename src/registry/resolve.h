// Turns definitions into resolved versions, checking everything a definition can get wrong.
//
// One Resolver works on one project's target definitions. It reports every problem it finds, and stays silent about
// what only fails because something it names failed already.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/registry/plan.h"
#include "larder/schema/expression_checker.h"
#include "registry/catalog_state.h"
#include "registry/json_tree.h"
#include "registry/meaning.h"
#include "registry/problems.h"

namespace larder::inline LARDER_ABI {

// What a project shall be: the input's objects in their order, then what the input lacks.
struct Target {
  std::string project;
  std::vector<std::shared_ptr<const Entity>> entities;
  std::vector<std::shared_ptr<const Source>> sources;
  std::vector<std::shared_ptr<const FeatureView>> feature_views;
  std::vector<std::shared_ptr<const OnDemandView>> on_demand_views;
  std::vector<std::shared_ptr<const Label>> labels;
  std::vector<std::shared_ptr<const FeatureService>> feature_services;
  // Beside each list: where the object stands, for messages.
  std::vector<std::string> entity_places, source_places, view_places, on_demand_places,
      label_places, service_places;
};

// Beside the target's lists; null where resolving failed.
struct Resolved {
  std::vector<std::shared_ptr<const Source>> sources;
  std::vector<std::shared_ptr<const ViewVersion>> views;
  std::vector<std::shared_ptr<const OnDemandVersion>> on_demand;
  std::vector<std::shared_ptr<const LabelVersion>> labels;
  std::vector<std::shared_ptr<const ServiceVersion>> services;
};

class Resolver {
 public:
  // Versions that exist already are found in `state`; new ones are appended to it, with revision 0. With `refresh` those
  // that exist take over the target's metadata and the like; without, they stay as they are.
  Resolver(const Target& target, const ExpressionChecker& checker, bool refresh,
           CatalogState* state, Problems* problems, std::vector<LintFinding>* warnings);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  Resolved Run();

 private:
  enum class Step : unsigned char { kUntouched, kOpen, kDone, kFailed };

  // resolve_sources.cc
  void CheckEntity(std::size_t i);
  const Source* ResolveSource(std::size_t i);
  bool InheritFromBatch(std::size_t i, Source* source);
  bool InheritFromView(std::size_t i, Source* source);
  void CheckSourceKeys(const Source& source, const std::string& place);
  void CheckFields(const std::vector<Field>& fields, const std::string& path, bool in_source);
  void CheckSourceColumns(const Source& source, const std::string& place);
  void CheckSourceTimes(const Source& source, const std::string& place);

  // resolve_views.cc
  const ViewVersion* ResolveView(std::size_t i);
  struct ViewDraft;
  bool ResolveViewParts(std::size_t i, ViewDraft* draft);
  bool ResolveKeys(const std::string& place, ViewDraft* draft);
  void ResolveRowFeatures(const std::string& place, ViewDraft* draft);
  void CheckValidators(const std::string& place, const ViewDraft& draft);
  void ResolveRowFeature(const Feature& feature, const std::string& path, ViewDraft* draft);
  void ResolveAggregates(const std::string& place, ViewDraft* draft);
  void CheckWindowSource(const std::string& place, const FeatureView& view, const Source& source);
  void CheckRetention(const std::string& place, const ViewDraft& draft);
  void CheckViewRules(const std::string& place, const ViewDraft& draft);
  void KeepReadFields(ViewDraft* draft);

  // resolve_derived.cc
  void TakeBase(const std::string& place, ViewDraft* draft);
  void CheckDerived(const std::string& place, const ViewDraft& draft);
  absl::StatusOr<CheckedExpression> CheckOverRows(const std::string& text, const ViewDraft& draft);
  Hash128 ViewInputsHash(const FeatureView& definition, const std::vector<const Source*>& sources,
                         const Source* batch, const ViewVersion* base);
  bool ResolveDefault(const std::optional<Value>& value, const DataType& type,
                      const std::string& path, std::optional<Value>* out);

  // resolve_on_demand.cc
  const OnDemandVersion* ResolveOnDemand(std::size_t i);
  bool ResolveInputs(const OnDemandView& definition, const std::string& place,
                     OnDemandVersion* view, OnDemandMeaning* meaning);
  void ResolveLabel(std::size_t i);

  // resolve_services.cc
  void ResolveService(std::size_t i);
  struct ServiceDraft;
  int UseView(const ViewVersion& view, const std::string& alias,
              const std::map<std::string, std::string>& join_keys, const std::string& path,
              ServiceDraft* draft);
  int UseOnDemand(const OnDemandVersion& view, const std::string& alias,
                  const std::map<std::string, std::string>& join_keys, const std::string& path,
                  ServiceDraft* draft);
  bool BindKey(const Field& key, const std::string& from, const std::string& path,
               ServiceDraft* draft, KeyBinding* out);
  void AddOutputs(std::size_t index, ServiceDraft* draft);
  void CheckOutputs(const std::string& place, ServiceDraft* draft);
  void CheckDefault(const std::string& place, TypeId dtype, const ServiceOutput& output);
  void AddColumn(const Field& field, const std::string& path, std::vector<Field>* columns);

  // follow_locations.cc
  void FollowLocations();

  // resolve_versions.cc
  std::shared_ptr<const ViewVersion> InternView(ViewVersion view);
  std::shared_ptr<const OnDemandVersion> InternOnDemand(OnDemandVersion view);
  std::shared_ptr<const ServiceVersion> InternService(ServiceVersion service);

  // lint.cc
  void Lint();

  // A view or on-demand view by name; both null when it is unknown (reported) or failed (silent).
  struct AnyView {
    const ViewVersion* view = nullptr;
    const OnDemandVersion* on_demand = nullptr;
    [[nodiscard]] bool found() const { return view != nullptr || on_demand != nullptr; }
  };
  AnyView FindAnyView(const std::string& reference, const std::string& path);
  // Reports `unknown WHAT: NAME` with a suggestion.
  void Unknown(const std::string& path, std::string_view what, std::string_view name,
               const std::vector<std::string>& known);
  template <class T>
  void CheckNames(const std::vector<std::shared_ptr<const T>>& list,
                  const std::vector<std::string>& places, NameIndex* index);

  const Target& target_;
  const ExpressionChecker& checker_;
  const bool refresh_;
  CatalogState& state_;
  Problems& problems_;
  std::vector<LintFinding>& warnings_;
  const CatalogState::ProjectIndex* known_ =
      nullptr;  // versions before this run; null for a new project
  Resolved out_;
  NameIndex entities_, sources_, views_, on_demand_, labels_, services_;
  std::vector<Step> source_steps_, view_steps_, on_demand_steps_;
  std::vector<bool> entity_ok_;
  std::unordered_map<const Source*, Hash128> source_hashes_;
  std::vector<std::string> open_;  // what is being resolved, for cycles
};

}  // namespace larder::inline LARDER_ABI
