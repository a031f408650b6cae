// Putting what was pushed together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/environment.h"

namespace larder::inline LARDER_ABI {

struct CompactionProgress {
  uint64_t partitions_done = 0;
  uint64_t segments_done = 0;
};

struct CompactionOptions {
  std::span<const uint32_t> view_ids;  // empty: all
  std::function<void(const CompactionProgress&)> progress;
};

struct CompactionResult {
  uint64_t partitions = 0;  // written anew
  uint64_t segments_before = 0;
  uint64_t segments_after = 0;
  uint64_t bytes_written = 0;
  uint64_t commits = 0;
  uint64_t commit_seq = 0;  // of the last; 0: nothing to do
};

// Makes one segment of what was pushed into each partition of a view, so that a read of a key looks at one. What reads
// answer stays the same; nobody but other writers waits, for some 8 MiB at a time.
// Errors: kBusy naming the process that loads, compacts or vacuums; kCorrupt; kDiskFull; kIoError; kForked;
//   kFailedPrecondition when read-only. Requires: the calling thread holds no snapshot and no write transaction.
absl::StatusOr<CompactionResult> CompactStore(const std::shared_ptr<Environment>& environment,
                                              const CompactionOptions& options = {});

}  // namespace larder::inline LARDER_ABI
