#include <algorithm>
#include <set>

#include "larder/schema/reference.h"
#include "registry/aggregates.h"
#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

std::vector<std::string> FeatureNames(const std::vector<FeatureColumn>& features) {
  std::vector<std::string> names;
  for (const FeatureColumn& feature : features) names.push_back(feature.name);
  return names;
}

}  // namespace

const OnDemandVersion* Resolver::ResolveOnDemand(std::size_t i) {
  const OnDemandView& definition = *target_.on_demand_views[i];
  const std::string& place = target_.on_demand_places[i];
  switch (on_demand_steps_[i]) {
    case Step::kDone:
      return out_.on_demand[i].get();
    case Step::kFailed:
      return nullptr;
    case Step::kOpen: {
      const std::string self = Concat("on-demand view ", definition.name);
      const auto from = std::find(open_.begin(), open_.end(), self);
      problems_.Add(place, "a cycle: ", Join(std::vector<std::string>(from, open_.end()), " -> "),
                    " -> ", self);
      return nullptr;
    }
    case Step::kUntouched:
      break;
  }
  on_demand_steps_[i] = Step::kOpen;
  open_.push_back(Concat("on-demand view ", definition.name));
  const std::size_t before = problems_.size();
  OnDemandVersion view;
  view.project = target_.project;
  view.name = definition.name;
  view.definition = definition;
  OnDemandMeaning meaning;
  CheckFields(definition.request, Concat(place, "/request"), false);
  bool usable = ResolveInputs(definition, place, &view, &meaning);
  open_.pop_back();
  on_demand_steps_[i] = Step::kFailed;
  if (definition.features.empty()) problems_.Add(place, "an on-demand view needs features");
  if (!usable) return nullptr;

  BinaryWriter texts;
  texts.Put(definition);
  for (std::size_t n = 0; n < view.inputs.size(); ++n) {
    texts.Put(view.inputs[n]);
    texts.Put(meaning.inputs[n].first);
  }
  view.inputs_hash = HashWide(std::move(texts).Take());
  if (known_ != nullptr) {
    if (const auto versions = known_->on_demand_versions.find(definition.name);
        versions != known_->on_demand_versions.end()) {
      for (const uint32_t id : versions->second) {
        if (state_.on_demand[id - 1]->inputs_hash != view.inputs_hash) continue;
        out_.on_demand[i] = state_.on_demand[id - 1];
        on_demand_steps_[i] = Step::kDone;
        return out_.on_demand[i].get();
      }
    }
  }

  std::vector<Field> fields;
  for (const OnDemandInput& input : view.inputs) {
    Field field;
    field.name = input.name;
    field.type = input.type;
    fields.push_back(std::move(field));
  }
  std::set<std::string> names;
  std::set<std::string> used;
  for (std::size_t f = 0; f < definition.features.size(); ++f) {
    const Feature& feature = definition.features[f];
    const std::string path = Concat(place, "/features/", f);
    if (!IsValidName(feature.name)) {
      problems_.Add(Concat(path, "/name"), "not a name: ", Quoted(feature.name));
    } else if (!names.insert(ToLowerAscii(feature.name)).second) {
      problems_.Add(Concat(path, "/name"), "repeated name: ", feature.name);
    }
    if (feature.expr.empty()) {
      problems_.Add(path, "a feature computed on demand needs an expr");
      continue;
    }
    absl::StatusOr<CheckedExpression> checked = checker_.Check(feature.expr, fields);
    if (!checked.ok()) {
      problems_.AddStatus(Concat(path, "/expr"), checked.status());
      continue;
    }
    used.insert(checked->inputs.begin(), checked->inputs.end());
    FeatureColumn column;
    column.name = feature.name;
    column.expr = checked->pinned;
    column.on_read = true;
    column.type = feature.type.value_or(checked->type);
    column.metadata = feature.metadata;
    if (!WidensTo(checked->type, column.type)) {
      problems_.Add(Concat(path, "/type"), "declared ", column.type.ToString(),
                    ", but the expression gives ", checked->type.ToString(),
                    "; write a cast in expr");
      continue;
    }
    if (!ResolveDefault(feature.default_value, column.type, path, &column.default_value)) continue;
    view.features.push_back(std::move(column));
    meaning.features.push_back(std::move(checked->canonical));
  }
  if (problems_.size() != before) return nullptr;
  for (const OnDemandInput& input : view.inputs) {
    if (used.count(input.name) > 0) continue;
    warnings_.push_back({"unread-input", Concat("on-demand view ", definition.name),
                         Concat(input.name, " is read by no expression")});
  }
  HashOnDemand(meaning, &view);
  on_demand_steps_[i] = Step::kDone;
  out_.on_demand[i] = InternOnDemand(std::move(view));
  return out_.on_demand[i].get();
}

