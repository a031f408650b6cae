# Finds DuckDB's C API and defines DuckDB::DuckDB: what scripts/fetch_duckdb.sh fetched, else the system's.
# Tests and benchmarks link it. The library itself opens DuckDB at run time; where this found it is the last place it looks.
find_path(DuckDB_INCLUDE_DIR duckdb.h HINTS "${PROJECT_SOURCE_DIR}/build/peers/duckdb/include")
find_library(DuckDB_LIBRARY duckdb HINTS "${PROJECT_SOURCE_DIR}/build/peers/duckdb/lib")
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR)
if(DuckDB_FOUND AND NOT TARGET DuckDB::DuckDB)
  add_library(DuckDB::DuckDB UNKNOWN IMPORTED)
  set_target_properties(DuckDB::DuckDB PROPERTIES IMPORTED_LOCATION "${DuckDB_LIBRARY}"
                                                  INTERFACE_INCLUDE_DIRECTORIES "${DuckDB_INCLUDE_DIR}")
endif()
mark_as_advanced(DuckDB_INCLUDE_DIR DuckDB_LIBRARY)
