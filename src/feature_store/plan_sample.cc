#include "larder/feature_store/plan_sample.h"

#include <algorithm>
#include <utility>

#include "feature_store/compute.h"
#include "feature_store/paired_keys.h"
#include "feature_store/sample_compare.h"
#include "feature_store/sample_rows.h"
#include "feature_store/sample_unknowns.h"
#include "feature_store/store_impl.h"
#include "feature_store/widen.h"
#include "larder/registry/lineage.h"

namespace larder::inline LARDER_ABI {
namespace {

using Bound = std::shared_ptr<const BoundService>;

// What one version gives for the sampled keys: an output has values, or the reason why not.
struct SideOutput {
  std::string name;
  FeatureValues values;
  std::string not_sampled;
};

class Sampler {
 public:
  Sampler(const FeatureStore::Impl& impl, const ReadSession& session, const Catalog& before,
          const ChangePlan& plan, const SampleOptions& options, SampleSource source, Timestamp as_of)
      : impl_(impl),
        session_(session),
        before_(before),
        after_(plan.outcome),
        plan_(plan),
        options_(options),
        source_(std::move(source)),
        as_of_(as_of) {}

  SampledObject Run(const Change& change) {
    SampledObject object;
    object.kind = change.kind;
    object.name = change.name;
    object.version_before = change.version_before;
    object.version_after = change.version_after;
    // An on-demand view's features are sampled one by one: one may read what cannot be had, and another not.
    const absl::Status status = change.kind == ObjectKind::kFeatureService
                                    ? SampleService(&object)
                                    : SampleFeatures(&object);
    if (!status.ok()) object.not_sampled = std::string(MessageOf(status));
    return object;
  }

 private:
  absl::Status SampleService(SampledObject* object) {
    FeatureRequest old_request, new_request;
    old_request.project = new_request.project = plan_.project;
    old_request.service = Concat(object->name, "@", object->version_before);
    new_request.service = Concat(object->name, "@", object->version_after);
    return Compare(old_request, new_request, object);
  }

  absl::Status SampleFeatures(SampledObject* object) {
    LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> old_names,
                            FeaturesOf(before_, *object, object->version_before));
    LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> new_names,
                            FeaturesOf(after_, *object, object->version_after));
    if (object->kind == ObjectKind::kFeatureView) {
      return Compare(Request(*object, object->version_before, old_names),
                     Request(*object, object->version_after, new_names), object);
    }
    const auto holds = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    std::vector<std::string> all = new_names;
    for (const std::string& name : old_names) {
      if (!holds(new_names, name)) all.push_back(name);
    }
    for (const std::string& name : all) {
      std::vector<std::string> in_old, in_new;
      if (holds(old_names, name)) in_old.push_back(name);
      if (holds(new_names, name)) in_new.push_back(name);
      LARDER_RETURN_IF_ERROR(Compare(Request(*object, object->version_before, in_old),
                                     Request(*object, object->version_after, in_new), object));
    }
    return absl::OkStatus();
  }

