#include "larder/io/ndjson_writer.h"

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "io/byte_sink.h"
#include "io/column_check.h"
#include "larder/base/text.h"
#include "larder/base/time.h"
#include "larder/schema/value.h"
#include "schema/json_text.h"

namespace larder::inline LARDER_ABI {
namespace {

class NdjsonWriter : public RecordWriter {
 public:
  NdjsonWriter(std::unique_ptr<ByteSink> sink, std::span<const Field> fields)
      : sink_(std::move(sink)), fields_(fields.begin(), fields.end()) {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      keys_.push_back(Concat(i == 0 ? "{" : ", ", QuoteJson(fields_[i].name), ": "));
    }
  }

  absl::Status Write(const Batch& batch) override {
    LARDER_RETURN_IF_ERROR(CheckColumns(fields_, batch));
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      for (std::size_t c = 0; c < fields_.size(); ++c) {
        lines_.append(keys_[c]);
        AppendCell(batch.column(c), row);
      }
      lines_.append("}\n");
      if (lines_.size() > kLinesSize) LARDER_RETURN_IF_ERROR(Flush());
    }
    rows_ += static_cast<int64_t>(batch.row_count());
    return Flush();
  }

  absl::Status Finish() override { return sink_->Finish(); }
  int64_t rows_written() const override { return rows_; }

 private:
  static constexpr std::size_t kLinesSize = std::size_t{64} << 10;

  absl::Status Flush() {
    LARDER_RETURN_IF_ERROR(sink_->Append(lines_));
    lines_.clear();
    return absl::OkStatus();
  }

  template <class Float>
  void AppendFloat(Float value) {
    if (!std::isfinite(value)) {
      lines_.append(QuoteJson(FormatValue(Value(value))));
    } else if (value == 0 && std::signbit(value)) {
      lines_.append(
          "-0.0");  // without the point it would be read as an integer, which has no such zero
    } else {
      AppendTo(lines_, value);
    }
  }

  void AppendCell(const Column& column, std::size_t row) {
    if (!column.IsValid(row)) {
      lines_.append("null");
      return;
    }
    switch (column.type().id()) {
      case TypeId::kBool:
        return AppendTo(lines_, column.Values<uint8_t>()[row] != 0);
      case TypeId::kInt32:
        return AppendTo(lines_, column.Values<int32_t>()[row]);
      case TypeId::kInt64:
        return AppendTo(lines_, column.Values<int64_t>()[row]);
      case TypeId::kUint64:
        return AppendTo(lines_, column.Values<uint64_t>()[row]);
      case TypeId::kFloat32:
        return AppendFloat(column.Values<float>()[row]);
      case TypeId::kFloat64:
        return AppendFloat(column.Values<double>()[row]);
      case TypeId::kString:
        lines_.append(QuoteJson(column.Text(row)));
        return;
      case TypeId::kVector:
      case TypeId::kList:
      case TypeId::kMap:  // their text form is JSON
        lines_.append(FormatValue(column.ValueAt(row)));
        return;
      default:
        lines_.append(QuoteJson(FormatValue(column.ValueAt(row))));
        return;
    }
  }

  std::unique_ptr<ByteSink> sink_;
  std::vector<Field> fields_;
  std::vector<std::string> keys_;
  std::string lines_;
  int64_t rows_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateNdjson(const std::string& path,
                                                           std::span<const Field> fields,
                                                           const NdjsonWriteOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckNames(fields));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSink> sink, CreateFileSink(path, options.durable));
  return std::make_unique<NdjsonWriter>(std::move(sink), fields);
}

absl::StatusOr<std::unique_ptr<RecordWriter>> WriteNdjsonText(std::string* out,
                                                              std::span<const Field> fields) {
  LARDER_RETURN_IF_ERROR(CheckNames(fields));
  return std::make_unique<NdjsonWriter>(MakeTextSink(out), fields);
}

}  // namespace larder::inline LARDER_ABI
