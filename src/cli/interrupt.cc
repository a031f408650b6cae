#include "cli/interrupt.h"

#include <csignal>

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// A signal handler reaches nothing but globals.
volatile std::sig_atomic_t g_interrupted = 0;
struct sigaction g_before = {};

// Whoever started the process with SIGINT ignored, as shells do in the background, wants it so.
bool IsIgnored(const struct sigaction& action) { return action.sa_handler == SIG_IGN; }

void Note(int) {
  g_interrupted = 1;
  ::sigaction(SIGINT, &g_before, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  g_interrupted = 0;
  ::sigaction(SIGINT, nullptr, &g_before);
  if (IsIgnored(g_before)) return;
  struct sigaction note = {};
  note.sa_handler = &Note;
  sigemptyset(&note.sa_mask);
  note.sa_flags = SA_RESTART;  // what is being read or written goes on
  ::sigaction(SIGINT, &note, nullptr);
}

InterruptGuard::~InterruptGuard() { ::sigaction(SIGINT, &g_before, nullptr); }

absl::Status InterruptGuard::Check() const {
  if (g_interrupted == 0) return absl::OkStatus();
  return absl::CancelledError("interrupted");
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
