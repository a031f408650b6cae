#include "feature_store/window_writer.h"

#include <algorithm>
#include <optional>

#include "feature_store/row_writing.h"
#include "feature_store/window_ids.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kReasonsMax = 10;
constexpr uint64_t kStagedRank = uint64_t{1} << 63U;

// Durations of definitions may be huge.
Timestamp Before(Timestamp at, std::initializer_list<Duration> spans) {
  for (const Duration span : spans) at = at.Minus(span);
  return at;
}

}  // namespace

std::map<std::string_view, std::vector<std::size_t>> RowsByKey(const WindowBatch& batch,
                                                               const EncodedKeys& keys,
                                                               RowsResult* result) {
  const Timestamp latest = batch.now.Plus(batch.source.max_future.value_or(kMaxFutureDefault));
  const auto why_not = [&](std::string_view key, std::size_t row) -> std::optional<RowRejection> {
    if (key.data() == nullptr) return RowRejection::kNullKey;
    if (key.size() > kEntityKeySizeMax) return RowRejection::kKeyTooLarge;
    if (!batch.events.event_time->IsValid(row)) return RowRejection::kNullEventTime;
    const Timestamp time{batch.events.event_time->Values<int64_t>()[row]};
    if (time > latest) return RowRejection::kFuture;
    return std::nullopt;
  };
  std::map<std::string_view, std::vector<std::size_t>> rows_of;
  for (std::size_t row = 0; row < batch.events.row_count; ++row) {
    const std::string_view key = keys.views()[row];
    const std::optional<RowRejection> why = why_not(key, row);
    if (!why) {
      rows_of[key].push_back(row);
      continue;
    }
    ++result->rejected[static_cast<std::size_t>(*why)];
    if (result->first_rejected.size() < kReasonsMax) result->first_rejected.push_back({row, *why});
  }
  return rows_of;
}

WindowKey::Version VersionAt(const WindowBatch& batch, const WindowEvents& from, std::size_t row,
                             bool from_batch, ByteArena* arena) {
  const bool known_by_commit =
      !from_batch && !batch.events.arrival_time && !batch.source.available_after;
  arena->Clear();
  WindowKey::Version version;
  from.AppendId(row, &version.id);
  version.from_batch = from_batch;
  version.in_order = batch.source.order == SourceOrder::kCommit;
  version.source = static_cast<uint8_t>(batch.source_number);
  for (std::size_t s = 0; s < batch.plan.streams().size(); ++s) {
    const HistoryEvent event = from.At(row, s, version.id, s == 0 && !version.id.empty(), arena);
    if (s == 0) {
      version.time_us = event.event.order.time_us;
      version.has_sequence = event.event.order.has_sequence;
      version.sequence = event.event.order.sequence;
      version.known_us = known_by_commit ? batch.now.us : event.known_us;
      version.arrival_us = event.arrival_us;
      version.is_delete = event.is_delete;
      // Without an id each stream orders it by its own input.
      if (!version.id.empty()) version.row = event.event.order.row;
    }
    WindowKey::Part& part = version.parts.emplace_back();
    part.counts = !event.is_delete && from.IsOf(row, s);
    if (part.counts && batch.plan.streams()[s].group >= 0) part.category = from.Category(row, s);
    part.is_null = event.event.input.is_null;
    part.word = event.event.input.word;
    part.is_word = event.event.input.bytes.data() == nullptr;
    part.bytes = event.event.input.bytes;
  }
  return version;
}

RowsResult StageWindows(const WindowBatch& batch,
                        std::map<std::string, std::vector<WindowKey::Version>, std::less<>>* staged) {
  RowsResult result;
  const EncodedKeys keys(batch.events.keys, batch.events.row_count);
  const auto rows_of = RowsByKey(batch, keys, &result);
  if (result.rejected_count() > 0) return result;
  const WindowEvents from(batch.plan, batch.events, batch.source, batch.source_number);
  ByteArena arena;
  for (const auto& [key, rows] : rows_of) {
    std::vector<WindowKey::Version>& versions = (*staged)[std::string(key)];
    for (const std::size_t row : rows) {
      versions.push_back(VersionAt(batch, from, row, false, &arena));
      // After all that is committed, in the order of staging.
      versions.back().rank = kStagedRank + versions.size();
    }
    result.written += rows.size();
  }
  return result;
}

