// Batches of columns into a file or any other place.
#pragma once

#include <cstdint>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"

namespace larder::inline LARDER_ABI {

// A writer destroyed before Finish() leaves nothing under the final name.
//
// Threads: thread-bound.
class RecordWriter {
 public:
  virtual ~RecordWriter() = default;

  // Appends the rows of `batch`. Its columns must be the writer's, by name, type and order.
  // Errors: kInvalidArgument for other columns; kResourceExhausted (kind kDiskFull) or kUnavailable (kind kIoError)
  //   naming the file. After an error only destroying the writer is useful.
  virtual absl::Status Write(const Batch& batch) = 0;

  // Makes what was written durable and gives it its final name, replacing a file of that name in one step.
  // Must be the last call. Errors: as Write; the final name is then untouched.
  virtual absl::Status Finish() = 0;

  [[nodiscard]] virtual int64_t rows_written() const = 0;
};

}  // namespace larder::inline LARDER_ABI
