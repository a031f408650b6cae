// What the loads of a plan would read.
#pragma once

#include "larder/base/config.h"
#include "larder/registry/plan.h"

namespace larder::inline LARDER_ABI {

// Sets Change::cost of everything that needs a load to the sources' files as they are now, where they can be found.
// FeatureStore::Plan does this, and adds the rows of the last load; for plans made without a store.
void AddSourceSizes(ChangePlan* plan);

}  // namespace larder::inline LARDER_ABI
