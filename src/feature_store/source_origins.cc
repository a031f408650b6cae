#include "feature_store/source_origins.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "feature_store/event_mapper.h"
#include "feature_store/key_encoding.h"
#include "feature_store/source_events.h"
#include "feature_store/widen.h"
#include "feature_store/window_events.h"
#include "feature_store/window_trace.h"

namespace larder::inline LARDER_ABI {
namespace {

std::optional<Timestamp> InstantAt(const Column* column, std::size_t row) {
  if (column == nullptr || row >= column->size() || !column->IsValid(row)) return std::nullopt;
  return Timestamp{column->Values<int64_t>()[row]};
}

// The rows of a batch that have the key.
std::vector<std::size_t> RowsWith(const MappedEvents& events, std::string_view key) {
  const EncodedKeys keys(events.keys, events.row_count);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < events.row_count; ++row) {
    const std::string_view found = keys.views()[row];
    if (found.data() != nullptr && found == key) rows.push_back(row);
  }
  return rows;
}

}  // namespace

// Of a row view's source.
struct SourceOrigins::Event {
  std::optional<Timestamp> time;
  std::optional<Timestamp> known;  // absent: the source does not say, or never
  bool never_known = false;
  bool is_delete = false;
  std::optional<Timestamp> valid_to;
  std::string id;             // as JoinOutcome::event_id has it
  std::vector<Value> values;  // of the columns asked for
  std::vector<bool> carried;
};

Timestamp SourceOrigins::KnownAtOf(const BoundUse& use) const {
  return read_.reports[NumberOf(use)].known_at == KnownAt::kSpine ? read_.as_of[0]
                                                                  : Timestamp::Max();
}

absl::StatusOr<std::optional<SourceOrigins::OwnEvent>> SourceOrigins::ExcludedEvent(
    const BoundUse& use) const {
  if (!use.view->definition.exclude_self) return std::optional<OwnEvent>();
  LARDER_ASSIGN_OR_RETURN(const JoinView join, MakeHistoricalJoin(use, request_, read_.spine, {}));
  const Source& own = *use.view->offline_sources()[join.exclude_source];
  for (const Field& field : own.fields) {
    if (field.name != own.event_id || !join.exclude_event_id->IsValid(0)) continue;
    LARDER_ASSIGN_OR_RETURN(Column ids,
                            WidenColumn(*join.exclude_event_id, field.type, own.event_id, true));
    return std::optional(OwnEvent{std::move(ids), static_cast<char>(join.exclude_source)});
  }
  return std::optional<OwnEvent>();
}

