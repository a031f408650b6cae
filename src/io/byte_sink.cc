#include "io/byte_sink.h"

#include <cstddef>
#include <utility>

#include "io/file_writer.h"

#if defined(LARDER_HAVE_ZLIB)
#include <zlib.h>
#endif

namespace larder::inline LARDER_ABI {
namespace {

class FileSink : public ByteSink {
 public:
  explicit FileSink(std::unique_ptr<FileWriter> file) : file_(std::move(file)) {}
  absl::Status Append(std::string_view bytes) override { return file_->Append(bytes); }
  absl::Status Finish() override { return file_->Finish(); }

 private:
  std::unique_ptr<FileWriter> file_;
};

class TextSink : public ByteSink {
 public:
  explicit TextSink(std::string* out) : out_(out) {}
  absl::Status Append(std::string_view bytes) override {
    out_->append(bytes);
    return absl::OkStatus();
  }
  absl::Status Finish() override { return absl::OkStatus(); }

 private:
  std::string* out_;
};

#if defined(LARDER_HAVE_ZLIB)

class GzipSink : public ByteSink {
 public:
  explicit GzipSink(std::unique_ptr<FileWriter> file) : file_(std::move(file)) {}
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;
  ~GzipSink() override {
    if (open_) deflateEnd(&stream_);
  }

  absl::Status Open() {
    // 16 more than the window's bits: a gzip header, which zlib gives no name and no time.
    constexpr int kWindowBits = 15 + 16;
    constexpr int kMemoryLevel = 8;
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      return ResourceExhaustedError("cannot start gzip: out of memory");
    }
    open_ = true;
    return absl::OkStatus();
  }

  absl::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kPartSize);
      bytes.remove_prefix(part.size());
      LARDER_RETURN_IF_ERROR(Deflate(part, Z_NO_FLUSH));
    }
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    LARDER_RETURN_IF_ERROR(Deflate({}, Z_FINISH));
    return file_->Finish();
  }

 private:
  static constexpr std::size_t kPartSize = std::size_t{1} << 20;

  absl::Status Deflate(std::string_view part, int flush) {
    // zlib does not write to its input, but says so only in newer versions.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream_.avail_in = static_cast<uInt>(part.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(packed_);
      stream_.avail_out = sizeof(packed_);
      deflate(&stream_, flush);  // fails only for a stream used wrongly
      LARDER_RETURN_IF_ERROR(file_->Append({packed_, sizeof(packed_) - stream_.avail_out}));
    } while (stream_.avail_out == 0);
    return absl::OkStatus();
  }

  std::unique_ptr<FileWriter> file_;
  z_stream stream_ = {};
  bool open_ = false;
  char packed_[std::size_t{32} << 10] = {};
};

#endif

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSink>> CreateFileSink(const std::string& path, bool durable) {
  const bool packed = path.ends_with(".gz");
#if !defined(LARDER_HAVE_ZLIB)
  if (packed) return UnimplementedError("cannot write ", path, ": larder was built without zlib");
#endif
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<FileWriter> file, FileWriter::Create(path, durable));
#if defined(LARDER_HAVE_ZLIB)
  if (packed) {
    auto sink = std::make_unique<GzipSink>(std::move(file));
    LARDER_RETURN_IF_ERROR(sink->Open());
    return sink;
  }
#endif
  return std::make_unique<FileSink>(std::move(file));
}

std::unique_ptr<ByteSink> MakeTextSink(std::string* out) { return std::make_unique<TextSink>(out); }

}  // namespace larder::inline LARDER_ABI
