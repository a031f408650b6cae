// DuckDB as a second opinion: an in-memory database that takes and gives larder's columns.
#pragma once

#include <memory>
#include <string>

#include "larder/base/status.h"
#include "larder/column/batch.h"

namespace larder_test {

// bool, int32, int64, float64, string, date and timestamp columns become BOOLEAN, INTEGER, BIGINT, DOUBLE, VARCHAR, DATE
// and TIMESTAMP, and back. Threads: thread-bound.
class DuckDbDatabase {
 public:
  static absl::StatusOr<DuckDbDatabase> Open();
  DuckDbDatabase(DuckDbDatabase&&) noexcept;
  DuckDbDatabase& operator=(DuckDbDatabase&&) noexcept;
  ~DuckDbDatabase();

  // Errors: kInvalidArgument with DuckDB's message.
  absl::Status Run(const std::string& sql);
  // Makes (or replaces) a table of the batch's columns, with its rows in order.
  absl::Status PutTable(const std::string& name, const larder::Batch& rows);
  // Errors: also kUnimplemented naming a column whose type is none of the above.
  absl::StatusOr<larder::Batch> Query(const std::string& sql);

 private:
  struct Handles;
  explicit DuckDbDatabase(std::unique_ptr<Handles> handles);
  std::unique_ptr<Handles> handles_;
};

}  // namespace larder_test
