// Batches of columns as a table of DuckDB's: rows are pushed on one side and scanned on the other.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "io/duckdb_connection.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// `SELECT * FROM larder_rows()` gives what Push is called with until Close, one scan in all. Nothing is copied but into
// DuckDB's own vectors, while Push waits.
//
// Threads: Push and Close belong to one thread, the query to another.
class BatchScan {
 public:
  explicit BatchScan(std::vector<Field> fields) : fields_(std::move(fields)) {}
  BatchScan(const BatchScan&) = delete;
  BatchScan& operator=(const BatchScan&) = delete;

  // Makes the table function. Requires: this outlives `connection`'s queries of it.
  absl::Status Register(DuckDbConnection& connection);

  // Returns once all rows are taken; false when the query has ended without them (see Abandon).
  bool Push(const Batch& batch);
  // No more rows: the scan ends. With an error, the query fails with it.
  void Close(const char* error = nullptr);
  // The query is over, whatever it took.
  void Abandon();

 private:
  static void Bind(duckdb_abi::Handle info);
  static void Init(duckdb_abi::Handle info);
  static void Scan(duckdb_abi::Handle info, duckdb_abi::Handle chunk);
  void Fill(duckdb_abi::Handle info, duckdb_abi::Handle chunk);

  std::vector<Field> fields_;
  const DuckDbLibrary* api_ = nullptr;
  std::size_t chunk_rows_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  const Batch* batch_ = nullptr;  // being scanned
  std::size_t next_row_ = 0;
  bool closed_ = false;
  bool abandoned_ = false;
  const char* error_ = nullptr;
};

}  // namespace larder::inline LARDER_ABI
