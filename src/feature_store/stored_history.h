// A view's part of a training set out of the store itself: for sources that are only pushed to.
#pragma once

#include <functional>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"
#include "larder/online/read_session.h"
#include "larder/registry/versions.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

using ReportJoin = std::function<absl::Status(const JoinProgress&)>;  // JoinOptions::progress

// Whether there is nothing to read the view's history from but the store: every source is only pushed to, and the caller
// gives no rows of any.
[[nodiscard]] bool IsFromStore(const ViewVersion& view, const HistoricalRequest& request);

// Every row of the spine as serving reads it, at the row's instant as as_of and, under KnownAt::kSpine, as known_at.
// Errors: kOutsideHistory naming the source, for an instant before what the store keeps; kFailedPrecondition (kNotReady)
//   when nothing was pushed yet; kUnimplemented for exclude_self; what `progress` returns.
// Cost: a read per row, and a little for every different instant.
[[nodiscard]] absl::StatusOr<FetchedUse> FetchHistory(const ReadSession& session,
                                                      const BoundUse& use, const JoinView& join,
                                                      const Column& times, PartialPolicy partial,
                                                      const ReportJoin& progress);

}  // namespace larder::inline LARDER_ABI
