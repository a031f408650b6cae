// Writing Parquet through DuckDB, where its library is installed.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/record_writer.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct ParquetWriteOptions {
  bool durable = true;               // the file and its folder are synced before Finish returns
  std::string compression = "zstd";  // or snappy, gzip, uncompressed
  std::size_t row_group_rows = 122'880;
};

// A file of row groups that any Parquet reader understands: rows in the order written, every column nullable.
//
// | larder | Parquet |
// |---|---|
// | bool, int32, int64, float32, float64 | the same; uint64 as UINT_64 |
// | string, bytes | text (UTF8), bytes |
// | timestamp | instants in microseconds, UTC |
// | date, duration | date; INT64 of microseconds, as Parquet's intervals end at milliseconds |
// | vector, list | LIST |
// | map | MAP |
//
// Rows stream: a batch is encoded while Write waits, and no more than a row group is held.
// Errors: kFailedPrecondition where DuckDB's library is not found, saying what to install; as RecordWriter's.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateParquet(
    const std::string& path, std::span<const Field> fields, const ParquetWriteOptions& options = {});

}  // namespace larder::inline LARDER_ABI
