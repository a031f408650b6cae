#include <algorithm>
#include <map>
#include <set>

#include "larder/schema/cast.h"
#include "larder/schema/reference.h"
#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

std::vector<std::string> FeatureNames(const std::vector<FeatureColumn>& features) {
  std::vector<std::string> names;
  for (const FeatureColumn& feature : features) names.push_back(feature.name);
  return names;
}

// Whether a feature of `type` can take a key of type `key`'s place.
bool FitsKey(const DataType& type, const DataType& key) {
  return WidensTo(type, key) || (type.is_integer() && key.is_integer());
}

bool InTensor(const DataType& type) {
  return !type.is_text() && type.id() != TypeId::kList && type.id() != TypeId::kMap;
}

// Microseconds since 1970 pass what a float32 counts exactly within 17 seconds; no example of such a value fits.
bool NeverFits(const DataType& type, TypeId dtype) {
  return dtype == TypeId::kFloat32 &&
         (type.id() == TypeId::kTimestamp || type.id() == TypeId::kDuration);
}

// Whether a known value comes out of the tensor as another number. Fractions are rounded, as everywhere; what counts
// things is not.
bool LosesDigits(const Value& value, TypeId dtype) {
  if (value.is_null() || value.type().is_float()) return false;
  const Value wide = CastValue(value, TypeId::kInt64);
  const Value cast = CastValue(CastValue(value, dtype), TypeId::kInt64);
  return cast != wide;
}

}  // namespace

struct Resolver::ServiceDraft {
  ServiceVersion service;
  std::string place;
  // Beside definition.features.
  std::vector<AnyView> selected;
  std::vector<bool> binding;  // selections whose keys are being bound
  std::map<std::string, std::string> output_places;
};

void Resolver::ResolveService(std::size_t i) {
  const FeatureService& definition = *target_.feature_services[i];
  const std::size_t before = problems_.size();
  ServiceDraft draft;
  draft.place = target_.service_places[i];
  draft.service.project = target_.project;
  draft.service.name = definition.name;
  draft.service.definition = definition;
  const std::string& place = draft.place;
  if (definition.features.empty()) problems_.Add(place, "a service needs features");
  draft.selected.resize(definition.features.size());
  draft.binding.resize(definition.features.size());
  bool usable = true;
  for (std::size_t s = 0; s < definition.features.size(); ++s) {
    const FeatureSelection& selection = definition.features[s];
    const std::string path = Concat(place, "/features/", s);
    draft.selected[s] = FindAnyView(selection.view, path);
    usable = usable && draft.selected[s].found();
    if (!selection.alias.empty() && !IsValidName(selection.alias)) {
      problems_.Add(Concat(path, "/as"), "not a name: ", Quoted(selection.alias));
    }
  }
  for (std::size_t s = 0; s < definition.features.size(); ++s) {
    if (!draft.selected[s].found()) continue;
    draft.binding[s] = true;
    AddOutputs(s, &draft);
    draft.binding[s] = false;
  }
  if (!usable || problems_.size() != before) return;
  CheckOutputs(place, &draft);
  if (problems_.size() != before) return;
  const auto by_name = [](const Field& a, const Field& b) { return a.name < b.name; };
  std::sort(draft.service.keys.begin(), draft.service.keys.end(), by_name);
  std::sort(draft.service.request.begin(), draft.service.request.end(), by_name);
  std::vector<Hash128> views, on_demand;
  for (const ViewUse& use : draft.service.views) {
    views.push_back(state_.views[use.view_id - 1]->meaning_hash);
  }
  for (const OnDemandUse& use : draft.service.on_demand) {
    on_demand.push_back(state_.on_demand[use.view_id - 1]->meaning_hash);
  }
  HashService(views, on_demand, &draft.service);
  out_.services[i] = InternService(std::move(draft.service));
}

