// Bytes deflated by zlib into a file. Only where larder has zlib.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <string_view>

#include "io/file_writer.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

class DeflateStream {
 public:
  enum class Frame : unsigned char {
    kNone,  // the bare blocks: an archive has frames of its own
    kGzip,  // which zlib gives no name and no time
  };

  DeflateStream() = default;
  DeflateStream(const DeflateStream&) = delete;
  DeflateStream& operator=(const DeflateStream&) = delete;
  ~DeflateStream() { Close(); }

  absl::Status Open(Frame frame);
  absl::Status Append(std::string_view bytes, FileWriter* file);
  // The last blocks. It may be opened again.
  absl::Status Finish(FileWriter* file);

 private:
  absl::Status Deflate(std::string_view part, int flush, FileWriter* file);
  void Close();

  z_stream stream_ = {};
  bool open_ = false;
  char packed_[std::size_t{32} << 10] = {};
};

}  // namespace larder::inline LARDER_ABI
