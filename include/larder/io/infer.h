// Guessing a source's definition from its file.
#pragma once

#include <cstddef>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct InferOptions {
  std::string base_path;           // where a relative path starts
  std::size_t rows_max = 100'000;  // how many rows are looked at; 0: all of the first file
};

// Reads the first file of `path` (a file or glob) and returns a Source. Files named .parquet: InferParquet
// (duckdb_reader.h). Files named .ndjson or .jsonl, `.gz` too: a field for each member in order of appearance, of the first
// of the types below, or a list or map, that all its values are; texts are dates, timestamps or strings. Others are read as
// delimited text, `.gz` too, giving a Source of kind csv with its name (of the
// file), path (as given), delimiter (comma, tab, semicolon or bar, whichever splits the lines alike), null tokens and
// fields, in file order.
//
// A column's type is the first of bool, int64, float64, date, timestamp that every non-null value is written in;
// otherwise, and for a column of nulls only, string. Only true/false in any case are bool, so that 0/1 stay integers.
// Numbers with leading zeros (`00501`) and integers outside int64 are strings: they name things.
// `""` is always a null token; NA, N/A, NULL, null, None, NaN, nan and \N become one when they are all that keeps a
// column from being of another type than string (NaN among float64 stays a number). A header that is no valid name is
// kept in Field::from and the field gets a name made from it. event_time is set when exactly one column is a timestamp.
//
// A guess is a start for a person to read: a later row may not fit it.
// Errors: as OpenCsv.
[[nodiscard]] absl::StatusOr<Source> InferSource(const std::string& path,
                                                 const InferOptions& options = {});

}  // namespace larder::inline LARDER_ABI
