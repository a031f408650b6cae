#include "larder/io/csv_writer.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "io/byte_sink.h"
#include "io/column_check.h"
#include "larder/base/text.h"
#include "larder/base/time.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

class CsvWriter : public RecordWriter {
 public:
  CsvWriter(std::unique_ptr<ByteSink> sink, std::span<const Field> fields, char delimiter)
      : sink_(std::move(sink)), fields_(fields.begin(), fields.end()), delimiter_(delimiter) {}

  absl::Status WriteHeader() {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (i > 0) line_.push_back(delimiter_);
      AppendTextCell(fields_[i].name);
    }
    line_.push_back('\n');
    return FlushLines(0);
  }

  absl::Status Write(const Batch& batch) override {
    LARDER_RETURN_IF_ERROR(CheckColumns(fields_, batch));
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      for (std::size_t c = 0; c < fields_.size(); ++c) {
        if (c > 0) line_.push_back(delimiter_);
        if (batch.column(c).IsValid(row)) AppendCell(batch.column(c), row);
      }
      line_.push_back('\n');
      LARDER_RETURN_IF_ERROR(FlushLines(kLinesSize));
    }
    rows_ += static_cast<int64_t>(batch.row_count());
    return FlushLines(0);
  }

  absl::Status Finish() override { return sink_->Finish(); }
  int64_t rows_written() const override { return rows_; }

 private:
  static constexpr std::size_t kLinesSize = std::size_t{64} << 10;

  absl::Status FlushLines(std::size_t over) {
    if (line_.size() <= over) return absl::OkStatus();
    LARDER_RETURN_IF_ERROR(sink_->Append(line_));
    line_.clear();
    return absl::OkStatus();
  }

  void AppendTextCell(std::string_view text) {
    const auto is_special = [this](char c) {
      return c == delimiter_ || c == '"' || c == '\n' || c == '\r';
    };
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    const bool quote = text.empty() || is_blank(text.front()) || is_blank(text.back()) ||
                       std::any_of(text.begin(), text.end(), is_special) ||
                       text.starts_with("\xEF\xBB\xBF");
    if (quote) {
      AppendQuoted(text, &line_);
    } else {
      line_.append(text);
    }
  }

  template <class T>
  void AppendFloat(T value) {
    if (std::isfinite(value)) {
      AppendTo(line_, value);
    } else {
      line_.append(FormatValue(Value(value)));
    }
  }

  void AppendCell(const Column& column, std::size_t row) {
    switch (column.type().id()) {
      case TypeId::kBool:
        return AppendTo(line_, column.Values<uint8_t>()[row] != 0);
      case TypeId::kInt32:
        return AppendTo(line_, column.Values<int32_t>()[row]);
      case TypeId::kInt64:
        return AppendTo(line_, column.Values<int64_t>()[row]);
      case TypeId::kUint64:
        return AppendTo(line_, column.Values<uint64_t>()[row]);
      case TypeId::kFloat32:
        return AppendFloat(column.Values<float>()[row]);
      case TypeId::kFloat64:
        return AppendFloat(column.Values<double>()[row]);
      case TypeId::kString:
        return AppendTextCell(column.Text(row));
      case TypeId::kTimestamp:
        line_.append(FormatTimestamp({column.Values<int64_t>()[row]}));
        return;
      default:
        return AppendTextCell(FormatValue(column.ValueAt(row)));
    }
  }

  std::unique_ptr<ByteSink> sink_;
  std::vector<Field> fields_;
  char delimiter_;
  std::string line_;
  int64_t rows_ = 0;
};

absl::Status CheckFields(std::span<const Field> fields, char delimiter) {
  // Digits, letters and what numbers and times are written with would not be read back.
  if (!std::ispunct(static_cast<unsigned char>(delimiter)) && delimiter != '\t' && delimiter != ' ') {
    return InvalidArgumentError("the delimiter must be a punctuation mark, blank or tab");
  }
  if (delimiter == '"' || delimiter == '-' || delimiter == '+' || delimiter == '.' ||
      delimiter == ':') {
    return InvalidArgumentError("the delimiter must not be ", delimiter);
  }
  return CheckNames(fields);
}

absl::StatusOr<std::unique_ptr<RecordWriter>> MakeWriter(std::unique_ptr<ByteSink> sink,
                                                         std::span<const Field> fields,
                                                         char delimiter) {
  auto writer = std::make_unique<CsvWriter>(std::move(sink), fields, delimiter);
  LARDER_RETURN_IF_ERROR(writer->WriteHeader());
  return writer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateCsv(const std::string& path,
                                                        std::span<const Field> fields,
                                                        const CsvWriteOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckFields(fields, options.delimiter));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<ByteSink> sink, CreateFileSink(path, options.durable));
  return MakeWriter(std::move(sink), fields, options.delimiter);
}

absl::StatusOr<std::unique_ptr<RecordWriter>> WriteCsvText(std::string* out,
                                                           std::span<const Field> fields,
                                                           const CsvWriteOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckFields(fields, options.delimiter));
  return MakeWriter(MakeTextSink(out), fields, options.delimiter);
}

}  // namespace larder::inline LARDER_ABI
