# Finds LMDB and defines LMDB::LMDB. LMDB ships no CMake package, so try the packagers' names first.
# Sets LMDB_FOUND and LMDB_VERSION.
if(TARGET LMDB::LMDB)
  set(LMDB_FOUND TRUE)
  return()
endif()

foreach(candidate lmdb unofficial-lmdb)
  find_package(${candidate} CONFIG QUIET)
  if(${candidate}_FOUND)
    foreach(target lmdb::lmdb unofficial::lmdb::lmdb)
      if(TARGET ${target} AND NOT TARGET LMDB::LMDB)
        add_library(LMDB::LMDB INTERFACE IMPORTED)
        target_link_libraries(LMDB::LMDB INTERFACE ${target})
        set(LMDB_VERSION "${${candidate}_VERSION}")
        set(LMDB_FOUND TRUE)
      endif()
    endforeach()
  endif()
endforeach()
if(TARGET LMDB::LMDB)
  return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_LMDB QUIET lmdb)
endif()
find_path(LMDB_INCLUDE_DIR lmdb.h HINTS ${PC_LMDB_INCLUDE_DIRS})
find_library(LMDB_LIBRARY lmdb HINTS ${PC_LMDB_LIBRARY_DIRS})
if(LMDB_INCLUDE_DIR)
  file(STRINGS "${LMDB_INCLUDE_DIR}/lmdb.h" version_lines REGEX "^#define MDB_VERSION_(MAJOR|MINOR|PATCH)")
  string(REGEX REPLACE ".*MAJOR[ \t]+([0-9]+).*MINOR[ \t]+([0-9]+).*PATCH[ \t]+([0-9]+).*" "\\1.\\2.\\3"
         LMDB_VERSION "${version_lines}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LMDB
  REQUIRED_VARS LMDB_LIBRARY LMDB_INCLUDE_DIR
  VERSION_VAR LMDB_VERSION)
if(LMDB_FOUND)
  add_library(LMDB::LMDB UNKNOWN IMPORTED)
  set_target_properties(LMDB::LMDB PROPERTIES IMPORTED_LOCATION "${LMDB_LIBRARY}"
                                              INTERFACE_INCLUDE_DIRECTORIES "${LMDB_INCLUDE_DIR}")
endif()
mark_as_advanced(LMDB_INCLUDE_DIR LMDB_LIBRARY)
