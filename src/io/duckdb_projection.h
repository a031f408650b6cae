// How a column of DuckDB's becomes a declared field: without loss, or not at all.
#pragma once

#include <string>

#include "io/duckdb_connection.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct DuckDbProjection {
  std::string sql;  // gives the field's own type, or text that is parsed as a CSV cell would be
  bool as_text = false;
  Field field;  // how such text is parsed: the declared field, perhaps with another unit
};

// `has_zone`: times without an offset are not UTC.
// Errors: kInvalidArgument naming the column and both types when not every value of the one can be meant as the other.
[[nodiscard]] absl::StatusOr<DuckDbProjection> ProjectColumn(const DuckDbColumn& column,
                                                             const Field& field, bool has_zone);

// The type whose values `column` holds, for guessing a source: int64 for every integer that fits, string for what can be
// read as text only. Errors: kInvalidArgument for structs, unions and other types that larder has not.
[[nodiscard]] absl::StatusOr<DataType> NaturalType(const DuckDbColumn& column);

// `BIGINT`, `LIST of DOUBLE`, for messages.
[[nodiscard]] std::string DuckDbTypeName(const DuckDbColumn& column);

}  // namespace larder::inline LARDER_ABI
