#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "io/byte_sink.h"
#include "io/column_check.h"
#include "io/dense_rows.h"
#include "larder/base/text.h"
#include "larder/io/dense_writer.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

class LibsvmWriter : public RecordWriter {
 public:
  LibsvmWriter(std::unique_ptr<ByteSink> sink, std::span<const Field> fields, DenseRows rows,
               const DenseOptions& options)
      : sink_(std::move(sink)),
        fields_(fields.begin(), fields.end()),
        dense_(std::move(rows)),
        dtype_(options.dtype),
        omit_nulls_(options.nulls.kind == NullRule::Kind::kOmit) {
    for (std::size_t i = 0; i < dense_.width(); ++i) keys_.push_back(Concat(" ", i + 1, ":"));
  }

  absl::Status Write(const Batch& batch) override {
    LARDER_RETURN_IF_ERROR(CheckColumns(fields_, batch));
    for (std::size_t begin = 0; begin < batch.row_count(); begin += kBlockRows) {
      LARDER_RETURN_IF_ERROR(
          WriteBlock(batch, begin, std::min(begin + kBlockRows, batch.row_count())));
    }
    rows_ += static_cast<int64_t>(batch.row_count());
    return absl::OkStatus();
  }

  absl::Status Finish() override { return sink_->Finish(); }
  int64_t rows_written() const override { return rows_; }

 private:
  static constexpr std::size_t kBlockRows = 1024;

  absl::Status WriteBlock(const Batch& batch, std::size_t begin, std::size_t end) {
    LARDER_RETURN_IF_ERROR(CheckNoNull(batch, dense_.label(), begin, end));
    if (dense_.query() != kNoColumn) {
      LARDER_RETURN_IF_ERROR(CheckNoNull(batch, dense_.query(), begin, end));
    }
    LARDER_RETURN_IF_ERROR(dense_.FillMatrix(batch, begin, end, rows_, &matrix_));
    LARDER_RETURN_IF_ERROR(dense_.FillLabel(batch, begin, end, rows_, &label_));
    std::size_t at = 0;
    for (std::size_t row = begin; row < end; ++row) {
      AppendNumber(label_.values[row - begin]);
      if (dense_.query() != kNoColumn) {
        lines_.append(" qid:");
        lines_.append(FormatValue(batch.column(dense_.query()).ValueAt(row)));
      }
      for (const std::string& key : keys_) {
        if (!omit_nulls_ || matrix_.nulls[at] == 0) {
          lines_.append(key);
          AppendNumber(matrix_.values[at]);
        }
        ++at;
      }
      lines_.push_back('\n');
    }
    LARDER_RETURN_IF_ERROR(sink_->Append(lines_));
    lines_.clear();
    return absl::OkStatus();
  }

  absl::Status CheckNoNull(const Batch& batch, std::size_t column, std::size_t begin,
                           std::size_t end) const {
    for (std::size_t row = begin; row < end; ++row) {
      if (batch.column(column).IsValid(row)) continue;
      return InvalidArgumentError("column ", fields_[column].name, ", row ",
                                  rows_ + static_cast<int64_t>(row) + 1,
                                  ": null, but every line of LibSVM's text has a ",
                                  column == dense_.label() ? "label" : "query");
    }
    return absl::OkStatus();
  }

  void AppendNumber(double value) {
    if (std::isnan(value)) {
      lines_.append("nan");
    } else if (std::isinf(value)) {
      lines_.append(value > 0 ? "inf" : "-inf");
    } else if (dtype_ == TypeId::kFloat32) {
      AppendTo(lines_, static_cast<float>(value));
    } else {
      AppendTo(lines_, value);
    }
  }

  std::unique_ptr<ByteSink> sink_;
  std::vector<Field> fields_;
  DenseRows dense_;
  TypeId dtype_;
  bool omit_nulls_;
  std::vector<std::string> keys_;
  DenseBlock matrix_;
  DenseBlock label_;
  std::string lines_;
  int64_t rows_ = 0;
};

absl::StatusOr<DenseRows> MakeRows(std::span<const Field> fields, const DenseOptions& options) {
  if (options.label.empty()) return InvalidArgumentError("LibSVM's text needs a label column");
  return DenseRows::Make(fields, options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateLibsvm(const std::string& path,
                                                           std::span<const Field> fields,
                                                           const DenseOptions& options) {
  LARDER_ASSIGN_OR_RETURN(DenseRows rows, MakeRows(fields, options));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSink> sink, CreateFileSink(path, options.durable));
  return std::make_unique<LibsvmWriter>(std::move(sink), fields, std::move(rows), options);
}

absl::StatusOr<std::unique_ptr<RecordWriter>> WriteLibsvmText(std::string* out,
                                                              std::span<const Field> fields,
                                                              const DenseOptions& options) {
  LARDER_ASSIGN_OR_RETURN(DenseRows rows, MakeRows(fields, options));
  return std::make_unique<LibsvmWriter>(MakeTextSink(out), fields, std::move(rows), options);
}

}  // namespace larder::inline LARDER_ABI
