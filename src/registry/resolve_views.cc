#include <algorithm>
#include <set>

#include "larder/registry/validators.h"
#include "registry/aggregates.h"
#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

const Field* FindField(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::string> FieldNames(const std::vector<Field>& fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

// A key column may hold any width of integer: equal numbers meet.
bool FitsKey(const DataType& column, const DataType& key) {
  return WidensTo(column, key) || (column.is_integer() && key.is_integer());
}

constexpr Duration kVersionHorizonDefault = Duration::Hours(1);

}  // namespace

struct Resolver::ViewDraft {
  ViewVersion view;
  ViewMeaning meaning;
  const Source* source = nullptr;
  const Source* batch = nullptr;
  std::vector<const Source*> unions;
  const ViewVersion* base = nullptr;
  std::set<std::string> reads;                               // source fields
  std::vector<std::pair<StoredColumn, std::string>> stored;  // with canonical expressions
  std::vector<std::string> stored_as;  // beside features: its stored column's name
  std::set<std::string> names;         // of features, lower case

  StoredColumn* FindStored(std::string_view name) {
    for (auto& [column, canonical] : stored) {
      if (column.name == name) return &column;
    }
    return nullptr;
  }
};

const ViewVersion* Resolver::ResolveView(std::size_t i) {
  const FeatureView& definition = *target_.feature_views[i];
  switch (view_steps_[i]) {
    case Step::kDone:
      return out_.views[i].get();
    case Step::kFailed:
      return nullptr;
    case Step::kOpen: {
      const std::string self = Concat("feature view ", definition.name);
      const auto from = std::find(open_.begin(), open_.end(), self);
      problems_.Add(target_.view_places[i],
                    "a cycle: ", Join(std::vector<std::string>(from, open_.end()), " -> "), " -> ",
                    self);
      return nullptr;
    }
    case Step::kUntouched:
      break;
  }
  view_steps_[i] = Step::kOpen;
  open_.push_back(Concat("feature view ", definition.name));
  ViewDraft draft;
  draft.view.project = target_.project;
  draft.view.name = definition.name;
  draft.view.definition = definition;
  const bool resolved = ResolveViewParts(i, &draft);
  open_.pop_back();
  view_steps_[i] = resolved ? Step::kDone : Step::kFailed;
  return out_.views[i].get();
}

bool Resolver::ResolveViewParts(std::size_t i, ViewDraft* draft) {
  const FeatureView& definition = *target_.feature_views[i];
  const std::string& place = target_.view_places[i];
  const std::size_t before = problems_.size();
  bool usable = ResolveKeys(place, draft);

  const auto source_named = [&](const std::string& name, const std::string& path) {
    const Source* source = nullptr;
    if (const auto found = sources_.find(name); found != sources_.end()) {
      source = ResolveSource(found->second);
    } else {
      std::vector<std::string> names;
      for (const auto& other : target_.sources) names.push_back(other->name);
      Unknown(path, "source", name, names);
    }
    usable = usable && source != nullptr;
    return source;
  };
  draft->source = source_named(definition.source, Concat(place, "/source"));
  for (std::size_t u = 0; u < definition.union_sources.size(); ++u) {
    draft->unions.push_back(source_named(definition.union_sources[u], Concat(place, "/union/", u)));
  }
  if (draft->source != nullptr && !draft->source->batch_source.empty()) {
    const auto found = sources_.find(draft->source->batch_source);
    if (found != sources_.end()) draft->batch = ResolveSource(found->second);
  }
  if (draft->source != nullptr && draft->source->kind == SourceKind::kView) {
    draft->base = FindAnyView(draft->source->view, place).view;
    usable = usable && draft->base != nullptr;
  }
  if (!usable) return false;

  // The same texts all the way down: take what was worked out before, without asking the checker.
  std::vector<const Source*> sources = {draft->source};
  sources.insert(sources.end(), draft->unions.begin(), draft->unions.end());
  draft->view.inputs_hash = ViewInputsHash(definition, sources, draft->batch, draft->base);
  if (known_ != nullptr) {
    if (const auto versions = known_->view_versions.find(definition.name);
        versions != known_->view_versions.end()) {
      for (const uint32_t id : versions->second) {
        if (state_.views[id - 1]->inputs_hash != draft->view.inputs_hash) continue;
        out_.views[i] = state_.views[id - 1];
        return true;
      }
    }
  }

  draft->view.source = *draft->source;
  if (draft->batch != nullptr) draft->view.batch = *draft->batch;
  for (const Source* source : draft->unions) draft->view.union_sources.push_back(*source);
  if (draft->base != nullptr) {
    draft->view.base_view = draft->base->id;
    draft->meaning.base_meaning = draft->base->meaning_hash;
    draft->meaning.base_data = draft->base->data_hash;
  }
  const bool aggregates = !definition.aggregates.empty();
  draft->view.boundary =
      definition.boundary.value_or(aggregates ? Boundary::kBefore : Boundary::kAt);
  draft->meaning.validators = definition.validators;
  if (aggregates && !definition.features.empty()) {
    problems_.Add(place, "a view has either features or aggregates; use two views");
  } else if (aggregates) {
    ResolveAggregates(place, draft);
  } else if (definition.features.empty()) {
    problems_.Add(place, "a view needs features or aggregates");
  } else {
    ResolveRowFeatures(place, draft);
  }
  if (problems_.size() == before) CheckValidators(place, *draft);
  CheckViewRules(place, *draft);
  CheckRetention(place, *draft);
  if (problems_.size() != before) return false;
  KeepReadFields(draft);
  HashView(draft->meaning, &draft->view);
  out_.views[i] = InternView(std::move(draft->view));
  return true;
}

bool Resolver::ResolveKeys(const std::string& place, ViewDraft* draft) {
  bool usable = true;
  const std::vector<std::string>& names = draft->view.definition.entities;
  for (std::size_t e = 0; e < names.size(); ++e) {
    const std::string path = Concat(place, "/entities/", e);
    const auto found = entities_.find(names[e]);
    if (found == entities_.end()) {
      std::vector<std::string> known;
      for (const auto& entity : target_.entities) known.push_back(entity->name);
      Unknown(path, "entity", names[e], known);
      usable = false;
      continue;
    }
    usable = usable && entity_ok_[found->second];
    for (const Field& key : target_.entities[found->second]->join_keys) {
      if (FindField(draft->view.keys, key.name) != nullptr) {
        problems_.Add(path, "join key ", key.name, " comes from two entities");
        usable = false;
      }
      Field field;
      field.name = key.name;
      field.type = key.type;
      draft->view.keys.push_back(std::move(field));
    }
  }
  return usable;
}

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

void Resolver::CheckValidators(const std::string& place, const ViewDraft& draft) {
  const std::vector<std::string>& validators = draft.view.definition.validators;
  if (validators.empty()) return;
  const std::vector<Field> fields = ValidatorFields(draft.view);
  for (std::size_t i = 0; i < validators.size(); ++i) {
    const std::string path = Concat(place, "/validators/", i);
    const absl::StatusOr<CheckedExpression> checked = checker_.Check(validators[i], fields);
    if (!checked.ok()) {
      problems_.Add(path, MessageOf(checked.status()));
    } else if (checked->type != DataType(TypeId::kBool)) {
      problems_.Add(path, "a validator is true or false, this is ", checked->type.ToString());
    }
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

  const std::vector<Field>& fields = draft->source->fields;
  StoredColumn stored;
  stored.name = feature.name;
  std::string canonical;
  if (feature.expr.empty()) {
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
    absl::StatusOr<CheckedExpression> checked = checker_.Check(feature.expr, fields);
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
      const Field* field = FindField(fields, input.name);
      if (field == nullptr) {
        problems_.Add(Concat(path, "/expr"), "unknown field: ", input.name);
        return;
      }
      // Only where no feature is this very field; features are all known at the end, but whether one is a plain copy
      // can be told from the definition alone.
      bool plain = false;
      for (const Feature& other : draft->view.definition.features) {
        plain = plain || (other.name == input.name && other.expr.empty() &&
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

void Resolver::ResolveAggregates(const std::string& place, ViewDraft* draft) {
  const std::vector<Field>& fields = draft->source->fields;
  const std::vector<Aggregate>& lines = draft->view.definition.aggregates;
  // The same text is asked for by every function and window of a line.
  const auto check = [&](const std::string& text,
                         const std::string& path) -> std::optional<CheckedExpression> {
    absl::StatusOr<CheckedExpression> checked = checker_.Check(text, fields);
    if (!checked.ok()) {
      problems_.AddStatus(path, checked.status());
      return std::nullopt;
    }
    if (checked->uses_clock) {
      problems_.Add(path,
                    "current_date and now() have no meaning here: what an event adds to a "
                    "window cannot depend on when it is asked for");
      return std::nullopt;
    }
    draft->reads.insert(checked->inputs.begin(), checked->inputs.end());
    return *std::move(checked);
  };
  for (std::size_t a = 0; a < lines.size(); ++a) {
    const Aggregate& line = lines[a];
    const std::string path = Concat(place, "/aggregates/", a);
    std::string canonical;
    std::optional<DataType> input;
    // With the versions of functions they mean today.
    std::string pinned_input = line.input;
    std::string pinned_where = line.where;
    if (!line.input.empty()) {
      const Field* field = FindField(fields, line.input);
      if (field == nullptr && IsValidName(line.input)) {
        Unknown(Concat(path, "/input"), Concat("field of source ", draft->source->name), line.input,
                FieldNames(fields));
        continue;
      }
      if (field != nullptr) {
        input = field->type;
        canonical = line.input;
        draft->reads.insert(line.input);
      } else if (const auto checked = check(line.input, Concat(path, "/input"))) {
        input = checked->type;
        canonical = checked->canonical;
        pinned_input = checked->pinned;
      } else {
        continue;
      }
    }
    canonical.push_back('\0');
    if (!line.where.empty()) {
      const auto checked = check(line.where, Concat(path, "/where"));
      if (!checked) continue;
      if (checked->type != DataType(TypeId::kBool)) {
        problems_.Add(Concat(path, "/where"), "where must be bool, found ",
                      checked->type.ToString());
        continue;
      }
      canonical += checked->canonical;
      pinned_where = checked->pinned;
    }
    if (!line.group_by.empty()) {
      const Field* group = FindField(fields, line.group_by);
      if (group == nullptr) {
        Unknown(Concat(path, "/group_by"), Concat("field of source ", draft->source->name),
                line.group_by, FieldNames(fields));
        continue;
      }
      if (!group->type.is_integer() && group->type.id() != TypeId::kString &&
          group->type.id() != TypeId::kBool) {
        problems_.Add(Concat(path, "/group_by"), "group_by takes a string, integer or bool, not ",
                      group->type.ToString());
        continue;
      }
      draft->reads.insert(line.group_by);
    }
    for (NamedAggregate& item : ExpandAggregate(line, path, &problems_)) {
      const DataType* type = input && item.column.function != "count_all" ? &*input : nullptr;
      const absl::StatusOr<DataType> result = AggregateType(item.column, type);
      if (!result.ok()) {
        problems_.AddStatus(item.path, result.status());
        continue;
      }
      if (!IsValidName(item.name)) {
        problems_.Add(item.path, "not a name: ", Quoted(item.name));
      } else if (!draft->names.insert(ToLowerAscii(item.name)).second) {
        problems_.Add(item.path, "repeated name: ", item.name, "; give it a name of its own");
      } else if (FindField(draft->view.keys, item.name) != nullptr) {
        problems_.Add(item.path, item.name, " is a join key of the view already");
      }
      FeatureColumn out;
      out.name = item.name;
      out.type = *result;
      out.aggregate = std::move(item.column);
      out.aggregate->input = pinned_input;
      out.aggregate->where = pinned_where;
      out.metadata = line.metadata;
      draft->view.features.push_back(std::move(out));
      draft->meaning.aggregates.push_back(canonical);
    }
  }
}

void Resolver::CheckViewRules(const std::string& place, const ViewDraft& draft) {
  const FeatureView& definition = draft.view.definition;
  const Source& source = *draft.source;
  for (const Field& key : draft.view.keys) {
    const Field* column = FindField(source.fields, key.name);
    if (column == nullptr) {
      problems_.Add(Concat(place, "/source"), "source ", source.name, " has no column for join key ",
                    key.name, DidYouMean(key.name, FieldNames(source.fields)), "; it has ",
                    Join(FieldNames(source.fields), ", "));
    } else if (!FitsKey(column->type, key.type)) {
      problems_.Add(Concat(place, "/source"), "join key ", key.name, " is ", key.type.ToString(),
                    ", but source ", source.name, " has ", column->type.ToString());
    }
  }
  if (definition.ttl && definition.ttl->us < 0) {
    problems_.Add(Concat(place, "/ttl"), "a ttl cannot be negative");
  }
  if (definition.rollback_window && definition.rollback_window->us < 0) {
    problems_.Add(Concat(place, "/rollback_window"), "a rollback_window cannot be negative");
  }
  if (source.event_time.empty()) {
    if (definition.ttl && definition.ttl->us > 0) {
      problems_.Add(Concat(place, "/ttl"), "source ", source.name,
                    " has no event_time, so its rows have no age");
    }
    if (!definition.aggregates.empty()) {
      problems_.Add(Concat(place, "/aggregates"), "source ", source.name,
                    " has no event_time, so its rows are in no window");
    }
  }
  CheckWindowSource(place, definition, source);
  for (const Source* united : draft.unions) CheckWindowSource(place, definition, *united);
  const auto check_ids = [&](const Source& from) {
    if (!definition.exclude_self || !from.event_id.empty()) return;
    problems_.Add(Concat(place, "/exclude_self"), "source ", from.name,
                  " has no event_id to tell the asking row's own event by");
  };
  check_ids(source);
  for (const Source* united : draft.unions) check_ids(*united);
  if (definition.partial_updates && !definition.aggregates.empty()) {
    problems_.Add(Concat(place, "/partial_updates"), "aggregates have no partial updates");
  }
  if (!definition.colocate.empty() && !IsValidName(definition.colocate)) {
    problems_.Add(Concat(place, "/colocate"), "not a name: ", Quoted(definition.colocate));
  }
  std::set<std::string> shape = draft.reads;
  for (const Field& key : draft.view.keys) shape.insert(key.name);
  constexpr std::size_t kUnionsMax = 255;
  if (draft.unions.size() > kUnionsMax)
    problems_.Add(Concat(place, "/union"), "at most ", kUnionsMax, " sources can be united");
  for (std::size_t u = 0; u < draft.unions.size(); ++u) {
    const std::string path = Concat(place, "/union/", u);
    for (const std::string& name : shape) {
      const Field* mine = FindField(source.fields, name);
      const Field* theirs = FindField(draft.unions[u]->fields, name);
      if (mine == nullptr) continue;
      if (theirs == nullptr) {
        problems_.Add(path, "source ", draft.unions[u]->name, " has no field ", name);
      } else if (theirs->type != mine->type) {
        problems_.Add(path, "field ", name, " is ", theirs->type.ToString(), " in ",
                      draft.unions[u]->name, " and ", mine->type.ToString(), " in ", source.name);
      }
    }
    for (std::size_t before = 0; before <= u; ++before) {
      const Source& other = before == 0 ? source : *draft.unions[before - 1];
      if (draft.unions[u]->name == other.name)
        problems_.Add(path, "source ", other.name, " is in the view already");
    }
    const Field* order = FindField(source.fields, source.sequence);
    const Field* their_order = FindField(draft.unions[u]->fields, draft.unions[u]->sequence);
    if (order != nullptr && their_order != nullptr && order->type != their_order->type) {
      problems_.Add(path, "sequence is ", their_order->type.ToString(), " in ",
                    draft.unions[u]->name, " and ", order->type.ToString(), " in ", source.name);
    }
    if (draft.unions[u]->event_time.empty() != source.event_time.empty()) {
      problems_.Add(path, "only one of ", source.name, " and ", draft.unions[u]->name,
                    " has an event_time");
    }
  }
}

// What an event in a window cannot have.
void Resolver::CheckWindowSource(const std::string& place, const FeatureView& view,
                                 const Source& source) {
  if (view.aggregates.empty()) return;
  if (!source.operation.empty() && source.event_id.empty()) {
    problems_.Add(Concat(place, "/aggregates"), "source ", source.name,
                  " has deletes but no event_id to say which event is deleted");
  }
  if (!source.valid_to.empty()) {
    problems_.Add(Concat(place, "/aggregates"), "events of source ", source.name,
                  " end at valid_to; events in a window leave with it");
  }
}

// Raw events must outlive the longest window that looks at them (SEMANTICS 7).
void Resolver::CheckRetention(const std::string& place, const ViewDraft& draft) {
  const auto check = [&](const Source& source) {
    for (const FeatureColumn& feature : draft.view.features) {
      if (!feature.aggregate) continue;
      const AggregateColumn& column = *feature.aggregate;
      const bool lifetime = !column.window && !column.rows;
      if (lifetime && source.retention && !source.operation.empty() &&
          NeedsAllEvents(column.function)) {
        problems_.Add(place, feature.name, ": a lifetime ", column.function,
                      " over a source with deletes needs all events, but ", source.name,
                      " keeps them for ", FormatDuration(*source.retention));
      }
      if (column.rows && source.retention) {
        problems_.Add(place, feature.name, ": the last ", *column.rows,
                      " events may be of any age, but source ", source.name, " keeps them for ",
                      FormatDuration(*source.retention));
      }
      if (!column.window || !source.retention) continue;
      const int64_t needed = Timestamp{column.window->us}
                                 .Plus(column.delay)
                                 .Plus(source.late_by.value_or(Duration{}))
                                 .Plus(source.version_horizon.value_or(kVersionHorizonDefault))
                                 .us;
      if (source.retention->us >= needed) continue;
      problems_.Add(place, feature.name, " needs events of ", FormatDuration({needed}),
                    " (window, delay, late_by and version_horizon), but source ", source.name,
                    " keeps them for ", FormatDuration(*source.retention));
      return;
    }
  };
  check(*draft.source);
  for (const Source* source : draft.unions) check(*source);
}

// A version carries the fields it reads and no others, so that a field added to a source leaves it alone.
void Resolver::KeepReadFields(ViewDraft* draft) {
  std::set<std::string> reads = draft->reads;
  for (const Field& key : draft->view.keys) reads.insert(key.name);
  const auto keep = [&](Source& source) {
    std::set<std::string> wanted = reads;
    for (const std::string* column : {&source.event_time, &source.arrival_time, &source.sequence,
                                      &source.event_id, &source.operation, &source.valid_to}) {
      wanted.insert(*column);
    }
    auto& fields = source.fields;
    fields.erase(std::remove_if(fields.begin(), fields.end(),
                                [&](const Field& field) { return wanted.count(field.name) == 0; }),
                 fields.end());
  };
  keep(draft->view.source);
  if (draft->view.batch) keep(*draft->view.batch);
  for (Source& source : draft->view.union_sources) keep(source);
}

Hash128 Resolver::ViewInputsHash(const FeatureView& definition,
                                 const std::vector<const Source*>& sources, const Source* batch,
                                 const ViewVersion* base) {
  BinaryWriter out;
  out.Put(definition);
  for (const std::string& name : definition.entities) {
    out.Put(target_.entities[entities_.find(name)->second]->join_keys);
  }
  const auto put_source = [&](const Source* source) {
    auto& hash = source_hashes_[source];
    if (hash == Hash128{}) {
      BinaryWriter bytes;
      bytes.Put(*source);
      hash = HashWide(std::move(bytes).Take());
    }
    out.Put(hash);
  };
  for (const Source* source : sources) put_source(source);
  if (batch != nullptr) put_source(batch);
  if (base != nullptr) {
    out.Put(base->id);
    out.Put(base->meaning_hash);
  }
  return HashWide(std::move(out).Take());
}

}  // namespace larder::inline LARDER_ABI
