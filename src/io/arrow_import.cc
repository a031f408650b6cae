#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "io/arrow_field.h"
#include "larder/base/text.h"
#include "larder/io/arrow_stream.h"

namespace larder::inline LARDER_ABI {
namespace {

// Releases what a producer filled, once.
template <class T>
class Released {
 public:
  Released() = default;
  explicit Released(T* from) : value_(*from) { from->release = nullptr; }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
  ~Released() { Release(); }
  void Release() {
    if (value_.release != nullptr) value_.release(&value_);
    value_ = {};
  }
  [[nodiscard]] bool is_there() const { return value_.release != nullptr; }
  T* get() { return &value_; }
  T* operator->() { return &value_; }
  [[nodiscard]] const T& operator*() const { return value_; }

 private:
  T value_ = {};
};

class ArrowReader : public RecordReader {
 public:
  ArrowReader(ArrowArrayStream* stream, std::string origin)
      : stream_(stream), origin_(std::move(origin)) {
    counts_.files = 1;
  }

  absl::Status Begin() {
    if (!stream_.is_there())
      return InvalidArgumentError(origin_, ": the Arrow stream has been released");
    Released<ArrowSchema> schema;
    const int code = stream_->get_schema(stream_.get(), schema.get());
    if (code != 0) return ErrorOf(code, "its schema");
    if (schema->format == nullptr || std::string_view(schema->format) != "+s") {
      return InvalidArgumentError(origin_, ": the Arrow stream is of format ",
                                  Quoted(schema->format == nullptr ? "" : schema->format),
                                  ", expected a struct, a field a column");
    }
    if (schema->n_children < 0 || (schema->n_children > 0 && schema->children == nullptr))
      return InvalidArgumentError(origin_, ": the Arrow stream's struct has no fields");
    for (int64_t i = 0; i < schema->n_children; ++i) {
      if (schema->children[i] == nullptr)
        return InvalidArgumentError(origin_, ": Arrow field ", i, " is not there");
      const ArrowSchema& child = *schema->children[i];
      const std::string name = child.name == nullptr ? "" : child.name;
      if (name.empty()) return InvalidArgumentError(origin_, ": Arrow field ", i, " has no name");
      absl::StatusOr<ArrowField> field = ArrowField::Make(child, name);
      if (!field.ok()) return Annotate(field.status(), origin_);
      Field& column = fields_.emplace_back();
      column.name = name;
      column.type = field->type;
      columns_.push_back(*std::move(field));
    }
    return absl::OkStatus();
  }

  std::span<const Field> fields() const override { return fields_; }
  const ReadCounts& counts() const override { return counts_; }
  std::string PlaceOf(std::size_t row) const override {
    return Concat(origin_, ":", counts_.rows - batch_rows_ + static_cast<int64_t>(row) + 1);
  }

  absl::StatusOr<bool> Next(Batch* out) override {
    *out = Batch();
    const absl::Status status = Fill(out);
    if (status.ok()) return batch_rows_ > 0;
    Stop();
    *out = Batch();
    return Annotate(status, origin_);
  }

 private:
  absl::Status Fill(Batch* out) {
    batch_rows_ = 0;
    while (next_ == (array_.is_there() ? array_->length : 0)) {
      array_.Release();
      next_ = 0;
      if (!stream_.is_there()) return absl::OkStatus();
      const int code = stream_->get_next(stream_.get(), array_.get());
      if (code != 0) return ErrorOf(code, "its next rows");
      if (!array_.is_there()) {
        stream_.Release();
        return absl::OkStatus();
      }
      LARDER_RETURN_IF_ERROR(CheckArray());
    }
    const int64_t end = std::min(array_->length, next_ + int64_t{kBatchRowsMax});
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      Column column(columns_[c].type);
      LARDER_RETURN_IF_ERROR(AppendArrow(columns_[c], *array_->children[c], array_->offset + next_,
                                         array_->offset + end, &column, &counts_));
      LARDER_RETURN_IF_ERROR(out->AddColumn(columns_[c].name, std::move(column)));
    }
    batch_rows_ = end - next_;
    counts_.rows += batch_rows_;
    next_ = end;
    return absl::OkStatus();
  }

  absl::Status CheckArray() {
    if (array_->n_children != std::ssize(columns_) ||
        (array_->n_children > 0 && array_->children == nullptr)) {
      return InvalidArgumentError("an array of ", array_->n_children, " columns, expected ",
                                  columns_.size());
    }
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (array_->children[c] == nullptr)
        return InvalidArgumentError("an array without its column ", columns_[c].name);
    }
    LARDER_RETURN_IF_ERROR(CheckArrowExtent(*array_));
    const bool has_null_rows = array_->null_count != 0 && array_->n_buffers > 0 &&
                               array_->buffers != nullptr && array_->buffers[0] != nullptr;
    if (!has_null_rows) return absl::OkStatus();
    const auto* bits = static_cast<const uint8_t*>(array_->buffers[0]);
    for (int64_t i = array_->offset; i < array_->offset + array_->length; ++i) {
      const auto at = static_cast<uint64_t>(i);
      if (((bits[at / 8] >> (at % 8)) & 1U) == 0)
        return InvalidArgumentError("row ", i - array_->offset, " of an array is null as a whole");
    }
    return absl::OkStatus();
  }

  absl::Status ErrorOf(int code, std::string_view of) {
    const char* const text =
        stream_->get_last_error == nullptr ? nullptr : stream_->get_last_error(stream_.get());
    const std::string message = Concat("the Arrow stream cannot give ", of, ": ",
                                       text == nullptr ? Concat("error ", code) : std::string(text));
    if (code == EIO) return WithKind(UnavailableError(message), ErrorKind::kIoError);
    if (code == ENOMEM) return ResourceExhaustedError(message);
    return InvalidArgumentError(message);
  }

  void Stop() {
    array_.Release();
    stream_.Release();
    next_ = 0;
    batch_rows_ = 0;
  }

  Released<ArrowArrayStream> stream_;
  const std::string origin_;
  std::vector<ArrowField> columns_;
  std::vector<Field> fields_;
  Released<ArrowArray> array_;
  int64_t next_ = 0;  // row of array_
  int64_t batch_rows_ = 0;
  ReadCounts counts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordReader>> ImportArrowStream(ArrowArrayStream* stream,
                                                                std::string origin) {
  auto reader = std::make_unique<ArrowReader>(stream, std::move(origin));
  LARDER_RETURN_IF_ERROR(reader->Begin());
  return std::unique_ptr<RecordReader>(std::move(reader));
}

}  // namespace larder::inline LARDER_ABI
