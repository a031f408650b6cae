// Where a value of a training row comes from.
#pragma once

#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/explain.h"
#include "larder/registry/catalog.h"

namespace larder::inline LARDER_ABI {

// Requires: request.training. Errors: as FeatureStore::Explain.
[[nodiscard]] absl::StatusOr<Explanation> ExplainTraining(const FeatureStore::Impl& store,
                                                          const Catalog& catalog,
                                                          const ExplainRequest& request);

}  // namespace larder::inline LARDER_ABI
