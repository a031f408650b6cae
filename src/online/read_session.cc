#include "larder/online/read_session.h"

#include <lmdb.h>

#include <utility>

#include "online/environment_impl.h"
#include "online/visible.h"

namespace larder::inline LARDER_ABI {
namespace {

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

absl::Status ReadSession::CheckFloors(uint32_t view_id, Timestamp as_of,
                                      std::optional<Timestamp> known_at) const {
  LARDER_ASSIGN_OR_RETURN(const ViewFloors floors, FloorsOf(view_id));
  if (as_of < floors.as_of) return OutsideHistoryError("as_of", as_of, floors.as_of);
  if (known_at && *known_at < floors.known_at)
    return OutsideHistoryError("known_at", *known_at, floors.known_at);
  return absl::OkStatus();
}

SegmentSource ReadSession::Source() const {
  Environment::Impl& impl = environment_->impl();
  return {slot_->txn,          impl.records,  impl.segments,
          impl.options.verify, &impl.touches, impl.format.hash_seed};
}

absl::StatusOr<ViewRows*> ReadSession::RowsOf(uint32_t view_id,
                                              const std::optional<SegmentShape>& shape,
                                              RowsHint* hint) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  std::vector<std::unique_ptr<ViewRows>>& views = slot_->views;
  const auto is_it = [&](const std::unique_ptr<ViewRows>& rows) {
    return rows->view_id() == view_id && rows->shape() == shape;
  };
  std::size_t at = hint != nullptr ? hint->at : 0;
  if (at >= views.size() || !is_it(views[at])) {
    at = static_cast<std::size_t>(std::find_if(views.begin(), views.end(), is_it) - views.begin());
    if (at == views.size()) views.push_back(std::make_unique<ViewRows>(view_id, shape));
  }
  ViewRows* const rows = views[at].get();
  // No commit has this number before the first one.
  if (rows->seen_commit != commit_seq_ + 1) {
    rows->seen_commit = 0;
    LARDER_RETURN_IF_ERROR(rows->Refresh(Source()));
    rows->seen_commit = commit_seq_ + 1;
  }
  if (hint != nullptr) *hint = {at, slot_->snapshot, rows};
  return rows;
}

uint64_t ReadSession::HashOfKey(std::string_view key) const {
  return Hash64(key, environment_->hash_seed());
}

}  // namespace larder::inline LARDER_ABI
