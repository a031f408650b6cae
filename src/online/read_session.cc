#include "larder/online/read_session.h"

#include <lmdb.h>

#include <algorithm>
#include <utility>

#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/row_codec.h"
#include "online/row_key.h"

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

absl::Status KeyTooLarge(std::size_t size) {
  return WithKind(
      InvalidArgumentError("an entity key of ", size, " bytes: at most ", kEntityKeySizeMax),
      ErrorKind::kTooLarge);
}

// What decides whether a version answers, read before any feature.
struct VersionHead {
  uint16_t flags = 0;
  int64_t known_time = 0;
  int64_t valid_to = Timestamp::Max().us;
};

absl::StatusOr<VersionHead> ReadVersionHead(std::string_view key, std::string_view row,
                                            bool verify) {
  if (row.size() < sizeof(RowHeader) || (verify && !StoredCheckHolds(key, row))) {
    const ParsedRowKey parsed = ParseRowKey(key);
    return WithKind(
        DataLossError("a row of view ", parsed.view_id, " is damaged: its check does not hold"),
        ErrorKind::kCorrupt);
  }
  VersionHead head;
  head.flags = LoadAs<uint16_t>(row.data() + offsetof(RowHeader, flags));
  head.known_time = LoadAs<int64_t>(row.data() + offsetof(RowHeader, known_time));
  if ((head.flags & kRowHasValidTo) != 0) {
    const std::size_t at = sizeof(RowHeader) + ((head.flags & kRowHasSequence) != 0 ? 8 : 0);
    if (row.size() < at + 8)
      return WithKind(DataLossError("a row is shorter than its header"), ErrorKind::kCorrupt);
    head.valid_to = LoadAs<int64_t>(row.data() + at);
  }
  return head;
}

bool Answers(const VersionHead& head, Timestamp as_of, const std::optional<Timestamp>& known_at) {
  if (head.valid_to <= as_of.us && (head.flags & kRowHasValidTo) != 0) return false;
  if (!known_at) return true;
  return head.known_time <= known_at->us && (head.flags & kRowArrivalNull) == 0;
}

}  // namespace

ReadSession::ReadSession(std::shared_ptr<Environment> environment, Slot* slot)
    : environment_(std::move(environment)), slot_(slot) {
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  lease_ = std::make_shared<internal::LeaseCounter>(0);
#endif
}

absl::StatusOr<ReadSession> ReadSession::Open(std::shared_ptr<Environment> environment) {
  Environment::Impl& impl = environment->impl();
  if (impl.forked()) return ForkedError();
  Slot* slot = impl.TakeSlot();
  ReadSession session(std::move(environment), slot);
  LARDER_RETURN_IF_ERROR(session.Renew());
  return session;
}

ReadSession::ReadSession(ReadSession&& other) noexcept
    : environment_(std::move(other.environment_)),
      slot_(std::exchange(other.slot_, nullptr)),
      commit_seq_(other.commit_seq_),
      layout_seq_(other.layout_seq_),
      commit_time_(other.commit_time_),
      highest_floors_(other.highest_floors_),
      began_ns_(other.began_ns_) {
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  lease_ = std::move(other.lease_);
#endif
}

ReadSession& ReadSession::operator=(ReadSession&& other) noexcept {
  if (this != &other) {
    Give();
    environment_ = std::move(other.environment_);
    slot_ = std::exchange(other.slot_, nullptr);
    commit_seq_ = other.commit_seq_;
    layout_seq_ = other.layout_seq_;
    commit_time_ = other.commit_time_;
    highest_floors_ = other.highest_floors_;
    began_ns_ = other.began_ns_;
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
    lease_ = std::move(other.lease_);
#endif
  }
  return *this;
}

ReadSession::~ReadSession() { Give(); }

void ReadSession::EndLeases() {
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  if (lease_ != nullptr) lease_->fetch_add(1);
#endif
}

void ReadSession::Give() {
  if (slot_ == nullptr) return;
  // In a forked child the slot in shared memory is the parent's: touching it would let the parent's pages be reused
  // under its reads.
  if (environment_->impl().forked()) {
    slot_ = nullptr;
    return;
  }
  Release();
  environment_->impl().GiveSlot(std::exchange(slot_, nullptr));
}

