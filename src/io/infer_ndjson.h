// Guessing a source's definition from a file of JSON objects.
#pragma once

#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/infer.h"

namespace larder::inline LARDER_ABI {

// InferSource for NDJSON.
[[nodiscard]] absl::StatusOr<Source> InferNdjson(const std::string& path,
                                                 const InferOptions& options);

}  // namespace larder::inline LARDER_ABI
