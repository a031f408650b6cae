// Requests made of a table of keys, as the columns that a serving session takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/serving.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// Everything a service takes, with a row per key. Never changes: threads share it.
class RequestTable {
 public:
  // `keys` holds the plan's join key columns; `request` a value for each request field, text as typed, which all
  // rows get. Errors: usage, for request fields missing, unknown or unreadable.
  static absl::StatusOr<RequestTable> Make(const ServingPlan& plan, Batch keys, const Row& request);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  // The row as GetOnlineFeatures takes it.
  [[nodiscard]] Row RowAt(std::size_t row) const;

 private:
  friend class RequestColumns;
  struct Input {
    std::string name;
    InputColumn::Kind kind = InputColumn::Kind::kInteger;
    std::vector<int64_t> integers;  // unsigned ones, too: the same bits
    std::vector<double> doubles;
    std::vector<std::string> texts;
    std::vector<Value> values;
  };
  static absl::Status AddColumn(const Field& field, const Column& column, RequestTable* table);
  std::vector<Input> inputs_;
  std::size_t rows_ = 0;
};

// One thread's request of a fixed size, filled again and again. Borrows from the table.
class RequestColumns {
 public:
  RequestColumns(const RequestTable& table LARDER_LIFETIME_BOUND, std::size_t size);
  // Not to be moved: the columns point into it.
  RequestColumns(const RequestColumns&) = delete;
  RequestColumns& operator=(const RequestColumns&) = delete;

  // Takes the keys at `rows` of the table. Requires: rows.size() == size.
  void Take(std::span<const std::size_t> rows);
  [[nodiscard]] std::span<const InputColumn> columns() const LARDER_LIFETIME_BOUND {
    return columns_;
  }

 private:
  struct Buffer {
    std::vector<int64_t> integers;
    std::vector<uint64_t> unsigneds;
    std::vector<double> doubles;
    std::vector<std::string_view> texts;
  };
  const RequestTable& table_;
  std::vector<Buffer> buffers_;
  std::vector<InputColumn> columns_;
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
