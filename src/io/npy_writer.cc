#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "io/column_check.h"
#include "io/dense_rows.h"
#include "io/file_writer.h"
#include "io/npy_format.h"
#include "larder/io/dense_writer.h"

namespace larder::inline LARDER_ABI {
namespace {

class NpyWriter : public RecordWriter {
 public:
  NpyWriter(std::unique_ptr<FileWriter> file, std::span<const Field> fields, DenseRows rows,
            TypeId dtype)
      : file_(std::move(file)),
        fields_(fields.begin(), fields.end()),
        dense_(std::move(rows)),
        dtype_(dtype) {}

  absl::Status Start() { return file_->Append(Header()); }

  absl::Status Write(const Batch& batch) override {
    LARDER_RETURN_IF_ERROR(CheckColumns(fields_, batch));
    for (std::size_t begin = 0; begin < batch.row_count(); begin += kBlockRows) {
      const std::size_t end = std::min(begin + kBlockRows, batch.row_count());
      LARDER_RETURN_IF_ERROR(dense_.FillMatrix(batch, begin, end, rows_, &block_));
      bytes_.clear();
      AppendFloats(block_, dtype_, &bytes_);
      LARDER_RETURN_IF_ERROR(file_->Append(bytes_));
    }
    rows_ += static_cast<int64_t>(batch.row_count());
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    LARDER_RETURN_IF_ERROR(file_->Replace(0, Header()));
    return file_->Finish();
  }

  int64_t rows_written() const override { return rows_; }

 private:
  static constexpr std::size_t kBlockRows = 1024;

  [[nodiscard]] std::string Header() const {
    const std::array<uint64_t, 2> shape = {static_cast<uint64_t>(rows_), dense_.width()};
    return NpyHeader(FloatDescr(dtype_), shape);
  }

  std::unique_ptr<FileWriter> file_;
  std::vector<Field> fields_;
  DenseRows dense_;
  TypeId dtype_;
  DenseBlock block_;
  std::string bytes_;
  int64_t rows_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateNpy(const std::string& path,
                                                        std::span<const Field> fields,
                                                        const DenseOptions& options) {
  if (!options.label.empty() || !options.query.empty()) {
    return InvalidArgumentError(
        "a .npy file holds one matrix, without label or query; .npz has both");
  }
  if (options.nulls.kind == NullRule::Kind::kOmit) {
    return InvalidArgumentError(
        "the null rule omit is for LibSVM's text; a matrix has every entry");
  }
  LARDER_ASSIGN_OR_RETURN(DenseRows rows, DenseRows::Make(fields, options));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<FileWriter> file,
                          FileWriter::Create(path, options.durable));
  auto writer = std::make_unique<NpyWriter>(std::move(file), fields, std::move(rows), options.dtype);
  LARDER_RETURN_IF_ERROR(writer->Start());
  return writer;
}

}  // namespace larder::inline LARDER_ABI
