// What a command line asks for. Its files are the only ones that know the parsing library: see command_parser.h.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// Exactly one of command, text and usage_error is set.
struct CommandLine {
  std::function<absl::Status(Console&)> command;
  std::string name;         // of the command: `list`, `feature create`
  std::string text;         // help or version, to print on standard output
  std::string usage_error;  // what is wrong with the call
};

// `arguments` without the program's name.
[[nodiscard]] CommandLine ParseCommandLine(std::span<const std::string> arguments);

// Parses, runs, prints an error if there was one; returns the exit code.
int Run(std::span<const std::string> arguments, Console& console);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
