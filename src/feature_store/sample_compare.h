// Values of one feature under two versions, compared.
#pragma once

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "larder/feature_store/plan_sample.h"

namespace larder::inline LARDER_ABI {

// Sets rows, changed and largest_change. Requires: columns of one length.
void CompareColumns(const Column& before, const Column& after, SampledFeature* out);

}  // namespace larder::inline LARDER_ABI
