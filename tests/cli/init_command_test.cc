#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

// The indented lines are the commands.
std::string CommandsOf(const std::string& printed) {
  std::istringstream lines(printed);
  std::string commands;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("    ")) commands.append(line.substr(4)).append("\n");
  }
  return commands;
}

struct Output {
  int code = 0;
  std::string text;
};

Output RunInShell(const std::string& script) {
  Output output;
  std::FILE* pipe = popen(script.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer{};
  std::size_t size = 0;
  while ((size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0)
    output.text.append(buffer.data(), size);
  output.code = pclose(pipe);
  return output;
}

TEST_CASE("the commands init prints work by copy and paste and show PRESENT values", "[cli]") {
  Shell shell;
  // As a user would: the program itself, in a shell, in a folder whose name needs quoting.
  const std::string start = "set -e; unset LARDER_STORE; PATH=" LARDER_BINARY_DIR
                            "/bin:$PATH; cd " +
                            shell.Path("") + "\n";
  const Output made = RunInShell(start + "larder init \"new shop's\" 2>&1");
  INFO(made.text);
  REQUIRE(made.code == 0);
  const std::string commands = CommandsOf(made.text);
  CHECK_THAT(commands, StartsWith("cd 'new shop'\\''s'\n"));

  const Output ran = RunInShell("exec 2>&1\n" + start + commands);
  INFO(ran.text);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.text, ContainsSubstring("PRESENT"));
  for (const char* status : {"NOT_FOUND", "OUTSIDE_MAX_AGE", "NULL_VALUE"}) {
    CHECK_THAT(ran.text, !ContainsSubstring(status));
  }
  CHECK_THAT(ran.text, !ContainsSubstring("larder: "));
  // The training set has every row of the spine, and no null.
  const std::string training = shell.Read("new shop's/training.csv");
  CHECK(std::count(training.begin(), training.end(), '\n') == 41);
  CHECK(training.find(",,") == std::string::npos);
  // The pushed purchase is what the second read shows.
  const std::string pushed = shell.Read("new shop's/new_purchases.csv");
  CHECK_THAT(pushed, ContainsSubstring("n1,1001,") && ContainsSubstring(",49.90,"));
  const std::size_t push = ran.text.find("pushed 3 rows");
  REQUIRE(push != std::string::npos);
  const std::size_t amount = ran.text.find("\namount ", push);
  REQUIRE(amount != std::string::npos);
  CHECK_THAT(ran.text.substr(amount, 40), ContainsSubstring(" 49.9 "));
}

TEST_CASE("init prints the same commands as the README it writes", "[cli]") {
  Shell shell;
  const std::string commands = CommandsOf(shell.Ok("init $D/shop"));
  const std::string readme = shell.Read("shop/README.md");
  std::istringstream lines(commands);
  int seen = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("larder ")) continue;
    ++seen;
    CHECK_THAT(readme, ContainsSubstring("```sh\n" + line + "\n```"));
  }
  CHECK(seen >= 9);
}

TEST_CASE("init refuses a folder with anything in it and leaves it alone", "[cli]") {
  Shell shell;
  std::filesystem::create_directory(shell.Path("full"));
  shell.Write("full/mine.txt", "precious");
  const Ran ran = shell.Run("init $D/full");
  CHECK(ran.code == 1);
  CHECK(ran.err == "larder: $D/full is not empty\n");
  CHECK(std::distance(std::filesystem::directory_iterator(shell.Path("full")), {}) == 1);
  CHECK(shell.Run("init $D/full/mine.txt").code == 1);
  CHECK(shell.Read("full/mine.txt") == "precious");

  std::filesystem::create_directory(shell.Path("empty"));
  shell.Ok("init $D/empty");
  CHECK(shell.Run("init $D/empty").code == 1);
}

}  // namespace
}  // namespace larder_test
