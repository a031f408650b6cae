// What every writer asks of the columns it is given.
#pragma once

#include <span>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Errors: kInvalidArgument unless the batch's columns are `fields`, by name, type and order.
absl::Status CheckColumns(std::span<const Field> fields, const Batch& batch);

// Errors: kInvalidArgument for no fields, one without a name, or a name twice.
absl::Status CheckNames(std::span<const Field> fields);

}  // namespace larder::inline LARDER_ABI
