// One line of a terminal, rewritten as work goes on.
#pragma once

#include <string_view>

#include "cli/console.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// Shows nothing where standard error is no terminal. The line is gone with the object.
class ProgressLine {
 public:
  explicit ProgressLine(Console& console) : console_(console) {}
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  [[nodiscard]] bool is_shown() const { return console_.err_is_terminal; }
  void Show(std::string_view line) {
    if (!is_shown()) return;
    Clear();
    console_.err << Printable(line) << std::flush;
    shown_ = true;
  }

 private:
  void Clear() {
    if (shown_) console_.err << "\r\x1b[K" << std::flush;
    shown_ = false;
  }
  Console& console_;
  bool shown_ = false;
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
