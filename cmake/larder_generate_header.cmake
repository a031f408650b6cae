# larder_generate_header(<target> <service> (STORE <dir> | DEFINITIONS <file or folder>)
#                        [PROJECT <name>] [NAMESPACE <ns>] [HEADER <file>])
#
# Gives <target> a header with the struct of a feature service, made at build time:
#
#   larder_generate_header(scorer fraud_model@2 STORE "${CMAKE_SOURCE_DIR}/store")
#   larder_generate_header(scorer fraud_model DEFINITIONS definitions.json)
#   ...
#   #include "fraud_model.h"
#   options.contracts = {larder::ContractOf<features::FraudModel>()};   // Open fails where the service is another one
#
# From a store the header stands for one version; from definitions, which need no store and have no versions, for every
# version with that schema. Both may be relative to the current source directory. HEADER is the file's name (default: the service's without its
# version). Every build asks again, but the file is only written when it would differ, so nothing is compiled in
# vain. A service that is not there fails the build. <target> need not be a C++ program of larder's: the header depends
# on the standard library alone.
#
# The command is the target larder_command where larder is part of the build, else the program `larder` beside the
# installed package or on the PATH; set LARDER_COMMAND to name another.
function(larder_generate_header target service)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "STORE;DEFINITIONS;PROJECT;NAMESPACE;HEADER" "")
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "larder_generate_header(${target} ${service}): unknown or empty arguments: "
                        "${arg_UNPARSED_ARGUMENTS} ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "larder_generate_header: there is no target ${target}")
  endif()
  if(arg_STORE AND NOT arg_DEFINITIONS)
    get_filename_component(origin "${arg_STORE}" ABSOLUTE)
    set(from --store "${origin}")
  elseif(arg_DEFINITIONS AND NOT arg_STORE)
    get_filename_component(origin "${arg_DEFINITIONS}" ABSOLUTE)
    set(from --definitions "${origin}")
  else()
    message(FATAL_ERROR "larder_generate_header(${target} ${service}): say from what: STORE <dir> or "
                        "DEFINITIONS <file or folder>")
  endif()

  string(REGEX REPLACE "@.*$" "" name "${service}")
  if(NOT arg_HEADER)
    set(arg_HEADER "${name}.h")
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/larder_headers/${target}")
  set(header "${folder}/${arg_HEADER}")
  get_filename_component(header_folder "${header}" DIRECTORY)
  file(MAKE_DIRECTORY "${header_folder}")

  if(TARGET larder_command)
    set(command larder_command)
  else()
    find_program(LARDER_COMMAND larder HINTS ${LARDER_COMMAND_HINTS})
    if(NOT LARDER_COMMAND)
      message(FATAL_ERROR "larder_generate_header(${target} ${service}): the program larder was not found; "
                          "set LARDER_COMMAND to its path")
    endif()
    set(command "${LARDER_COMMAND}")
  endif()
  set(options "")
  if(arg_PROJECT)
    list(APPEND options --project "${arg_PROJECT}")
  endif()
  if(arg_NAMESPACE)
    list(APPEND options --namespace "${arg_NAMESPACE}")
  endif()

  # A store's file changes with every push, and a folder of definitions with any file, so no file's time says whether
  # the service changed: always ask.
  string(MAKE_C_IDENTIFIER "${target}_${arg_HEADER}" id)
  add_custom_target(
    ${id}
    COMMAND ${command} generate-header "${service}" ${from} --output "${header}" ${options}
    BYPRODUCTS "${header}"
    COMMENT "Asking ${origin} for ${service}"
    VERBATIM)
  add_dependencies(${target} ${id})
  get_target_property(kind ${target} TYPE)
  if(kind STREQUAL "INTERFACE_LIBRARY")
    target_include_directories(${target} INTERFACE "${folder}")
  else()
    target_include_directories(${target} PRIVATE "${folder}")
  endif()
endfunction()
