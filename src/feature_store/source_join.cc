#include "feature_store/source_join.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "feature_store/source_events.h"
#include "feature_store/widen.h"
#include "feature_store/window_join.h"

namespace larder::inline LARDER_ABI {
namespace {

EventBatch BatchOf(const MappedEvents& events) {
  EventBatch batch;
  batch.row_count = events.row_count;
  batch.keys = events.keys;
  batch.features = events.stored;
  batch.event_time = events.event_time;
  batch.sequence = events.sequence;
  batch.arrival_time = events.arrival_time;
  batch.event_id = events.event_id;
  batch.valid_to = events.valid_to;
  batch.is_delete = events.is_delete;
  return batch;
}

absl::StatusOr<JoinedView> JoinRows(const Column& times, JoinView join, const JoinOptions& options,
                                    const VisitHistory& history) {
  std::vector<JoinView> views;
  views.push_back(std::move(join));
  LARDER_ASSIGN_OR_RETURN(PointInTimeJoin rows,
                          PointInTimeJoin::Make(times, std::move(views), options));
  const auto add = [&rows](MappedBatch& mapped) { return rows.Add(0, BatchOf(mapped.events)); };
  LARDER_RETURN_IF_ERROR(history(0, add));
  LARDER_ASSIGN_OR_RETURN(std::vector<JoinedView> joined, std::move(rows).Finish());
  return std::move(joined[0]);
}

// The spine's keys, and its ids of its own events, as the types they are declared with. `converted` holds what had others.
absl::Status ConvertKeys(const ViewVersion& view, const Source& own, JoinView* join,
                         std::deque<Column>* converted) {
  const auto convert = [converted](const Column** column, const DataType& type,
                                   std::string_view what, bool from_text) -> absl::Status {
    if ((*column)->type() == type) return absl::OkStatus();
    LARDER_ASSIGN_OR_RETURN(Column made, WidenColumn(**column, type, what, from_text));
    *column = &converted->emplace_back(std::move(made));
    return absl::OkStatus();
  };
  for (std::size_t k = 0; k < view.keys.size(); ++k) {
    LARDER_RETURN_IF_ERROR(convert(&join->spine_keys[k], view.keys[k].type,
                                   Concat("join key ", view.keys[k].name), false));
  }
  if (join->exclude_event_id == nullptr) return absl::OkStatus();
  for (const Field& field : own.fields) {
    if (field.name != own.event_id) continue;
    LARDER_RETURN_IF_ERROR(
        convert(&join->exclude_event_id, field.type, Concat("event id ", own.event_id), true));
  }
  return absl::OkStatus();
}

// The history of the view's own source and of its union's.
absl::StatusOr<JoinedView> JoinWindows(const ViewVersion& view, const CompileOptions& compile,
                                       const Column& times, JoinView join,
                                       const JoinOptions& options, const VisitHistory& history) {
  LARDER_ASSIGN_OR_RETURN(const WindowPlan plan, WindowPlan::Make(view, compile));
  const std::vector<const Source*> sources = view.offline_sources();
  std::deque<Column> converted;
  LARDER_RETURN_IF_ERROR(ConvertKeys(view, *sources[join.exclude_source], &join, &converted));
  LARDER_ASSIGN_OR_RETURN(WindowJoin windows,
                          WindowJoin::Make(view, plan, times, std::move(join), options));
  int64_t events = 0;
  for (std::size_t number = 0; number < sources.size(); ++number) {
    const auto add = [&](MappedBatch& mapped) -> absl::Status {
      events += static_cast<int64_t>(mapped.events.row_count);
      LARDER_RETURN_IF_ERROR(windows.Add(std::move(mapped), *sources[number], number));
      return options.progress ? options.progress({0, events, 0}) : absl::OkStatus();
    };
    LARDER_RETURN_IF_ERROR(history(number, add));
  }
  return std::move(windows).Finish();
}

}  // namespace

JoinView MakeJoinView(const ViewVersion& view, const Source& source,
                      std::span<const Column* const> key_columns) {
  JoinView join;
  join.name = view.ToString();
  join.spine_keys.assign(key_columns.begin(), key_columns.end());
  for (const Field& key : view.keys) join.key_types.push_back(key.type);
  for (const StoredColumn& stored : view.stored) {
    Field field;
    field.name = stored.name;
    field.type = stored.type;
    join.features.push_back(std::move(field));
  }
  join.ttl = view.definition.ttl;
  join.boundary = view.boundary;
  join.available_after = source.arrival_time.empty() ? source.available_after : std::nullopt;
  join.tie_order =
      source.order == SourceOrder::kCommit ? JoinTieOrder::kCommit : JoinTieOrder::kCanonicalBytes;
  join.partial_updates = view.definition.partial_updates;
  return join;
}

VisitHistory HistoryOf(const ViewVersion& view, const SourcePlaces& places,
                       const CompileOptions& compile) {
  return [&view, places, compile](std::size_t number, const VisitBatch& visit) -> absl::Status {
    const Source& source = *view.offline_sources()[number];
    if (!view.is_aggregate()) return VisitEvents(view, source, places, compile, visit);
    LARDER_ASSIGN_OR_RETURN(const WindowPlan plan, WindowPlan::Make(view, compile));
    return VisitEvents(plan.rows(), source, places, compile, visit);
  };
}

absl::StatusOr<JoinedView> JoinHistory(const ViewVersion& view, const CompileOptions& compile,
                                       const Column& times, JoinView join,
                                       const JoinOptions& options, const VisitHistory& history) {
  absl::StatusOr<JoinedView> joined =
      view.is_aggregate() ? JoinWindows(view, compile, times, std::move(join), options, history)
                          : JoinRows(times, std::move(join), options, history);
  if (!joined.ok()) joined = Annotate(joined.status(), Concat("feature view ", view.ToString()));
  return joined;
}

absl::StatusOr<JoinedView> JoinSource(const ViewVersion& view, const SourcePlaces& places,
                                      const CompileOptions& compile, const Column& times,
                                      JoinView join, const JoinOptions& options) {
  return JoinHistory(view, compile, times, std::move(join), options,
                     HistoryOf(view, places, compile));
}

}  // namespace larder::inline LARDER_ABI