void Resolver::AddOutputs(std::size_t index, ServiceDraft* draft) {
  const FeatureSelection& selection = draft->service.definition.features[index];
  const std::string path = Concat(draft->place, "/features/", index);
  const AnyView selected = draft->selected[index];
  const auto& features =
      selected.view != nullptr ? selected.view->features : selected.on_demand->features;
  const std::string& view_name =
      selected.view != nullptr ? selected.view->name : selected.on_demand->name;
  const std::string alias = selection.alias.empty() ? view_name : selection.alias;
  const int use = selected.view != nullptr
                      ? UseView(*selected.view, alias, selection.join_keys, path, draft)
                      : UseOnDemand(*selected.on_demand, alias, selection.join_keys, path, draft);
  if (use < 0) return;
  std::vector<std::string> names = selection.features;
  if (names.empty()) names = FeatureNames(features);
  // Two versions of one view are told apart by their numbers.
  std::string prefix = alias;
  if (selection.alias.empty()) {
    if (const auto parsed = ParseVersionedName(selection.view); parsed.ok() && parsed->version) {
      prefix = Concat(alias, "_v", *parsed->version);
    }
  }
  for (const std::string& name : names) {
    int feature = -1;
    for (std::size_t f = 0; f < features.size(); ++f) {
      if (features[f].name == name) feature = static_cast<int>(f);
    }
    if (feature < 0) {
      Unknown(path, Concat("feature of ", selection.view), name, FeatureNames(features));
      continue;
    }
    const FeatureColumn& column = features[static_cast<std::size_t>(feature)];
    ServiceOutput output;
    output.name = draft->service.definition.full_feature_names ? Concat(prefix, "__", name) : name;
    output.type = column.type;
    output.on_demand = selected.on_demand != nullptr;
    output.use = use;
    output.feature = feature;
    output.default_value = column.default_value;
    const std::string origin = Concat(selection.view, ":", name);
    const auto [where, fresh] = draft->output_places.emplace(ToLowerAscii(output.name), origin);
    if (!fresh) {
      problems_.Add(path, "two outputs are named ", output.name, ": ", where->second, " and ",
                    origin,
                    draft->service.definition.full_feature_names
                        ? "; give one of the views another name with \"as\""
                        : "; set full_feature_names, or leave one out");
      continue;
    }
    draft->service.outputs.push_back(std::move(output));
  }
}

int Resolver::UseView(const ViewVersion& view, const std::string& alias,
                      const std::map<std::string, std::string>& join_keys, const std::string& path,
                      ServiceDraft* draft) {
  std::vector<std::string> key_names;
  for (const Field& key : view.keys) key_names.push_back(key.name);
  bool usable = true;
  for (const auto& [key, from] : join_keys) {
    if (std::find(key_names.begin(), key_names.end(), key) != key_names.end()) continue;
    Unknown(Concat(path, "/join_keys"), Concat("join key of ", view.name), key, key_names);
    usable = false;
  }
  ViewUse use;
  use.view_id = view.id;
  use.alias = alias;
  for (const Field& key : view.keys) {
    const auto mapped = join_keys.find(key.name);
    KeyBinding binding;
    const std::string place = Concat(path, "/join_keys", JsonPathStep(key.name));
    if (mapped == join_keys.end()) {
      binding.column = key.name;
      AddColumn(key, path, &draft->service.keys);
    } else if (!BindKey(key, mapped->second, place, draft, &binding)) {
      usable = false;
    }
    use.keys.push_back(std::move(binding));
  }
  if (!usable) return -1;
  auto& uses = draft->service.views;
  for (std::size_t u = 0; u < uses.size(); ++u) {
    if (uses[u].view_id == use.view_id && uses[u].keys == use.keys) return static_cast<int>(u);
  }
  uses.push_back(std::move(use));
  return static_cast<int>(uses.size() - 1);
}

