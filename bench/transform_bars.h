// Bars T1 to T5: expressions against hand-written loops.
#pragma once

#include "bar.h"
#include "larder/base/status.h"

namespace larder_bench {

absl::Status RunTransformBars(BarRun& run);

}  // namespace larder_bench
