#include "feature_store/row_writing.h"

#include <algorithm>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

// Both come from definitions and may be huge.
Duration Sum(Duration a, Duration b) { return Duration{Timestamp{a.us}.Plus(b).us}; }

}  // namespace

Duration VersionHorizonOf(const Source& source) {
  const Duration future = source.max_future.value_or(kMaxFutureDefault);
  return std::max(source.version_horizon.value_or(kVersionHorizonDefault),
                  Sum(future, source.late_by.value_or(Duration{})));
}

absl::StatusOr<RowWriter> RowWriter::Make(const ViewVersion& view, const Source& source) {
  std::vector<DataType> types;
  for (const StoredColumn& stored : view.stored) types.push_back(stored.type);
  LARDER_ASSIGN_OR_RETURN(RowLayout layout, RowLayout::Make(types));
  return RowWriter(view, source, std::move(layout));
}

absl::StatusOr<RowsResult> RowWriter::Push(WriteTransaction& transaction,
                                           const MappedEvents& events, bool skip_bad) const {
  RowFrame frame;
  RowsToWrite rows = RowsOf(events, std::nullopt, &frame);
  rows.all_or_none = !skip_bad;
  absl::StatusOr<RowsResult> written = transaction.WriteRows(rows);
  if (!written.ok()) return Annotate(written.status(), Concat("feature view ", view_->ToString()));
  return written;
}

absl::Status RowWriter::Load(GenerationBuilder& generation, const MappedEvents& events,
                             Timestamp load_end) const {
  RowFrame frame;
  return generation.Add(RowsOf(events, load_end, &frame));
}

RowsToWrite RowWriter::RowsOf(const MappedEvents& events, std::optional<Timestamp> load_end,
                              RowFrame* frame) const {
  frame->keys.Encode(events.keys, events.row_count);
  RowsToWrite rows;
  rows.view_id = view_->data_id;
  rows.layout = &layout_;
  rows.keys = frame->keys.views();
  rows.columns = events.stored;
  rows.event_time = events.event_time;
  rows.sequence = events.sequence;
  rows.arrival_time = events.arrival_time;
  rows.available_after = source_->available_after;
  rows.is_push = !load_end.has_value();
  rows.valid_to = events.valid_to;
  rows.is_delete = events.is_delete;
  rows.tie_order =
      source_->order == SourceOrder::kCommit ? TieOrder::kCommit : TieOrder::kCanonicalBytes;
  rows.max_future = source_->max_future.value_or(kMaxFutureDefault);
  rows.version_horizon = VersionHorizonOf(*source_);
  rows.reference_time = load_end;
  rows.partial_updates = view_->definition.partial_updates;
  if (rows.partial_updates) {
    frame->none.Resize(0, false);
    frame->none.Resize(events.row_count, false);
    frame->presence.clear();
    for (const bool carried : events.carried)
      frame->presence.push_back(carried ? nullptr : &frame->none);
    rows.presence = frame->presence;
  }
  return rows;
}

absl::Status RowWriter::RefuseRejected(std::string_view what, const RowsResult& rows) {
  if (rows.rejected_count() == 0) return absl::OkStatus();
  const RowsResult::Rejected& first = rows.first_rejected.front();
  return InvalidArgumentError(what, ": ", rows.rejected_count(), " rows refused, the first is row ",
                              first.row, ": ", RowRejectionName(first.reason));
}

}  // namespace larder::inline LARDER_ABI
