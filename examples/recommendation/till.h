// The shop's till: a process of its own that pushes baskets as they are sold.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "larder/base/status.h"

namespace recommendation {

struct TillArguments {
  std::string store;
  std::string data;       // the transactions' file
  std::size_t first = 0;  // which basket of the file to begin with
  double rate = 0;        // baskets a second
};

// What the other process does: prints that it is open, pushes a basket a commit until standard input ends or there are no
// more, then prints how many it pushed.
[[nodiscard]] absl::Status RunTill(const TillArguments& arguments);

// Starts this program again as a till, and waits until it is open.
class TillProcess {
 public:
  static absl::StatusOr<TillProcess> Start(const TillArguments& arguments);
  TillProcess(TillProcess&& other) noexcept;
  TillProcess& operator=(TillProcess&&) = delete;
  ~TillProcess();

  // Ends it. Gives how many baskets it pushed.
  absl::StatusOr<std::size_t> Stop();

 private:
  TillProcess(pid_t child, int input, int output) : child_(child), input_(input), output_(output) {}
  [[nodiscard]] std::string ReadLine() const;
  pid_t child_;
  int input_;
  int output_;
};

}  // namespace recommendation
