// What a caller gives, as columns of the types a service declares.
#pragma once

#include <span>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"

namespace larder::inline LARDER_ABI {

// Rows of an online request. Errors: kInvalidArgument for a missing join key or request field (naming only what is
// missing), rows with different columns, unknown columns unless ignored, values that do not convert.
[[nodiscard]] absl::StatusOr<Batch> InputsFromRows(const BoundService& service,
                                                   std::span<const Row> rows,
                                                   bool ignore_unknown_columns);

// Columns of a spine; what the service does not need is not looked at. Errors: as above.
[[nodiscard]] absl::StatusOr<Batch> InputsFromSpine(const BoundService& service, const Batch& spine);

}  // namespace larder::inline LARDER_ABI
