// What larder says of DuckDB's C API, which it opens at run time, against DuckDB's own header.
#include <duckdb.h>

#include <cstddef>

#include "io/duckdb_library.h"
#include "support/catch.h"

namespace {

namespace abi = larder::duckdb_abi;

static_assert(sizeof(abi::Handle) == sizeof(duckdb_connection));
static_assert(sizeof(abi::Result) == sizeof(duckdb_result));
static_assert(offsetof(abi::Result, internal) == offsetof(duckdb_result, internal_data));
static_assert(sizeof(abi::Text) == sizeof(duckdb_string_t));
static_assert(sizeof(abi::ListEntry) == sizeof(duckdb_list_entry));
static_assert(offsetof(abi::ListEntry, length) == offsetof(duckdb_list_entry, length));
static_assert(sizeof(abi::Interval) == sizeof(duckdb_interval));
static_assert(offsetof(abi::Interval, micros) == offsetof(duckdb_interval, micros));
static_assert(sizeof(idx_t) == sizeof(uint64_t));
static_assert(DuckDBSuccess == 0);

TEST_CASE("DuckDB's types have the numbers larder knows", "[duckdb]") {
  CHECK(int{abi::kBoolean} == DUCKDB_TYPE_BOOLEAN);
  CHECK(int{abi::kTinyint} == DUCKDB_TYPE_TINYINT);
  CHECK(int{abi::kSmallint} == DUCKDB_TYPE_SMALLINT);
  CHECK(int{abi::kInteger} == DUCKDB_TYPE_INTEGER);
  CHECK(int{abi::kBigint} == DUCKDB_TYPE_BIGINT);
  CHECK(int{abi::kUtinyint} == DUCKDB_TYPE_UTINYINT);
  CHECK(int{abi::kUsmallint} == DUCKDB_TYPE_USMALLINT);
  CHECK(int{abi::kUinteger} == DUCKDB_TYPE_UINTEGER);
  CHECK(int{abi::kUbigint} == DUCKDB_TYPE_UBIGINT);
  CHECK(int{abi::kFloat} == DUCKDB_TYPE_FLOAT);
  CHECK(int{abi::kDouble} == DUCKDB_TYPE_DOUBLE);
  CHECK(int{abi::kTimestamp} == DUCKDB_TYPE_TIMESTAMP);
  CHECK(int{abi::kDate} == DUCKDB_TYPE_DATE);
  CHECK(int{abi::kInterval} == DUCKDB_TYPE_INTERVAL);
  CHECK(int{abi::kHugeint} == DUCKDB_TYPE_HUGEINT);
  CHECK(int{abi::kVarchar} == DUCKDB_TYPE_VARCHAR);
  CHECK(int{abi::kBlob} == DUCKDB_TYPE_BLOB);
  CHECK(int{abi::kDecimal} == DUCKDB_TYPE_DECIMAL);
  CHECK(int{abi::kTimestampS} == DUCKDB_TYPE_TIMESTAMP_S);
  CHECK(int{abi::kTimestampMs} == DUCKDB_TYPE_TIMESTAMP_MS);
  CHECK(int{abi::kTimestampNs} == DUCKDB_TYPE_TIMESTAMP_NS);
  CHECK(int{abi::kEnum} == DUCKDB_TYPE_ENUM);
  CHECK(int{abi::kList} == DUCKDB_TYPE_LIST);
  CHECK(int{abi::kStruct} == DUCKDB_TYPE_STRUCT);
  CHECK(int{abi::kMap} == DUCKDB_TYPE_MAP);
  CHECK(int{abi::kUuid} == DUCKDB_TYPE_UUID);
  CHECK(int{abi::kTimestampTz} == DUCKDB_TYPE_TIMESTAMP_TZ);
  CHECK(int{abi::kUhugeint} == DUCKDB_TYPE_UHUGEINT);
  CHECK(int{abi::kArray} == DUCKDB_TYPE_ARRAY);
}

}  // namespace
