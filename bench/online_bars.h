// Bars of the online store.
#pragma once

#include "bar.h"
#include "larder/base/status.h"

namespace larder_bench {

// O1 to O4, O7, O8, O11, O18, O19: serving.
absl::Status RunServingBars(BarRun& run);
// O9, O10: loads and durable pushes.
absl::Status RunLoadBars(BarRun& run);
// O5, O16, O20, O21: what others notice of commits, and of a dropped page cache.
absl::Status RunCommitBars(BarRun& run);
// O10g, O15: pushes of many threads, and events read before they are pushed.
absl::Status RunWriteBars(BarRun& run);
// O6, O12, O13: 5 M entities.
absl::Status RunLargeStoreBars(BarRun& run);
// O17: one user and many items.
absl::Status RunCrossBars(BarRun& run);
// O14, where Redis is.
absl::Status RunRedisBar(BarRun& run);

}  // namespace larder_bench
