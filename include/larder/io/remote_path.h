// Paths that are no file of this host.
#pragma once

#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Whether a path has `://`: that of a Parquet source is DuckDB's to find.
[[nodiscard]] inline bool IsRemotePath(std::string_view path) {
  return path.find("://") != std::string_view::npos;
}

}  // namespace larder::inline LARDER_ABI
