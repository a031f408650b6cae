// What a request costs besides time: allocations, and calls into the system.
#pragma once

#include <cstdint>
#include <functional>

#include "larder/base/status.h"

namespace larder_bench {

// Calls of malloc and its kin (operator new among them) by this thread since it began; -1 where they cannot be counted
// (another C library than glibc).
[[nodiscard]] int64_t HeapAllocations();

struct SystemCalls {
  int64_t count = 0;
  int first = 0;  // the number of the first one
};

// Runs `prepare`, then `work`, in a child process, and counts the system calls of `work`: each is trapped and answers
// ENOSYS. An error of `work` counts only when there was no system call. `prepare` makes what `work` needs there: nothing
// of an open store survives a fork. Errors: also where the system has no seccomp filters.
absl::StatusOr<SystemCalls> CountSystemCalls(const std::function<absl::Status()>& prepare,
                                             const std::function<absl::Status()>& work);

}  // namespace larder_bench
