// The output that an explanation is of.
#pragma once

#include <cstddef>
#include <string>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/explain.h"
#include "larder/feature_store/online.h"

namespace larder::inline LARDER_ABI {

// The output called `name`, or that is the feature `name` refers to; empty: the only one.
// Errors: kNotFound with the nearest name; kInvalidArgument.
[[nodiscard]] absl::StatusOr<std::size_t> FindOutput(const BoundService& service,
                                                     const std::string& name);

// Fills what an explanation says of its output, the only one of `service`, and of the value `read`.
void DescribeOutput(const BoundService& service, const FeatureValues& read,
                    Explanation* explanation);

}  // namespace larder::inline LARDER_ABI
