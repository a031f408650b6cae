// Some rows of a batch.
#pragma once

#include <cstddef>
#include <span>

#include "larder/base/config.h"
#include "larder/column/batch.h"

namespace larder::inline LARDER_ABI {

// These rows, in the order given. Requires: each is below batch.row_count().
[[nodiscard]] Batch TakeRows(const Batch& batch, std::span<const std::size_t> rows);

// Rows [begin, end). Requires: begin <= end <= batch.row_count().
[[nodiscard]] Batch TakeRange(const Batch& batch, std::size_t begin, std::size_t end);

}  // namespace larder::inline LARDER_ABI
