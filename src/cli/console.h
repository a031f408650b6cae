// Where a command reads its surroundings and writes its answer, so that tests run commands in process.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

class FunctionRegistry;

namespace cli {

struct Console {
  std::ostream& out;  // results
  std::ostream& err;  // messages, progress
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::function<Timestamp()> clock;
  std::function<std::optional<std::string>(std::string_view)> variable;  // of the environment
  const FunctionRegistry* functions = nullptr;

  // Colours are for terminals whose owner did not set NO_COLOR.
  [[nodiscard]] bool color() const { return out_is_terminal && !variable("NO_COLOR"); }
};

// An error of how the command was called: exit code 2 instead of 1.
[[nodiscard]] absl::Status AsUsageError(absl::Status status);
template <class... P>
absl::Status UsageError(const P&... parts) {
  return AsUsageError(InvalidArgumentError(parts...));
}
[[nodiscard]] bool IsUsageError(const absl::Status& status);

// Text from files and stores may hold escape sequences that would drive a terminal: removes control characters (C0,
// DEL, C1, and those that reverse the direction of text) and replaces what is not UTF-8. `keep_lines` keeps line ends
// and tabs.
[[nodiscard]] std::string Printable(std::string_view text, bool keep_lines = false);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
