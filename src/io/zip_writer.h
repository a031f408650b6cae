// A zip archive, one member after another: the container of .npz.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Members may be larger than 4 GiB (ZIP64). Times are 1980-01-01, so that the same content gives the same bytes.
class ZipWriter {
 public:
  // Errors: as FileWriter::Create; kUnimplemented where larder was built without zlib.
  static absl::StatusOr<std::unique_ptr<ZipWriter>> Create(const std::string& path, bool compress,
                                                           bool durable);
  virtual ~ZipWriter() = default;

  // Starts a member. Its first bytes, `head`, may be replaced by as many others when it ends: a head that counts what
  // follows it needs no second pass.
  virtual absl::Status Begin(std::string name, std::string_view head) = 0;
  virtual absl::Status Append(std::string_view bytes) = 0;
  virtual absl::Status End(std::string_view head) = 0;
  // Requires: no member is open.
  virtual absl::Status Finish() = 0;
};

}  // namespace larder::inline LARDER_ABI