bool Resolver::ResolveInputs(const OnDemandView& definition, const std::string& place,
                             OnDemandVersion* view, OnDemandMeaning* meaning) {
  bool usable = true;
  for (const Field& field : definition.request) {
    OnDemandInput input;
    input.name = Concat("request.", field.name);
    input.type = field.type;
    input.request = true;
    view->inputs.push_back(std::move(input));
    meaning->inputs.emplace_back();
  }
  for (const auto& [name, text] : definition.inputs) {
    const std::string path = Concat(place, "/inputs", JsonPathStep(name));
    if (!IsValidName(name)) {
      problems_.Add(path, "not a name: ", Quoted(name));
      usable = false;
    }
    const absl::StatusOr<FeatureReference> reference = ParseFeatureReference(text);
    if (!reference.ok()) {
      problems_.AddStatus(path, reference.status());
      usable = false;
      continue;
    }
    const AnyView found = FindAnyView(reference->view.ToString(), path);
    if (!found.found()) {
      usable = false;
      continue;
    }
    const auto& features = found.view != nullptr ? found.view->features : found.on_demand->features;
    OnDemandInput input;
    input.name = name;
    input.on_demand = found.on_demand != nullptr;
    input.view_id = found.view != nullptr ? found.view->id : found.on_demand->id;
    input.feature = found.view != nullptr ? found.view->FindFeature(reference->feature)
                                          : found.on_demand->FindFeature(reference->feature);
    if (input.feature < 0) {
      Unknown(path, Concat("feature of ", reference->view.ToString()), reference->feature,
              FeatureNames(features));
      usable = false;
      continue;
    }
    input.type = features[static_cast<std::size_t>(input.feature)].type;
    view->inputs.push_back(std::move(input));
    meaning->inputs.emplace_back(
        found.view != nullptr ? found.view->meaning_hash : found.on_demand->meaning_hash,
        reference->feature);
  }
  return usable;
}

void Resolver::ResolveLabel(std::size_t i) {
  const Label& definition = *target_.labels[i];
  const std::string& place = target_.label_places[i];
  const std::size_t before = problems_.size();
  if (definition.feature.empty() == !definition.aggregate.has_value()) {
    problems_.Add(place, "a label reads either a feature or an aggregate");
  }
  if (definition.from.us < 0) {
    problems_.Add(Concat(place, "/from"), "a label looks ahead; from cannot be negative");
  }
  if (definition.to <= definition.from) {
    problems_.Add(Concat(place, "/to"), "to must be after from");
  }
  const AnyView found = FindAnyView(definition.view, Concat(place, "/view"));
  if (found.on_demand != nullptr) {
    problems_.Add(Concat(place, "/view"), definition.view,
                  " is an on-demand view, which has no events to look ahead at");
  }
  if (found.view == nullptr) return;
  const ViewVersion& view = *found.view;
  LabelVersion label;
  label.project = target_.project;
  label.name = definition.name;
  label.definition = definition;
  label.view_id = view.id;
  std::string canonical;
  if (view.source.event_time.empty()) {
    problems_.Add(Concat(place, "/view"), "source ", view.source.name, " of ", view.name,
                  " has no event_time");
  }
  if (!definition.feature.empty()) {
    label.feature = view.FindFeature(definition.feature);
    if (label.feature < 0) {
      Unknown(Concat(place, "/feature"), Concat("feature of ", view.name), definition.feature,
              FeatureNames(view.features));
    } else {
      label.type = view.features[static_cast<std::size_t>(label.feature)].type;
    }
  } else if (definition.aggregate) {
    const std::string path = Concat(place, "/aggregate");
    Aggregate aggregate = *definition.aggregate;
    if (aggregate.functions.size() > 1 || !aggregate.windows.empty() || aggregate.rows ||
        !aggregate.categories.empty()) {
      problems_.Add(path, "a label's aggregate has one function; its window is from and to");
      return;
    }
    aggregate.name = definition.name;  // so that an expression may stand as input
    const auto columns = ExpandAggregate(aggregate, path, &problems_);
    if (columns.empty()) return;
    label.aggregate = columns.front().column;
    std::optional<DataType> input;
    if (!aggregate.input.empty()) {
      if (const int feature = view.FindFeature(aggregate.input); feature >= 0) {
        input = view.features[static_cast<std::size_t>(feature)].type;
      } else {
        Unknown(Concat(path, "/input"), Concat("feature of ", view.name), aggregate.input,
                FeatureNames(view.features));
        return;
      }
    }
    if (!aggregate.where.empty()) {
      std::vector<Field> fields;
      for (const FeatureColumn& feature : view.features) {
        Field field;
        field.name = feature.name;
        field.type = feature.type;
        fields.push_back(std::move(field));
      }
      const absl::StatusOr<CheckedExpression> checked = checker_.Check(aggregate.where, fields);
      if (!checked.ok()) {
        problems_.AddStatus(Concat(path, "/where"), checked.status());
        return;
      }
      if (checked->uses_clock || checked->type != DataType(TypeId::kBool)) {
        problems_.Add(Concat(path, "/where"), "where must be bool and read no clock");
        return;
      }
      canonical = checked->canonical;
    }
    const absl::StatusOr<DataType> type = AggregateType(*label.aggregate, input ? &*input : nullptr);
    if (type.ok()) {
      label.type = *type;
    } else {
      problems_.AddStatus(path, type.status());
    }
    canonical = Concat(aggregate.input, '\0', canonical);
  }
  if (problems_.size() != before) return;
  HashLabel(view.meaning_hash, canonical, &label);
  out_.labels[i] = std::make_shared<const LabelVersion>(std::move(label));
}

}  // namespace larder::inline LARDER_ABI
