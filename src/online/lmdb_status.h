// The one place where LMDB's return codes and errno values become larder's errors.
#pragma once

#include <string>
#include <string_view>

#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

struct LmdbCodeRow {
  int code;
  absl::StatusCode status;
  ErrorKind kind;
  std::string_view phrase;
};

// Never null; the last row of the table stands for codes it does not know.
const LmdbCodeRow& FindLmdbCode(int code);

// `operation: phrase (code's own words)`. Requires: code != 0.
absl::Status LmdbError(int code, std::string_view operation);

// As LmdbError, but tells a full disk from a failing one: LMDB reports a short write as EIO whatever its cause. `path`
// is a file or directory on the file system in question.
absl::Status LmdbWriteError(int code, std::string_view operation, const std::string& path);

// The same for a failed system call.
absl::Status SystemError(int error_number, std::string_view operation, const std::string& path);

// Bytes an unprivileged process may still write beside `path`; the maximum when that is unknown.
uint64_t FreeBytesAt(const std::string& path);

}  // namespace larder::inline LARDER_ABI
