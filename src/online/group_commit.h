// Threads of one process that want to commit at the same time share one transaction, and so one sync.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/environment.h"
#include "larder/online/write_transaction.h"

namespace larder::inline LARDER_ABI {

// The first thread to come leads: it runs its own change and those handed in until it commits. Who comes while it
// commits waits for the next group, led by the one that has waited longest. Threads: thread-safe.
class GroupCommit {
 public:
  using Change = std::function<absl::Status(WriteTransaction&)>;
  // As RunGroupedWrite.
  absl::StatusOr<uint64_t> Run(const std::shared_ptr<Environment>& environment,
                               const Change& change);
  [[nodiscard]] std::size_t WaitingForTesting();

 private:
  struct Member {
    explicit Member(const Change& of) : change(&of) {}
    const Change* change;
    std::condition_variable woken;
    enum { kWaiting, kLeads, kDone } state = kWaiting;
    bool wrote = false;
    absl::StatusOr<uint64_t> outcome = absl::UnknownError("");
  };
  struct Group {
    std::deque<Member*> members;  // their changes are in the transaction, or will be
    std::deque<Member*> refused;  // those of them whose change failed
    bool is_closed = false;       // takes nobody else
  };

  // Runs and commits the group's changes and sets its members' outcomes.
  void Lead(const std::shared_ptr<Environment>& environment, Group* group);
  // The changes of all members, and of those that come meanwhile, in turn. False: the transaction cannot be committed,
  // because it holds half of a change that failed or because the map is full.
  bool RunChanges(WriteTransaction& transaction, Group* group);
  Member* NextWaiting();
  void WaitAgain(Member* member);
  // Ends the turn: everyone in the group is told, and the one that has waited longest leads next.
  void Finish(const Group& group);

  std::mutex mutex_;
  bool is_led_ = false;          // guarded by mutex_
  std::deque<Member*> waiting_;  // guarded by mutex_; as are members' states
};

}  // namespace larder::inline LARDER_ABI