absl::StatusOr<std::vector<SourceOrigins::Event>> SourceOrigins::EventsOf(
    const BoundUse& use, std::string_view key, std::span<const int> columns) const {
  const Source& source = use.view->offline_source();
  std::vector<Event> found;
  const auto visit = [&](const MappedBatch& batch) -> absl::Status {
    const MappedEvents& events = batch.events;
    for (const std::size_t row : RowsWith(events, key)) {
      if (events.event_time != nullptr && !events.event_time->IsValid(row)) continue;
      Event& event = found.emplace_back();
      event.time = InstantAt(events.event_time, row);
      if (!source.arrival_time.empty()) {
        event.known = InstantAt(events.arrival_time, row);
        event.never_known = !event.known.has_value();
      } else if (event.time && source.available_after) {
        event.known = event.time->Plus(*source.available_after);
      }
      event.is_delete = events.is_delete != nullptr && events.is_delete->IsValid(row) &&
                        events.is_delete->Values<uint8_t>()[row] != 0;
      event.valid_to = InstantAt(events.valid_to, row);
      if (events.event_id != nullptr) AppendKeyPart(*events.event_id, row, &event.id);
      for (const int column : columns) {
        const Column* const values = events.stored[static_cast<std::size_t>(column)];
        event.carried.push_back(values != nullptr);
        event.values.push_back(values != nullptr ? values->ValueAt(row) : Value());
      }
    }
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(VisitEvents(*use.view, source, PlacesOf(service_, *use.view, request_),
                                     store_.compile, visit));
  std::stable_sort(found.begin(), found.end(),
                   [](const Event& a, const Event& b) { return b.time < a.time; });
  return found;
}

absl::StatusOr<ValueOrigins::Versions> SourceOrigins::VersionsOf(const BoundUse& use,
                                                                 std::string_view key,
                                                                 std::span<const int> columns) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<Event> events, EventsOf(use, key, columns));
  LARDER_ASSIGN_OR_RETURN(const std::optional<OwnEvent> own, ExcludedEvent(use));
  std::string own_id;
  if (own) AppendKeyPart(own->ids, 0, &own_id);
  const JoinedView& joined = read_.computed.uses[NumberOf(use)].rows;
  const Timestamp as_of = read_.as_of[0];
  const Timestamp known_at = KnownAtOf(use);
  const auto why_not = [&](const Event& event) -> std::string {
    if (event.time && *event.time > use.LastVisible(as_of)) return "after the row's time";
    if (event.valid_to && *event.valid_to <= use.LastVisible(as_of))
      return Concat("ended at ", FormatTimestamp(*event.valid_to));
    if (event.never_known && known_at != Timestamp::Max()) return "has no arrival time";
    if (event.known && *event.known > known_at) return "not known at the row's time";
    if (!own_id.empty() && own_id == event.id) return "the row's own event: exclude_self";
    return {};
  };
  // Whether the join took an event for a column: its audit says which one it was.
  const auto is_taken = [&](const Event& event, std::size_t place) {
    const auto column = static_cast<std::size_t>(columns[place]);
    const JoinOutcome& outcome = joined.OutcomeOf(column);
    if (outcome.status[0] == FeatureStatus::kNotFound || !event.carried[place]) return false;
    const bool same_id = event.id.empty() || outcome.event_id.size() == 0 ||
                         (outcome.event_id.IsValid(0) && outcome.event_id.Text(0) == event.id);
    return same_id && InstantAt(&outcome.event_time, 0) == event.time &&
           InstantAt(&outcome.known_time, 0) == event.known &&
           (outcome.status[0] == FeatureStatus::kOutsideMaxAge ||
            joined.features[column].ValueAt(0) == event.values[place]);
  };
  const bool is_partial = use.view->definition.partial_updates;
  Versions versions;
  versions.chosen.resize(is_partial ? columns.size() : 1);
  for (const Event& event : events) {
    ExplanationStep step;
    step.kind = ExplanationStep::Kind::kVersion;
    step.name = use.view->ToString();
    step.event_time = event.time;
    step.known_time = event.known;
    step.note = why_not(event);
    const bool answers = step.note.empty();
    std::vector<bool> taken;
    for (std::size_t place = 0; place < columns.size(); ++place) {
      taken.push_back(answers && !event.is_delete && is_taken(event, place));
      if (event.carried[place] && !event.is_delete) {
        const StoredColumn& stored = use.view->stored[static_cast<std::size_t>(columns[place])];
        step.details.emplace_back(stored.field.empty() ? stored.name : stored.field,
                                  event.values[place]);
      }
    }
    bool counts = false;
    for (std::size_t i = 0; i < versions.chosen.size(); ++i) {
      const bool all = std::find(taken.begin(), taken.end(), false) == taken.end();
      const bool takes = answers && !event.is_delete && (is_partial ? taken[i] : all);
      if (versions.chosen[i] || !takes ||
          (!is_partial && joined.outcomes[0].status[0] == FeatureStatus::kNotFound))
        continue;
      versions.chosen[i] = versions.steps.size();
      counts = true;
    }
    if (!counts && versions.steps.size() >= items_max_) {
      ++versions.left_out;
      continue;
    }
    if (answers) step.note = counts ? "counts" : "gave way";
    if (event.is_delete) step.note = Concat("a delete, ", step.note);
    versions.steps.push_back(std::move(step));
  }
  return versions;
}

