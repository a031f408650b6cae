// Bars of training sets: the point-in-time join, reading CSV, writing Parquet.
#pragma once

#include "bar.h"

namespace larder_bench {

// P1, P2 and P4.
absl::Status RunJoinBars(BarRun& run);
// P5 and P6.
absl::Status RunFileBars(BarRun& run);

}  // namespace larder_bench