void ReadSession::Release() {
  if (slot_ == nullptr || environment_->impl().forked()) return;
  EndLeases();
  if (slot_->active.load(std::memory_order_relaxed) != 0) environment_->impl().EndSnapshot(slot_);
}

absl::Status ReadSession::Renew() {
  LARDER_DCHECK(slot_ != nullptr);
  Environment::Impl& impl = environment_->impl();
  if (impl.forked()) return ForkedError();
  EndLeases();
  if (environment_->options().session_age_max.us > 0) began_ns_ = MonotonicNanos();
  if (slot_->active.load(std::memory_order_relaxed) != 0) {
    // LMDB's number of a snapshot may be older than what it shows, never newer: an equal one means nothing was
    // committed since.
    MDB_envinfo info;
    if (!impl.gate_closed.load(std::memory_order_relaxed) && mdb_env_info(impl.env, &info) == 0 &&
        info.me_last_txnid == slot_->txn_id) {
      return absl::OkStatus();
    }
    impl.EndSnapshot(slot_);
  }
  LARDER_RETURN_IF_ERROR(impl.BeginSnapshot(slot_));
  absl::StatusOr<HeadRow> head = ReadHead(slot_->txn, true);
  if (head.ok() && head->moved_to != 0) {
    head = WithKind(FailedPreconditionError(impl.directory.path,
                                            " was rewritten since it was opened: open it again"),
                    ErrorKind::kStoreReplaced);
  }
  if (!head.ok()) {
    impl.EndSnapshot(slot_);
    return head.status();
  }
  commit_seq_ = head->commit_seq;
  layout_seq_ = head->layout_seq;
  commit_time_ = {head->commit_time};
  highest_floors_ = {{head->as_of_floor}, {head->known_floor}};
  return absl::OkStatus();
}

absl::Status ReadSession::CheckUsable() const {
  LARDER_DCHECK(slot_ != nullptr);
  const Environment::Impl& impl = environment_->impl();
  if (impl.forked()) return ForkedError();
  if (slot_->active.load(std::memory_order_relaxed) == 0) {
    return FailedPreconditionError("the session holds no snapshot: renew it");
  }
  const int64_t age_max_us = impl.options.session_age_max.us;
  if (age_max_us > 0 && (MonotonicNanos() - began_ns_) / 1000 > age_max_us) {
    return WithKind(MakeStatus(absl::StatusCode::kDeadlineExceeded,
                               Concat("the snapshot is older than ", FormatDuration({age_max_us}),
                                      ": renew it")),
                    ErrorKind::kSessionExpired);
  }
  return absl::OkStatus();
}

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

absl::Status ReadSession::CheckFloors(uint32_t view_id, Timestamp as_of,
                                      std::optional<Timestamp> known_at) const {
  LARDER_ASSIGN_OR_RETURN(const ViewFloors floors, FloorsOf(view_id));
  if (as_of < floors.as_of) {
    return WithKind(OutOfRangeError("as_of ", FormatTimestamp(as_of),
                                    " is before what is kept: from ", FormatTimestamp(floors.as_of)),
                    ErrorKind::kOutsideHistory);
  }
  if (known_at && *known_at < floors.known_at) {
    return WithKind(
        OutOfRangeError("known_at ", FormatTimestamp(*known_at), " is before what is kept: from ",
                        FormatTimestamp(floors.known_at)),
        ErrorKind::kOutsideHistory);
  }
  return absl::OkStatus();
}

absl::StatusOr<RowView> ReadSession::ViewOf(std::string_view key, std::string_view value,
                                            const RowLayout& layout) const {
  absl::StatusOr<RowView> view = RowView::Parse(value, layout);
  if (!view.ok()) return Annotate(view.status(), Concat("view ", ParseRowKey(key).view_id));
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  view->lease_ = {lease_, lease_->load(std::memory_order_relaxed)};
#endif
  return view;
}

