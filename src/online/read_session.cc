#include "larder/online/read_session.h"

#include <lmdb.h>

#include <algorithm>
#include <utility>

#include "larder/schema/entity_key.h"
#include "online/environment_impl.h"
#include "online/layer_writer.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/row_codec.h"
#include "online/version_order.h"
#include "online/visible.h"

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

// The head row of a slot's snapshot. That of the last one holds when LMDB has nothing newer even now: a snapshot's number
// may be older than what it shows, never newer.
absl::StatusOr<HeadRow> HeadOf(ReadSession::Slot* slot) {
  MDB_envinfo info;
  if (slot->head_txn_id != 0 && slot->head_txn_id == slot->txn_id &&
      slot->head_epoch == slot->epoch && mdb_env_info(slot->home->env, &info) == 0 &&
      info.me_last_txnid == slot->txn_id) {
    return slot->head;
  }
  slot->head_txn_id = 0;
  LARDER_ASSIGN_OR_RETURN(slot->head, ReadHead(slot->txn, true));
  slot->head_txn_id = slot->txn_id;
  slot->head_epoch = slot->epoch;
  return slot->head;
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
    if (!impl.gate_closed.load(std::memory_order_relaxed) &&
        mdb_env_info(slot_->home->env, &info) == 0 && info.me_last_txnid == slot_->txn_id) {
      return absl::OkStatus();
    }
    impl.EndSnapshot(slot_);
  }
  LARDER_RETURN_IF_ERROR(impl.BeginSnapshot(slot_));
  absl::StatusOr<HeadRow> head = HeadOf(slot_);
  // Rewritten into another folder, perhaps more than once.
  for (int moves = 0; head.ok() && head->moved_to != 0; ++moves) {
    const uint64_t epoch_seen = slot_->epoch;
    impl.EndSnapshot(slot_);
    constexpr int kMovesMax = 8;
    if (moves == kMovesMax) {
      return WithKind(UnavailableError(impl.directory.path, " was rewritten ", kMovesMax,
                                       " times while a snapshot began"),
                      ErrorKind::kBusy);
    }
    LARDER_RETURN_IF_ERROR(impl.Follow(epoch_seen, head->moved_to));
    LARDER_RETURN_IF_ERROR(impl.BeginSnapshot(slot_));
    head = HeadOf(slot_);
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
  if (as_of < floors.as_of) return OutsideHistoryError("as_of", as_of, floors.as_of);
  if (known_at && *known_at < floors.known_at)
    return OutsideHistoryError("known_at", *known_at, floors.known_at);
  return absl::OkStatus();
}

// A key's versions in one layer, newest first.
class ReadSession::Versions {
 public:
  // Requires: the chain's first row, if any, was compared with its check as the policy asks.
  Versions(const ReadSession& session, const RowLayout& layout, uint64_t hash, ViewRows::Chain chain)
      : session_(session), layout_(layout), hash_(hash), chain_(chain) {}

  // Moves on to the next version that answers. False at the end.
  absl::StatusOr<bool> Next(Timestamp as_of, const std::optional<Timestamp>& known_at) {
    while (chain_.row != nullptr) {
      if (began_) {
        chain_.row = chain_.segment->Older(chain_.row);
        if (chain_.row == nullptr) break;
        if (session_.environment_->options().verify != VerifyPolicy::kNever)
          LARDER_RETURN_IF_ERROR(chain_.segment->CheckRow(chain_.row, hash_));
      }
      began_ = true;
      LARDER_ASSIGN_OR_RETURN(row_, session_.ViewOf(*chain_.segment, chain_.row, layout_));
      if (Answers(*row_, as_of, known_at)) return true;
    }
    return false;
  }
  [[nodiscard]] const RowView& row() const { return *row_; }

 private:
  const ReadSession& session_;
  const RowLayout& layout_;
  uint64_t hash_;
  ViewRows::Chain chain_;
  bool began_ = false;
  std::optional<RowView> row_;
};

