// Features that are a field of the source or an expression over a row of it.
#include "registry/fields.h"
#include "registry/view_draft.h"

namespace larder::inline LARDER_ABI {

void Resolver::ResolveRowFeatures(const std::string& place, ViewDraft* draft) {
  const FeatureView& definition = draft->view.definition;
  const std::size_t before = problems_.size();
  for (std::size_t f = 0; f < definition.features.size(); ++f) {
    ResolveRowFeature(definition.features[f], Concat(place, "/features/", f), draft);
  }
  if (problems_.size() != before) return;

  // Rows hold columns by name, so that the order in which features are written moves no data.
  std::sort(draft->stored.begin(), draft->stored.end(),
            [](const auto& a, const auto& b) { return a.first.name < b.first.name; });
  const auto index_of = [&](const std::string& name) {
    for (std::size_t s = 0; s < draft->stored.size(); ++s) {
      if (draft->stored[s].first.name == name) return static_cast<int>(s);
    }
    return -1;
  };
  for (std::size_t f = 0; f < draft->view.features.size(); ++f) {
    FeatureColumn& feature = draft->view.features[f];
    if (!feature.on_read) feature.stored = index_of(feature.name);
    for (FeatureColumn::Input& input : feature.inputs) {
      // A feature that is a plain copy of the field serves; else a hidden column holds it.
      const int plain = index_of(input.name);
      const bool copy = plain >= 0 &&
                        !draft->stored[static_cast<std::size_t>(plain)].first.field.empty() &&
                        draft->stored[static_cast<std::size_t>(plain)].first.type ==
                            draft->stored[static_cast<std::size_t>(plain)].first.source_type;
      input.stored = copy ? plain : index_of(Concat("$", input.name));
    }
  }
  for (auto& [column, canonical] : draft->stored) {
    draft->view.stored.push_back(std::move(column));
    draft->meaning.stored.push_back(std::move(canonical));
  }
}

void Resolver::ResolveRowFeature(const Feature& feature, const std::string& path, ViewDraft* draft) {
  FeatureColumn out;
  out.name = feature.name;
  out.expr = feature.expr;
  out.metadata = feature.metadata;
  if (!IsValidName(feature.name)) {
    problems_.Add(Concat(path, "/name"), "not a name: ", Quoted(feature.name));
  } else if (!draft->names.insert(ToLowerAscii(feature.name)).second) {
    problems_.Add(Concat(path, "/name"), "repeated name: ", feature.name);
  } else if (FindField(draft->view.keys, feature.name) != nullptr) {
    problems_.Add(Concat(path, "/name"), feature.name, " is a join key of the view already");
  }

  StoredColumn stored;
  stored.name = feature.name;
  std::string canonical;
  if (feature.expr.empty() && draft->computed.count(feature.name) == 0) {
    const std::vector<Field>& fields = draft->source->fields;
    const Field* field = FindField(fields, feature.name);
    if (field == nullptr) {
      Unknown(Concat(path, "/name"), Concat("field of source ", draft->source->name), feature.name,
              FieldNames(fields));
      return;
    }
    stored.source_type = field->type;
    stored.field = field->name;
    draft->reads.insert(field->name);
  } else {
    absl::StatusOr<CheckedExpression> checked =
        CheckOverRows(feature.expr.empty() ? QuotedName(feature.name) : feature.expr, *draft);
    if (!checked.ok()) {
      problems_.AddStatus(Concat(path, "/expr"), checked.status());
      return;
    }
    stored.source_type = checked->type;
    stored.expr = out.expr = checked->pinned;
    out.on_read = checked->uses_clock;
    canonical = checked->canonical;
    for (const std::string& name : checked->inputs) {
      draft->reads.insert(name);
      if (!out.on_read) continue;
      out.inputs.push_back({name, -1});
    }
  }
  out.type = feature.type.value_or(stored.source_type);
  stored.type = out.type;
  if (!WidensTo(stored.source_type, out.type)) {
    problems_.Add(Concat(path, "/type"), "declared ", out.type.ToString(), ", but ",
                  feature.expr.empty() ? "the field is " : "the expression gives ",
                  stored.source_type.ToString(), "; write a cast in expr");
    return;
  }
  if (!ResolveDefault(feature.default_value, out.type, path, &out.default_value)) return;
  if (!out.on_read) {
    draft->stored.emplace_back(std::move(stored), canonical);
  } else {
    for (const FeatureColumn::Input& input : out.inputs) {
      const Field* field = FindField(draft->rows->fields, input.name);
      if (field == nullptr) {
        problems_.Add(Concat(path, "/expr"), "unknown field: ", input.name);
        return;
      }
      // Only where no feature is this very field; features are all known at the end, but whether one is a plain copy
      // can be told from the definition alone.
      bool plain = false;
      for (const Feature& other : draft->view.definition.features) {
        plain = plain || (other.name == input.name && other.expr.empty() &&
                          draft->computed.count(other.name) == 0 &&
                          other.type.value_or(field->type) == field->type);
      }
      const std::string hidden = Concat("$", input.name);
      if (plain || draft->FindStored(hidden) != nullptr) continue;
      StoredColumn column;
      column.name = hidden;
      column.type = column.source_type = field->type;
      column.field = field->name;
      draft->stored.emplace_back(std::move(column), "");
    }
  }
  draft->view.features.push_back(std::move(out));
  draft->meaning.features.push_back(std::move(canonical));
}

bool Resolver::ResolveDefault(const std::optional<Value>& value, const DataType& type,
                              const std::string& path, std::optional<Value>* out) {
  if (!value) return true;
  absl::StatusOr<Value> converted = ConvertValue(*value, type, /*from_text=*/true);
  if (!converted.ok()) {
    problems_.AddStatus(Concat(path, "/default"), converted.status());
    return false;
  }
  *out = *std::move(converted);
  return true;
}

}  // namespace larder::inline LARDER_ABI