absl::StatusOr<std::optional<RowView>> ReadSession::FindRow(
    uint32_t view_id, const RowLayout& layout, std::string_view key, Timestamp as_of,
    std::optional<Timestamp> known_at) const& {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  if (as_of < highest_floors_.as_of || (known_at && *known_at < highest_floors_.known_at)) {
    LARDER_RETURN_IF_ERROR(CheckFloors(view_id, as_of, known_at));
  }
  RowKey wanted(view_id, key);
  wanted.SetFirstAt(as_of.us);
  MDB_val at = ToVal(wanted.full());
  MDB_val value{};
  const bool verify = environment_->impl().verifies();
  int code = mdb_cursor_get(slot_->cursor, &at, &value, MDB_SET_RANGE);
  for (; code == 0 && wanted.IsVersionOf(FromVal(at));
       code = mdb_cursor_get(slot_->cursor, &at, &value, MDB_NEXT)) {
    LARDER_ASSIGN_OR_RETURN(const VersionHead head,
                            ReadVersionHead(FromVal(at), FromVal(value), verify));
    if (!Answers(head, as_of, known_at)) continue;
    if ((head.flags & kRowDelete) != 0) return std::optional<RowView>();
    absl::StatusOr<RowView> view = ViewOf(FromVal(at), FromVal(value), layout);
    if (!view.ok()) return view.status();
    return std::optional<RowView>(*std::move(view));
  }
  if (code != 0 && code != MDB_NOTFOUND) return LmdbError(code, "finding a row");
  return std::optional<RowView>();
}

absl::Status ReadSession::FindRows(uint32_t view_id, const RowLayout& layout,
                                   std::span<const std::string_view> keys,
                                   std::span<const Timestamp> as_of,
                                   std::span<const Timestamp> known_at,
                                   std::span<std::optional<RowView>> out) const& {
  LARDER_DCHECK(out.size() == keys.size());
  const auto fits = [&keys](std::size_t size) { return size == 1 || size == keys.size(); };
  if (!fits(as_of.size()) || !(known_at.empty() || fits(known_at.size()))) {
    return InvalidArgumentError(keys.size(), " keys with ", as_of.size(), " as_of and ",
                                known_at.size(), " known_at");
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out[i].reset();
    if (keys[i].data() == nullptr) continue;
    std::optional<Timestamp> known;
    if (!known_at.empty()) known = known_at[known_at.size() == 1 ? 0 : i];
    LARDER_ASSIGN_OR_RETURN(
        out[i], FindRow(view_id, layout, keys[i], as_of[as_of.size() == 1 ? 0 : i], known));
  }
  return absl::OkStatus();
}

absl::Status ReadSession::FindPartialRow(uint32_t view_id, const RowLayout& layout,
                                         std::string_view key, Timestamp as_of,
                                         std::optional<Timestamp> known_at, PartialRow* out) const& {
  out->rows_.assign(layout.size(), std::nullopt);
  out->found_ = 0;
  LARDER_RETURN_IF_ERROR(CheckUsable());
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  if (as_of < highest_floors_.as_of || (known_at && *known_at < highest_floors_.known_at)) {
    LARDER_RETURN_IF_ERROR(CheckFloors(view_id, as_of, known_at));
  }
  RowKey wanted(view_id, key);
  wanted.SetFirstAt(as_of.us);
  MDB_val at = ToVal(wanted.full());
  MDB_val value{};
  const bool verify = environment_->impl().verifies();
  int code = mdb_cursor_get(slot_->cursor, &at, &value, MDB_SET_RANGE);
  for (; code == 0 && out->found_ < layout.size() && wanted.IsVersionOf(FromVal(at));
       code = mdb_cursor_get(slot_->cursor, &at, &value, MDB_NEXT)) {
    LARDER_ASSIGN_OR_RETURN(const VersionHead head,
                            ReadVersionHead(FromVal(at), FromVal(value), verify));
    if (!Answers(head, as_of, known_at)) continue;
    if ((head.flags & kRowDelete) != 0) return absl::OkStatus();
    LARDER_ASSIGN_OR_RETURN(const RowView view, ViewOf(FromVal(at), FromVal(value), layout));
    for (std::size_t i = 0; i < layout.size(); ++i) {
      if (out->rows_[i] || !view.IsPresent(i)) continue;
      out->rows_[i] = view;
      ++out->found_;
    }
  }
  if (code != 0 && code != MDB_NOTFOUND) return LmdbError(code, "finding a row");
  return absl::OkStatus();
}

