// Checking one data file, wherever it lies.
#pragma once

#include <string>

#include "larder/base/status.h"
#include "larder/online/verify.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<VerifyReport> VerifyDataFile(const std::string& path);

}  // namespace larder::inline LARDER_ABI
