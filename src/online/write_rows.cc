#include <algorithm>
#include <array>
#include <numeric>

#include "larder/online/write_transaction.h"
#include "online/row_codec.h"
#include "online/version_writer.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kRejectedNamedMax = 10;

absl::Status CheckColumn(std::string_view name, const Column* column, std::size_t rows,
                         std::initializer_list<TypeId> types) {
  if (column == nullptr) return absl::OkStatus();
  if (std::none_of(types.begin(), types.end(),
                   [&](TypeId type) { return column->type() == DataType(type); })) {
    return InvalidArgumentError("the ", name, " column is ", column->type().ToString(),
                                ", expected ", TypeName(*types.begin()));
  }
  if (column->size() != rows) {
    return InvalidArgumentError("the ", name, " column has ", column->size(), " entries for ", rows,
                                " rows");
  }
  return absl::OkStatus();
}

absl::Status CheckFit(const RowsToWrite& rows) {
  if (rows.layout == nullptr)
    return InvalidArgumentError("rows of view ", rows.view_id, " without a layout");
  const RowLayout& layout = *rows.layout;
  const std::size_t count = rows.keys.size();
  if (rows.columns.size() != layout.size()) {
    return InvalidArgumentError("view ", rows.view_id, " has ", layout.size(), " features, got ",
                                rows.columns.size(), " columns");
  }
  if (!rows.presence.empty() && (!rows.partial_updates || rows.presence.size() != layout.size())) {
    return InvalidArgumentError("view ", rows.view_id, ": presence for ", rows.presence.size(),
                                " of ", layout.size(), " features",
                                rows.partial_updates ? "" : " of a view without partial updates");
  }
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (rows.columns[i]->type() != layout.type(i) || rows.columns[i]->size() != count) {
      return InvalidArgumentError("view ", rows.view_id, ", feature ", i, ": ",
                                  rows.columns[i]->size(), " values of ",
                                  rows.columns[i]->type().ToString(), ", expected ", count, " of ",
                                  layout.type(i).ToString());
    }
    if (!rows.presence.empty() && rows.presence[i] != nullptr && rows.presence[i]->size() != count) {
      return InvalidArgumentError("view ", rows.view_id, ", feature ", i, ": presence of ",
                                  rows.presence[i]->size(), " rows, expected ", count);
    }
  }
  LARDER_RETURN_IF_ERROR(CheckColumn("event time", rows.event_time, count, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn("arrival time", rows.arrival_time, count, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(CheckColumn("valid_to", rows.valid_to, count, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(CheckColumn("operation", rows.is_delete, count, {TypeId::kBool}));
  return CheckColumn("sequence", rows.sequence, count,
                     {TypeId::kInt64, TypeId::kInt32, TypeId::kUint64});
}

int64_t TimeAt(const Column& column, std::size_t i) { return column.Values<int64_t>()[i]; }

// Order bits and the 8 bytes kept in the row.
std::pair<uint64_t, int64_t> SequenceAt(const Column& column, std::size_t i) {
  if (column.type() == DataType(TypeId::kUint64)) {
    const uint64_t value = column.Values<uint64_t>()[i];
    return {value, static_cast<int64_t>(value)};
  }
  const int64_t value = column.type() == DataType(TypeId::kInt32) ? column.Values<int32_t>()[i]
                                                                  : column.Values<int64_t>()[i];
  return {OrderBits(value), value};
}

// When the row happened and was known, and where that puts it. False when it has no event time though it should.
bool StampRow(const RowsToWrite& rows, std::size_t i, const HeadRow& head, RowStamp* stamp,
              VersionOrder* order) {
  *stamp = {};
  *order = {};
  stamp->commit_seq = head.commit_seq;
  if (rows.partial_updates) stamp->flags |= kRowPartial;
  if (rows.event_time == nullptr) {
    stamp->flags |= kRowTimeless;
    stamp->event_time = Timestamp::Min().us;
  } else if (!rows.event_time->IsValid(i)) {
    return false;
  } else {
    stamp->event_time = TimeAt(*rows.event_time, i);
  }
  order->event_time = stamp->event_time;
  if (rows.sequence != nullptr && rows.sequence->IsValid(i)) {
    stamp->flags |= kRowHasSequence;
    std::tie(order->sequence, stamp->sequence) = SequenceAt(*rows.sequence, i);
  }
  stamp->known_time = stamp->event_time;
  if (rows.arrival_time != nullptr && rows.arrival_time->IsValid(i)) {
    stamp->flags |= kRowKnownByArrival;
    stamp->known_time = TimeAt(*rows.arrival_time, i);
    order->arrival = stamp->known_time;
  } else if (rows.arrival_time != nullptr) {
    stamp->flags |= kRowArrivalNull;
    stamp->known_time = Timestamp::Max().us;
  } else if (rows.available_after && rows.event_time != nullptr) {
    stamp->known_time = Timestamp{stamp->event_time}.Plus(*rows.available_after).us;
  } else if (!rows.available_after && rows.is_push) {
    stamp->flags |= kRowKnownByCommit;
    stamp->known_time = head.commit_time;
  }
  if (rows.valid_to != nullptr && rows.valid_to->IsValid(i)) {
    stamp->flags |= kRowHasValidTo;
    stamp->valid_to = TimeAt(*rows.valid_to, i);
  }
  if (rows.is_delete != nullptr && rows.is_delete->IsValid(i) &&
      rows.is_delete->Values<uint8_t>()[i] != 0) {
    stamp->flags |= kRowDelete;
  }
  return true;
}

void Reject(std::size_t row, RowRejection reason, RowsResult* result) {
  ++result->rejected[static_cast<std::size_t>(reason)];
  result->first_rejected.push_back({row, reason});
}

}  // namespace

std::string_view RowRejectionName(RowRejection reason) {
  switch (reason) {
    case RowRejection::kNullKey:
      return "null key";
    case RowRejection::kKeyTooLarge:
      return "key too large";
    case RowRejection::kNullEventTime:
      return "null event time";
    case RowRejection::kFuture:
      return "future";
    case RowRejection::kRowTooLarge:
      return "row too large";
  }
  return "unknown";
}

std::size_t RowsResult::rejected_count() const {
  return std::accumulate(rejected.begin(), rejected.end(), std::size_t{0});
}

RowsResult& RowsResult::operator+=(const RowsResult& other) {
  written += other.written;
  older += other.older;
  duplicate += other.duplicate;
  ambiguous += other.ambiguous;
  dropped += other.dropped;
  for (std::size_t i = 0; i < rejected.size(); ++i) rejected[i] += other.rejected[i];
  for (const Rejected& row : other.first_rejected) {
    if (first_rejected.size() < kRejectedNamedMax) first_rejected.push_back(row);
  }
  return *this;
}

absl::StatusOr<RowsResult> WriteTransaction::WriteRows(const RowsToWrite& rows) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  LARDER_RETURN_IF_ERROR(CheckFit(rows));
  const HeadRow& head = state_->head;
  const Timestamp reference = rows.reference_time.value_or(Timestamp{head.commit_time});
  const Timestamp latest = Timestamp{head.commit_time}.Plus(rows.max_future);
  VersionWriter writer(state_.get(), rows.view_id, *rows.layout, rows.tie_order,
                       reference.Minus(rows.version_horizon));

  // In key order, so that neighbours share pages; rows of one key keep their order.
  std::vector<std::size_t> sorted(rows.keys.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  std::stable_sort(sorted.begin(), sorted.end(), [&rows](std::size_t a, std::size_t b) {
    const std::string_view left = rows.keys[a];
    const std::string_view right = rows.keys[b];
    return left.size() != right.size() ? left.size() < right.size() : left < right;
  });

  RowsResult result;
  RowStamp stamp;
  VersionOrder order;
  std::string row;
  for (const std::size_t i : sorted) {
    if (rows.keys[i].data() == nullptr) {
      Reject(i, RowRejection::kNullKey, &result);
      continue;
    }
    if (rows.keys[i].size() > kEntityKeySizeMax) {
      Reject(i, RowRejection::kKeyTooLarge, &result);
      continue;
    }
    if (!StampRow(rows, i, head, &stamp, &order)) {
      Reject(i, RowRejection::kNullEventTime, &result);
      continue;
    }
    if (stamp.event_time > latest.us) {
      Reject(i, RowRejection::kFuture, &result);
      continue;
    }
    EncodeRow(*rows.layout, stamp, rows.columns, rows.presence, i, &row);
    if (row.size() > kRowSizeMax) {
      Reject(i, RowRejection::kRowTooLarge, &result);
      continue;
    }
    LARDER_ASSIGN_OR_RETURN(const VersionWriter::Outcome outcome,
                            writer.Insert(rows.keys[i], order, &row));
    switch (outcome.kind) {
      case VersionWriter::Outcome::kWritten:
        ++result.written;
        break;
      case VersionWriter::Outcome::kOlder:
        ++result.older;
        break;
      case VersionWriter::Outcome::kDuplicate:
        ++result.duplicate;
        break;
    }
    result.ambiguous += outcome.ambiguous ? 1 : 0;
    result.dropped += outcome.dropped;
  }
  std::sort(result.first_rejected.begin(), result.first_rejected.end(),
            [](const auto& a, const auto& b) { return a.row < b.row; });
  if (result.first_rejected.size() > kRejectedNamedMax)
    result.first_rejected.resize(kRejectedNamedMax);
  return result;
}

}  // namespace larder::inline LARDER_ABI