absl::StatusOr<WindowWriter> WindowWriter::Open(const ViewVersion& view, const WindowPlan& plan,
                                                WriteTransaction& transaction) {
  WindowWriter writer(view, plan, transaction);
  for (const WindowStream& stream : plan.streams()) {
    LARDER_ASSIGN_OR_RETURN(AccumulatorSet set, AccumulatorSet::Make(stream.specs));
    // What is added up in the order of time cannot have events that come in between.
    writer.may_wait_.push_back(set.algebra().time_ordered ? 0 : 1);
    writer.sets_.push_back(std::move(set));
  }
  // The last N are found by counting what a tree holds, which does not see what waits beside it.
  for (const WindowFeature& feature : plan.features()) {
    if (feature.window.rows) writer.may_wait_[feature.stream] = 0;
  }
  LARDER_ASSIGN_OR_RETURN(writer.record_, ReadWindowRecord(transaction, view.data_id));
  return writer;
}

absl::StatusOr<WindowKey> WindowWriter::KeyOf(std::string_view entity_key) const {
  LARDER_ASSIGN_OR_RETURN(
      const std::optional<std::string_view> bytes,
      transaction_.GetRecord(kWindowKeyTable, WindowKeyName(view_.data_id, entity_key)));
  if (bytes) return WindowKey::Parse(*bytes, plan_.streams().size());
  WindowKey key;
  key.streams.resize(plan_.streams().size());
  return key;
}

absl::StatusOr<RowsResult> WindowWriter::Add(const MappedEvents& events, const Source& source,
                                             std::size_t source_number, const Terms& terms) {
  RowsResult result;
  const WindowBatch batch{plan_, events, source, source_number, transaction_.commit_time()};
  const EncodedKeys keys(events.keys, events.row_count);
  const auto rows_of = RowsByKey(batch, keys, &result);
  if (result.rejected_count() > 0 && !terms.skip_bad) return result;

  const WindowEvents from(plan_, events, source, source_number);
  const WindowEdit edit{view_.data_id, sets_, may_wait_, &transaction_, &record_};
  const int64_t settled = Before(terms.reference, {VersionHorizonOf(source)}).us;
  record_.first_write_us = std::min(record_.first_write_us, transaction_.commit_time().us);
  ByteArena arena;
  for (const auto& [key, rows] : rows_of) {
    LARDER_ASSIGN_OR_RETURN(WindowKey state, KeyOf(key));
    WindowKeyEdit of_key(edit, key, std::move(state));
    for (const std::size_t row : rows) {
      WindowKey::Version version = VersionAt(batch, from, row, terms.from_batch, &arena);
      if (!terms.from_batch || version.in_order) {
        LARDER_ASSIGN_OR_RETURN(version.rank, transaction_.NextRank());
      }
      LARDER_ASSIGN_OR_RETURN(const WindowKeyEdit::Outcome outcome, of_key.Add(std::move(version)));
      if (outcome == WindowKeyEdit::Outcome::kWritten) ++result.written;
      if (outcome == WindowKeyEdit::Outcome::kOlder) ++result.older;
      if (outcome == WindowKeyEdit::Outcome::kDuplicate) ++result.duplicate;
    }
    if (plan_.reach() && !terms.from_batch) {
      const Duration slack{plan_.reach()->us / 8};
      const Timestamp cutoff =
          Before(terms.reference,
                 {*plan_.reach(), source.late_by.value_or(Duration{}), VersionHorizonOf(source)});
      if (of_key.state().oldest_us < cutoff.Minus(slack).us) {
        LARDER_RETURN_IF_ERROR(of_key.DropBefore(cutoff.us));
        record_.dropped_before_us = std::max(record_.dropped_before_us, cutoff.us);
      }
    }
    LARDER_RETURN_IF_ERROR(of_key.Finish(settled));
  }
  return result;
}

