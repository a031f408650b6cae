// Bars of training sets: the point-in-time join, reading CSV, writing Parquet.
#pragma once

#include "bar.h"
#include "larder/column/batch.h"

namespace larder_bench {

// P1 to P4 and P7.
absl::Status RunJoinBars(BarRun& run);
// P3, over what P1 joins.
absl::Status MeasureJoinMemory(BarRun& run, const larder::Batch& spine, const larder::Batch& events);
// The part of P3 that has a process of its own: exit code.
int PrintJoinMemory(const char* path);
// P5 and P6.
absl::Status RunFileBars(BarRun& run);

}  // namespace larder_bench
