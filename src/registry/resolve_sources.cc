#include <algorithm>

#include "larder/base/time.h"
#include "larder/schema/reference.h"
#include "registry/fields.h"
#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

bool IsTime(const DataType& type) {
  return type.id() == TypeId::kTimestamp || type.id() == TypeId::kDate;
}

const char* KindName(SourceKind kind) { return NameOfEnum(kind); }

template <class T>
void Inherit(const T& from, T* to) {
  if (*to == T{}) *to = from;
}

}  // namespace

void Resolver::CheckEntity(std::size_t i) {
  const Entity& entity = *target_.entities[i];
  const std::string& place = target_.entity_places[i];
  const std::size_t before = problems_.size();
  if (entity.join_keys.empty()) problems_.Add(place, "an entity needs a join key");
  CheckFields(entity.join_keys, Concat(place, "/join_keys"), false);
  for (std::size_t k = 0; k < entity.join_keys.size(); ++k) {
    const DataType& type = entity.join_keys[k].type;
    if (type.is_key_type()) continue;
    problems_.Add(Concat(place, "/join_keys/", k, "/type"), "a join key cannot be ", type.ToString(),
                  "; use string, bytes, int32, int64, uint64, timestamp, date or bool");
  }
  entity_ok_[i] = problems_.size() == before;
}

void Resolver::CheckFields(const std::vector<Field>& fields, const std::string& path,
                           bool in_source) {
  for (std::size_t f = 0; f < fields.size(); ++f) {
    const Field& field = fields[f];
    const std::string place = Concat(path, "/", f);
    if (!IsValidName(field.name)) {
      problems_.Add(Concat(place, "/name"), "not a name: ", Quoted(field.name));
    }
    for (std::size_t g = 0; g < f; ++g) {
      if (fields[g].name != field.name) continue;
      problems_.Add(Concat(place, "/name"), "repeated name: ", field.name);
      break;
    }
    if (!in_source) {
      if (!field.from.empty() || !field.unit.empty()) {
        problems_.Add(place, "only fields of sources have from and unit");
      }
      continue;
    }
    if (field.unit.empty()) continue;
    const bool known =
        field.unit == "s" || field.unit == "ms" || field.unit == "us" || field.unit == "ns";
    if (!known) {
      problems_.Add(Concat(place, "/unit"), "unknown unit: ", Quoted(field.unit),
                    "; one of s, ms, us, ns");
    } else if (field.type.id() != TypeId::kTimestamp && field.type.id() != TypeId::kDuration) {
      problems_.Add(Concat(place, "/unit"), "a unit is of a timestamp or duration, not of ",
                    field.type.ToString());
    }
  }
}

const Source* Resolver::ResolveSource(std::size_t i) {
  switch (source_steps_[i]) {
    case Step::kDone:
      return out_.sources[i].get();
    case Step::kFailed:
      return nullptr;
    case Step::kOpen: {
      const auto from =
          std::find(open_.begin(), open_.end(), Concat("source ", target_.sources[i]->name));
      problems_.Add(target_.source_places[i],
                    "a cycle: ", Join(std::vector<std::string>(from, open_.end()), " -> "),
                    " -> source ", target_.sources[i]->name);
      return nullptr;
    }
    case Step::kUntouched:
      break;
  }
  source_steps_[i] = Step::kOpen;
  open_.push_back(Concat("source ", target_.sources[i]->name));
  const std::string& place = target_.source_places[i];
  Source source = *target_.sources[i];
  const std::size_t before = problems_.size();
  CheckFields(source.fields, Concat(place, "/fields"), true);
  CheckSourceKeys(source, place);
  bool usable = true;
  if (source.kind == SourceKind::kPush && !source.batch_source.empty()) {
    usable = InheritFromBatch(i, &source);
  }
  if (source.kind == SourceKind::kView && !source.view.empty()) {
    usable = InheritFromView(i, &source);
  }
  if (usable) {
    if (source.fields.empty()) problems_.Add(place, "a source needs fields");
    CheckSourceColumns(source, place);
    CheckSourceTimes(source, place);
  }
  usable = usable && problems_.size() == before;
  open_.pop_back();
  source_steps_[i] = usable ? Step::kDone : Step::kFailed;
  if (!usable) return nullptr;
  // The same text resolves to the same value as before: share it.
  out_.sources[i] =
      source == *target_.sources[i] ? target_.sources[i] : std::make_shared<const Source>(source);
  return out_.sources[i].get();
}