absl::StatusOr<std::vector<std::string>> WindowWriter::Keys() const {
  const std::string prefix = WindowPrefix(view_.data_id);
  std::vector<std::string> keys;
  LARDER_RETURN_IF_ERROR(transaction_.ListRecords(
      kWindowKeyTable,
      [&](std::string_view key, std::string_view) {
        if (key.substr(0, prefix.size()) != prefix) return false;
        keys.emplace_back(key.substr(prefix.size()));
        return true;
      },
      prefix));
  return keys;
}

absl::Status WindowWriter::EditKeys(
    const std::function<absl::StatusOr<bool>(WindowKeyEdit& key)>& change) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> keys, Keys());
  const WindowEdit edit{view_.data_id, sets_, may_wait_, &transaction_, &record_};
  for (const std::string& key : keys) {
    LARDER_ASSIGN_OR_RETURN(WindowKey state, KeyOf(key));
    WindowKeyEdit of_key(edit, key, std::move(state));
    LARDER_ASSIGN_OR_RETURN(const bool has_changed, change(of_key));
    if (has_changed) LARDER_RETURN_IF_ERROR(of_key.Finish(Timestamp::Min().us));
  }
  return absl::OkStatus();
}

absl::Status WindowWriter::Remove(const TimeRange& range, const WindowKeyEdit::IsGone& is_replaced) {
  return EditKeys([&](WindowKeyEdit& key) { return key.Remove(range, is_replaced); });
}

absl::StatusOr<RetractedRows> WindowWriter::Retract(const WindowRetraction& retraction) {
  RetractedRows retracted;
  LARDER_RETURN_IF_ERROR(
      EditKeys([&](WindowKeyEdit& key) { return key.Retract(retraction, &retracted); }));
  const auto is_gone = [&](const WindowId& id) {
    return !id.from_batch && retraction.Covers(id.source, id.rank);
  };
  LARDER_ASSIGN_OR_RETURN(const std::vector<WindowId> ids, RemoveIds(is_gone));
  for (const WindowId& id : ids) {
    // What a settled delete has deleted is gone.
    const bool is_unsure =
        id.state == WindowId::State::kDeleted || id.time_us < record_.as_of_floor_us;
    ++retracted.rows;
    ++retracted.keys;
    retracted.keys_unsure += is_unsure ? 1 : 0;
  }
  return retracted;
}

absl::StatusOr<std::vector<WindowId>> WindowWriter::RemoveIds(
    const std::function<bool(const WindowId& id)>& is_gone) {
  const std::string prefix = WindowPrefix(view_.data_id);
  std::vector<std::string> names;
  std::vector<WindowId> ids;
  absl::Status status;
  const auto visit = [&](std::string_view name, std::string_view bytes) {
    if (name.substr(0, prefix.size()) != prefix) return false;
    absl::StatusOr<WindowId> id = WindowId::Parse(bytes);
    status = id.status();
    if (id.ok() && id->state != WindowId::State::kListed && is_gone(*id)) {
      names.emplace_back(name);
      ids.push_back(*std::move(id));
    }
    return status.ok();
  };
  LARDER_RETURN_IF_ERROR(transaction_.ListRecords(kWindowIdTable, visit, prefix));
  if (!status.ok()) return status;
  for (const std::string& name : names)
    LARDER_RETURN_IF_ERROR(transaction_.DeleteRecord(kWindowIdTable, name).status());
  LARDER_RETURN_IF_ERROR(
      EditKeys([&](WindowKeyEdit& key) { return key.RemoveWaitingIds(is_gone, &ids); }));
  return ids;
}

absl::Status WindowWriter::Finish() {
  return transaction_.PutRecord(kWindowTable, WindowPrefix(view_.data_id), record_.Serialize());
}

}  // namespace larder::inline LARDER_ABI
