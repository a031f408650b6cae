// Records of a snapshot: a caller's, and the floors of views.
#include <lmdb.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "larder/base/bytes.h"
#include "larder/online/read_session.h"
#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/record_lookup.h"
#include "online/row_codec.h"

namespace larder::inline LARDER_ABI {
namespace {

// A cursor of its own, so that a visitor may look up other rows through the session meanwhile.
class OwnCursor {
 public:
  OwnCursor(MDB_txn* txn, MDB_dbi database) {
    if (mdb_cursor_open(txn, database, &cursor_) != 0) cursor_ = nullptr;
  }
  OwnCursor(const OwnCursor&) = delete;
  OwnCursor& operator=(const OwnCursor&) = delete;
  ~OwnCursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  int Get(MDB_val* key, MDB_val* value, MDB_cursor_op op) {
    return cursor_ == nullptr ? ENOMEM : mdb_cursor_get(cursor_, key, value, op);
  }

 private:
  MDB_cursor* cursor_ = nullptr;
};

}  // namespace

absl::StatusOr<ViewFloors> ReadSession::FloorsOf(uint32_t view_id) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  char id[4];
  const uint32_t ordered = __builtin_bswap32(view_id);
  std::memcpy(id, &ordered, sizeof(id));
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                          GetRecord(kFloorsTable, {id, sizeof(id)}));
  ViewFloors floors;
  if (stored && stored->size() == 16) {
    floors.as_of.us = LoadAs<int64_t>(stored->data());
    floors.known_at.us = LoadAs<int64_t>(stored->data() + 8);
  }
  return floors;
}

absl::StatusOr<std::optional<std::string_view>> ReadSession::GetRecord(uint32_t table,
                                                                       std::string_view key) const& {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  if (key.size() > RecordKey::kMax) return std::optional<std::string_view>();
  const RecordKey wanted(table, key);
  MDB_val at = ToVal(wanted.full());
  MDB_val value{};
  const int code = mdb_get(slot_->txn, environment_->impl().records, &at, &value);
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (code != 0) return LmdbError(code, "reading a record");
  LARDER_ASSIGN_OR_RETURN(
      const std::string_view bytes,
      DecodeRecord(wanted.full(), FromVal(value), environment_->impl().verifies()));
  return std::optional<std::string_view>(bytes);
}

absl::Status ReadSession::GetRecords(uint32_t table, std::span<const std::string_view> keys,
                                     std::span<std::optional<std::string_view>> values) const& {
  LARDER_DCHECK(keys.size() == values.size());
  LARDER_RETURN_IF_ERROR(CheckUsable());
  const std::optional<RecordTree> tree = RecordTree::Of(slot_->txn, kRecordsName);
  std::array<std::optional<RecordKey>, RecordTree::kTogether> wanted;
  std::array<std::string_view, RecordTree::kTogether> names;
  for (std::size_t first = 0; first < keys.size(); first += RecordTree::kTogether) {
    const std::size_t count = std::min(RecordTree::kTogether, keys.size() - first);
    const auto found = values.subspan(first, count);
    const auto asked = keys.subspan(first, count);
    const bool is_short = std::all_of(asked.begin(), asked.end(), [](std::string_view key) {
      return key.size() <= RecordKey::kMax;
    });
    bool is_found = tree && is_short;
    for (std::size_t i = 0; i < count && is_found; ++i)
      names[i] = wanted[i].emplace(table, asked[i]).full();
    if (is_found) is_found = tree->Find({names.data(), count}, found);
    if (!is_found) {
      for (std::size_t i = 0; i < count; ++i) {
        LARDER_ASSIGN_OR_RETURN(found[i], GetRecord(table, asked[i]));
      }
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!found[i]) continue;
      LARDER_ASSIGN_OR_RETURN(found[i],
                              DecodeRecord(names[i], *found[i], environment_->impl().verifies()));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadSession::ListRecords(
    uint32_t table, const std::function<bool(std::string_view key, std::string_view value)>& visit,
    std::string_view from) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  OwnCursor cursor(slot_->txn, environment_->impl().records);
  const RecordKey wanted(table, from.substr(0, RecordKey::kMax));
  MDB_val at = ToVal(wanted.lower_bound());
  MDB_val value{};
  int code = cursor.Get(&at, &value, MDB_SET_RANGE);
  for (; code == 0; code = cursor.Get(&at, &value, MDB_NEXT)) {
    const ParsedRecordKey key = ParseRecordKey(FromVal(at));
    if (!key.ok) return WithKind(DataLossError("a record key is damaged"), ErrorKind::kCorrupt);
    if (key.table != table) return absl::OkStatus();
    LARDER_ASSIGN_OR_RETURN(
        const std::string_view bytes,
        DecodeRecord(FromVal(at), FromVal(value), environment_->impl().verifies()));
    if (!visit(key.key, bytes)) return absl::OkStatus();
  }
  return code == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(code, "listing records");
}

absl::Status ReadSession::ForEachRecord(
    const std::function<void(std::string_view key, std::string_view value)>& visit) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  OwnCursor cursor(slot_->txn, environment_->impl().records);
  MDB_val key{};
  MDB_val value{};
  int code = cursor.Get(&key, &value, MDB_FIRST);
  for (; code == 0; code = cursor.Get(&key, &value, MDB_NEXT)) {
    if (!ParseRecordKey(FromVal(key)).ok || !StoredCheckHolds(FromVal(key), FromVal(value))) {
      return WithKind(DataLossError("a record's check does not hold"), ErrorKind::kCorrupt);
    }
    visit(FromVal(key), FromVal(value));
  }
  return code == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(code, "reading everything");
}

}  // namespace larder::inline LARDER_ABI
