#include "feature_store/row_writing.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace larder::inline LARDER_ABI {
namespace {

constexpr Duration kMaxFutureDefault = Duration::Minutes(10);
constexpr Duration kVersionHorizonDefault = Duration::Hours(1);

// Both come from definitions and may be huge.
Duration Sum(Duration a, Duration b) { return Duration{Timestamp{a.us}.Plus(b).us}; }

const Column* Pointer(const std::optional<Column>& column) { return column ? &*column : nullptr; }

}  // namespace

absl::StatusOr<RowWriter> RowWriter::Make(const ViewVersion& view, const Source& source) {
  std::vector<DataType> types;
  for (const StoredColumn& stored : view.stored) types.push_back(stored.type);
  LARDER_ASSIGN_OR_RETURN(RowLayout layout, RowLayout::Make(types));
  return RowWriter(view, source, std::move(layout));
}

absl::StatusOr<RowsResult> RowWriter::Push(WriteTransaction& transaction,
                                           const MappedEvents& events, bool skip_bad) const {
  RowsResult result;
  const auto write = [&](RowsToWrite rows) -> absl::Status {
    rows.all_or_none = !skip_bad;
    absl::StatusOr<RowsResult> written = transaction.WriteRows(rows);
    if (!written.ok())
      return Annotate(written.status(), Concat("feature view ", view_->ToString()));
    result = *std::move(written);
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(WithRows(events, std::nullopt, write));
  return result;
}

absl::StatusOr<RowsResult> RowWriter::Stage(const ReadSession& session, const MappedEvents& events,
                                            Timestamp now, StagedRows* staged) const {
  RowsResult result;
  const auto add = [&](const RowsToWrite& rows) -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(result, staged->Add(session, rows, now));
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(WithRows(events, std::nullopt, add));
  return result;
}

absl::Status RowWriter::Load(GenerationBuilder& generation, const MappedEvents& events,
                             Timestamp load_end) const {
  return WithRows(events, load_end,
                  [&generation](const RowsToWrite& rows) { return generation.Add(rows); });
}

absl::Status RowWriter::WithRows(
    const MappedEvents& events, std::optional<Timestamp> load_end,
    const std::function<absl::Status(const RowsToWrite& rows)>& use) const {
  const std::vector<const Column*> key_columns = events.KeyPointers();
  const std::vector<const Column*> stored = events.StoredPointers();
  const EncodedKeys keys(key_columns, events.row_count);
  RowsToWrite rows;
  rows.view_id = view_->data_id;
  rows.layout = &layout_;
  rows.keys = keys.views();
  rows.columns = stored;
  rows.event_time = Pointer(events.event_time);
  rows.sequence = Pointer(events.sequence);
  rows.arrival_time = Pointer(events.arrival_time);
  rows.available_after = source_->available_after;
  rows.is_push = !load_end.has_value();
  rows.valid_to = Pointer(events.valid_to);
  rows.is_delete = Pointer(events.is_delete);
  rows.tie_order =
      source_->order == SourceOrder::kCommit ? TieOrder::kCommit : TieOrder::kCanonicalBytes;
  rows.max_future = source_->max_future.value_or(kMaxFutureDefault);
  // SEMANTICS 3: at least max_future + expected lateness.
  rows.version_horizon = std::max(source_->version_horizon.value_or(kVersionHorizonDefault),
                                  Sum(rows.max_future, source_->late_by.value_or(Duration{})));
  rows.reference_time = load_end;

  Validity none;
  none.Resize(events.row_count, false);
  std::vector<const Validity*> presence;
  rows.partial_updates = view_->definition.partial_updates;
  if (rows.partial_updates) {
    for (const bool carried : events.carried) presence.push_back(carried ? nullptr : &none);
    rows.presence = presence;
  }
  return use(rows);
}

absl::Status RowWriter::RefuseRejected(std::string_view what, const RowsResult& rows) {
  if (rows.rejected_count() == 0) return absl::OkStatus();
  const RowsResult::Rejected& first = rows.first_rejected.front();
  return InvalidArgumentError(what, ": ", rows.rejected_count(), " rows refused, the first is row ",
                              first.row, ": ", RowRejectionName(first.reason));
}

}  // namespace larder::inline LARDER_ABI