  // Of a version of a view or on-demand view.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> FeaturesOf(const Catalog& catalog,
                                                                    const SampledObject& object,
                                                                    int version) const {
    const std::string name = Concat(object.name, "@", version);
    std::vector<std::string> names;
    const auto add = [&names](const std::vector<FeatureColumn>& features) {
      for (const FeatureColumn& feature : features) names.push_back(feature.name);
    };
    if (object.kind == ObjectKind::kFeatureView) {
      LARDER_ASSIGN_OR_RETURN(const ViewVersion* view, catalog.GetView(plan_.project, name));
      add(view->features);
    } else {
      LARDER_ASSIGN_OR_RETURN(const OnDemandVersion* view,
                              catalog.GetOnDemandView(plan_.project, name));
      add(view->features);
    }
    return names;
  }

  [[nodiscard]] FeatureRequest Request(const SampledObject& object, int version,
                                       const std::vector<std::string>& features) const {
    FeatureRequest request;
    request.project = plan_.project;
    for (const std::string& feature : features) {
      request.features.push_back(Concat(object.name, "@", version, ":", feature));
    }
    return request;
  }

  absl::Status Compare(const FeatureRequest& old_request, const FeatureRequest& new_request,
                       SampledObject* object) {
    Bound before, after;
    const auto named = [](const FeatureRequest& request) {
      return !request.service.empty() || !request.features.empty();
    };
    if (named(old_request)) {
      LARDER_ASSIGN_OR_RETURN(before, impl_.Resolve(before_, old_request));
    }
    if (named(new_request)) {
      LARDER_ASSIGN_OR_RETURN(after, impl_.Resolve(after_, new_request));
    }
    std::vector<Bound> sides;
    for (Bound* side : {&before, &after}) {
      if (*side == nullptr) continue;
      *side = WithoutErrors(*side);
      sides.push_back(*side);
    }
    LARDER_ASSIGN_OR_RETURN(
        const PairedKeys paired,
        PairKeys(sides, [this](const ViewVersion& view) { return KeysOf(view); }));
    const Batch& keys = paired.columns;
    const std::size_t rows = paired.rows;
    object->rows = std::max(object->rows, rows);
    std::vector<SideOutput> old_outputs, new_outputs;
    if (before != nullptr) {
      LARDER_ASSIGN_OR_RETURN(old_outputs, Evaluate(before_, *before, keys, rows, object));
    }
    if (after != nullptr) {
      LARDER_ASSIGN_OR_RETURN(new_outputs, Evaluate(after_, *after, keys, rows, object));
    }
    Match(old_outputs, new_outputs, object);
    return absl::OkStatus();
  }

  // `missing: error` would end the sample at its first null; here nulls are counted.
  Bound WithoutErrors(const Bound& service) {
    if (service->service->definition.missing != MissingPolicy::kError) return service;
    auto copy = std::make_shared<BoundService>(*service);
    auto version = std::make_shared<ServiceVersion>(*service->service);
    version->definition.missing = MissingPolicy::kNull;
    copy->service = version.get();
    lenient_.push_back(std::move(version));
    return copy;
  }

  absl::StatusOr<KeyParts> KeysOf(const ViewVersion& view) {
    LARDER_ASSIGN_OR_RETURN(const uint32_t data_id, source_.StoredKeysOf(view));
    if (data_id == 0) return KeyParts();
    auto known = keys_.find(data_id);
    if (known == keys_.end()) {
      LARDER_ASSIGN_OR_RETURN(KeyParts keys,
                              StoredKeyParts(session_, data_id, view.keys, options_.keys));
      known = keys_.emplace(data_id, std::move(keys)).first;
    }
    return known->second;
  }

  absl::StatusOr<std::vector<SideOutput>> Evaluate(const Catalog& catalog,
                                                   const BoundService& service, const Batch& keys,
                                                   std::size_t rows, SampledObject* object) {
    SampleUnknowns unknowns(service);
    Batch inputs;
    for (std::size_t i = 0; i < service.inputs.size(); ++i) {
      const Field& field = service.inputs[i];
      if (i < service.key_count) {
        LARDER_ASSIGN_OR_RETURN(Column column,
                                WidenColumn(*keys.Find(field.name), field.type, field.name));
        LARDER_RETURN_IF_ERROR(inputs.AddColumn(field.name, std::move(column)));
        continue;
      }
      LARDER_ASSIGN_OR_RETURN(const std::optional<Value> given, Given(field));
      if (!given) {
        unknowns.AddRequest(i, Concat("it reads request.", field.name,
                                      ", which no stored key has: ", "give it a value"));
      }
      Column column(field.type);
      for (std::size_t row = 0; row < rows; ++row) {
        LARDER_RETURN_IF_ERROR(column.Append(given.value_or(Value())));
      }
      LARDER_RETURN_IF_ERROR(inputs.AddColumn(field.name, std::move(column)));
    }
    const auto fetch = [&](std::size_t u,
                           std::span<const Column* const> columns) -> absl::StatusOr<FetchedUse> {
      const BoundUse& use = service.uses[u];
      LARDER_ASSIGN_OR_RETURN(SampledRows found, source_.Fetch(catalog, use, columns, rows));
      unknowns.AddUse(u, found);
      if (!found.from.empty()) {
        const std::string from = Concat(use.view->ToString(), ": ", found.from);
        if (std::find(object->rows_from.begin(), object->rows_from.end(), from) ==
            object->rows_from.end()) {
          object->rows_from.push_back(from);
        }
      }
      return std::move(found.fetched);
    };
    LARDER_ASSIGN_OR_RETURN(ComputedService computed,
                            ComputeService(service, inputs, rows, {&as_of_, 1}, fetch));
    unknowns.AddOnDemand();
    std::vector<SideOutput> outputs;
    for (std::size_t o = 0; o < computed.outputs.size(); ++o) {
      SideOutput output;
      output.name = computed.outputs[o].name;
      output.not_sampled = unknowns.ReasonOf(service.service->outputs[o]);
      output.values = std::move(computed.outputs[o]);
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

  absl::StatusOr<std::optional<Value>> Given(const Field& field) const {
    for (const auto& [name, value] : options_.request) {
      if (name != field.name) continue;
      absl::StatusOr<Value> converted = ConvertValue(value, field.type, /*from_text=*/true);
      if (!converted.ok())
        return Annotate(converted.status(), Concat("request field ", field.name));
      return std::optional<Value>(*std::move(converted));
    }
    return std::optional<Value>();
  }

  void Match(const std::vector<SideOutput>& before, const std::vector<SideOutput>& after,
             SampledObject* object) const {
    const auto find = [](const std::vector<SideOutput>& outputs,
                         const std::string& name) -> const SideOutput* {
      for (const SideOutput& output : outputs) {
        if (output.name == name) return &output;
      }
      return nullptr;
    };
    for (const SideOutput& now : after) {
      object->features.push_back(Sampled(*object, find(before, now.name), &now));
    }
    for (const SideOutput& was : before) {
      if (find(after, was.name) == nullptr)
        object->features.push_back(Sampled(*object, &was, nullptr));
    }
  }

  [[nodiscard]] SampledFeature Sampled(const SampledObject& object, const SideOutput* before,
                                       const SideOutput* after) const {
    SampledFeature feature;
    feature.name = after != nullptr ? after->name : before->name;
    if (object.kind != ObjectKind::kFeatureService)
      feature.services = ServicesOf(object, feature.name, before != nullptr);
    for (const SideOutput* side : {before, after}) {
      if (side == nullptr) continue;
      (side == before ? feature.type_before : feature.type_after) =
          side->values.values.type().ToString();
      if (feature.not_sampled.empty()) feature.not_sampled = side->not_sampled;
    }
    if (!feature.not_sampled.empty()) return feature;
    if (before != nullptr) feature.nulls_before = before->values.values.CountNulls();
    if (after != nullptr) feature.nulls_after = after->values.values.CountNulls();
    feature.rows = (after != nullptr ? after : before)->values.values.size();
    if (before != nullptr && after != nullptr)
      CompareColumns(before->values.values, after->values.values, &feature);
    return feature;
  }

  // Today's readers of a feature there is today; of a new one, those of the plan.
  [[nodiscard]] std::vector<std::string> ServicesOf(const SampledObject& object,
                                                    const std::string& feature, bool old) const {
    std::vector<std::string> names;
    const absl::StatusOr<Lineage> lineage =
        LineageOf(old ? before_ : after_, plan_.project, Concat(object.name, ":", feature));
    if (!lineage.ok()) return names;
    for (const LineageNode& node : lineage->nodes) {
      if (node.kind != ObjectKind::kFeatureService) continue;
      std::string text = Concat(node.name, "@", node.version);
      for (const Change& change : plan_.changes) {
        if (change.kind == ObjectKind::kFeatureService && change.name == node.name &&
            change.version_before != 0 && change.version_before != change.version_after) {
          text = Concat(node.name, "@", change.version_before,
                        change.version_after == 0 ? std::string(" removed")
                                                  : Concat(" -> @", change.version_after));
        }
      }
      if (std::find(names.begin(), names.end(), text) == names.end())
        names.push_back(std::move(text));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const FeatureStore::Impl& impl_;
  const ReadSession& session_;
  const Catalog& before_;
  const Catalog after_;
  const ChangePlan& plan_;
  const SampleOptions& options_;
  SampleSource source_;
  const Timestamp as_of_;
  std::map<uint32_t, KeyParts> keys_;  // by data id
  std::vector<std::shared_ptr<const ServiceVersion>> lenient_;
};

bool GetsAnotherVersion(const Change& change) {
  const bool versioned = change.kind == ObjectKind::kFeatureView ||
                         change.kind == ObjectKind::kOnDemandView ||
                         change.kind == ObjectKind::kFeatureService;
  return versioned && change.version_before != 0 && change.version_after != 0 &&
         change.version_before != change.version_after;
}

}  // namespace

absl::StatusOr<PlanSample> FeatureStore::SamplePlan(const ChangePlan& plan,
                                                    const SampleOptions& options) const {
  if (plan.outcome == nullptr) return InvalidArgumentError("the plan was not made by Plan");
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  if (plan.base_revision != catalog.ProjectRevision(plan.project)) {
    return WithKind(AbortedError("the definitions changed since the plan was made: plan again"),
                    ErrorKind::kConflict);
  }
  PlanSample sample;
  sample.as_of = options.as_of.value_or(Now());
  sample.commit_seq = session.commit_seq();
  sample.keys = options.keys;
  LARDER_ASSIGN_OR_RETURN(SampleSource source,
                          SampleSource::Make(*impl_, session, catalog, plan, sample.as_of));
  Sampler sampler(*impl_, session, catalog, plan, options, std::move(source), sample.as_of);
  for (const Change& change : plan.changes) {
    if (GetsAnotherVersion(change)) sample.objects.push_back(sampler.Run(change));
  }
  return sample;
}

}  // namespace larder::inline LARDER_ABI
