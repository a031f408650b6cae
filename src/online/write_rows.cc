#include <algorithm>
#include <array>
#include <deque>
#include <numeric>

#include "larder/online/write_transaction.h"
#include "larder/schema/entity_key.h"
#include "online/layer_writer.h"
#include "online/row_codec.h"
#include "online/version_chain.h"
#include "online/version_order.h"
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

// When the row happened and was known. False when it has no event time though it should.
bool StampRow(const RowsToWrite& rows, std::size_t i, const HeadRow& head, RowStamp* stamp) {
  *stamp = {};
  stamp->flags = kRowHasCommitSeq;
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
  if (rows.sequence != nullptr && rows.sequence->IsValid(i)) {
    stamp->flags |= kRowHasSequence;
    if (rows.sequence->type() == DataType(TypeId::kUint64)) {
      stamp->flags |= kRowSequenceUnsigned;
      stamp->sequence = static_cast<int64_t>(rows.sequence->Values<uint64_t>()[i]);
    } else {
      stamp->sequence = rows.sequence->type() == DataType(TypeId::kInt32)
                            ? rows.sequence->Values<int32_t>()[i]
                            : TimeAt(*rows.sequence, i);
    }
  }
  stamp->known_time = stamp->event_time;
  if (rows.arrival_time != nullptr && rows.arrival_time->IsValid(i)) {
    stamp->flags |= kRowKnownByArrival;
    stamp->known_time = TimeAt(*rows.arrival_time, i);
  } else if (rows.arrival_time != nullptr) {
    stamp->flags |= kRowArrivalNull;
    stamp->known_time = Timestamp::Max().us;
  } else if (rows.available_after && rows.event_time != nullptr) {
    stamp->known_time = Timestamp{stamp->event_time}.Plus(*rows.available_after).us;
  } else if (!rows.available_after && rows.is_push) {
    stamp->flags |= kRowKnownByCommit;
    stamp->known_time = head.commit_time;
  }
  if (stamp->known_time != stamp->event_time) stamp->flags |= kRowHasKnownTime;
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

namespace {

// A row to be written, encoded.
struct NewRow {
  uint64_t hash = 0;
  std::string_view key;
  std::string bytes;
};

constexpr uint64_t kRowsRankedMax = uint64_t{1} << 24;

// The rows that can be taken, in the order of (hash, key); rows of one key keep their order. Others are reported.
absl::StatusOr<std::vector<NewRow>> EncodeRows(const RowsToWrite& rows,
                                               WriteTransaction::State& state, RowsResult* result) {
  const HeadRow& head = state.head;
  const Timestamp latest = Timestamp{head.commit_time}.Plus(rows.max_future);
  std::vector<NewRow> encoded;
  encoded.reserve(rows.keys.size());
  RowStamp stamp;
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    const std::string_view key = rows.keys[i];
    if (key.data() == nullptr) {
      Reject(i, RowRejection::kNullKey, result);
    } else if (key.size() > kEntityKeySizeMax) {
      Reject(i, RowRejection::kKeyTooLarge, result);
    } else if (!StampRow(rows, i, head, &stamp)) {
      Reject(i, RowRejection::kNullEventTime, result);
    } else if (stamp.event_time > latest.us) {
      Reject(i, RowRejection::kFuture, result);
    } else {
      if (rows.tie_order == TieOrder::kCommit) {
        if (state.ranked_rows >= kRowsRankedMax) {
          return WithKind(InvalidArgumentError("more than ", kRowsRankedMax,
                                               " rows in commit order in one transaction"),
                          ErrorKind::kTooLarge);
        }
        stamp.flags |= kRowHasRank;
        stamp.rank = (head.commit_seq << 24) | state.ranked_rows++;
      }
      NewRow& row = encoded.emplace_back();
      EncodeRow(*rows.layout, stamp, key, rows.columns, rows.presence, i, &row.bytes);
      if (row.bytes.size() > kRowSizeMax) {
        Reject(i, RowRejection::kRowTooLarge, result);
        encoded.pop_back();
        continue;
      }
      row.key = key;
      row.hash = Hash64(key, state.impl().format.hash_seed);
    }
  }
  std::stable_sort(encoded.begin(), encoded.end(), [](const NewRow& a, const NewRow& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.key < b.key;
  });
  return encoded;
}

absl::StatusOr<std::vector<RowView>> VersionsOf(LayerWriter& writer, Layer layer,
                                                const RowLayout& layout, uint64_t hash,
                                                std::string_view key) {
  std::vector<RowView> versions;
  ViewRows::Chain chain;
  LARDER_RETURN_IF_ERROR(writer.rows().Find(writer.source(), layer, hash, key, &chain));
  for (const char* row = chain.row; row != nullptr; row = chain.segment->Older(row)) {
    LARDER_RETURN_IF_ERROR(chain.segment->CheckRow(row, hash));
    LARDER_ASSIGN_OR_RETURN(const RowView view, RowView::Parse(chain.segment->RowBytes(row), layout,
                                                               chain.segment->header().commit_seq));
    versions.push_back(view);
  }
  return versions;
}

}  // namespace

