// lineage, generate-header, verify, backup, compact and vacuum.
#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("lineage follows an object both ways", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string source = shell.Ok("lineage purchases_live");
  CHECK_THAT(source, StartsWith("source purchases_live\nmade from\n  source purchases\n") &&
                         ContainsSubstring("feature last_purchase@1:amount") &&
                         ContainsSubstring("feature service checkout@1"));
  CHECK_THAT(shell.Ok("lineage user_profile:age"),
             ContainsSubstring("source users") && ContainsSubstring("feature service checkout@1"));
  CHECK_THAT(shell.Ok("lineage checkout@1 --format json"),
             ContainsSubstring("\"node\": \"feature service checkout@1\"") &&
                 ContainsSubstring("\"edges\""));
  const Ran unknown = shell.Run("lineage user_profil");
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.err, ContainsSubstring("did you mean \"user_profile\"?"));
}

TEST_CASE("generate-header writes a service's struct, and leaves a right file alone", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string header = shell.Ok("generate-header checkout@1");
  CHECK_THAT(header, ContainsSubstring("namespace features {") &&
                         ContainsSubstring("struct Checkout {") &&
                         ContainsSubstring("kService = \"checkout@1\"") &&
                         ContainsSubstring("std::optional<double> vs_last;"));
  CHECK(shell.Ok("generate-header checkout@1 --output $D/checkout.h") ==
        "$D/checkout.h now is the header of checkout@1\n");
  CHECK(shell.Read("checkout.h") == header);
  const auto written = std::filesystem::last_write_time(shell.Path("checkout.h"));
  CHECK(shell.Ok("generate-header checkout --output $D/checkout.h") ==
        "$D/checkout.h is the header of checkout@1\n");
  CHECK(std::filesystem::last_write_time(shell.Path("checkout.h")) == written);
  CHECK_THAT(shell.Ok("generate-header checkout --namespace acme::shop"),
             ContainsSubstring("namespace acme::shop {"));
  const std::string any =
      shell.Ok("generate-header checkout --definitions $D/definitions.json --store $D/none");
  CHECK_THAT(any, ContainsSubstring("kService = \"checkout\"") &&
                      ContainsSubstring(header.substr(header.find("kSchemaHash"), 60)));
  CHECK(shell.Run("generate-header checkout@1 --definitions $D/definitions.json").code == 2);
  CHECK(shell.Run("generate-header checkout --namespace 'x; y'").code == 2);
  CHECK(shell.Run("generate-header checkout --namespace a::").code == 2);
  const Ran unknown = shell.Run("generate-header chekout@1 --output $D/other.h");
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.err, ContainsSubstring("did you mean \"checkout\"?"));
  CHECK(!std::filesystem::exists(shell.Path("other.h")));
}

TEST_CASE("contract writes a service's terms, and finds a store that does not keep them", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string text = shell.Ok("contract checkout@1");
  CHECK_THAT(text, ContainsSubstring("\"service\": \"checkout@1\"") &&
                       ContainsSubstring("last_purchase: ttl 30d, boundary at"));
  CHECK(shell.Ok("contract checkout@1 --output $D/c.json") ==
        "$D/c.json now is the contract of checkout@1\n");
  CHECK(shell.Read("c.json") == text);
  CHECK(shell.Ok("contract checkout --output $D/c.json") ==
        "$D/c.json is the contract of checkout@1\n");
  shell.Ok("contract checkout --any-version --output $D/any.json");
  CHECK(shell.Ok("contract --check $D/c.json") ==
        "the store keeps the contract of checkout@1 in $D/c.json\n");

  std::string definitions = kShopDefinitions;
  const std::size_t ttl = definitions.find("\"30d\"");
  REQUIRE(ttl != std::string::npos);
  shell.Write("definitions.json", definitions.replace(ttl, 5, "\"7d\""));
  shell.Ok("apply $D/definitions.json");
  // The version it names is still there; a store that never had it is another matter.
  shell.Ok("contract --check $D/c.json");
  shell.Ok("contract --check $D/any.json");
  shell.Ok("apply $D/definitions.json --store $D/fresh");
  const Ran refused = shell.Run("contract --check $D/any.json --store $D/fresh");
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, ContainsSubstring("- view last_purchase: ttl 30d") &&
                              ContainsSubstring("+ view last_purchase: ttl 7d"));
  CHECK(shell.Run("contract").code == 2);
  CHECK(shell.Run("contract checkout --check $D/c.json").code == 2);
  CHECK(shell.Run("contract --check $D/none.json").code == 1);
  CHECK_THAT(shell.Run("contract chekout").err, ContainsSubstring("did you mean \"checkout\"?"));
}

