# Builds larder_bits, and the modules it needs, as a sub-project with the compiler CXX and FLAGS, and checks it.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "failed (${result}): ${command}\n${output}")
  endif()
endfunction()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/variant" -B "${BUILD}" -G "${GENERATOR}"
    "-DLARDER_SOURCE=${SOURCE}" "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
    "-DCMAKE_CXX_FLAGS=${FLAGS}")
run("${CMAKE_COMMAND}" --build "${BUILD}" -j 2 --target larder_bits)
set(PROGRAM "${BUILD}/larder_bits")
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")
