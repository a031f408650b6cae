#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("fit keeps constants by name and version, and expressions use them", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("training.csv", "amount,city\n1,oslo\n3,rome\n,oslo\n");
  CHECK(shell.Ok("fit") == "nothing is fitted yet: larder fit NAME --from FILE --column COLUMN\n");
  CHECK_THAT(shell.Ok("fit amount_fit --from $D/training.csv --column amount"),
             ContainsSubstring("amount_fit@1") && ContainsSubstring(" 2 "));
  CHECK_THAT(shell.Ok("fit amount_fit --from $D/training.csv --column amount"),
             ContainsSubstring("the same values as before: amount_fit@1 stays the latest"));
  shell.Write("training.csv", "amount,city\n1,oslo\n3,rome\n8,oslo\n");
  CHECK_THAT(shell.Ok("fit amount_fit --from $D/training.csv --column amount --message more"),
             ContainsSubstring("write amount_fit@2 to use this one"));
  const std::string json =
      shell.Ok("fit city_fit --from $D/training.csv --column city --vocabulary 1 --format json");
  CHECK_THAT(json, ContainsSubstring("\"vocabulary\": [\"oslo\"]") &&
                       ContainsSubstring("\"version\": 1") && ContainsSubstring("\"new\": true"));
  const std::string all = shell.Ok("fit");
  for (const char* reference : {"amount_fit@1", "amount_fit@2", "city_fit@1"})
    CHECK_THAT(all, ContainsSubstring(reference));
  CHECK_THAT(shell.Ok("history"), ContainsSubstring("amount_fit@2 on 3 values"));
}

TEST_CASE("fit says what it lacks and changes nothing", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("training.csv", "amount,when\n1,2025-01-01\n,2025-01-02\n");
  struct Case {
    const char* line;
    int code;
    const char* message;
  };
  const Case cases[] = {
      {"fit x", 2, "--from FILE and --column COLUMN"},
      {"fit --from $D/training.csv --column amount", 2, "say which name"},
      {"fit x --from $D/training.csv --column amuont", 1, "did you mean \"amount\"?"},
      {"fit x --from $D/training.csv --column when", 1, "cannot fit a column of date"},
      {"fit x --from $D/nothing.csv --column amount", 1, "nothing.csv"},
      {"fit x --from $D/training.csv --column amount --type int65", 1, "int65"},
      {"fit 'no name' --from $D/training.csv --column amount", 1, "not a valid name"},
      {"fit x --from $D/training.csv --column amount --buckets 0", 2, "--buckets"},
  };
  const std::string before = shell.StoreHash();
  for (const Case& c : cases) {
    INFO(c.line);
    const Ran ran = shell.Run(c.line);
    CHECK(ran.code == c.code);
    CHECK_THAT(ran.err, ContainsSubstring(c.message));
  }
  CHECK(shell.StoreHash() == before);
}

}  // namespace
}  // namespace larder_test
