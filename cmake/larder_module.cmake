# larder_module(<name> [SOURCES file...] [DEPENDS module...] [LINK_PUBLIC target...] [LINK_PRIVATE target...])
#
# Makes the library larder_<name> with the alias larder::<name>. A module sees the headers of the modules in
# DEPENDS and links nothing else of larder, so a missing arrow is a link error. Put targets that public headers
# include into LINK_PUBLIC.
include(GNUInstallDirs)

# Arithmetic must give the same bits in a training run and in a server, whatever flags surround larder.
set(LARDER_ARITHMETIC_FLAGS -ffp-contract=off -fno-fast-math -fno-unsafe-math-optimizations
                            -fno-finite-math-only)

# Packages whose targets appear in an installed target's link line, and so must be found again by a consumer.
define_property(GLOBAL PROPERTY LARDER_PACKAGES BRIEF_DOCS "packages" FULL_DOCS "packages")

function(larder_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LINK_PUBLIC;LINK_PRIVATE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "larder_module(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(target larder_${name})
  list(TRANSFORM arg_DEPENDS PREPEND larder::)

  # A sub-project's headers are system headers to its host: their warnings are not the host's business.
  set(system "")
  if(NOT PROJECT_IS_TOP_LEVEL)
    set(system SYSTEM)
  endif()

  if(arg_SOURCES)
    add_library(${target} ${arg_SOURCES})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_definitions(${target} PRIVATE LARDER_VERSION="${PROJECT_VERSION}")
    target_compile_options(${target} PRIVATE ${LARDER_ARITHMETIC_FLAGS})
    larder_warnings(${target})
    set(public PUBLIC)
    foreach(item IN LISTS arg_LINK_PRIVATE)
      # Header-only parts of the implementation must not reach the consumer, not even as a name.
      if(item MATCHES "^(nlohmann_json|xxHash)::")
        set(item "$<BUILD_INTERFACE:${item}>")
      else()
        larder_package_of(${item})
      endif()
      target_link_libraries(${target} PRIVATE ${item})
    endforeach()
    if("ZLIB::ZLIB" IN_LIST arg_LINK_PRIVATE)
      target_compile_definitions(${target} PRIVATE LARDER_HAVE_ZLIB=1)
    endif()
  else()
    add_library(${target} INTERFACE)
    target_compile_features(${target} INTERFACE cxx_std_20)
    set(public INTERFACE)
  endif()

  target_include_directories(
    ${target} ${system} INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  add_library(larder::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} VERSION ${PROJECT_VERSION}
                                             SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                                             POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  target_link_libraries(${target} ${public} ${arg_DEPENDS} ${arg_LINK_PUBLIC})
  foreach(item IN LISTS arg_LINK_PUBLIC)
    larder_package_of(${item})
  endforeach()
  if(LARDER_CHECK_LIFETIMES)
    target_compile_definitions(${target} ${public} LARDER_CHECK_LIFETIMES=1)
  endif()

  if(NOT name STREQUAL "cli")
    target_link_libraries(larder INTERFACE ${target})
    set_property(GLOBAL APPEND PROPERTY LARDER_INSTALL_TARGETS ${target})
  endif()
endfunction()

# Notes the package that `item` comes from. larder-config.cmake looks for exactly these.
function(larder_package_of item)
  if(item MATCHES "^absl::")
    set(package absl)
  elseif(item MATCHES "^(LMDB|SLEEF|ZLIB|Threads|nlohmann_json)::")
    set(package ${CMAKE_MATCH_1})
  elseif(item MATCHES "^re2::")
    set(package RE2)
  elseif(item MATCHES "^xxHash::")
    set(package XXHash)
  else()
    message(FATAL_ERROR "larder_module: no package known for ${item}; name it in cmake/larder_module.cmake")
  endif()
  set_property(GLOBAL APPEND PROPERTY LARDER_PACKAGES ${package})
endfunction()

# larder_executable(<name> SOURCES file... [DEPENDS module...] [LINK target...])
#
# A program of this repository, put into <build>/bin. DEPENDS names modules, or `larder` for all of them.
# The command itself is larder_executable(larder SOURCES main.cc DEPENDS cli); its target is larder_command,
# because the name `larder` belongs to the library.
function(larder_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LINK")
  set(target ${name})
  if(name STREQUAL "larder")
    set(target larder_command)
  endif()
  list(TRANSFORM arg_DEPENDS PREPEND larder::)
  add_executable(${target} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
                                             RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin" CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE ${LARDER_ARITHMETIC_FLAGS})
  target_compile_definitions(${target} PRIVATE LARDER_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS} ${arg_LINK})
  larder_warnings(${target})
endfunction()
