#include "larder/io/record_reader.h"

#include <algorithm>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

class BatchReader : public RecordReader {
 public:
  BatchReader(Batch batch, std::string origin)
      : batch_(std::move(batch)), origin_(std::move(origin)) {
    for (std::size_t i = 0; i < batch_.column_count(); ++i) {
      Field field;
      field.name = batch_.name(i);
      field.type = batch_.column(i).type();
      fields_.push_back(std::move(field));
    }
    counts_.files = 1;
  }

  std::span<const Field> fields() const override { return fields_; }
  const ReadCounts& counts() const override { return counts_; }
  std::string PlaceOf(std::size_t row) const override {
    return Concat(origin_, ":", last_ + row + 1);
  }

  absl::StatusOr<bool> Next(Batch* out) override {
    last_ = next_;
    const std::size_t rows = std::min(kBatchRowsMax, batch_.row_count() - next_);
    next_ += rows;
    counts_.rows += static_cast<int64_t>(rows);
    if (rows == 0) {
      *out = Batch();
      return false;
    }
    if (rows == batch_.row_count()) {
      *out = batch_;
      return true;
    }
    Batch part;
    for (std::size_t c = 0; c < batch_.column_count(); ++c) {
      Column column(batch_.column(c).type());
      column.Reserve(rows);
      for (std::size_t i = last_; i < next_; ++i) column.AppendFrom(batch_.column(c), i);
      LARDER_RETURN_IF_ERROR(part.AddColumn(batch_.name(c), std::move(column)));
    }
    *out = std::move(part);
    return true;
  }

 private:
  Batch batch_;
  std::string origin_;
  std::vector<Field> fields_;
  ReadCounts counts_;
  std::size_t last_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<RecordReader> ReadBatch(Batch batch, std::string origin) {
  return std::make_unique<BatchReader>(std::move(batch), std::move(origin));
}

absl::StatusOr<Batch> ReadAll(RecordReader& reader) {
  Batch all;
  Batch part;
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(const bool more, reader.Next(&part));
    if (!more) break;
    if (all.column_count() == 0) {
      all = std::move(part);
      continue;
    }
    for (std::size_t c = 0; c < part.column_count(); ++c) {
      Column& column = all.mutable_column(c);
      for (std::size_t i = 0; i < part.column(c).size(); ++i) column.AppendFrom(part.column(c), i);
    }
  }
  if (all.column_count() > 0) return all;
  for (const Field& field : reader.fields()) {
    LARDER_RETURN_IF_ERROR(all.AddColumn(field.name, Column(field.type)));
  }
  return all;
}

}  // namespace larder::inline LARDER_ABI
