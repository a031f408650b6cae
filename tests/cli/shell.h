// Runs commands in process, in a folder of their own, at a time of the test's choosing.
#pragma once

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "cli/console.h"
#include "larder/base/time.h"
#include "larder/transform/function.h"

namespace larder_test {

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

class Shell {
 public:
  Shell();
  ~Shell();
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  // Arguments as a shell would split them; `$D` stands for the folder. Words may be in single quotes.
  Ran Run(std::string_view line);
  // The same, but fails the test when the code is not 0. Gives what was printed.
  std::string Ok(std::string_view line);

  [[nodiscard]] std::string Path(std::string_view name) const;
  void Write(std::string_view name, std::string_view text) const;
  [[nodiscard]] std::string Read(std::string_view name) const;
  // A hash of everything in the store; `none` when there is no store.
  [[nodiscard]] std::string StoreHash() const;

  larder::Timestamp now;
  std::map<std::string, std::string, std::less<>> variables;
  bool terminal = false;
  const larder::FunctionRegistry* functions = nullptr;

 private:
  std::filesystem::path folder_;
};

// A store with a view over each of users.csv and purchases.csv (and its push source), applied and loaded.
// The clock stands at 2025-03-10T12:00:00Z.
void MakeShop(Shell* shell);
extern const char kShopDefinitions[];

// Rows to make the shop's training sets for.
inline constexpr char kShopSpine[] =
    "user_id,asked_at,total,bought\n"
    "1,2025-03-09T09:59:59Z,60,true\n"
    "1,2025-03-09T10:00:00Z,60,false\n"
    "2,2025-03-05T00:00:00Z,30,true\n"
    "9,2025-03-05T00:00:00Z,30,false\n";

}  // namespace larder_test
