// The leakage audit of a training set as it was made.
#pragma once

#include <optional>

#include "feature_store/bound_service.h"
#include "feature_store/historical_read.h"
#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/leakage.h"
#include "larder/feature_store/training_set.h"

namespace larder::inline LARDER_ABI {

// Nothing where HistoricalRequest::leakage asks for nothing. Reads every source once more; `read` is of `request` and
// `service`.
// Errors: those of reading; kInvalidArgument for a label that is no column; under LeakageAudit::kFail
//   kFailedPrecondition with the report's lines, when there is a leak.
[[nodiscard]] absl::StatusOr<std::optional<LeakageReport>> AuditLeakage(
    const FeatureStore::Impl& store, const BoundService& service, const HistoricalRequest& request,
    const HistoricalRead& read);

}  // namespace larder::inline LARDER_ABI
