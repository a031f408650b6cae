// Bytes in order, from a file, a gzip file or memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills up to `size` bytes; 0 only at the end. Errors: kUnavailable (kIoError), kDataLoss for damaged gzip.
  virtual absl::StatusOr<std::size_t> Read(char* out, std::size_t size) = 0;
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

// `compression`: auto (by the name's ending), none or gzip.
// Errors: kNotFound; kUnavailable; kUnimplemented for gzip without zlib; kInvalidArgument for another word.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path,
                                                           const std::string& compression);

std::unique_ptr<ByteSource> MakeTextSource(std::string text, std::string name);

}  // namespace larder::inline LARDER_ABI
