#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

constexpr char kCreate[] =
    R"x(feature create user_profile '{"name": "city_upper", "expr": "upper(city)"}')x";

TEST_CASE("a feature is created, updated and deleted one at a time", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.variables["USER"] = "bob";
  CHECK_THAT(shell.Ok(kCreate), ContainsSubstring("user_profile@1 -> @2") &&
                                    ContainsSubstring("features/city_upper") &&
                                    ContainsSubstring("applied: revision 3"));
  CHECK_THAT(shell.Ok("history --last 1"), ContainsSubstring("apply  by bob"));
  shell.Ok("materialize");
  CHECK(shell.Ok("get-online-features --feature user_profile:city_upper --key user_id=1 "
                 "--format csv") == "user_id,city_upper\n1,PORTO\n");

  shell.Write("feature.json", R"x({"name": "city_upper", "expr": "upper(city)", "owner": "ann"})x");
  CHECK_THAT(shell.Ok("feature update user_profile $D/feature.json"), ContainsSubstring("ann"));
  CHECK_THAT(shell.Ok("feature delete user_profile:city_upper --format json"),
             ContainsSubstring("\"changed\": true"));
  CHECK_THAT(shell.Ok("list features"), !ContainsSubstring("city_upper"));
  CHECK_THAT(shell.Ok("plan $D/definitions.json"), ContainsSubstring("nothing to do"));
}

TEST_CASE("a feature may bring its view along, which a later apply leaves alone", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK_THAT(shell.Ok(R"(feature create home '{"name": "city"}' --source users --entity user )"
                      "--ttl 90d"),
             ContainsSubstring("+ feature view  home@1"));
  CHECK_THAT(shell.Ok("describe home --format json"), ContainsSubstring("\"ttl\": \"90d\""));
  shell.Ok("apply $D/definitions.json --prune");
  CHECK_THAT(shell.Ok("list views"), ContainsSubstring("home@1"));
}

TEST_CASE("a feature that is used is deleted only by force", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.StoreHash();
  const Ran refused = shell.Run("feature delete user_profile:city");
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, ContainsSubstring("checkout") && ContainsSubstring("--force"));
  CHECK(shell.StoreHash() == before);
  CHECK_THAT(shell.Ok("feature delete user_profile:city --force"),
             ContainsSubstring("checkout@1 -> @2"));
}

TEST_CASE("feature edits that cannot be are refused with their reason", "[cli]") {
  struct Case {
    const char* line;
    int code;
    const char* message;
  };
  const Case cases[] = {
      {"feature", 2, "feature: say which: create, update, delete\nlarder feature --help"},
      {"feature creat x", 2, "unknown command: feature creat (did you mean \"create\"?)"},
      {"feature --x create", 2, "larder feature"},
      {"feature create user_profile", 2, "feature create: "},
      {"feature create user_profile $D/missing.json", 1, "no such file: $D/missing.json"},
      {"feature create user_profile '{\"nam\": \"x\"}'", 1, "did you mean \"name\"?"},
      {"feature create user_profile '{\"name\": \"city\"}'", 1, "city"},
      {"feature create user_profil '{\"name\": \"x\", \"expr\": \"1\"}'", 1,
       "did you mean \"user_profile\"?"},
      {"feature create v '{\"name\": \"city\"}' --source users --ttl long", 2, "--ttl: "},
      {"feature update user_profile '{\"name\": \"cty\"}'", 1, "did you mean \"city\"?"},
      {"feature update user_profile '{\"name\": \"city\", \"expr\": \"uper(city)\"}'", 1,
       "did you mean \"upper\"?"},
      {"feature delete user_profile", 2, "user_profile"},
      {"feature delete user_profile:cty", 1, "did you mean \"city\"?"},
      {"feature delete user_profile@1:city", 2, "versions never change: say user_profile:city"},
  };
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.StoreHash();
  for (const Case& c : cases) {
    INFO(c.line);
    const Ran ran = shell.Run(c.line);
    CHECK(ran.code == c.code);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, StartsWith("larder: ") && ContainsSubstring(c.message));
    CHECK(shell.StoreHash() == before);
  }
}

}  // namespace
}  // namespace larder_test
