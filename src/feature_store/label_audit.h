// Features that are the label, or are made of it.
#pragma once

#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/historical_read.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/leakage.h"
#include "larder/feature_store/training_set.h"

namespace larder::inline LARDER_ABI {

// HistoricalRequest::labels, columns of the spine or features, against the features of a set.
// Errors: kInvalidArgument for a label that is neither.
[[nodiscard]] absl::StatusOr<std::vector<LabelLeak>> FindLabels(const BoundService& service,
                                                                const HistoricalRequest& request,
                                                                const HistoricalRead& read);

}  // namespace larder::inline LARDER_ABI
