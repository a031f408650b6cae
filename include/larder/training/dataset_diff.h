// How two data sets differ: columns, rows and values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

struct DatasetDiffOptions {
  // Columns that say which row is which; several rows of one key are matched in order. Empty: rows are matched by
  // their place.
  std::vector<std::string> keys;
  std::size_t examples = 3;  // of each kind of difference
};

struct DatasetDiff {
  struct TypeChange {
    std::string column;
    DataType before;
    DataType after;
  };
  // Rows are counted from 1.
  struct ValueChange {
    std::size_t row_before = 0;
    std::size_t row_after = 0;
    Value before;
    Value after;
  };
  struct ColumnChange {
    std::string column;
    int64_t values = 0;  // of matched rows, how many differ
    std::vector<ValueChange> examples;
  };

  std::vector<std::string> removed_columns;
  std::vector<std::string> added_columns;
  std::vector<TypeChange> changed_types;  // their values are not compared
  bool columns_moved = false;             // the same columns in another order
  int64_t rows_before = 0;
  int64_t rows_after = 0;
  int64_t removed_rows = 0;  // matched by none
  int64_t added_rows = 0;
  std::vector<std::size_t> removed_examples;
  std::vector<std::size_t> added_examples;
  bool rows_moved = false;                    // matched rows in another order
  std::vector<ColumnChange> changed_columns;  // in the order of the first data set
  [[nodiscard]] bool empty() const;
};

// Values are the same when their bits are. Errors: kInvalidArgument for a key that is not a column of both, of one type.
[[nodiscard]] absl::StatusOr<DatasetDiff> CompareDatasets(const Batch& before, const Batch& after,
                                                          const DatasetDiffOptions& options = {});

}  // namespace larder::inline LARDER_ABI
