// Columns into DuckDB's vectors.
#pragma once

#include <cstddef>

#include "io/duckdb_library.h"
#include "larder/base/config.h"
#include "larder/column/column.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

// DuckDB's type for a column of `type`; the caller destroys it.
[[nodiscard]] duckdb_abi::Handle MakeDuckDbType(const DuckDbLibrary& api, const DataType& type);

// Puts `rows` entries of `column` from `begin` on into a new vector of that type. Requires: rows <= duckdb_vector_size().
void FillVector(const DuckDbLibrary& api, const Column& column, std::size_t begin, std::size_t rows,
                duckdb_abi::Handle vector);

}  // namespace larder::inline LARDER_ABI
