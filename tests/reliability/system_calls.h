// Watches the calls by which this process changes files. At any one of them it can end the process, or let the call
// fail.
//
// The program defines pwrite, fdatasync and their kin itself and hands on to the C library, so LMDB's calls come
// through here as well as larder's own.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder_test {

enum class CallAction : int { kNone, kEnd, kFail };
// Half-way: of a write only the first half is done, and where it fails it says so, as a full disk would.
enum class CallMoment : int { kBefore, kHalfWay, kAfter };

// May lie in memory shared between processes.
struct CallWatch {
  std::atomic<int64_t> calls{0};  // so far
  std::atomic<int64_t> at{0};     // the call, from 1, that the action is done at
  std::atomic<CallAction> action{CallAction::kNone};
  std::atomic<CallMoment> moment{CallMoment::kBefore};
  std::atomic<int> error{0};           // errno of a call that fails
  std::atomic<bool> sticky{false};     // those after it fail as well, without being done
  std::atomic<int64_t> acted{0};       // calls that failed
  std::atomic<bool> in_commit{false};  // LMDB has begun to write a commit; the watcher resets it
};

// Calls of this process are counted in `watch` from now on; null: no longer.
void WatchCalls(CallWatch* watch);

}  // namespace larder_test