absl::StatusOr<RowsResult> WriteTransaction::WriteRows(const RowsToWrite& rows) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  LARDER_RETURN_IF_ERROR(CheckFit(rows));
  RowsResult result;
  LARDER_ASSIGN_OR_RETURN(const std::vector<NewRow> encoded, EncodeRows(rows, *state_, &result));

  const Timestamp commit_time{state_->head.commit_time};
  const Timestamp reference = rows.reference_time.value_or(commit_time);
  LayerWriter writer(state_.get(), rows.view_id, ShapeOf(*rows.layout), Layer::kPushed);
  LARDER_RETURN_IF_ERROR(writer.Open());
  std::deque<std::string> arena;
  VersionChain chain(*rows.layout,
                     {rows.tie_order, commit_time, reference.Minus(rows.version_horizon)}, &arena);
  std::vector<SegmentEntry> entries;
  int64_t added = 0;
  for (std::size_t i = 0; i < encoded.size();) {
    const uint64_t hash = encoded[i].hash;
    const std::string_view key = encoded[i].key;
    LARDER_ASSIGN_OR_RETURN(std::vector<RowView> versions,
                            VersionsOf(writer, Layer::kPushed, *rows.layout, hash, key));
    LARDER_ASSIGN_OR_RETURN(std::vector<RowView> loaded,
                            VersionsOf(writer, Layer::kLoaded, *rows.layout, hash, key));
    const auto before = static_cast<int64_t>(versions.size());
    chain.Reset(std::move(versions), std::move(loaded));
    for (; i < encoded.size() && encoded[i].hash == hash && encoded[i].key == key; ++i) {
      LARDER_ASSIGN_OR_RETURN(const VersionChain::Outcome outcome, chain.Insert(encoded[i].bytes));
      switch (outcome.kind) {
        case VersionChain::Outcome::kWritten:
          ++result.written;
          break;
        case VersionChain::Outcome::kOlder:
          ++result.older;
          break;
        case VersionChain::Outcome::kDuplicate:
          ++result.duplicate;
          break;
      }
      result.ambiguous += outcome.ambiguous ? 1 : 0;
      result.dropped += outcome.dropped;
    }
    if (!chain.changed()) continue;
    SegmentEntry& entry = entries.emplace_back();
    entry.hash = hash;
    entry.key = key;
    for (const RowView& version : chain.versions()) entry.rows.push_back(version.bytes());
    added += static_cast<int64_t>(chain.versions().size()) - before;
  }
  if (!entries.empty()) LARDER_RETURN_IF_ERROR(writer.Put(std::move(entries), added));
  if (chain.floors().as_of > Timestamp::Min() || chain.floors().known_at > Timestamp::Min()) {
    LARDER_ASSIGN_OR_RETURN(State::Floors* const floors, state_->FloorsOf(rows.view_id));
    state_->RaiseFloors(floors, chain.floors().as_of, chain.floors().known_at);
  }
  std::sort(result.first_rejected.begin(), result.first_rejected.end(),
            [](const auto& a, const auto& b) { return a.row < b.row; });
  if (result.first_rejected.size() > kRejectedNamedMax)
    result.first_rejected.resize(kRejectedNamedMax);
  return result;
}

}  // namespace larder::inline LARDER_ABI
