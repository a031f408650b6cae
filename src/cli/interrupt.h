// Ctrl-C as something a command can look at between two steps of its work.
#pragma once

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// While it lives, the first SIGINT is only noted, unless the process ignores them; a second one ends the process as
// ever. What the process did with SIGINT before is back with the object's end. Requires: one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // kCancelled once SIGINT has come.
  [[nodiscard]] absl::Status Check() const;
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
