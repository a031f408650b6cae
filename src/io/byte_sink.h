// Where a writer's bytes go: a file that appears when it is complete, such a file packed by gzip, or a caller's string.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual absl::Status Append(std::string_view bytes) = 0;
  // The last call; a file has its name from here on.
  virtual absl::Status Finish() = 0;
};

// A name that ends in `.gz` is packed; the same bytes always give the same file.
// Errors: as FileWriter::Create; kUnimplemented for `.gz` where larder was built without zlib.
absl::StatusOr<std::unique_ptr<ByteSink>> CreateFileSink(const std::string& path, bool durable);

// Lifetime: `*out` must outlive the sink.
std::unique_ptr<ByteSink> MakeTextSink(std::string* out LARDER_LIFETIME_BOUND);

}  // namespace larder::inline LARDER_ABI