absl::StatusOr<RowView> ReadSession::ViewOf(const SegmentView& segment, const char* row,
                                            const RowLayout& layout) const {
  absl::StatusOr<RowView> view = segment.Parse(row, layout);
  if (!view.ok()) return Annotate(view.status(), Concat("view ", segment.header().view_id));
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  view->lease_ = {lease_, lease_->load(std::memory_order_relaxed)};
#endif
  return view;
}

SegmentSource ReadSession::Source() const {
  Environment::Impl& impl = environment_->impl();
  return {slot_->txn,          impl.records,  impl.segments,
          impl.options.verify, &impl.touches, impl.format.hash_seed};
}

absl::StatusOr<ViewRows*> ReadSession::RowsOf(uint32_t view_id, std::optional<SegmentShape> shape,
                                              std::size_t* hint) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  std::vector<std::unique_ptr<ViewRows>>& views = slot_->views;
  const auto is_it = [&](const std::unique_ptr<ViewRows>& rows) {
    return rows->view_id() == view_id && rows->shape() == shape;
  };
  std::size_t at = hint != nullptr ? *hint : 0;
  if (at >= views.size() || !is_it(views[at])) {
    at = static_cast<std::size_t>(std::find_if(views.begin(), views.end(), is_it) - views.begin());
    if (at == views.size()) views.push_back(std::make_unique<ViewRows>(view_id, shape));
    if (hint != nullptr) *hint = at;
  }
  ViewRows* const rows = views[at].get();
  // No commit has this number before the first one.
  if (rows->seen_commit != commit_seq_ + 1) {
    rows->seen_commit = 0;
    LARDER_RETURN_IF_ERROR(rows->Refresh(Source()));
    rows->seen_commit = commit_seq_ + 1;
  }
  return rows;
}

absl::Status ReadSession::CheckAsked(uint32_t view_id, std::string_view key, Timestamp as_of,
                                     std::optional<Timestamp> known_at) const {
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  if (as_of < highest_floors_.as_of || (known_at && *known_at < highest_floors_.known_at)) {
    return CheckFloors(view_id, as_of, known_at);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RowView>> ReadSession::FindRow(
    uint32_t view_id, const RowLayout& layout, std::string_view key, Timestamp as_of,
    std::optional<Timestamp> known_at) const& {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout)));
  LARDER_RETURN_IF_ERROR(CheckAsked(view_id, key, as_of, known_at));
  const uint64_t hash = Hash64(key, environment_->hash_seed());
  std::optional<RowView> winner;
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    ViewRows::Chain chain;
    LARDER_RETURN_IF_ERROR(rows->Find(Source(), layer, hash, key, &chain));
    Versions versions(*this, layout, hash, chain);
    LARDER_ASSIGN_OR_RETURN(const bool found, versions.Next(as_of, known_at));
    if (found && (!winner || WinsOver(versions.row(), *winner))) winner = versions.row();
  }
  if (winner && winner->is_delete()) winner.reset();
  return winner;
}

uint64_t ReadSession::HashOfKey(std::string_view key) const {
  return Hash64(key, environment_->hash_seed());
}

absl::StatusOr<ViewRows*> ReadSession::RowsOfView(uint32_t view_id, const RowLayout& layout,
                                                  std::size_t* hint) const {
  return RowsOf(view_id, ShapeOf(layout), hint);
}

absl::Status ReadSession::Prefault(ViewRows& rows) const { return rows.Prefault(Source()); }

void ReadSession::FetchSlots(const ViewRows& rows, std::span<const KeyRef> keys) const {
  rows.FetchSlots(keys);
}

void ReadSession::FetchRows(const ViewRows& rows, std::span<const KeyRef> keys,
                            std::span<RowGuess> guesses) const {
  rows.FetchRows(keys, guesses);
}

