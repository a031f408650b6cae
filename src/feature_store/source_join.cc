#include "feature_store/source_join.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "feature_store/event_mapper.h"
#include "feature_store/widen.h"
#include "feature_store/window_join.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

// A view's source as the events the join takes.
class SourceEvents : public EventReader {
 public:
  SourceEvents(std::unique_ptr<RecordReader> reader, EventMapper mapper)
      : reader_(std::move(reader)), mapper_(std::move(mapper)) {}

  absl::StatusOr<bool> Next(EventBatch* out) override {
    LARDER_ASSIGN_OR_RETURN(const bool more, reader_->Next(&batch_));
    if (!more) return false;
    EvalCounts counts;
    LARDER_ASSIGN_OR_RETURN(events_, mapper_.Map(batch_, &counts));
    *out = EventBatch{};
    out->row_count = events_.row_count;
    out->keys = events_.keys;
    out->features = events_.stored;
    out->event_time = events_.event_time;
    out->sequence = events_.sequence;
    out->arrival_time = events_.arrival_time;
    out->event_id = events_.event_id;
    out->valid_to = events_.valid_to;
    out->is_delete = events_.is_delete;
    return true;
  }

 private:
  std::unique_ptr<RecordReader> reader_;
  EventMapper mapper_;
  Batch batch_;
  MappedEvents events_;  // borrows from batch_
};

absl::StatusOr<JoinedView> JoinRows(const ViewVersion& view, const std::string& base_path,
                                    const CompileOptions& compile, const Column& times,
                                    JoinView join, const JoinOptions& options) {
  const Source& source = view.offline_source();
  TextReadOptions read;
  read.base_path = base_path;
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<RecordReader> reader, OpenSource(source, read));
  LARDER_ASSIGN_OR_RETURN(EventMapper mapper, EventMapper::Make(view, source, compile));
  SourceEvents events(std::move(reader), std::move(mapper));
  return JoinPointInTime(times, std::move(join), events, options);
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
absl::StatusOr<JoinedView> JoinWindows(const ViewVersion& view, const std::string& base_path,
                                       const CompileOptions& compile, const Column& times,
                                       JoinView join, const JoinOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const WindowPlan plan, WindowPlan::Make(view, compile));
  const std::vector<const Source*> sources = view.offline_sources();
  std::deque<Column> converted;
  LARDER_RETURN_IF_ERROR(ConvertKeys(view, *sources[join.exclude_source], &join, &converted));
  WindowJoin windows(view, plan, times, std::move(join));
  TextReadOptions read;
  read.base_path = base_path;
  int64_t events = 0;
  for (std::size_t number = 0; number < sources.size(); ++number) {
    const Source& source = *sources[number];
    LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, OpenSource(source, read));
    LARDER_ASSIGN_OR_RETURN(const EventMapper mapper,
                            EventMapper::Make(plan.rows(), source, compile));
    while (true) {
      MappedBatch mapped;
      LARDER_ASSIGN_OR_RETURN(const bool more, reader->Next(&mapped.batch));
      if (!more) break;
      EvalCounts counts;
      LARDER_ASSIGN_OR_RETURN(mapped.events, mapper.Map(mapped.batch, &counts));
      events += static_cast<int64_t>(mapped.events.row_count);
      LARDER_RETURN_IF_ERROR(windows.Add(std::move(mapped), source, number));
      if (options.progress) LARDER_RETURN_IF_ERROR(options.progress({0, events, 0}));
    }
  }
  return std::move(windows).Finish(options);
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

absl::StatusOr<JoinedView> JoinSource(const ViewVersion& view, const std::string& base_path,
                                      const CompileOptions& compile, const Column& times,
                                      JoinView join, const JoinOptions& options) {
  const auto run = view.is_aggregate() ? JoinWindows : JoinRows;
  absl::StatusOr<JoinedView> joined = run(view, base_path, compile, times, std::move(join), options);
  if (!joined.ok()) joined = Annotate(joined.status(), Concat("feature view ", view.ToString()));
  return joined;
}

}  // namespace larder::inline LARDER_ABI