TEST_CASE("compact says what it put together", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK(shell.Ok("compact") == "nothing to compact\n");
  CHECK_THAT(shell.Ok("compact --view user_profile --format json"),
             ContainsSubstring("\"segments_before\": 0") && ContainsSubstring("\"commits\": 0"));
  const Ran unknown = shell.Run("compact --view user_profil");
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.err, ContainsSubstring("user_profile"));
}

TEST_CASE("vacuum rewrites the store and says how large it was and is", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.Ok("list --format json");
  CHECK_THAT(shell.Ok("vacuum"), StartsWith("rewritten: ") && ContainsSubstring(" bytes before, ") &&
                                     ContainsSubstring(" after; commit 3\n"));
  CHECK_THAT(shell.Ok("vacuum --format json"), ContainsSubstring("\"folder\": 3") &&
                                                   ContainsSubstring("\"size_before\"") &&
                                                   ContainsSubstring("\"size_after\""));
  CHECK(shell.Ok("list --format json") == before);
  CHECK_THAT(shell.Ok("verify"), StartsWith("$D/store is whole: commit 4, "));
}

TEST_CASE("verify says that a store is whole", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK_THAT(shell.Ok("verify"), StartsWith("$D/store is whole: commit 2, "));
  CHECK_THAT(shell.Ok("verify --format json"),
             ContainsSubstring("\"ok\": true,") && ContainsSubstring("\"problems\": []"));
  const Ran missing = shell.Run("verify --store $D/other");
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, ContainsSubstring("other"));
}

TEST_CASE("verify finds damage and exits with 1", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  std::string data;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shell.Path("store"))) {
    if (entry.path().filename() == "data.mdb") {
      data = std::filesystem::relative(entry.path(), shell.Path("")).string();
    }
  }
  std::string bytes = shell.Read(data);
  const std::size_t at = bytes.rfind("Porto");
  REQUIRE(at != std::string::npos);
  bytes[at] = 'X';
  shell.Write(data, bytes);
  const Ran ran = shell.Run("verify");
  CHECK(ran.code == 1);
  CHECK(ran.out == "");
  CHECK_THAT(ran.err, StartsWith("larder: $D/store is damaged: 1 problem\n  segment "));
  const Ran json = shell.Run("verify --format json");
  CHECK(json.code == 1);
  CHECK_THAT(json.out, ContainsSubstring("\"ok\": false,"));
}

TEST_CASE("a backup is a store of its own", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string list = shell.Ok("list");
  CHECK(shell.Ok("backup $D/copy") ==
        "checked copy of commit 2 in $D/copy: use it with --store $D/copy\n");
  CHECK(shell.Ok("list --store $D/copy") == list);
  shell.Ok("hold user_profile");
  CHECK_THAT(shell.Ok("history --store $D/copy"), !ContainsSubstring("hold"));
  const Ran again = shell.Run("backup $D/copy");
  CHECK(again.code == 1);
  CHECK_THAT(again.err, ContainsSubstring("$D/copy"));
  CHECK_THAT(shell.Ok("backup $D/second --format json"), ContainsSubstring("\"ok\": true,"));
}

}  // namespace
}  // namespace larder_test
