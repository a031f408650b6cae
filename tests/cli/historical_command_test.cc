// How get-historical-features goes about large work.
#include <cstdio>
#include <string>

#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

constexpr char kSpine[] =
    "user_id,asked_at,total,bought\n"
    "1,2025-03-09T09:59:59Z,60,true\n"
    "1,2025-03-09T10:00:00Z,60,false\n"
    "2,2025-03-05T00:00:00Z,30,true\n"
    "9,2025-03-05T00:00:00Z,30,false\n";
constexpr char kMake[] =
    "get-historical-features --service checkout --spine $D/spine.csv --output $D/";

TEST_CASE("a training set shows progress on a terminal only, and clears it", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kSpine);
  CHECK(shell.Run(std::string(kMake) + "a.csv").err == "");
  shell.terminal = true;
  const Ran ran = shell.Run(std::string(kMake) + "b.csv");
  CHECK(ran.code == 0);
  CHECK_THAT(ran.err, ContainsSubstring("last_purchase@1: 4 events read, 4 of 4 rows joined"));
  CHECK_THAT(ran.err, EndsWith("\r\x1b[K"));
}

TEST_CASE("SIGINT stops a training set and leaves nothing behind", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kSpine);
  // A history that stays open until the signal was sent.
  const std::string script =
      "set -e; cd " + shell.Path("") +
      "; exec 2>&1; rm purchases.csv; mkfifo purchases.csv\n"
      "env --default-signal=INT " LARDER_BINARY_DIR
      "/bin/larder get-historical-features --store " +
      shell.Path("store") +
      " --service checkout --spine spine.csv --output training.csv & pid=$!\n"
      "exec 3>purchases.csv\n"
      "echo 'purchase_id,user_id,amount,at' >&3; echo 'p,1,20,2025-03-01T10:00:00Z' >&3\n"
      "kill -INT $pid; exec 3>&-\n"
      "code=0; wait $pid || code=$?; echo code $code; ls\n";
  std::FILE* pipe = popen(script.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text.push_back(static_cast<char>(c));
  pclose(pipe);
  INFO(text);
  CHECK_THAT(text, StartsWith("larder: interrupted\ncode 1\n"));
  CHECK_THAT(text, ContainsSubstring("spine.csv") && !ContainsSubstring("training.csv"));
}

}  // namespace
}  // namespace larder_test
