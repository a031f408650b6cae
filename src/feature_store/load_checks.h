// Whether what a load has built may become live.
#pragma once

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/feature_store/loading.h"
#include "larder/online/generation.h"
#include "larder/registry/versions.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

[[nodiscard]] LoadSummary SummaryOf(const ViewVersion& view, GenerationSummary generation);

// Errors: kFailedPrecondition with every validator of the view that does not hold, and the figures it is about.
[[nodiscard]] absl::Status CheckValidators(const ViewVersion& view, const LoadSummary& summary,
                                           const CompileOptions& compile, Timestamp as_of);

}  // namespace larder::inline LARDER_ABI
