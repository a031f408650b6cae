// Bars of window aggregates.
#pragma once

#include "bar.h"
#include "larder/base/status.h"

namespace larder_bench {

// W1, W2, W5: serving.
absl::Status RunWindowBars(BarRun& run);
// W3: events pushed.
absl::Status RunWindowIngestBars(BarRun& run);
// W4, where DuckDB is: training.
absl::Status RunWindowTrainingBar(BarRun& run);

}  // namespace larder_bench
