#include "io/byte_sink.h"

#include <utility>

#include "io/file_writer.h"

#if defined(LARDER_HAVE_ZLIB)
#include "io/deflate_stream.h"
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

  absl::Status Open() { return stream_.Open(DeflateStream::Frame::kGzip); }
  absl::Status Append(std::string_view bytes) override {
    return stream_.Append(bytes, file_.get());
  }
  absl::Status Finish() override {
    LARDER_RETURN_IF_ERROR(stream_.Finish(file_.get()));
    return file_->Finish();
  }

 private:
  std::unique_ptr<FileWriter> file_;
  DeflateStream stream_;
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
