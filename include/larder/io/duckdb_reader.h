// Reading Parquet files and the rows of SQL queries through DuckDB, where its library is installed.
#pragma once

#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/csv_reader.h"
#include "larder/io/record_reader.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Opens the Parquet files that `source.path` names, one after another in order of name; a path with `://` goes to DuckDB
// as it is. Folders named `day=2025-01-01` give columns (hive partitions). Places are counted in rows of the file, from 1:
// `flights.parquet:17`.
//
// A column becomes the declared type when every value of its own type is one of that type's. Numbers that may not fit and
// text are read cell by cell as OpenCsv reads text (`DECIMAL` exactly, whole floating numbers as integers, numbers of a
// field with `unit`), and one that does not fit makes a bad row; null tokens do not apply. Timestamps without an offset
// are of source.time_zone, digits finer than a microsecond are floored and counted. A double becomes the nearest float32
// for a field of that type.
//
// Errors: kFailedPrecondition where DuckDB's library is not found, saying what to install and where it was looked for;
//   kNotFound when no file matches; kInvalidArgument for a column that is not there (with a suggestion) or of a type that
//   cannot be read as the declared one, and with DuckDB's message for what it cannot read. Bad rows: as OpenCsv's.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenParquet(
    const Source& source, const TextReadOptions& options = {});

// A source of kind parquet with the fields of the first file that `path` names, of the types that hold its columns' values;
// event_time is set when exactly one of them is a timestamp. Columns of types that larder has not are left out.
// Errors: as OpenParquet.
[[nodiscard]] absl::StatusOr<Source> InferParquet(const std::string& path,
                                                  const std::string& base_path = {});

// Runs `source.query` in a database in memory and reads its rows, typed as above. Several statements may be parted by
// semicolons: `ATTACH 'shop.duckdb' AS shop (READ_ONLY); SELECT * FROM shop.orders`; the last one gives the rows. Relative
// file names start at options.base_path. No extension is downloaded or loaded unless a statement says so.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenSql(
    const Source& source, const TextReadOptions& options = {});

}  // namespace larder::inline LARDER_ABI
