#include <algorithm>
#include <set>

#include "larder/registry/validators.h"
#include "registry/fields.h"
#include "registry/view_draft.h"

namespace larder::inline LARDER_ABI {
namespace {

// A key column may hold any width of integer: equal numbers meet.
bool FitsKey(const DataType& column, const DataType& key) {
  return WidensTo(column, key) || (column.is_integer() && key.is_integer());
}

}  // namespace

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
  draft->rows = draft->source;
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

  if (draft->base != nullptr) TakeBase(place, draft);
  draft->view.source = *draft->rows;
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
  CheckDerived(place, *draft);
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
  CheckWindowSource(place, definition, *draft.rows);
  for (const Source* united : draft.unions) CheckWindowSource(place, definition, *united);
  const auto check_ids = [&](const Source& from) {
    if (!definition.exclude_self || !from.event_id.empty()) return;
    problems_.Add(Concat(place, "/exclude_self"), "source ", from.name,
                  " has no event_id to tell the asking row's own event by");
  };
  check_ids(*draft.rows);
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
      const Field* mine = FindField(draft.rows->fields, name);
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
      const Source& other = before == 0 ? *draft.rows : *draft.unions[before - 1];
      if (draft.unions[u]->name == other.name)
        problems_.Add(path, "source ", other.name, " is in the view already");
    }
    const Field* order = FindField(draft.rows->fields, draft.rows->sequence);
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
    out.PutText("over its source");  // as derived views are resolved since they can be computed
    out.Put(base->id);
    out.Put(base->meaning_hash);
    out.Put(
        base->inputs_hash);  // its source's retention and the like are no meaning, and are checked
  }
  return HashWide(std::move(out).Take());
}

}  // namespace larder::inline LARDER_ABI