bool Resolver::BindKey(const Field& key, const std::string& from, const std::string& path,
                       ServiceDraft* draft, KeyBinding* out) {
  if (from.find(':') == std::string::npos) {
    if (!IsValidName(from)) {
      problems_.Add(path, "neither a column nor view:feature: ", Quoted(from));
      return false;
    }
    Field column = key;
    column.name = from;
    AddColumn(column, path, &draft->service.keys);
    out->column = from;
    return true;
  }
  const absl::StatusOr<FeatureReference> reference = ParseFeatureReference(from);
  if (!reference.ok()) {
    problems_.AddStatus(path, reference.status());
    return false;
  }
  // A name means an alias of this service first, then a view it selects under that one name, then the plain view.
  const std::vector<FeatureSelection>& selections = draft->service.definition.features;
  const std::string name = reference->view.ToString();
  int by_alias = -1;
  int by_view = -1;
  int of_view = 0;
  for (std::size_t s = 0; s < selections.size(); ++s) {
    if (selections[s].alias == name) by_alias = static_cast<int>(s);
    if (selections[s].view == name && draft->selected[s].view != nullptr) {
      if (by_view < 0 ||
          selections[s].join_keys != selections[static_cast<std::size_t>(by_view)].join_keys) {
        ++of_view;
      }
      by_view = static_cast<int>(s);
    }
  }
  if (by_alias < 0 && of_view > 1) {
    problems_.Add(path, name, " is used under several join keys; name one of them by its \"as\"");
    return false;
  }
  const int chosen = by_alias >= 0 ? by_alias : by_view;
  AnyView found;
  std::map<std::string, std::string> join_keys;
  std::string alias = name;
  if (chosen >= 0) {
    const auto index = static_cast<std::size_t>(chosen);
    if (draft->binding[index]) {
      problems_.Add(path, "a cycle: the keys of ", name, " come from each other");
      return false;
    }
    found = draft->selected[index];
    join_keys = selections[index].join_keys;
    alias = selections[index].alias.empty() ? selections[index].view : selections[index].alias;
  } else {
    found = FindAnyView(name, path);
  }
  if (found.on_demand != nullptr) {
    problems_.Add(path, "a join key can come from a stored feature only, and ", name,
                  " is an on-demand view");
  }
  if (found.view == nullptr) return false;
  const int feature = found.view->FindFeature(reference->feature);
  if (feature < 0) {
    Unknown(path, Concat("feature of ", name), reference->feature,
            FeatureNames(found.view->features));
    return false;
  }
  const DataType& type = found.view->features[static_cast<std::size_t>(feature)].type;
  if (!FitsKey(type, key.type)) {
    problems_.Add(path, "join key ", key.name, " is ", key.type.ToString(), ", but ", from, " is ",
                  type.ToString());
    return false;
  }
  if (chosen >= 0) draft->binding[static_cast<std::size_t>(chosen)] = true;
  out->use = UseView(*found.view, alias, join_keys, path, draft);
  if (chosen >= 0) draft->binding[static_cast<std::size_t>(chosen)] = false;
  out->feature = feature;
  return out->use >= 0;
}

int Resolver::UseOnDemand(const OnDemandVersion& view, const std::string& alias,
                          const std::map<std::string, std::string>& join_keys,
                          const std::string& path, ServiceDraft* draft) {
  OnDemandUse use;
  use.view_id = view.id;
  use.alias = alias;
  std::set<std::string> mapped;
  bool usable = true;
  for (std::size_t n = 0; n < view.inputs.size(); ++n) {
    const OnDemandInput& input = view.inputs[n];
    if (input.request) {
      Field field;
      field.name = input.name.substr(std::string_view("request.").size());
      field.type = input.type;
      AddColumn(field, path, &draft->service.request);
      use.input_uses.push_back(-1);
      continue;
    }
    int index = -1;
    if (input.on_demand) {
      const OnDemandVersion& other = *state_.on_demand[input.view_id - 1];
      index = UseOnDemand(other, other.name, join_keys, path, draft);
      for (const auto& [key, from] : join_keys) mapped.insert(key);
    } else {
      // The mapping renames the keys its input views have.
      const ViewVersion& other = *state_.views[input.view_id - 1];
      std::map<std::string, std::string> own;
      for (const Field& key : other.keys) {
        if (const auto found = join_keys.find(key.name); found != join_keys.end()) {
          own.insert(*found);
          mapped.insert(key.name);
        }
      }
      index = UseView(other, other.name, own, path, draft);
    }
    usable = usable && index >= 0;
    use.input_uses.push_back(index);
  }
  for (const auto& [key, from] : join_keys) {
    if (mapped.count(key) > 0) continue;
    problems_.Add(Concat(path, "/join_keys"), "no view that ", view.name,
                  " reads has the join key ", key);
    usable = false;
  }
  if (!usable) return -1;
  auto& uses = draft->service.on_demand;
  for (std::size_t u = 0; u < uses.size(); ++u) {
    if (uses[u].view_id == use.view_id && uses[u].input_uses == use.input_uses) {
      return static_cast<int>(u);
    }
  }
  uses.push_back(std::move(use));
  return static_cast<int>(uses.size() - 1);
}

