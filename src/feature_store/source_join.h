// A view's rows worked out from its source's history: what training sets and plan samples have in common.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "feature_store/event_mapper.h"
#include "feature_store/source_batches.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/registry/versions.h"
#include "larder/training/point_in_time_join.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

// The join of `view` with the events of `source`; what a request decides (known_at, exclude_event_id) is left as it is.
[[nodiscard]] JoinView MakeJoinView(const ViewVersion& view, const Source& source,
                                    std::span<const Column* const> key_columns);

// Gives every batch of events of source `number` of ViewVersion::offline_sources to `visit`, which may keep the batch; what
// it returns that is not OK ends the reading.
using VisitBatch = std::function<absl::Status(MappedBatch& batch)>;
using VisitHistory = std::function<absl::Status(std::size_t number, const VisitBatch& visit)>;

// The history as it is in the sources that loads and training read. Borrows the rows that `places` gives.
// Errors, when visited: as JoinSource.
[[nodiscard]] VisitHistory HistoryOf(const ViewVersion& view, const SourcePlaces& places,
                                     const CompileOptions& compile);

// Joins a history at `times`. Errors name the view.
[[nodiscard]] absl::StatusOr<JoinedView> JoinHistory(const ViewVersion& view,
                                                     const CompileOptions& compile,
                                                     const Column& times, JoinView join,
                                                     const JoinOptions& options,
                                                     const VisitHistory& history);

// Reads all of the source that loads and training read, and joins it at `times`.
// Errors: kFailedPrecondition for a push source without a file, kUnimplemented for sources that cannot be read yet; all
//   name the view.
[[nodiscard]] absl::StatusOr<JoinedView> JoinSource(const ViewVersion& view,
                                                    const SourcePlaces& places,
                                                    const CompileOptions& compile,
                                                    const Column& times, JoinView join,
                                                    const JoinOptions& options);

}  // namespace larder::inline LARDER_ABI
