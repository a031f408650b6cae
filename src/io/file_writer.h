// A file that appears under its name only when it is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

class FileWriter {
 public:
  // Opens a temporary file beside `path`. Errors: kNotFound for a missing folder; kDiskFull or kIoError.
  static absl::StatusOr<std::unique_ptr<FileWriter>> Create(const std::string& path, bool durable);
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter();  // removes the temporary file unless Finish() was reached

  absl::Status Append(std::string_view bytes);
  // Bytes appended so far.
  [[nodiscard]] uint64_t size() const { return flushed_ + buffer_.size(); }
  // Replaces bytes already appended: for headers that count what follows them. Requires: all of them were appended.
  absl::Status Replace(uint64_t offset, std::string_view bytes);
  // Where another program may write the bytes instead, before Finish: that file is made durable and named.
  [[nodiscard]] const std::string& temporary() const { return temporary_; }
  absl::Status Finish();

 private:
  FileWriter(std::string path, std::string temporary, int fd, bool durable);
  absl::Status Flush();
  [[nodiscard]] absl::Status Failed(std::string_view what) const;

  std::string path_;
  std::string temporary_;
  int fd_;
  bool durable_;
  uint64_t flushed_ = 0;
  std::string buffer_;
};

}  // namespace larder::inline LARDER_ABI
