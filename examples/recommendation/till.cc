#include "examples/recommendation/till.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "examples/recommendation/baskets.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"

namespace recommendation {
namespace {

using Clock = std::chrono::steady_clock;

// Waits until `due`. Whether standard input ended meanwhile.
bool EndedBefore(Clock::time_point due) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, left > 0 ? static_cast<int>(left) : 0) > 0) return true;
    if (left <= 0) return false;
  }
}

}  // namespace

absl::Status RunTill(const TillArguments& arguments) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<Basket> baskets, ReadBaskets(arguments.data));
  larder::StoreOptions options;
  options.create_if_missing = false;
  LARDER_ASSIGN_OR_RETURN(larder::FeatureStore store,
                          larder::FeatureStore::Open(arguments.store, options));
  std::printf("open\n");
  std::fflush(stdout);
  const Clock::time_point started = Clock::now();
  std::size_t pushed = 0;
  while (arguments.first + pushed < baskets.size()) {
    const std::chrono::duration<double> at(static_cast<double>(pushed) / arguments.rate);
    if (EndedBefore(started + std::chrono::duration_cast<Clock::duration>(at))) break;
    LARDER_ASSIGN_OR_RETURN(const larder::Batch lines,
                            LinesOf({&baskets[arguments.first + pushed], 1}));
    LARDER_RETURN_IF_ERROR(store.Push("lines_live", lines).status());
    ++pushed;
  }
  std::printf("%zu\n", pushed);
  return absl::OkStatus();
}

absl::StatusOr<TillProcess> TillProcess::Start(const TillArguments& arguments) {
  int input[2], output[2];
  if (pipe(input) != 0 || pipe(output) != 0)
    return larder::UnavailableError("pipe: ", std::strerror(errno));
  const std::string first = std::to_string(arguments.first);
  const std::string rate = larder::Concat(arguments.rate);
  std::vector<const char*> words = {
      "recommendation_demo",  "--till",  arguments.store.c_str(), "--file",
      arguments.data.c_str(), "--first", first.c_str(),           "--rate",
      rate.c_str(),           nullptr};
  const pid_t child = fork();
  if (child < 0) return larder::UnavailableError("fork: ", std::strerror(errno));
  if (child == 0) {
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    for (const int file : {input[0], input[1], output[0], output[1]}) close(file);
    execv("/proc/self/exe", const_cast<char* const*>(words.data()));
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  TillProcess till(child, input[1], output[0]);
  if (till.ReadLine() != "open") {
    const absl::Status failed = till.Stop().status();
    return failed.ok() ? larder::UnavailableError("the till did not open") : failed;
  }
  return till;
}

TillProcess::TillProcess(TillProcess&& other) noexcept
    : child_(std::exchange(other.child_, -1)), input_(other.input_), output_(other.output_) {}

TillProcess::~TillProcess() {
  if (child_ > 0) (void)Stop();
}

std::string TillProcess::ReadLine() const {
  std::string line;
  for (char c = 0; read(output_, &c, 1) == 1 && c != '\n';) line.push_back(c);
  return line;
}

absl::StatusOr<std::size_t> TillProcess::Stop() {
  if (child_ <= 0) return larder::FailedPreconditionError("the till is closed");
  close(input_);
  const std::string answer = ReadLine();
  close(output_);
  int status = 0;
  while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return larder::UnavailableError("the till failed");
  return static_cast<std::size_t>(std::strtoull(answer.c_str(), nullptr, 10));
}

}  // namespace recommendation
