#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

std::string With(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST_CASE("plan shows what would be made and makes nothing, not even a store", "[cli]") {
  Shell shell;
  shell.Write("definitions.json", kShopDefinitions);
  const std::string plan = shell.Ok("plan $D/definitions.json");
  CHECK_THAT(plan, ContainsSubstring("project shop, new") && ContainsSubstring("+ feature view") &&
                       ContainsSubstring("user_profile@1"));
  CHECK_THAT(plan, !ContainsSubstring("\x1b"));
  CHECK(shell.StoreHash() == "none");
  CHECK_THAT(shell.Ok("plan $D/definitions.json --format json"), StartsWith("{"));
}

TEST_CASE("a plan has colours on a terminal whose owner did not refuse them", "[cli]") {
  Shell shell;
  shell.Write("definitions.json", kShopDefinitions);
  shell.terminal = true;
  CHECK_THAT(shell.Ok("plan $D/definitions.json"), ContainsSubstring("\x1b[32m"));
  shell.variables["NO_COLOR"] = "";
  CHECK_THAT(shell.Ok("plan $D/definitions.json"), !ContainsSubstring("\x1b"));
}

TEST_CASE("apply prints the plan and what was done, and the same again does nothing", "[cli]") {
  Shell shell;
  shell.Write("definitions.json", kShopDefinitions);
  const std::string applied = shell.Ok("apply $D/definitions.json");
  CHECK_THAT(applied, ContainsSubstring("+ feature view") &&
                          EndsWith("applied: revision 1, commit 1\nnext: larder materialize\n"));
  const std::string before = shell.StoreHash();
  CHECK_THAT(shell.Ok("apply $D/definitions.json"),
             EndsWith("nothing to change: still revision 1\n"));
  CHECK(shell.StoreHash() == before);
}

TEST_CASE("apply records author and message, $USER by default", "[cli]") {
  Shell shell;
  shell.variables["USER"] = "bob";
  shell.Write("definitions.json", kShopDefinitions);
  shell.Ok("apply $D/definitions.json --message 'the first'");
  shell.Write("definitions.json", With(kShopDefinitions, "\"30d\"", "\"31d\""));
  shell.Ok("apply $D/definitions.json --author ann -m longer");
  const std::string history = shell.Ok("history");
  CHECK_THAT(history, ContainsSubstring("1  2025-03-10T12:00:00Z  apply  by bob  the first\n") &&
                          ContainsSubstring("apply  by ann  longer\n") &&
                          ContainsSubstring("~ feature view last_purchase@1 -> @2\n"));
  CHECK_THAT(shell.Ok("history --last 1"), !ContainsSubstring("bob"));
  CHECK_THAT(shell.Ok("history --format json"), ContainsSubstring("\"author\": \"bob\""));
}

TEST_CASE("a reviewed plan is applied exactly, or not at all", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("definitions.json", With(kShopDefinitions, "\"30d\"", "\"31d\""));
  shell.Ok("plan $D/definitions.json --out $D/change.plan");
  shell.Write("definitions.json", "changed since");
  CHECK_THAT(shell.Ok("apply --plan $D/change.plan"), ContainsSubstring("last_purchase@1 -> @2"));
  const std::string before = shell.StoreHash();
  const Ran again = shell.Run("apply --plan $D/change.plan");
  CHECK(again.code == 1);
  CHECK(shell.StoreHash() == before);
}

TEST_CASE("a store may be used from another working directory than it was applied from", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const auto here = std::filesystem::current_path();
  std::filesystem::create_directory(shell.Path("elsewhere"));
  std::filesystem::current_path(shell.Path(""));
  const Ran applied = shell.Run("apply definitions.json --store $D/second");
  std::filesystem::current_path(shell.Path("elsewhere"));
  const Ran loaded = shell.Run("materialize --store $D/second");
  std::filesystem::current_path(here);
  CHECK(applied.err == "");
  CHECK(loaded.err == "");
  CHECK(loaded.code == 0);
}

TEST_CASE("plan --sample shows what changes on stored keys, and what cannot be told", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  std::string next =
      With(kShopDefinitions, "request.total / last_amount", "request.total / last_amount * 2");
  next = With(next, R"({"name": "amount", "type": "float64"}]})",
              R"({"name": "amount", "type": "float64", "expr": "amount + 10"}]})");
  shell.Write("next.json", next);
  const std::string before = shell.StoreHash();
  const std::string shown = shell.Ok("plan $D/next.json --sample 1000");
  CHECK_THAT(shown,
             ContainsSubstring("sample of up to 1000 keys of each view at "
                               "2025-03-10T12:00:00Z, commit 2:\n") &&
                 ContainsSubstring("  feature view last_purchase@1 -> @2, 2 rows\n"
                                   "    last_purchase@1: source purchases\n"
                                   "    last_purchase@2: source purchases\n") &&
                 ContainsSubstring("largest change  null before  null after  services") &&
                 ContainsSubstring("amount   float64    50.0%              10        50.0%       "
                                   "50.0%  checkout@1 -> @2\n") &&
                 ContainsSubstring("vs_last not sampled: it reads request.total"));
  const std::string json =
      shell.Ok("plan $D/next.json --sample 1 --request total=80 --format json");
  CHECK_THAT(json, StartsWith("{\n  \"plan\": {") && ContainsSubstring("\"sample\": {") &&
                       ContainsSubstring("\"share_changed\": ") &&
                       ContainsSubstring("\"services\": [\"checkout@1 -> @2\"]") &&
                       !ContainsSubstring("not_sampled"));
  CHECK(shell.StoreHash() == before);

  CHECK_THAT(shell.Ok("plan $D/definitions.json --sample 10"),
             ContainsSubstring("nothing gets another version"));
  CHECK_THAT(shell.Run("plan $D/next.json --store $D/none --sample 10").err,
             ContainsSubstring("no store yet"));
  CHECK(shell.Run("plan $D/next.json --sample 0").code == 2);
  CHECK(shell.Run("plan $D/next.json --request total=80").code == 2);
}

TEST_CASE("variables in paths come from --set, else from the environment", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("variable.json", With(kShopDefinitions, "\"users.csv\"", "\"${DATA}/users.csv\""));
  const Ran missing = shell.Run("plan $D/variable.json");
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, ContainsSubstring("DATA"));
  CHECK_THAT(shell.Ok("plan $D/variable.json --set DATA=/data"),
             ContainsSubstring("/data/users.csv"));
  shell.variables["DATA"] = "/elsewhere";
  CHECK_THAT(shell.Ok("plan $D/variable.json"), ContainsSubstring("/elsewhere/users.csv"));
}

TEST_CASE("what definitions lack stays unless pruned", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string text = kShopDefinitions;
  const std::size_t begin = text.find("{\"name\": \"checkout\"");
  shell.Write("definitions.json", text.substr(0, begin) + "]}");
  CHECK_THAT(shell.Ok("plan $D/definitions.json"), ContainsSubstring("? feature service"));
  CHECK_THAT(shell.Ok("apply $D/definitions.json"),
             EndsWith("nothing to change: still revision 1\n"));
  CHECK_THAT(shell.Ok("apply $D/definitions.json --prune"), ContainsSubstring("- feature service"));
  CHECK_THAT(shell.Ok("list services"), ContainsSubstring("nothing found"));
}

}  // namespace
}  // namespace larder_test
