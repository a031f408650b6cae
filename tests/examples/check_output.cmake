# Runs PROGRAM in SOURCE and compares what it prints with examples/<name>.output.
get_filename_component(name "${PROGRAM}" NAME_WE)
file(MAKE_DIRECTORY "${WORK}/${name}")
set(ENV{TMPDIR} "${WORK}/${name}")
execute_process(COMMAND "${PROGRAM}" WORKING_DIRECTORY "${SOURCE}" RESULT_VARIABLE result OUTPUT_VARIABLE output
                ERROR_VARIABLE error)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${name} failed (${result}): ${error}")
endif()
file(READ "${SOURCE}/examples/${name}.output" expected)
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "examples/${name}.output says:\n${expected}\nbut the program printed:\n${output}")
endif()
