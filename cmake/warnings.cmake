# Warnings for larder's own code. They are private to each target, so a consumer never inherits them.
set(LARDER_EXTRA_WARNINGS "" CACHE STRING "More warning flags for larder's own code (a list)")

function(larder_warnings target)
  target_compile_options(
    ${target}
    PRIVATE -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wshadow
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            # Clang counts these under -Wconversion, GCC does not. Both compilers shall say the same.
            $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion>
            ${LARDER_EXTRA_WARNINGS}
            $<$<BOOL:${LARDER_WERROR}>:-Werror>)
endfunction()
