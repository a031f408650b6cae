// The `larder` command as a call, so that a team with its own C++ functions has its own command.
#pragma once

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

class FunctionRegistry;

namespace cli {

// Runs one command on the process's standard streams and returns the exit code: 0 done, 1 failed, 2 wrong usage.
// After 1 and 2 standard error says why and nothing was changed. The commands: docs/reference/command_line.md.
//
// `functions` are what expressions may call besides the built-ins; null: nothing more.
// Lifetime: `functions` must outlive the call. Threads: one call at a time.
//
// Example, a whole program:
//   int main(int argc, char** argv) {
//     larder::FunctionRegistry functions;
//     RegisterOurFunctions(&functions);
//     return larder::cli::Main(argc, argv, &functions);
//   }
int Main(int argc, const char* const* argv, const FunctionRegistry* functions = nullptr);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
