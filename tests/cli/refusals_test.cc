#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

// Issue by issue what a user gets wrong: the message names the object, the place, what was found and what was
// expected; the exit code is 1; the store is as it was.
TEST_CASE("what cannot be done is refused with its reason and changes nothing", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const auto definitions = [&](std::string_view from, std::string_view to) {
    std::string text = kShopDefinitions;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  shell.Write("unknown_key.json",
              definitions("\"event_time\": \"changed_at\"", "\"evnt_time\": \"changed_at\""));
  shell.Write("bad_type.json", definitions("\"type\": \"date\"", "\"type\": \"dat\""));
  shell.Write("wrong_type.json", definitions("{\"name\": \"age\", \"type\": \"int64\"",
                                             "{\"name\": \"age\", \"type\": \"timestamp\""));
  shell.Write("bad_expression.json",
              definitions("request.total / last_amount", "request.total / / last_amount"));
  shell.Write("unknown_name.json",
              definitions("request.total / last_amount", "request.total / last_amuont"));
  shell.Write("unknown_feature.json", definitions("\"basket:vs_last\"", "\"basket:vs_lst\""));
  shell.Write("not_json.json", "{\"larder\": 1,");
  shell.Write("bad_row.csv",
              "purchase_id,user_id,amount,at\nn,1,77,2025-03-10T11:59:00Z\no,1,many,2025-03-10T11:"
              "59:30Z\n");
  shell.Write("no_key.csv", "purchase_id,usr_id,amount,at\nn,1,77,2025-03-10T11:59:00Z\n");
  shell.Write("null_key.csv", "purchase_id,user_id,amount,at\nn,,77,2025-03-10T11:59:00Z\n");
  shell.Write("future.csv", "purchase_id,user_id,amount,at\nn,1,77,2025-03-10T12:11:00Z\n");
  shell.Write("open_quote.csv", "purchase_id,user_id,amount,at\nn,1,77,\"2025-03-10T11:59:00Z\n");
  shell.Write("spine_no_key.csv", "usr_id,asked_at,total\n1,2025-03-09T10:00:00Z,60\n");
  shell.Write("spine_bad_row.csv", "user_id,asked_at,total\n1,2025-03-09T10:00:00Z,sixty\n");
  shell.Write("spine_no_time.csv", "user_id,total\n1,60\n");
  shell.Write("spine.csv", "user_id,asked_at,total\n1,2025-03-09T10:00:00Z,60\n");

  struct Case {
    const char* line;
    std::vector<const char*> message;
  };
  const std::string historical =
      "get-historical-features --service checkout --output $D/out.csv --spine ";
  const Case cases[] = {
      {"apply $D/unknown_key.json", {"/sources/0", "evnt_time", "did you mean \"event_time\"?"}},
      {"apply $D/bad_type.json", {"/sources/0/fields/1/type", "dat", "date"}},
      {"apply $D/wrong_type.json", {"/feature_views/0/features/1/type", "timestamp", "int64"}},
      {"apply $D/bad_expression.json", {"/on_demand_views/0", "^"}},
      {"apply $D/unknown_name.json", {"last_amuont", "did you mean \"last_amount\"?", "^"}},
      {"apply $D/unknown_feature.json", {"/feature_services/0", "vs_lst", "did you mean"}},
      {"apply $D/not_json.json", {"not_json.json"}},
      {"apply $D/missing.json", {"missing.json"}},
      {"apply --plan $D/missing.plan", {"no such file", "missing.plan"}},
      {"materialize --view user_profil", {"user_profil", "did you mean \"user_profile\"?"}},
      {"push --source purchases_live $D/bad_row.csv",
       {"bad_row.csv:3", "amount", "\"many\"", "float64"}},
      {"push --source purchases_live $D/no_key.csv", {"no_key.csv", "user_id"}},
      {"push --source purchases_live $D/null_key.csv", {"null"}},
      {"push --source purchases_live $D/future.csv", {"future"}},
      {"push --source purchases_live $D/open_quote.csv", {"open_quote.csv", "quote"}},
      {"push --source purchases_live $D/missing.csv", {"missing.csv"}},
      {"push --source purchases_liv $D/bad_row.csv",
       {"purchases_liv", "did you mean \"purchases_live\"?"}},
      {"get-online-features --service chekout --key user_id=1",
       {"chekout", "did you mean \"checkout\"?"}},
      {"get-online-features --service checkout@4 --key user_id=1", {"checkout"}},
      {"get-online-features --service checkout --key user_id=1", {"missing request field total"}},
      {"get-online-features --service checkout --request total=1", {"missing join key user_id"}},
      {"get-online-features --service checkout --key usr_id=1 --request total=1",
       {"user_id", "usr_id"}},
      {"get-online-features --service checkout --key user_id=1 --key x=1 --request total=1",
       {"unknown column: x"}},
      {"get-online-features --service checkout --key user_id=abc --request total=1",
       {"user_id", "\"abc\"", "int64"}},
      {"get-online-features --service checkout --key user_id=1 --request total=lots",
       {"total", "\"lots\"", "float64"}},
      {"get-online-features --feature user_profile:agee --key user_id=1", {"agee", "did you mean"}},
      {"get-online-features --service checkout --rows $D/missing.csv",
       {"no such file", "missing.csv"}},
      {"spine_no_key.csv", {"user_id", "usr_id"}},
      {"spine_bad_row.csv", {"spine_bad_row.csv:2", "total", "float64"}},
      {"spine_no_time.csv", {"time"}},
      {"missing.csv", {"missing.csv"}},
  };
  const std::string before = shell.StoreHash();
  REQUIRE(before != "none");
  for (const Case& c : cases) {
    const std::string line = std::string_view(c.line).ends_with("csv") &&
                                     std::string_view(c.line).find(' ') == std::string_view::npos
                                 ? historical + "$D/" + c.line
                                 : std::string(c.line);
    INFO(line);
    const Ran ran = shell.Run(line);
    CHECK(ran.code == 1);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, StartsWith("larder: "));
    for (const char* part : c.message) CHECK_THAT(ran.err, ContainsSubstring(part));
    CHECK(shell.StoreHash() == before);
    CHECK(!std::filesystem::exists(shell.Path("out.csv")));
  }
}

TEST_CASE("definitions that are refused leave no store behind", "[cli]") {
  Shell shell;
  shell.Write("definitions.json", "{\"larder\": 1, \"project\": \"p\", \"entitys\": []}");
  CHECK(shell.Run("apply $D/definitions.json").code == 1);
  CHECK(!std::filesystem::exists(shell.Path("store")));
}

TEST_CASE("a training set that cannot be written leaves nothing behind", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", "user_id,asked_at,total\n1,2025-03-09T10:00:00Z,60\n");
  const Ran ran = shell.Run(
      "get-historical-features --service checkout --spine $D/spine.csv --output "
      "$D/no/such/folder/out.csv");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, ContainsSubstring("no/such/folder"));
}

}  // namespace
}  // namespace larder_test
