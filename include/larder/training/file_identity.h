// Which file it was: its size and the hash of its bytes.
#pragma once

#include <cstdint>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

struct FileIdentity {
  std::string path;
  uint64_t bytes = 0;
  std::string sha256;  // empty: no regular file, so not read twice
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Reads the whole file. Errors: kNotFound; kUnavailable (kind kIoError).
[[nodiscard]] absl::StatusOr<FileIdentity> IdentifyFile(const std::string& path);

}  // namespace larder::inline LARDER_ABI
