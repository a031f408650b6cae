#include "io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#if defined(LARDER_HAVE_ZLIB)
#include <zlib.h>
#endif

namespace larder::inline LARDER_ABI {
namespace {

class FileSource : public ByteSource {
 public:
  FileSource(std::string name, int fd) : ByteSource(std::move(name)), fd_(fd) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(fd_); }

  absl::StatusOr<std::size_t> Read(char* out, std::size_t size) override {
    for (;;) {
      const ssize_t got = ::read(fd_, out, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      return WithKind(UnavailableError("cannot read ", name(), ": ", std::strerror(errno)),
                      ErrorKind::kIoError);
    }
  }

 private:
  int fd_;
};

class TextSource : public ByteSource {
 public:
  TextSource(std::string text, std::string name)
      : ByteSource(std::move(name)), text_(std::move(text)) {}
  absl::StatusOr<std::size_t> Read(char* out, std::size_t size) override {
    const std::size_t take = std::min(size, text_.size() - at_);
    std::memcpy(out, text_.data() + at_, take);
    at_ += take;
    return take;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

#if defined(LARDER_HAVE_ZLIB)
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed)
      : ByteSource(packed->name()), packed_(std::move(packed)), input_(std::size_t{1} << 16) {
    stream_ = {};
    // 16 asks for gzip framing and nothing else.
    ready_ = inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK;
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  absl::StatusOr<std::size_t> Read(char* out, std::size_t size) override {
    if (!ready_) return ResourceExhaustedError("cannot unpack ", name(), ": out of memory");
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(std::min(size, std::size_t{1} << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        LARDER_ASSIGN_OR_RETURN(const std::size_t got, packed_->Read(input_.data(), input_.size()));
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(got);
        if (got == 0) {
          if (between_members_) return std::size_t{0};
          return DataLossError(name(), ": the gzip data ends too early");
        }
      }
      if (between_members_ && any_member_) {
        // Writers such as tar pad the last member with zeros; anything else must be a further member.
        while (stream_.avail_in > 0 && *stream_.next_in == 0) {
          ++stream_.next_in;
          --stream_.avail_in;
        }
        if (stream_.avail_in == 0) continue;
        inflateReset(&stream_);
      }
      between_members_ = false;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        between_members_ = true;
        any_member_ = true;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return DataLossError(
            name(), ": not gzip data, or damaged",
            stream_.msg != nullptr ? Concat(" (", stream_.msg, ")") : std::string());
      }
    }
    return std::size_t{wanted - stream_.avail_out};
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  std::vector<char> input_;
  z_stream stream_;
  bool ready_ = false;
  bool between_members_ = false;
  bool any_member_ = false;
};
#endif

absl::StatusOr<bool> IsGzip(const std::string& path, const std::string& compression) {
  if (compression == "gzip") return true;
  if (compression == "none") return false;
  if (compression == "auto" || compression.empty()) {
    return path.size() > 3 &&
           EqualsIgnoreCase(std::string_view(path).substr(path.size() - 3), ".gz");
  }
  return InvalidArgumentError("unknown compression \"", compression,
                              "\", expected auto, none or gzip");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path,
                                                           const std::string& compression) {
  LARDER_ASSIGN_OR_RETURN(const bool gzip, IsGzip(path, compression));
#if !defined(LARDER_HAVE_ZLIB)
  if (gzip) {
    return UnimplementedError(
        "cannot read ", path,
        ": this larder was built without zlib; unpack the file or rebuild with "
        "LARDER_WITH_ZLIB=ON");
  }
#endif
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return NotFoundError("no such file: ", path);
    return WithKind(UnavailableError("cannot open ", path, ": ", std::strerror(errno)),
                    ErrorKind::kIoError);
  }
  std::unique_ptr<ByteSource> file = std::make_unique<FileSource>(path, fd);
  struct stat info = {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return InvalidArgumentError(path, " is a folder, expected a file");
  }
#if defined(LARDER_HAVE_ZLIB)
  if (gzip) return std::unique_ptr<ByteSource>(std::make_unique<GzipSource>(std::move(file)));
#endif
  return file;
}

std::unique_ptr<ByteSource> MakeTextSource(std::string text, std::string name) {
  return std::make_unique<TextSource>(std::move(text), std::move(name));
}

}  // namespace larder::inline LARDER_ABI
