# Runs PROGRAM over PROGRAMS random programs, as it is and with the C library's variants for newer processors switched
# off: both give EXPECTED's line.
file(STRINGS "${EXPECTED}" expected REGEX "^${PROGRAMS} programs: ")
# The names are those of glibc 2.36; other libraries ignore the variable.
foreach(tunables "" "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4,-AVX512F,-AVX512VL,-SSE4_1,-SSE4_2,-ERMS")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env "GLIBC_TUNABLES=${tunables}" "${PROGRAM}" "${PROGRAMS}" 1
                  RESULT_VARIABLE result ERROR_VARIABLE errors OUTPUT_VARIABLE output
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} failed (${result}): ${errors}")
  endif()
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "the bits differ (GLIBC_TUNABLES='${tunables}')\nfound    ${output}\nexpected ${expected}\n"
                        "If functions or the generator of programs changed, and every variant agrees on the new "
                        "line, put it into ${EXPECTED}")
  endif()
endforeach()
