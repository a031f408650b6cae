// Lines of a file or text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "io/byte_source.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// A byte order mark before the first line is skipped.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}
  [[nodiscard]] const std::string& name() const { return source_->name(); }
  [[nodiscard]] int64_t line() const { return line_; }

  // The next line without its end; false when there is none. Lifetime: until the next call.
  // Errors: kInvalidArgument for a line of more than kLineSizeMax bytes; as ByteSource::Read.
  absl::StatusOr<bool> Next(std::string_view* out);

 private:
  [[nodiscard]] absl::Status TooLong() const;
  std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;  // no line feed before this
  bool at_end_ = false;
  int64_t line_ = 0;
};

}  // namespace larder::inline LARDER_ABI