absl::StatusOr<WindowSteps> SourceOrigins::WindowOf(const BoundUse& use, std::string_view key,
                                                    std::size_t f) {
  const WindowPlan& plan = *use.windows;
  const WindowFeature& feature = plan.features()[f];
  const WindowStream& stream = plan.streams()[feature.stream];
  // What a source tells of the key, by category; those that are no event of the stream matter as versions of others.
  struct Told {
    TracedEvent event;
    std::string category;
  };
  ByteArena arena;
  std::vector<Told> told;
  std::set<std::string> categories;
  std::map<std::string_view, int> versions;
  const std::vector<const Source*> sources = use.view->offline_sources();
  uint64_t rows_read = 0;
  for (std::size_t number = 0; number < sources.size(); ++number) {
    const auto visit = [&](const MappedBatch& batch) -> absl::Status {
      const MappedEvents& events = batch.events;
      const WindowEvents windows(plan, events, *sources[number], number, rows_read);
      rows_read += events.row_count;
      for (const std::size_t row : RowsWith(events, key)) {
        if (!events.event_time->IsValid(row)) continue;
        std::string id;
        windows.AppendId(row, &id);
        const std::string_view kept = id.empty() ? std::string_view() : arena.Keep(id);
        Told& one = told.emplace_back();
        one.event.event = windows.At(row, feature.stream, kept, true, &arena);
        one.event.event.counts = windows.IsOf(row, feature.stream);
        if (one.event.event.counts && stream.group >= 0)
          one.category = windows.Category(row, feature.stream);
        if (!kept.empty()) ++versions[kept];
        if (one.event.event.counts) categories.insert(one.category);
      }
      return absl::OkStatus();
    };
    LARDER_RETURN_IF_ERROR(VisitEvents(plan.rows(), *sources[number],
                                       PlacesOf(service_, *use.view, request_), store_.compile,
                                       visit));
  }
  if (!feature.is_map) categories = {stream.group >= 0 ? feature.category : ""};

  LARDER_ASSIGN_OR_RETURN(const std::optional<OwnEvent> own, ExcludedEvent(use));
  std::string excluded;
  if (own) AppendEventId(own->ids, 0, own->source_number, &excluded);
  LARDER_ASSIGN_OR_RETURN(const AccumulatorSet set, AccumulatorSet::Make(stream.specs));
  const Value value = read_.computed.uses[NumberOf(use)].rows.features[f].ValueAt(0);
  WindowTrace trace;
  trace.range = feature.window.RangeAt(read_.as_of[0]);
  if (feature.window.rows) trace.range.from_us = std::numeric_limits<int64_t>::min();
  for (const std::string& category : categories) {
    const TracedWindow of{Concat(use.view->ToString(), ":", use.view->features[f].name),
                          set,
                          feature.spec,
                          feature.window,
                          stream.input_type,
                          {read_.as_of[0], KnownAtOf(use), excluded},
                          category};
    std::vector<TracedEvent> events;
    for (const Told& one : told) {
      TracedEvent event = one.event;
      event.event.counts = event.event.counts && one.category == category;
      const std::string_view id = event.event.event.order.event_id;
      if (event.event.counts || (!id.empty() && versions[id] > 1)) events.push_back(event);
    }
    Value expected = value;
    if (feature.is_map) {
      const MapValue* const map = value.As<MapValue>();
      if (map == nullptr) continue;
      const auto item = std::find_if(map->items.begin(), map->items.end(),
                                     [&](const auto& entry) { return entry.first == category; });
      if (item == map->items.end()) continue;
      expected = item->second;
    }
    LARDER_RETURN_IF_ERROR(TraceEvents(of, events, expected, &trace));
  }
  return StepsOfWindow(use, f, trace, true, items_max_);
}

}  // namespace larder::inline LARDER_ABI
