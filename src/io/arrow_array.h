// Columns as Arrow arrays that point into them.
#pragma once

#include <cstddef>
#include <memory>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/io/arrow_c.h"

namespace larder::inline LARDER_ABI {

// Fills `*out` with rows `begin` to `end` as a struct array, which keeps `rows` alive until it and every child moved
// out of it are released.
// Requires: `begin` is a multiple of 64, so that no array needs an offset.
// Errors: kInvalidArgument for a map column whose entries need more than 32 bits to count; `*out` is then released.
absl::Status ExportArrowRows(const std::shared_ptr<const Batch>& rows, std::size_t begin,
                             std::size_t end, ArrowArray* out);

}  // namespace larder::inline LARDER_ABI
