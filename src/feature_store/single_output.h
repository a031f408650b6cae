// A service cut down to one of its outputs.
#pragma once

#include <cstddef>
#include <memory>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

// What a service would be that gave nothing else: the views behind that output, and the keys and request fields that
// those need. A missing value is null where the service would fail: an explanation is of what it is.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const BoundService>> SingleOutput(
    const BoundService& service, std::size_t output, const CompileOptions& options);

}  // namespace larder::inline LARDER_ABI