absl::Status ReadSession::ForEachKey(uint32_t view_id,
                                     const std::function<bool(std::string_view key)>& visit,
                                     std::string_view after_key) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  if (after_key.size() > kEntityKeySizeMax) return KeyTooLarge(after_key.size());
  OwnCursor cursor(slot_->txn, environment_->impl().rows);
  RowKey from(view_id, after_key);
  from.SetFirstAt(Timestamp::Max().us);
  char first[kKeyHeadSize];
  StoreBigEndian(uint64_t{view_id} << 32, first);
  MDB_val at = after_key.data() == nullptr ? ToVal({first, sizeof(first)}) : ToVal(from.full());
  MDB_val value{};
  std::string_view last;
  bool has_last = false;
  if (after_key.data() != nullptr) {
    last = from.prefix();
    has_last = true;
  }
  int code = cursor.Get(&at, &value, MDB_SET_RANGE);
  for (; code == 0; code = cursor.Get(&at, &value, MDB_NEXT)) {
    const ParsedRowKey key = ParseRowKey(FromVal(at));
    if (!key.ok)
      return WithKind(DataLossError("a row key of view ", view_id, " is damaged"),
                      ErrorKind::kCorrupt);
    if (key.view_id != view_id) return absl::OkStatus();
    const std::string_view prefix = FromVal(at).substr(0, at.mv_size - kVersionSuffixSize);
    if (has_last && prefix == last) continue;
    last = prefix;
    has_last = true;
    if (!visit(key.entity_key)) return absl::OkStatus();
  }
  return code == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(code, "listing keys");
}

absl::Status ReadSession::ForEachVersion(
    uint32_t view_id, const RowLayout& layout,
    const std::function<bool(std::string_view key, const RowView& row)>& visit) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  OwnCursor cursor(slot_->txn, environment_->impl().rows);
  const bool verify = environment_->impl().verifies();
  char first[kKeyHeadSize];
  StoreBigEndian(uint64_t{view_id} << 32, first);
  MDB_val at = ToVal({first, sizeof(first)});
  MDB_val value{};
  int code = cursor.Get(&at, &value, MDB_SET_RANGE);
  for (; code == 0; code = cursor.Get(&at, &value, MDB_NEXT)) {
    const ParsedRowKey key = ParseRowKey(FromVal(at));
    if (!key.ok)
      return WithKind(DataLossError("a row key of view ", view_id, " is damaged"),
                      ErrorKind::kCorrupt);
    if (key.view_id != view_id) return absl::OkStatus();
    LARDER_RETURN_IF_ERROR(ReadVersionHead(FromVal(at), FromVal(value), verify));
    LARDER_ASSIGN_OR_RETURN(const RowView view, ViewOf(FromVal(at), FromVal(value), layout));
    if (!visit(key.entity_key, view)) return absl::OkStatus();
  }
  return code == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(code, "listing rows");
}

absl::Status ReadSession::ForEachVersionOf(
    uint32_t view_id, const RowLayout& layout, std::string_view key,
    const std::function<bool(const RowView& row)>& visit) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  OwnCursor cursor(slot_->txn, environment_->impl().rows);
  const bool verify = environment_->impl().verifies();
  RowKey wanted(view_id, key);
  wanted.SetFirstAt(Timestamp::Max().us);
  MDB_val at = ToVal(wanted.full());
  MDB_val value{};
  int code = cursor.Get(&at, &value, MDB_SET_RANGE);
  for (; code == 0 && wanted.IsVersionOf(FromVal(at)); code = cursor.Get(&at, &value, MDB_NEXT)) {
    LARDER_RETURN_IF_ERROR(ReadVersionHead(FromVal(at), FromVal(value), verify));
    LARDER_ASSIGN_OR_RETURN(const RowView view, ViewOf(FromVal(at), FromVal(value), layout));
    if (!visit(view)) return absl::OkStatus();
  }
  return code == 0 || code == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(code, "listing versions");
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

}  // namespace larder::inline LARDER_ABI
