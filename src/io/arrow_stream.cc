#include "larder/io/arrow_stream.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/arrow_array.h"
#include "io/arrow_type.h"
#include "larder/io/rows_writer.h"

namespace larder::inline LARDER_ABI {
namespace {

// Where a stream's rows come from.
class ArrowProducer {
 public:
  virtual ~ArrowProducer() = default;
  [[nodiscard]] virtual std::vector<Field> fields() const = 0;
  // Leaves `*out` without a release callback at the end.
  virtual absl::Status Next(ArrowArray* out) = 0;

  std::string error;  // the last one, for get_last_error
};

class BatchProducer : public ArrowProducer {
 public:
  BatchProducer(std::shared_ptr<const Batch> rows, std::size_t array_rows)
      : rows_(std::move(rows)), array_rows_(array_rows) {}

  std::vector<Field> fields() const override { return FieldsOf(*rows_); }

  absl::Status Next(ArrowArray* out) override {
    const std::size_t begin = next_;
    if (begin >= rows_->row_count()) return absl::OkStatus();
    next_ = rows_->row_count() - begin > array_rows_ ? begin + array_rows_ : rows_->row_count();
    return ExportArrowRows(rows_, begin, next_, out);
  }

 private:
  std::shared_ptr<const Batch> rows_;
  std::size_t array_rows_;
  std::size_t next_ = 0;
};

class ReaderProducer : public ArrowProducer {
 public:
  explicit ReaderProducer(std::unique_ptr<RecordReader> reader) : reader_(std::move(reader)) {}

  std::vector<Field> fields() const override {
    return {reader_->fields().begin(), reader_->fields().end()};
  }

  absl::Status Next(ArrowArray* out) override {
    auto rows = std::make_shared<Batch>();
    LARDER_ASSIGN_OR_RETURN(const bool more, reader_->Next(rows.get()));
    if (!more) return absl::OkStatus();
    return ExportArrowRows(rows, 0, rows->row_count(), out);
  }

 private:
  std::unique_ptr<RecordReader> reader_;
};

ArrowProducer* ProducerOf(ArrowArrayStream* stream) {
  return static_cast<ArrowProducer*>(stream->private_data);
}

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  ExportArrowSchema(ProducerOf(stream)->fields(), out);
  return 0;
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  *out = {};
  ArrowProducer& producer = *ProducerOf(stream);
  const absl::Status status = producer.Next(out);
  if (status.ok()) return 0;
  *out = {};
  producer.error = std::string(MessageOf(status));
  return KindOf(status) == ErrorKind::kIoError ? EIO : EINVAL;
}

const char* GetLastError(ArrowArrayStream* stream) {
  const std::string& error = ProducerOf(stream)->error;
  return error.empty() ? nullptr : error.c_str();
}

void ReleaseStream(ArrowArrayStream* stream) {
  delete ProducerOf(stream);
  stream->release = nullptr;
}

void MakeStream(std::unique_ptr<ArrowProducer> producer, ArrowArrayStream* out) {
  *out = {};
  out->get_schema = &GetSchema;
  out->get_next = &GetNext;
  out->get_last_error = &GetLastError;
  out->release = &ReleaseStream;
  out->private_data = producer.release();
}

}  // namespace

absl::Status ExportArrowStream(std::shared_ptr<const Batch> rows, ArrowArrayStream* out,
                               const ArrowExportOptions& options) {
  for (std::size_t c = 0; c < rows->column_count(); ++c) {
    const Column& column = rows->column(c);
    if (column.type().id() == TypeId::kMap &&
        column.child()->size() > std::size_t{std::numeric_limits<int32_t>::max()}) {
      return InvalidArgumentError("column ", rows->name(c), " has ", column.child()->size(),
                                  " map entries: Arrow counts at most 2^31 - 1 of them");
    }
  }
  // Whole words of the validity bitmaps, so that no array needs an offset.
  const std::size_t array_rows = options.array_rows == 0
                                     ? std::numeric_limits<std::size_t>::max()
                                     : std::max<std::size_t>(BitWords(options.array_rows) * 64, 64);
  MakeStream(std::make_unique<BatchProducer>(std::move(rows), array_rows), out);
  return absl::OkStatus();
}

void ExportArrowStream(std::unique_ptr<RecordReader> reader, ArrowArrayStream* out) {
  MakeStream(std::make_unique<ReaderProducer>(std::move(reader)), out);
}

}  // namespace larder::inline LARDER_ABI
