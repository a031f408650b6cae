#if defined(LARDER_HAVE_ZLIB)

#include "io/deflate_stream.h"

#include <utility>

namespace larder::inline LARDER_ABI {

absl::Status DeflateStream::Open(Frame frame) {
  // zlib's way to say it: negative for no frame, 16 more for gzip's.
  constexpr int kWindowBits = 15;
  constexpr int kMemoryLevel = 8;
  const int bits = frame == Frame::kNone ? -kWindowBits : kWindowBits + 16;
  stream_ = {};
  if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return ResourceExhaustedError("cannot start compression: out of memory");
  }
  open_ = true;
  return absl::OkStatus();
}

absl::Status DeflateStream::Append(std::string_view bytes, FileWriter* file) {
  constexpr std::size_t kPartSize = std::size_t{1} << 20;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPartSize);
    bytes.remove_prefix(part.size());
    LARDER_RETURN_IF_ERROR(Deflate(part, Z_NO_FLUSH, file));
  }
  return absl::OkStatus();
}

absl::Status DeflateStream::Finish(FileWriter* file) {
  LARDER_RETURN_IF_ERROR(Deflate({}, Z_FINISH, file));
  Close();
  return absl::OkStatus();
}

absl::Status DeflateStream::Deflate(std::string_view part, int flush, FileWriter* file) {
  // zlib does not write to its input, but says so only in newer versions.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
  stream_.avail_in = static_cast<uInt>(part.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(packed_);
    stream_.avail_out = sizeof(packed_);
    deflate(&stream_, flush);  // fails only for a stream used wrongly
    LARDER_RETURN_IF_ERROR(file->Append({packed_, sizeof(packed_) - stream_.avail_out}));
  } while (stream_.avail_out == 0);
  return absl::OkStatus();
}

void DeflateStream::Close() {
  if (std::exchange(open_, false)) deflateEnd(&stream_);
}

}  // namespace larder::inline LARDER_ABI

#endif