bool Resolver::InheritFromBatch(std::size_t i, Source* source) {
  const std::string path = Concat(target_.source_places[i], "/batch_source");
  const auto found = sources_.find(source->batch_source);
  if (found == sources_.end()) {
    std::vector<std::string> names;
    for (const auto& other : target_.sources) {
      if (other->kind != SourceKind::kPush) names.push_back(other->name);
    }
    Unknown(path, "source", source->batch_source, names);
    return false;
  }
  if (target_.sources[found->second]->kind == SourceKind::kPush) {
    problems_.Add(path, source->batch_source, " is a push source itself");
    return false;
  }
  const Source* batch = ResolveSource(found->second);
  if (batch == nullptr) return false;
  if (!source->fields.empty() && source->fields != batch->fields) {
    problems_.Add(Concat(target_.source_places[i], "/fields"),
                  "a push source has the fields of its batch source ", batch->name,
                  "; leave them out here");
  }
  source->fields = batch->fields;
  // What shapes a row. When it became known is the push's own.
  Inherit(batch->event_time, &source->event_time);
  Inherit(batch->event_id, &source->event_id);
  Inherit(batch->sequence, &source->sequence);
  Inherit(batch->operation, &source->operation);
  Inherit(batch->valid_to, &source->valid_to);
  Inherit(batch->time_zone, &source->time_zone);
  Inherit(batch->order, &source->order);
  Inherit(batch->late_by, &source->late_by);
  Inherit(batch->retention, &source->retention);
  Inherit(batch->max_future, &source->max_future);
  Inherit(batch->version_horizon, &source->version_horizon);
  if (source->event_time != batch->event_time || source->event_id != batch->event_id) {
    problems_.Add(path, "event_time and event_id must be those of ", batch->name);
  }
  return true;
}

bool Resolver::InheritFromView(std::size_t i, Source* source) {
  const std::string path = Concat(target_.source_places[i], "/view");
  const AnyView base = FindAnyView(source->view, path);
  if (base.on_demand != nullptr) {
    problems_.Add(path, source->view, " is an on-demand view, which stores no rows");
  }
  if (base.view == nullptr) return false;
  if (!source->fields.empty()) {
    problems_.Add(Concat(target_.source_places[i], "/fields"),
                  "a derived view's source has the columns of the view; leave fields out");
    source->fields.clear();
  }
  source->fields = base.view->keys;
  for (const FeatureColumn& feature : base.view->features) {
    Field field;
    field.name = feature.name;
    field.type = feature.type;
    source->fields.push_back(field);
  }
  const std::string& time = base.view->source.event_time;
  if (!time.empty() && FindField(source->fields, time) == nullptr) {
    Field field;
    field.name = time;
    field.type = TypeId::kTimestamp;
    source->fields.push_back(field);
  }
  Inherit(time, &source->event_time);
  return true;
}

