// DuckDB's C API as far as larder uses it, opened at run time: no build and no consumer needs DuckDB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Handles, records and numbers as version 1 of duckdb.h lays them out, which DuckDB keeps; tests/io holds them to the
// header where it is there.
namespace duckdb_abi {

using Handle = void*;
using Delete = void (*)(void*);
using Callback = void (*)(Handle);
using FunctionCallback = void (*)(Handle info, Handle chunk);

struct Result {
  uint64_t deprecated_counts[3];
  void* deprecated_columns;
  char* deprecated_error;
  void* internal;
};
// A text of up to 12 bytes lies inside, a longer one elsewhere.
struct Text {
  uint32_t length;
  char prefix[4];
  const char* elsewhere;
};
struct ListEntry {
  uint64_t offset;
  uint64_t length;
};
struct Interval {
  int32_t months;
  int32_t days;
  int64_t micros;
};

enum Type : int {
  kBoolean = 1,
  kTinyint = 2,
  kSmallint = 3,
  kInteger = 4,
  kBigint = 5,
  kUtinyint = 6,
  kUsmallint = 7,
  kUinteger = 8,
  kUbigint = 9,
  kFloat = 10,
  kDouble = 11,
  kTimestamp = 12,
  kDate = 13,
  kInterval = 15,
  kHugeint = 16,
  kVarchar = 17,
  kBlob = 18,
  kDecimal = 19,
  kTimestampS = 20,
  kTimestampMs = 21,
  kTimestampNs = 22,
  kEnum = 23,
  kList = 24,
  kStruct = 25,
  kMap = 26,
  kUuid = 27,
  kTimestampTz = 31,
  kUhugeint = 32,
  kArray = 33,
};

}  // namespace duckdb_abi

// X(returns, name, arguments) of every function used, in duckdb.h's names.
#define LARDER_DUCKDB_FUNCTIONS(X)                                                            \
  X(const char*, duckdb_library_version, ())                                                  \
  X(int, duckdb_create_config, (Handle*))                                                     \
  X(int, duckdb_set_config, (Handle, const char*, const char*))                               \
  X(void, duckdb_destroy_config, (Handle*))                                                   \
  X(int, duckdb_open_ext, (const char*, Handle*, Handle, char**))                             \
  X(void, duckdb_close, (Handle*))                                                            \
  X(int, duckdb_connect, (Handle, Handle*))                                                   \
  X(void, duckdb_interrupt, (Handle))                                                         \
  X(void, duckdb_disconnect, (Handle*))                                                       \
  X(void, duckdb_free, (void*))                                                               \
  X(int, duckdb_query, (Handle, const char*, Result*))                                        \
  X(void, duckdb_destroy_result, (Result*))                                                   \
  X(const char*, duckdb_result_error, (Result*))                                              \
  X(int, duckdb_prepare, (Handle, const char*, Handle*))                                      \
  X(const char*, duckdb_prepare_error, (Handle))                                              \
  X(void, duckdb_destroy_prepare, (Handle*))                                                  \
  X(uint64_t, duckdb_prepared_statement_column_count, (Handle))                               \
  X(const char*, duckdb_prepared_statement_column_name, (Handle, uint64_t))                   \
  X(Handle, duckdb_prepared_statement_column_logical_type, (Handle, uint64_t))                \
  X(int, duckdb_execute_prepared_streaming, (Handle, Result*))                                \
  X(Handle, duckdb_fetch_chunk, (Result))                                                     \
  X(void, duckdb_destroy_data_chunk, (Handle*))                                               \
  X(uint64_t, duckdb_data_chunk_get_size, (Handle))                                           \
  X(void, duckdb_data_chunk_set_size, (Handle, uint64_t))                                     \
  X(Handle, duckdb_data_chunk_get_vector, (Handle, uint64_t))                                 \
  X(void*, duckdb_vector_get_data, (Handle))                                                  \
  X(uint64_t*, duckdb_vector_get_validity, (Handle))                                          \
  X(void, duckdb_vector_ensure_validity_writable, (Handle))                                   \
  X(void, duckdb_vector_assign_string_element_len, (Handle, uint64_t, const char*, uint64_t)) \
  X(Handle, duckdb_list_vector_get_child, (Handle))                                           \
  X(uint64_t, duckdb_list_vector_get_size, (Handle))                                          \
  X(int, duckdb_list_vector_set_size, (Handle, uint64_t))                                     \
  X(int, duckdb_list_vector_reserve, (Handle, uint64_t))                                      \
  X(Handle, duckdb_struct_vector_get_child, (Handle, uint64_t))                               \
  X(Handle, duckdb_array_vector_get_child, (Handle))                                          \
  X(uint64_t, duckdb_vector_size, ())                                                         \
  X(Handle, duckdb_create_logical_type, (int))                                                \
  X(Handle, duckdb_create_list_type, (Handle))                                                \
  X(Handle, duckdb_create_array_type, (Handle, uint64_t))                                     \
  X(Handle, duckdb_create_map_type, (Handle, Handle))                                         \
  X(int, duckdb_get_type_id, (Handle))                                                        \
  X(Handle, duckdb_list_type_child_type, (Handle))                                            \
  X(Handle, duckdb_array_type_child_type, (Handle))                                           \
  X(Handle, duckdb_map_type_key_type, (Handle))                                               \
  X(Handle, duckdb_map_type_value_type, (Handle))                                             \
  X(void, duckdb_destroy_logical_type, (Handle*))                                             \
  X(Handle, duckdb_create_table_function, ())                                                 \
  X(void, duckdb_destroy_table_function, (Handle*))                                           \
  X(void, duckdb_table_function_set_name, (Handle, const char*))                              \
  X(void, duckdb_table_function_set_extra_info, (Handle, void*, Delete))                      \
  X(void, duckdb_table_function_set_bind, (Handle, Callback))                                 \
  X(void, duckdb_table_function_set_init, (Handle, Callback))                                 \
  X(void, duckdb_table_function_set_function, (Handle, FunctionCallback))                     \
  X(int, duckdb_register_table_function, (Handle, Handle))                                    \
  X(void*, duckdb_bind_get_extra_info, (Handle))                                              \
  X(void, duckdb_bind_add_result_column, (Handle, const char*, Handle))                       \
  X(void, duckdb_init_set_max_threads, (Handle, uint64_t))                                    \
  X(void*, duckdb_function_get_extra_info, (Handle))                                          \
  X(void, duckdb_function_set_error, (Handle, const char*))

// The functions, each a member of its own name.
//
// Immutable once loaded. Threads: thread-safe.
class DuckDbLibrary {
 public:
  // Looks for the file that LARDER_DUCKDB names; without it, for libduckdb.so where the system's loader looks, then
  // where this larder was built. A library once opened stays open, and so does what is returned, to the end of the process.
  // Errors: kFailedPrecondition saying what to install; the same for a library too old to have all functions.
  static absl::StatusOr<const DuckDbLibrary*> Load();

#define LARDER_DUCKDB_MEMBER(returns, name, arguments) returns(*name) arguments = nullptr;
  using Handle = duckdb_abi::Handle;
  using Result = duckdb_abi::Result;
  using Delete = duckdb_abi::Delete;
  using Callback = duckdb_abi::Callback;
  using FunctionCallback = duckdb_abi::FunctionCallback;
  LARDER_DUCKDB_FUNCTIONS(LARDER_DUCKDB_MEMBER)
#undef LARDER_DUCKDB_MEMBER
};

}  // namespace larder::inline LARDER_ABI
