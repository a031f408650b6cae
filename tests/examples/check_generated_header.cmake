# A program compiled against a generated header: it runs on stores whose service has that schema, also where a newer
# version is current, and does not start on one whose service is another.
function(run expected)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT result EQUAL expected)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "expected exit code ${expected}, found ${result}: ${command}\n${output}${error}")
  endif()
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

function(serve store)
  run(0 "${PROGRAM}" "${store}")
  if(NOT output STREQUAL "item 7: 12, with tax 15\n")
    message(FATAL_ERROR "unexpected output: ${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(COPY "${SOURCE}/definitions.json" "${SOURCE}/prices.csv" DESTINATION "${WORK}")
run(0 "${LARDER}" apply "${WORK}/definitions.json" --store "${WORK}/store")
run(0 "${LARDER}" materialize --store "${WORK}/store")
serve("${WORK}/store")

file(READ "${WORK}/definitions.json" text)
string(REPLACE "\"expr\": \"price * 1.25\"" "\"expr\": \"cast(price * 1.25 as int64)\"" changed "${text}")
string(REPLACE "\"item_price:price\", " "" changed "${changed}")
if(changed STREQUAL text)
  message(FATAL_ERROR "the definitions are not what this test changes")
endif()
file(WRITE "${WORK}/changed.json" "${changed}")

# pricing@2 is current now, and pricing@1 still is what the program was built for.
run(0 "${LARDER}" apply "${WORK}/changed.json" --store "${WORK}/store")
serve("${WORK}/store")

# A store that never had it.
run(0 "${LARDER}" apply "${WORK}/changed.json" --store "${WORK}/other")
run(0 "${LARDER}" materialize --store "${WORK}/other")
run(1 "${PROGRAM}" "${WORK}/other")
foreach(line "pricing@1 is not what this program was built for" "- output price: float64"
        "- output with_tax: float64" "[+] output with_tax: int64")
  if(NOT error MATCHES "${line}")
    message(FATAL_ERROR "the program did not say '${line}': ${error}")
  endif()
endforeach()
