# Everything larder links. Modules name these targets; nothing is linked that a module does not name.
find_package(absl REQUIRED)
find_package(Threads REQUIRED)
find_package(LMDB REQUIRED)
find_package(XXHash REQUIRED)
find_package(SLEEF REQUIRED)
find_package(RE2 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)

# LARDER_ZLIB is the target to link, or empty. larder_module() defines LARDER_HAVE_ZLIB=1 where it is linked.
set(LARDER_ZLIB "")
if(LARDER_WITH_ZLIB STREQUAL "AUTO")
  find_package(ZLIB QUIET)
elseif(LARDER_WITH_ZLIB)
  find_package(ZLIB REQUIRED)
endif()
if(LARDER_WITH_ZLIB AND ZLIB_FOUND)
  set(LARDER_ZLIB ZLIB::ZLIB)
endif()

# What tests and benchmarks compare with. No module links it, no consumer needs it.
if(LARDER_BUILD_TESTS OR LARDER_BUILD_BENCHMARKS)
  if(LARDER_WITH_DUCKDB STREQUAL "AUTO")
    find_package(DuckDB QUIET)
  elseif(LARDER_WITH_DUCKDB)
    find_package(DuckDB REQUIRED)
  endif()
endif()