// Which keys each kind of source has.
void Resolver::CheckSourceKeys(const Source& source, const std::string& place) {
  const SourceKind kind = source.kind;
  const bool file =
      kind == SourceKind::kCsv || kind == SourceKind::kNdjson || kind == SourceKind::kParquet;
  const auto refuse = [&](const char* key, bool present, bool wanted) {
    if (present && !wanted) {
      problems_.Add(Concat(place, "/", key), "a ", KindName(kind), " source has no ", key);
    }
  };
  refuse("path", !source.path.empty(), file);
  refuse("query", !source.query.empty(), kind == SourceKind::kSql);
  refuse("view", !source.view.empty(), kind == SourceKind::kView);
  refuse("batch_source", !source.batch_source.empty(), kind == SourceKind::kPush);
  const auto require = [&](const char* key, bool present, bool wanted) {
    if (!present && wanted) {
      problems_.Add(place, "a ", KindName(kind), " source needs ", Quoted(key));
    }
  };
  require("path", !source.path.empty(), file);
  require("query", !source.query.empty(), kind == SourceKind::kSql);
  require("view", !source.view.empty(), kind == SourceKind::kView);
  if (source.format.delimiter.size() != 1) {
    problems_.Add(Concat(place, "/format/delimiter"), "a delimiter is one character, found ",
                  Quoted(source.format.delimiter));
  }
  const std::string& compression = source.format.compression;
  if (compression != "auto" && compression != "none" && compression != "gzip") {
    problems_.Add(Concat(place, "/format/compression"),
                  "unknown compression: ", Quoted(compression), "; one of auto, none, gzip");
  }
}

void Resolver::CheckSourceColumns(const Source& source, const std::string& place) {
  const auto column = [&](const char* key, const std::string& name, auto fits, const char* wanted) {
    if (name.empty()) return;
    const Field* field = FindField(source.fields, name);
    const std::string path = Concat(place, "/", key);
    if (field == nullptr) {
      Unknown(path, "field", name, FieldNames(source.fields));
    } else if (!fits(field->type)) {
      problems_.Add(path, key, " must be ", wanted, ", and ", name, " is ", field->type.ToString());
    }
  };
  const auto text = [](const DataType& type) { return type.id() == TypeId::kString; };
  const auto integer = [](const DataType& type) { return type.is_integer(); };
  const auto id = [](const DataType& type) { return type.is_integer() || type.is_text(); };
  const auto timestamp = [](const DataType& type) { return type.id() == TypeId::kTimestamp; };
  column("event_time", source.event_time, IsTime, "a timestamp or date");
  column("arrival_time", source.arrival_time, timestamp, "a timestamp");
  column("valid_to", source.valid_to, IsTime, "a timestamp or date");
  column("sequence", source.sequence, integer, "an integer");
  column("event_id", source.event_id, id, "an integer or text");
  column("operation", source.operation, text, "a string");
  if (source.order == SourceOrder::kSequence && source.sequence.empty()) {
    problems_.Add(Concat(place, "/order"), "order: sequence needs the key \"sequence\"");
  }
}

void Resolver::CheckSourceTimes(const Source& source, const std::string& place) {
  const auto span = [&](const char* key, const std::optional<Duration>& value) {
    if (value && value->us < 0) {
      problems_.Add(Concat(place, "/", key), key, " cannot be negative, found ",
                    FormatDuration(*value));
    }
  };
  span("available_after", source.available_after);
  span("late_by", source.late_by);
  span("retention", source.retention);
  span("max_future", source.max_future);
  span("version_horizon", source.version_horizon);
  span("arrival_slack", source.arrival_slack);
  if (source.event_time.empty()) {
    const auto timeless = [&](const char* key, bool present) {
      if (present) {
        problems_.Add(Concat(place, "/", key), key,
                      " needs an event_time: without one a row is valid at every time");
      }
    };
    timeless("available_after", source.available_after.has_value());
    timeless("late_by", source.late_by.has_value());
    timeless("retention", source.retention.has_value());
    timeless("valid_to", !source.valid_to.empty());
  }
  if (source.time_zone.empty()) return;
  if (const auto zone = TimeZone::Load(source.time_zone); !zone.ok()) {
    problems_.AddStatus(Concat(place, "/time_zone"), zone.status());
  }
}

}  // namespace larder::inline LARDER_ABI
