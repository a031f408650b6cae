#include "cli/command_line.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int Fail(std::string_view message, int code, Console& console) {
  console.out.flush();
  console.err << "larder: " << Printable(message, true) << '\n';
  return code;
}

}  // namespace

int Run(std::span<const std::string> arguments, Console& console) {
  const CommandLine line = ParseCommandLine(arguments);
  if (!line.usage_error.empty()) return Fail(line.usage_error, kWrongUsage, console);
  if (!line.command) {
    console.out << line.text;
  } else if (const absl::Status status = line.command(console); !status.ok()) {
    if (!IsUsageError(status)) return Fail(MessageOf(status), kFailed, console);
    return Fail(Concat(line.name, ": ", MessageOf(status), "\nlarder ", line.name,
                       " --help shows how it is used"),
                kWrongUsage, console);
  }
  console.out.flush();
  if (!console.out) return Fail("cannot write to standard output", kFailed, console);
  return kDone;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
