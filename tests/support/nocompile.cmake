# larder_nocompile_test(<module> <name> [OPTION compiler-option] [CLANG_ONLY])
#
# Compiles <name>.cc of the calling folder twice: as it should be written, which must pass, and with the mistake, which
# must not. A ban that no longer holds, or a case that stopped compiling for another reason, fails.
# CLANG_ONLY: g++ has no such warning.
function(larder_nocompile_test module name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "CLANG_ONLY" "OPTION" "")
  if(arg_CLANG_ONLY AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  foreach(variant good bad)
    set(target larder_nocompile_${name}_${variant})
    add_library(${target} OBJECT EXCLUDE_FROM_ALL ${name}.cc)
    target_link_libraries(${target} PRIVATE larder::${module})
    target_compile_options(${target} PRIVATE ${arg_OPTION})
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    if(variant STREQUAL "bad")
      target_compile_definitions(${target} PRIVATE LARDER_MISTAKE)
    endif()
    add_test(NAME ${module}.nocompile.${name}.${variant}
             COMMAND "${CMAKE_COMMAND}" --build "${CMAKE_BINARY_DIR}" --target ${target} --config $<CONFIG>)
    # One at a time: each is a build of the same tree.
    set_tests_properties(${module}.nocompile.${name}.${variant} PROPERTIES RESOURCE_LOCK larder_build_tree TIMEOUT 300)
  endforeach()
  set_tests_properties(${module}.nocompile.${name}.bad PROPERTIES WILL_FAIL TRUE)
endfunction()
