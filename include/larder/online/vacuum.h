// Writing a store anew without its free pages.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/environment.h"

namespace larder::inline LARDER_ABI {

struct VacuumProgress {
  uint64_t bytes_done = 0;
  uint64_t bytes = 0;  // about: what is in use when it begins
};

struct VacuumOptions {
  std::function<void(const VacuumProgress&)> progress;
};

struct VacuumResult {
  uint64_t commit_seq = 0;  // of the switch
  uint64_t size_before = 0;
  uint64_t size_after = 0;
  uint64_t folder = 0;  // number of the environment folder it is in now
};

// Rewrites the store into its next environment folder. What is copied is checked. Readers and writers of all processes
// go on: writers wait while what was committed since the copy is added to it, readers go on in the new folder with
// their next snapshot. The old file's space is free when nobody holds a snapshot of it. Cut short at any moment, the
// store is in one folder or the other, and what is left of the other goes with the next load or vacuum.
// Errors: kBusy naming the process that loads, compacts or vacuums; kDiskFull when there is no room for the copy beside
//   the store; kCorrupt when the store does not verify (it stays as it is); kIoError; kForked; kFailedPrecondition when
//   read-only. Requires: the calling thread holds no write transaction.
absl::StatusOr<VacuumResult> VacuumStore(const std::shared_ptr<Environment>& environment,
                                         const VacuumOptions& options = {});

}  // namespace larder::inline LARDER_ABI