absl::Status ReadSession::FindMany(const ViewRows& rows, const RowLayout& layout,
                                   std::span<const KeyRef> keys, std::span<const RowGuess> guesses,
                                   Timestamp as_of, std::span<FoundRow> out) const {
  LARDER_DCHECK(out.size() == keys.size() && guesses.size() == keys.size());
  LARDER_RETURN_IF_ERROR(CheckAsked(rows.view_id(), {}, as_of, std::nullopt));
  const SegmentSource source = Source();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    FoundRow& found = out[i];
    const KeyRef& key = keys[i];
    const RowGuess& guess = guesses[i];
    found.payload = nullptr;
    if (key.key.data() == nullptr || guess.state == RowGuess::kAbsent) continue;
    if (guess.state == RowGuess::kLikely && guess.segment->HasKey(guess.row, key.key)) {
      if (ViewRows::NeedsCheck(source, guess))
        LARDER_RETURN_IF_ERROR(ViewRows::Check(guess, key.hash));
      // The newest version answers nearly always: visible, without an end, and with all features.
      constexpr uint16_t kUnusual = kRowDelete | kRowHasValidTo | kRowPartial;
      if ((FlagsOfRow(guess.row) & kUnusual) == 0) {
        const int64_t event_time = guess.segment->EventTimeOf(guess.row);
        if (event_time <= as_of.us) found = guess.segment->Found(guess.row, layout, event_time);
        if (found.payload != nullptr) continue;
      }
    }
    LARDER_ASSIGN_OR_RETURN(const std::optional<RowView> row,
                            FindRow(rows.view_id(), layout, key.key, as_of));
    if (row) found = FoundRow::Of(*row);
  }
  return absl::OkStatus();
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
  out->Clear(layout.size());
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout)));
  LARDER_RETURN_IF_ERROR(CheckAsked(view_id, key, as_of, known_at));
  const uint64_t hash = Hash64(key, environment_->hash_seed());
  ViewRows::Chain loaded;
  ViewRows::Chain pushed;
  LARDER_RETURN_IF_ERROR(rows->Find(Source(), Layer::kLoaded, hash, key, &loaded));
  LARDER_RETURN_IF_ERROR(rows->Find(Source(), Layer::kPushed, hash, key, &pushed));
  Versions a(*this, layout, hash, loaded);
  Versions b(*this, layout, hash, pushed);
  LARDER_ASSIGN_OR_RETURN(bool has_a, a.Next(as_of, known_at));
  LARDER_ASSIGN_OR_RETURN(bool has_b, b.Next(as_of, known_at));
  while ((has_a || has_b) && out->found_ < layout.size()) {
    const bool take_a = has_a && (!has_b || WinsOver(a.row(), b.row()));
    Versions& taken = take_a ? a : b;
    const RowView row = taken.row();
    if (row.is_delete()) break;
    out->Take(row);
    LARDER_ASSIGN_OR_RETURN(const bool more, taken.Next(as_of, known_at));
    (take_a ? has_a : has_b) = more;
  }
  return absl::OkStatus();
}

