#include "online/group_commit.h"

#include <lmdb.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {
namespace {

// A group's members wait for its slowest change, and its pages stand in memory.
constexpr std::size_t kMembersMax = 64;
constexpr int kGrowAttempts = 32;

}  // namespace

absl::StatusOr<uint64_t> GroupCommit::Run(const std::shared_ptr<Environment>& environment,
                                          const Change& change) {
  Environment::Impl& impl = environment->impl();
  if (impl.forked()) return ForkedError();
  // The leader would wait for this very thread.
  if (impl.writer_thread.load() == std::this_thread::get_id()) {
    return FailedPreconditionError("this thread already holds a write transaction of ",
                                   environment->path());
  }
  Member self(change);
  {
    std::unique_lock lock(mutex_);
    if (is_led_) {
      waiting_.push_back(&self);
      self.woken.wait(lock, [&self] { return self.state != Member::kWaiting; });
      if (self.state == Member::kDone) return std::move(self.outcome);
    }
    is_led_ = true;
  }
  Group group;
  group.members.push_back(&self);
  Lead(environment, &group);
  Finish(group);
  return std::move(self.outcome);
}

std::size_t GroupCommit::WaitingForTesting() {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

GroupCommit::Member* GroupCommit::NextWaiting() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return nullptr;
  Member* const member = waiting_.front();
  waiting_.pop_front();
  return member;
}

void GroupCommit::WaitAgain(Member* member) {
  const std::lock_guard lock(mutex_);
  waiting_.push_front(member);
}

void GroupCommit::Finish(const Group& group) {
  const std::lock_guard lock(mutex_);
  for (const std::deque<Member*>* members : {&group.members, &group.refused}) {
    for (Member* const member : *members) {
      member->state = Member::kDone;
      // Under the lock: the member is on its thread's stack, which goes on once it has the lock.
      member->woken.notify_one();
    }
  }
  is_led_ = !waiting_.empty();
  if (!is_led_) return;
  Member* const next = waiting_.front();
  waiting_.pop_front();
  next->state = Member::kLeads;
  next->woken.notify_one();
}

bool GroupCommit::RunChanges(WriteTransaction& transaction, Group* group) {
  WriteTransaction::State& state = transaction.state();
  std::deque<Member*>& members = group->members;
  for (std::size_t i = 0; i < kMembersMax;) {
    if (i == members.size()) {
      Member* const next = group->is_closed ? nullptr : NextWaiting();
      if (next == nullptr) return true;
      members.push_back(next);
    }
    Member* const member = members[i];
    const uint64_t writes_before = state.writes;
    absl::Status status = (*member->change)(transaction);
    member->wrote = state.writes != writes_before;
    if (status.ok()) {
      ++i;
      continue;
    }
    if (state.map_full) return false;
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
    if (state.failed && i > 0) {
      // Perhaps only together with its neighbours' (a transaction holds so many pages): it tries again, leading.
      WaitAgain(member);
      group->is_closed = true;
      return false;
    }
    group->refused.push_back(member);
    member->outcome = std::move(status);
    // The neighbours begin again without it, unless it left no trace.
    if (member->wrote || state.failed) return false;
  }
  return true;
}

void GroupCommit::Lead(const std::shared_ptr<Environment>& environment, Group* group) {
  const auto set_all = [group](const absl::StatusOr<uint64_t>& outcome) {
    for (Member* member : group->members) member->outcome = outcome;
  };
  for (int grown = 0; !group->members.empty();) {
    absl::StatusOr<WriteTransaction> transaction = WriteTransaction::Begin(environment);
    if (!transaction.ok()) {
      // What keeps this one from writing keeps those waiting as well, and each would wait as long again.
      while (Member* const next = NextWaiting()) group->members.push_back(next);
      return set_all(transaction.status());
    }
    Environment::Impl& impl = environment->impl();
    const uint64_t epoch_seen = impl.epoch.load();
    absl::Status status = LmdbError(MDB_MAP_FULL, "writing");
    if (RunChanges(*transaction, group)) {
      const bool wrote = std::any_of(group->members.begin(), group->members.end(),
                                     [](const Member* member) { return member->wrote; });
      if (!wrote) return set_all(transaction->commit_seq() - 1);
      const absl::StatusOr<uint64_t> committed = transaction->Commit();
      if (!transaction->state().map_full) return set_all(committed);
      status = committed.status();
    }
    const bool map_full = transaction->state().map_full;
    transaction->Abort();
    if (!map_full) continue;
    if (grown++ < kGrowAttempts) status = impl.GrowMap(epoch_seen, false);
    if (!status.ok()) return set_all(status);
  }
}

absl::StatusOr<uint64_t> RunGroupedWrite(
    const std::shared_ptr<Environment>& environment,
    const std::function<absl::Status(WriteTransaction&)>& change) {
  return environment->impl().group_commit.Run(environment, change);
}

}  // namespace larder::inline LARDER_ABI
