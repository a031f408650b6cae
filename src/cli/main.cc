#include "larder/cli/main.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "cli/command_line.h"
#include "cli/console.h"

namespace larder::inline LARDER_ABI {
namespace cli {

int Main(int argc, const char* const* argv, const FunctionRegistry* functions) {
  Console console{std::cout, std::cerr, isatty(STDOUT_FILENO) == 1, isatty(STDERR_FILENO) == 1, {},
                  {},        functions};
  console.clock = [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp{std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
  };
  console.variable = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.emplace_back(argv[i]);
  try {
    return Run(arguments, console);
  } catch (const std::exception& error) {
    std::cerr << "larder: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
