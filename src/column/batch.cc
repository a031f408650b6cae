#include "larder/column/batch.h"

#include <algorithm>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {

std::optional<std::size_t> Batch::IndexOf(std::string_view name) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return i;
  }
  return std::nullopt;
}

const Column* Batch::Find(std::string_view name) const {
  const std::optional<std::size_t> i = IndexOf(name);
  return i.has_value() ? &columns_[*i] : nullptr;
}

absl::Status Batch::AddColumn(std::string name, Column column) {
  if (IndexOf(name).has_value())
    return AlreadyExistsError("column ", Quoted(name), " is in the batch already");
  if (!columns_.empty() && column.size() != row_count()) {
    return InvalidArgumentError("column ", Quoted(name), ": found ", column.size(),
                                " rows, expected ", row_count());
  }
  names_.push_back(std::move(name));
  columns_.push_back(std::move(column));
  return absl::OkStatus();
}

bool Batch::HasShapeOf(const Batch& other) const {
  return names_ == other.names_ &&
         std::equal(columns_.begin(), columns_.end(), other.columns_.begin(),
                    [](const Column& a, const Column& b) { return a.type() == b.type(); });
}

void Batch::AppendRows(const Batch& other) {
  LARDER_DCHECK(HasShapeOf(other));
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Column& from = other.columns_[c];
    for (std::size_t row = 0; row < from.size(); ++row) columns_[c].AppendFrom(from, row);
  }
}

void Batch::Truncate(std::size_t rows) {
  for (Column& column : columns_) column.Truncate(rows);
}

absl::StatusOr<Batch> Batch::FromRows(std::span<const Row> rows, std::span<const Field> fields) {
  Batch batch;
  for (const Field& field : fields) {
    Column column(field.type);
    column.Reserve(rows.size());
    LARDER_RETURN_IF_ERROR(batch.AddColumn(field.name, std::move(column)));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    for (std::size_t c = 0; c < row.size(); ++c) {
      const auto& [name, value] = row[c];
      // Most rows name their columns in the fields' order.
      const bool in_order = c < fields.size() && batch.names_[c] == name;
      const std::optional<std::size_t> at = in_order ? std::optional(c) : batch.IndexOf(name);
      if (!at.has_value()) {
        return InvalidArgumentError("row ", r, ": unknown column ", Quoted(name),
                                    DidYouMean(name, batch.names_));
      }
      Column& column = batch.columns_[*at];
      if (column.size() > r)
        return InvalidArgumentError("row ", r, ": column ", Quoted(name), " appears twice");
      absl::StatusOr<Value> converted = ConvertValue(value, column.type());
      const absl::Status status = converted.ok() ? column.Append(*converted) : converted.status();
      if (!status.ok()) return Annotate(status, Concat("row ", r, ", column ", Quoted(name)));
    }
    for (Column& column : batch.columns_) {
      if (column.size() == r) column.AppendNull();
    }
  }
  return batch;
}

Row Batch::RowAt(std::size_t i) const {
  Row row;
  row.reserve(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c)
    row.emplace_back(names_[c], columns_[c].ValueAt(i));
  return row;
}

}  // namespace larder::inline LARDER_ABI