// One column may serve several views; its type is the widest of theirs.
void Resolver::AddColumn(const Field& field, const std::string& path, std::vector<Field>* columns) {
  for (Field& column : *columns) {
    if (column.name != field.name) continue;
    if (WidensTo(field.type, column.type)) return;
    if (WidensTo(column.type, field.type)) {
      column.type = field.type;
    } else {
      problems_.Add(path, "column ", field.name, " is ", field.type.ToString(), " here and ",
                    column.type.ToString(), " for another view; rename one with join_keys");
    }
    return;
  }
  Field column;
  column.name = field.name;
  column.type = field.type;
  columns->push_back(std::move(column));
}

void Resolver::CheckOutputs(const std::string& place, ServiceDraft* draft) {
  ServiceVersion& service = draft->service;
  const FeatureService& definition = service.definition;
  std::vector<std::string> names;
  for (const ServiceOutput& output : service.outputs) names.push_back(output.name);
  for (const auto& [name, text] : definition.casts) {
    const std::string path = Concat(place, "/casts", JsonPathStep(name));
    const absl::StatusOr<DataType> type = DataType::Parse(text);
    if (!type.ok()) {
      problems_.AddStatus(path, type.status());
      continue;
    }
    const int index = service.FindOutput(name);
    if (index < 0) {
      Unknown(path, "output", name, names);
      continue;
    }
    ServiceOutput& output = service.outputs[static_cast<std::size_t>(index)];
    if (!CanCast(output.type, *type)) {
      problems_.Add(path, "cannot cast ", output.type.ToString(), " to ", type->ToString());
      continue;
    }
    output.cast = *type;
  }
  const TypeId dtype = definition.dtype.value_or(TypeId::kFloat64);
  for (ServiceOutput& output : service.outputs) {
    output.in_tensor = InTensor(output.served_type());
    if (definition.missing == MissingPolicy::kDefault) CheckDefault(place, dtype, output);
    if (!output.in_tensor || !definition.dtype || !NeverFits(output.served_type(), dtype)) continue;
    problems_.Add(Concat(place, "/dtype"), output.name, " is ", output.type.ToString(),
                  ", whose microseconds do not fit ", TypeName(dtype), "; add {\"casts\": {\"",
                  output.name, "\": \"", TypeName(dtype),
                  "\"}} to accept the loss, or use dtype float64");
  }
  // A column that is both a key and a request field is one column of the caller's.
  for (const Field& field : service.request) {
    for (const Field& key : service.keys) {
      if (key.name == field.name && key.type != field.type) {
        problems_.Add(place, "column ", field.name, " is a join key of type ", key.type.ToString(),
                      " and a request field of type ", field.type.ToString());
      }
    }
  }
}

// The one value of an output that is known before there is data.
void Resolver::CheckDefault(const std::string& place, TypeId dtype, const ServiceOutput& output) {
  if (!output.default_value) {
    problems_.Add(Concat(place, "/missing"), "missing: default, but ", output.name,
                  " has no default");
    return;
  }
  const bool castable = CanCast(output.type, output.served_type());
  const Value served =
      castable ? CastValue(*output.default_value, output.served_type()) : *output.default_value;
  if (served.is_null()) {
    problems_.Add(Concat(place, "/casts", JsonPathStep(output.name)), "the default of ",
                  output.name, ", ", FormatValue(*output.default_value), ", does not fit ",
                  output.served_type().ToString());
  } else if (!output.cast && CanCast(output.type, dtype) && LosesDigits(served, dtype)) {
    problems_.Add(Concat(place, "/dtype"), "the default of ", output.name, ", ", FormatValue(served),
                  ", is too large for ", TypeName(dtype), "; add {\"casts\": {\"", output.name,
                  "\": \"", TypeName(dtype), "\"}} to accept the loss");
  }
}

}  // namespace larder::inline LARDER_ABI
