// Reading the whole of a source as the events of a view.
#pragma once

#include <functional>

#include "feature_store/event_mapper.h"
#include "feature_store/source_batches.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/versions.h"
#include "larder/schema/definitions.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

// Calls `visit` with every batch of `source`, mapped for `rows`: a view, or what the windows of one read. What `visit` moves
// out of the batch is its own; the rest is good until it returns.
// Errors: those of reading the source, and of `visit`, which ends the reading.
absl::Status VisitEvents(const ViewVersion& rows, const Source& source, const SourcePlaces& places,
                         const CompileOptions& compile,
                         const std::function<absl::Status(MappedBatch& batch)>& visit);

}  // namespace larder::inline LARDER_ABI
