// What rows hold, as hashes: equal exactly when the rows are, whatever file format they were written in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/sha256.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

struct ColumnContent {
  std::string name;
  DataType type;
  int64_t nulls = 0;
  std::string sha256;  // of its values in row order
  friend bool operator==(const ColumnContent&, const ColumnContent&) = default;
};

struct DatasetContent {
  int64_t rows = 0;
  std::vector<ColumnContent> columns;
  std::string sha256;  // of all of the above
  friend bool operator==(const DatasetContent&, const DatasetContent&) = default;
};

// Canonical form of a column: for each row a byte 0 for null, or a byte 1 and the value. Values of fixed width are their
// little-endian bytes, every NaN the same quiet one; string and bytes a 64-bit length and the bytes; lists and maps the
// same of FormatValue's text. The dataset's hash is that of the line `larder dataset 1`, the number of rows, and of
// each column name, type, nulls and hash, a line each.
//
// Threads: thread-bound.
class DatasetHasher {
 public:
  // Takes the next rows. Requires: columns of the names and types of the first batch.
  void Add(const Batch& batch);
  // Requires: at least one Add, which may be of no rows.
  [[nodiscard]] DatasetContent Finish() &&;

  // What it has taken so far, as text that Restore goes on from.
  [[nodiscard]] std::string Save() const;
  // `shape` has the columns of what was saved and of what is still to come; its rows do not count.
  // Errors: kInvalidArgument for what Save did not write, or for another number of columns.
  static absl::StatusOr<DatasetHasher> Restore(std::string_view saved, const Batch& shape);

 private:
  DatasetContent content_;
  std::vector<Sha256> hashes_;
};

[[nodiscard]] DatasetContent ContentOf(const Batch& rows);

}  // namespace larder::inline LARDER_ABI
