#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "io/column_check.h"
#include "io/dense_rows.h"
#include "io/npy_format.h"
#include "io/npz_column.h"
#include "io/zip_writer.h"
#include "larder/base/text.h"
#include "larder/column/validity.h"
#include "larder/io/dense_writer.h"

namespace larder::inline LARDER_ABI {
namespace {

class NpzWriter : public RecordWriter {
 public:
  NpzWriter(std::unique_ptr<ZipWriter> zip, std::span<const Field> fields, DenseRows rows,
            const DenseOptions& options)
      : zip_(std::move(zip)),
        fields_(fields.begin(), fields.end()),
        dense_(std::move(rows)),
        dtype_(options.dtype),
        nulls_(options.nulls) {
    for (const std::size_t i : dense_.others()) others_.emplace_back(fields_[i].type);
    if (dense_.query() != kNoColumn) query_.emplace_back(fields_[dense_.query()].type);
  }

  absl::Status Start() { return zip_->Begin("X.npy", MatrixHeader(FloatDescr(dtype_))); }

  absl::Status Write(const Batch& batch) override {
    LARDER_RETURN_IF_ERROR(CheckColumns(fields_, batch));
    for (std::size_t begin = 0; begin < batch.row_count(); begin += kBlockRows) {
      LARDER_RETURN_IF_ERROR(
          WriteBlock(batch, begin, std::min(begin + kBlockRows, batch.row_count())));
    }
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      for (std::size_t i = 0; i < others_.size(); ++i) {
        others_[i].AppendFrom(batch.column(dense_.others()[i]), row);
      }
      if (!query_.empty()) query_[0].AppendFrom(batch.column(dense_.query()), row);
    }
    rows_ += static_cast<int64_t>(batch.row_count());
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    LARDER_RETURN_IF_ERROR(zip_->End(MatrixHeader(FloatDescr(dtype_))));
    LARDER_RETURN_IF_ERROR(WriteMask("mask.npy", MatrixHeader("|b1"), matrix_nulls_));
    LARDER_RETURN_IF_ERROR(WriteNpzTexts("names", dense_.names(), zip_.get()));
    const std::array<std::string, 1> rule = {nulls_.ToString()};
    LARDER_RETURN_IF_ERROR(WriteNpzTexts("null_rule", rule, zip_.get()));
    if (dense_.label() != kNoColumn) LARDER_RETURN_IF_ERROR(WriteLabel());
    if (!query_.empty()) LARDER_RETURN_IF_ERROR(WriteNpzColumn("query", query_[0], zip_.get()));
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const std::string& name = fields_[dense_.others()[i]].name;
      LARDER_RETURN_IF_ERROR(WriteNpzColumn(Concat("columns/", name), others_[i], zip_.get()));
    }
    return zip_->Finish();
  }

  int64_t rows_written() const override { return rows_; }

 private:
  static constexpr std::size_t kBlockRows = 1024;

  [[nodiscard]] std::string MatrixHeader(std::string_view descr) const {
    const std::array<uint64_t, 2> shape = {static_cast<uint64_t>(rows_), dense_.width()};
    return NpyHeader(descr, shape);
  }

  absl::Status WriteBlock(const Batch& batch, std::size_t begin, std::size_t end) {
    LARDER_RETURN_IF_ERROR(dense_.FillMatrix(batch, begin, end, rows_, &block_));
    for (const uint8_t null : block_.nulls) matrix_nulls_.Append(null != 0);
    bytes_.clear();
    AppendFloats(block_, dtype_, &bytes_);
    LARDER_RETURN_IF_ERROR(zip_->Append(bytes_));
    if (dense_.label() == kNoColumn) return absl::OkStatus();
    LARDER_RETURN_IF_ERROR(dense_.FillLabel(batch, begin, end, rows_, &block_));
    for (const uint8_t null : block_.nulls) label_nulls_.Append(null != 0);
    AppendFloats(block_, dtype_, &label_);
    return absl::OkStatus();
  }

  absl::Status WriteMask(const std::string& member, const std::string& header,
                         const Validity& nulls) {
    LARDER_RETURN_IF_ERROR(zip_->Begin(member, header));
    for (std::size_t begin = 0; begin < nulls.size(); begin += kMaskPart) {
      const std::size_t end = std::min(begin + kMaskPart, nulls.size());
      bytes_.clear();
      for (std::size_t i = begin; i < end; ++i) bytes_.push_back(nulls.Test(i) ? '\1' : '\0');
      LARDER_RETURN_IF_ERROR(zip_->Append(bytes_));
    }
    return zip_->End(header);
  }

  absl::Status WriteLabel() {
    const std::array<uint64_t, 1> shape = {static_cast<uint64_t>(rows_)};
    const std::string header = NpyHeader(FloatDescr(dtype_), shape);
    LARDER_RETURN_IF_ERROR(zip_->Begin("y.npy", header));
    LARDER_RETURN_IF_ERROR(zip_->Append(label_));
    LARDER_RETURN_IF_ERROR(zip_->End(header));
    return WriteMask("y_mask.npy", NpyHeader("|b1", shape), label_nulls_);
  }

  static constexpr std::size_t kMaskPart = std::size_t{1} << 20;

  std::unique_ptr<ZipWriter> zip_;
  std::vector<Field> fields_;
  DenseRows dense_;
  TypeId dtype_;
  NullRule nulls_;
  DenseBlock block_;
  std::string bytes_;
  Validity matrix_nulls_;  // set where null
  std::string label_;
  Validity label_nulls_;
  std::vector<Column> query_;  // one, or none
  std::vector<Column> others_;
  int64_t rows_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateNpz(const std::string& path,
                                                        std::span<const Field> fields,
                                                        const DenseOptions& options) {
  if (options.nulls.kind == NullRule::Kind::kOmit) {
    return InvalidArgumentError(
        "the null rule omit is for LibSVM's text; a matrix has every entry");
  }
  LARDER_ASSIGN_OR_RETURN(DenseRows rows, DenseRows::Make(fields, options));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ZipWriter> zip,
                          ZipWriter::Create(path, options.compress, options.durable));
  auto writer = std::make_unique<NpzWriter>(std::move(zip), fields, std::move(rows), options);
  LARDER_RETURN_IF_ERROR(writer->Start());
  return writer;
}

}  // namespace larder::inline LARDER_ABI
