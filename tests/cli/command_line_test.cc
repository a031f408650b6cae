#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("wrong usage exits with 2, says what is wrong and where to read on", "[cli]") {
  struct Case {
    const char* line;
    const char* message;
  };
  const Case cases[] = {
      {"", "no command given"},
      {"lst", "unknown command: lst (did you mean \"list\"?)"},
      {"--stor x", "--stor"},
      {"init", "folder is required"},
      {"materialize --vew x", "--vew"},
      {"materialize --full --incremental", "excludes"},
      {"materialize --start yesterday", "--start: "},
      {"materialize --start 2025-02-01 --end 2025-01-01", "--end is before --start"},
      {"get-online-features", "give either --service or --feature"},
      {"get-online-features --service s --key user_id",
       "--key: expected name=value, found \"user_id\""},
      {"get-online-features --service s --key a=1 --key a=2 --key b=1 --key b=2 --key b=3",
       "for every row"},
      {"get-online-features --service s --format yaml", "--format"},
      {"get-online-features --service s --key a=1 --rows f.csv", "excludes"},
      {"get-online-features --service s --full-feature-names", "goes with --feature"},
      {"get-historical-features --service s --spine f.csv", "--output is required"},
      {"get-historical-features --service s --spine f.csv --output o.csv --known-at now",
       "expected spine or any"},
      {"get-historical-features --service s --spine f.csv --output o.csv --threads 0", "--threads"},
      {"apply", "give either definitions or --plan FILE"},
      {"apply a.json --plan b", "give either definitions or --plan FILE"},
      {"apply --plan b --prune", "were settled when the plan was made"},
      {"apply a.json --set X", "--set: expected name=value"},
      {"list veiws", "unknown kind: veiws (did you mean \"views\"?)"},
      {"list --type flot", "--type: "},
      {"list views --type float64", "--type is about features"},
      {"--store x list veiws", "larder: list: unknown kind: veiws"},
      {"describe x --kind veiw", "unknown kind: veiw"},
      {"eval x --row x=null", "a null needs a type"},
  };
  Shell shell;
  shell.Write("a.json", "{}");
  for (const Case& c : cases) {
    INFO(c.line);
    std::string line = c.line;
    if (line.starts_with("apply a.json --set")) line = "apply $D/a.json --set X";
    const Ran ran = shell.Run(line);
    CHECK(ran.code == 2);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, StartsWith("larder: ") && ContainsSubstring(c.message) &&
                            ContainsSubstring("--help"));
    CHECK(shell.StoreHash() == "none");
  }
}

TEST_CASE("help is on standard output, and every command's help has an example", "[cli]") {
  Shell shell;
  const std::string all = shell.Ok("--help");
  for (const char* name : {"init",
                           "infer",
                           "eval",
                           "plan",
                           "apply",
                           "materialize",
                           "push",
                           "get-online-features",
                           "get-historical-features",
                           "get-validity-intervals",
                           "verify-dataset",
                           "diff-datasets",
                           "list",
                           "describe",
                           "history",
                           "diff",
                           "rollback",
                           "hold",
                           "release",
                           "feature",
                           "feature create",
                           "feature update",
                           "feature delete",
                           "generate-header",
                           "contract",
                           "lineage",
                           "verify",
                           "bench",
                           "replay",
                           "backup"}) {
    INFO(name);
    if (std::string_view(name).find(' ') == std::string_view::npos) {
      CHECK_THAT(all, ContainsSubstring(name));
    }
    const std::string help = shell.Ok(std::string(name) + " --help");
    CHECK_THAT(help,
               ContainsSubstring("Example") && ContainsSubstring("larder " + std::string(name)));
  }
  CHECK_THAT(shell.Ok("--version"), StartsWith("larder "));
}

TEST_CASE("commands that read say how to make a store when there is none", "[cli]") {
  Shell shell;
  for (const char* line :
       {"list", "describe x", "history", "materialize", "push --source s x.csv",
        "get-online-features --service s --key a=1", "diff 1 2", "rollback 1",
        "rollback 1 --dry-run", "hold v", "release v", "lineage x", "generate-header s@1",
        "feature delete v:f", "backup copy", "bench --service s", "replay --requests x.csv"}) {
    INFO(line);
    const Ran ran = shell.Run(line);
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err,
               StartsWith("larder: no store at ") && ContainsSubstring("larder apply DEFINITIONS"));
    CHECK(shell.StoreHash() == "none");
  }
}

TEST_CASE("the option --store may stand before or after the command", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string list = shell.Ok("list");
  CHECK(shell.Ok("list --store $D/store") == list);
  CHECK(shell.Ok("--store $D/store list") == list);
  CHECK(shell.Run("--store $D/other list").code == 1);
}

}  // namespace
}  // namespace larder_test
