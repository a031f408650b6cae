// NumPy's .npy format: what stands before an array's bytes (numpy.lib.format, version 1.0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "io/dense_rows.h"
#include "larder/base/config.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

// Every header has this size, so that one can be replaced once the rows are counted.
inline constexpr std::size_t kNpyHeaderSize = 192;

// Requires: `descr` and two sizes fit, as all do that larder writes.
[[nodiscard]] std::string NpyHeader(std::string_view descr, std::span<const uint64_t> shape);

// `<f4` or `<f8`.
[[nodiscard]] std::string_view FloatDescr(TypeId dtype);

// The block's values as little-endian floats of `dtype`.
void AppendFloats(const DenseBlock& block, TypeId dtype, std::string* out);

}  // namespace larder::inline LARDER_ABI