namespace {

// Calls `visit` for every key: those with pushed rows first, each layer in the order of the keys' hashes.
absl::Status VisitKeys(ViewRows& rows, const SegmentSource& source, uint64_t hash_seed,
                       const std::function<absl::Status(const SegmentEntry&)>& visit) {
  for (const Layer layer : {Layer::kPushed, Layer::kLoaded}) {
    if (!rows.has_layer(layer)) continue;
    for (std::size_t i = 0; i < rows.directory(layer).partitions().size(); ++i) {
      RowArena arena;
      LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                              rows.SegmentsOf(source, layer, i));
      LARDER_ASSIGN_OR_RETURN(const std::vector<SegmentEntry> entries,
                              MergeSegments(segments, {}, hash_seed, &arena));
      for (const SegmentEntry& entry : entries) {
        if (layer == Layer::kLoaded) {
          ViewRows::Chain pushed;
          LARDER_RETURN_IF_ERROR(rows.Find(source, Layer::kPushed, entry.hash, entry.key, &pushed));
          if (pushed.row != nullptr) continue;
        }
        LARDER_RETURN_IF_ERROR(visit(entry));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSession::ForEachKey(uint32_t view_id,
                                     const std::function<bool(std::string_view key)>& visit,
                                     std::string_view after_key) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, std::nullopt));
  if (after_key.size() > kEntityKeySizeMax) return KeyTooLarge(after_key.size());
  bool skipping = after_key.data() != nullptr;
  const absl::Status status =
      VisitKeys(*rows, Source(), environment_->hash_seed(), [&](const SegmentEntry& entry) {
        if (skipping) {
          skipping = entry.key != after_key;
          return absl::OkStatus();
        }
        return visit(entry.key) ? absl::OkStatus() : absl::CancelledError();
      });
  if (status.ok() && skipping)
    return NotFoundError("the key to go on after is no longer there: begin again");
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

absl::Status ReadSession::ForEachVersion(
    uint32_t view_id, const RowLayout& layout,
    const std::function<bool(std::string_view key, const RowView& row)>& visit) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout)));
  const absl::Status status = VisitKeys(
      *rows, Source(), environment_->hash_seed(), [&](const SegmentEntry& entry) -> absl::Status {
        bool go_on = true;
        LARDER_RETURN_IF_ERROR(ForEachVersionOf(view_id, layout, entry.key, [&](const RowView& row) {
          go_on = visit(entry.key, row);
          return go_on;
        }));
        return go_on ? absl::OkStatus() : absl::CancelledError();
      });
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

absl::Status ReadSession::ReadLayers(uint32_t view_id, const RowLayout& layout, const KeyRef& key,
                                     std::size_t* hint, std::vector<RowView>* loaded,
                                     std::vector<RowView>* pushed) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout), hint));
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    ViewRows::Chain chain;
    LARDER_RETURN_IF_ERROR(rows->Find(Source(), layer, key.hash, key.key, &chain));
    std::vector<RowView>* const versions = layer == Layer::kLoaded ? loaded : pushed;
    for (const char* row = chain.row; row != nullptr; row = chain.segment->Older(row)) {
      if (row != chain.row && environment_->options().verify != VerifyPolicy::kNever)
        LARDER_RETURN_IF_ERROR(chain.segment->CheckRow(row, key.hash));
      LARDER_ASSIGN_OR_RETURN(const RowView view, ViewOf(*chain.segment, row, layout));
      versions->push_back(view);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadSession::ForEachVersionOf(
    uint32_t view_id, const RowLayout& layout, std::string_view key,
    const std::function<bool(const RowView& row)>& visit) const {
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  std::vector<RowView> versions;
  LARDER_RETURN_IF_ERROR(
      ReadLayers(view_id, layout, {key, HashOfKey(key)}, nullptr, &versions, &versions));
  std::stable_sort(versions.begin(), versions.end(), WinsOver);
  for (const RowView& version : versions) {
    if (!visit(version)) break;
  }
  return absl::OkStatus();
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

absl::Status ReadSession::ForEachStored(
    uint32_t view_id,
    const std::function<void(std::string_view key, std::string_view row, std::size_t trailer_offset,
                             std::size_t index)>& visit) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, std::nullopt));
  for (const Layer layer : {Layer::kPushed, Layer::kLoaded}) {
    if (!rows->has_layer(layer)) continue;
    for (std::size_t i = 0; i < rows->directory(layer).partitions().size(); ++i) {
      RowArena arena;
      LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                              rows->SegmentsOf(Source(), layer, i));
      LARDER_ASSIGN_OR_RETURN(const std::vector<SegmentEntry> entries,
                              MergeSegments(segments, {}, environment_->hash_seed(), &arena));
      for (const SegmentEntry& entry : entries) {
        for (std::size_t index = 0; index < entry.rows.size(); ++index) {
          visit(entry.key, entry.rows[index], segments.front().header().trailer_offset, index);
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
