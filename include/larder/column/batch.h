// Named columns of equal length.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/schema/definitions.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// One row at an edge: column name and value, in any order.
using Row = std::vector<std::pair<std::string, Value>>;

class Batch {
 public:
  Batch() = default;

  [[nodiscard]] std::size_t row_count() const { return columns_.empty() ? 0 : columns_[0].size(); }
  [[nodiscard]] std::size_t column_count() const { return columns_.size(); }
  [[nodiscard]] const std::string& name(std::size_t i) const LARDER_LIFETIME_BOUND {
    return names_[i];
  }
  [[nodiscard]] std::span<const std::string> names() const LARDER_LIFETIME_BOUND { return names_; }
  [[nodiscard]] const Column& column(std::size_t i) const LARDER_LIFETIME_BOUND {
    return columns_[i];
  }
  [[nodiscard]] Column& mutable_column(std::size_t i) LARDER_LIFETIME_BOUND { return columns_[i]; }
  [[nodiscard]] std::optional<std::size_t> IndexOf(std::string_view name) const;
  // Null when there is no such column. Lifetime: until the batch changes.
  [[nodiscard]] const Column* Find(std::string_view name) const LARDER_LIFETIME_BOUND;

  // Errors: kAlreadyExists for a taken name, kInvalidArgument for another length than the first
  // column's.
  absl::Status AddColumn(std::string name, Column column);

  // Whether `other` has columns of the same names and types in the same order.
  [[nodiscard]] bool HasShapeOf(const Batch& other) const;
  // Copies the rows of a batch of this shape behind those that are there.
  void AppendRows(const Batch& other);
  // Keeps the first `rows` rows, and the memory of the others. Requires: rows <= row_count().
  void Truncate(std::size_t rows);

  // Rows with the same set of names become columns typed as `fields` say; missing names are null;
  // values convert as ConvertValue has it. Errors: kInvalidArgument naming row, column, found and
  // expected; unknown column names.
  static absl::StatusOr<Batch> FromRows(std::span<const Row> rows, std::span<const Field> fields);
  [[nodiscard]] Row RowAt(std::size_t i) const;

 private:
  std::vector<std::string> names_;
  std::vector<Column> columns_;
};

}  // namespace larder::inline LARDER_ABI
