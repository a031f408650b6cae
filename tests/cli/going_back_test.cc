#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

std::string With(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

// Entry 1 applies, 2 publishes, 3 makes last_purchase@2 and with it checkout@2.
void MakeChangedShop(Shell* shell) {
  MakeShop(shell);
  shell->Write("changed.json", With(kShopDefinitions, "\"30d\"", "\"60d\""));
  shell->now = larder::ParseTimestamp("2025-03-10T13:00:00Z").value().value;
  shell->Ok("apply $D/changed.json");
}

constexpr char kRead[] =
    "get-online-features --service checkout --key user_id=2 --request total=1 --format csv";

TEST_CASE("diff shows old and new meaning of what changed between two moments", "[cli]") {
  Shell shell;
  MakeChangedShop(&shell);
  const std::string diff = shell.Ok("diff 1 3");
  CHECK_THAT(diff, StartsWith("project shop, entry 1 to entry 3\n") &&
                       ContainsSubstring("last_purchase@1 -> @2") &&
                       ContainsSubstring("\"30d\"  ->  \"60d\""));
  CHECK_THAT(diff, !ContainsSubstring("user_profile"));
  CHECK_THAT(shell.Ok("diff 3 1"), ContainsSubstring("\"60d\"  ->  \"30d\""));
  CHECK(shell.Ok("diff 1 2025-03-10T12:30:00Z") ==
        "no difference in project shop between entries 1 and 2\n");
  CHECK_THAT(shell.Ok("diff 2025-03-10T12:30:00Z 2025-03-11"),
             ContainsSubstring("entry 2 to entry 3"));
  CHECK_THAT(shell.Ok("diff 1 3 --format json"),
             StartsWith("{\n  \"from\": 1,\n  \"to\": 3,\n  \"plan\": {"));
}

TEST_CASE("rollback takes values back at once, and says which views are on hold", "[cli]") {
  Shell shell;
  MakeChangedShop(&shell);
  const std::string later = shell.Ok(kRead);
  const std::string before = shell.StoreHash();
  CHECK_THAT(shell.Ok("rollback 1 --dry-run"),
             StartsWith("project shop, would go back to entry 1\n") &&
                 ContainsSubstring("last_purchase@2 -> @1"));
  CHECK(shell.StoreHash() == before);

  const std::string back = shell.Ok("rollback 1 --author ann --message 'too old'");
  CHECK_THAT(back, StartsWith("project shop, back to entry 1\n") &&
                       ContainsSubstring("rolled back: revision 4, commit ") &&
                       ContainsSubstring("on hold, not loaded until `larder release VIEW`: "
                                         "last_purchase\n"));
  CHECK(shell.Ok(kRead) != later);
  CHECK_THAT(shell.Ok("describe last_purchase --format json"), ContainsSubstring("\"30d\""));
  CHECK_THAT(shell.Ok("history --last 1"),
             ContainsSubstring("rollback  by ann  too old\n    to 1\n"));
  CHECK(shell.Ok("rollback 2 --data") ==
        "nothing to change: rows are as they were after entry 2\n");
  CHECK(shell.Ok("rollback 1") ==
        "nothing to change: definitions are as they were after entry 1\n");
  CHECK_THAT(shell.Ok("rollback 3 --format json"),
             ContainsSubstring("\"rolled_back_to\": 3,") &&
                 ContainsSubstring("\"on_hold\": [\"last_purchase\"]"));
  CHECK(shell.Ok(kRead) == later);
}

TEST_CASE("loaded rows go back to a generation that is kept", "[cli]") {
  constexpr char kAmount[] =
      "get-online-features --feature last_purchase:amount --key user_id=1 --format csv";
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.Ok(kAmount);
  shell.Write("purchases.csv", "purchase_id,user_id,amount,at\nz,1,5,2025-03-10T11:30:00Z\n");
  shell.Ok("materialize --view last_purchase");
  shell.Write("new.csv", "purchase_id,user_id,amount,at\nn,3,77,2025-03-10T11:59:00Z\n");
  shell.Ok("push --source purchases_live $D/new.csv");
  const std::string after = shell.Ok(kAmount);
  REQUIRE(after != before);

  CHECK_THAT(
      shell.Ok("rollback 2 --data"),
      ContainsSubstring("loaded rows are those of then again: last_purchase@1: generation 1\n") &&
          ContainsSubstring("on hold, not loaded until `larder release VIEW`: last_purchase"));
  CHECK(shell.Ok(kAmount) == before);
  CHECK(
      shell.Ok("get-online-features --feature last_purchase:amount --key user_id=3 --format csv") ==
      "user_id,amount\n3,77\n");  // pushed: stays
  CHECK(shell.Ok("rollback 2 --data") ==
        "nothing to change: rows are as they were after entry 2\n");
  CHECK_THAT(shell.Ok("materialize --view last_purchase"), ContainsSubstring("on hold"));
  CHECK(shell.Ok(kAmount) == before);

  // The whole state of entry 3, rows and names.
  CHECK_THAT(shell.Ok("rollback 3 --format json"),
             ContainsSubstring("\"restored\": [\"last_purchase@1: generation 2\"]"));
  CHECK(shell.Ok(kAmount) == after);

  shell.Ok("release last_purchase");
  for (int load = 0; load < 3; ++load) shell.Ok("materialize --view last_purchase");
  const Ran gone = shell.Run("rollback 2 --data");
  CHECK(gone.code == 1);
  CHECK_THAT(gone.err, ContainsSubstring("rows are no longer kept: last_purchase@1: generation 1"));
}

TEST_CASE("what a commit pushed is taken back, and what it had won over wins again", "[cli]") {
  constexpr char kAmount[] =
      "get-online-features --feature last_purchase:amount --key user_id=3 --format csv";
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.Ok(kAmount);
  shell.Write("bad.csv", "purchase_id,user_id,amount,at\nn,3,77,2025-03-10T11:59:00Z\n");
  CHECK_THAT(shell.Ok("push --source purchases_live $D/bad.csv"), ContainsSubstring("commit 3"));
  CHECK(shell.Ok(kAmount) != before);
  CHECK(shell.Ok("retract --source purchases_live --commits 3 -m 'test data'") ==
        "taken back: entry 3, commit 4\n  last_purchase@1: 1 row of 1 key\n");
  CHECK(shell.Ok(kAmount) == before);
  CHECK_THAT(
      shell.Ok("history --last 1"),
      ContainsSubstring("retract") && ContainsSubstring("test data") &&
          ContainsSubstring("source purchases_live, commits 3 to 3: last_purchase@1 1 rows"));
  CHECK(
      shell.Ok("retract --source purchases_live --commits 1..4") ==
      "nothing to take back: these commits pushed nothing of purchases_live that is still there\n");
  CHECK_THAT(shell.Ok("retract --source purchases_live --commits 1..4 --format json"),
             ContainsSubstring("\"changed\": false"));
  const Ran bad = shell.Run("retract --source purchases_live --commits 3-4");
  CHECK(bad.code == 1);
  CHECK_THAT(bad.err, ContainsSubstring("--commits: expected two numbers as in 1040..1052"));
}

TEST_CASE("one view goes back alone", "[cli]") {
  Shell shell;
  MakeChangedShop(&shell);
  CHECK_THAT(
      shell.Ok("rollback 2025-03-10T12:30:00Z --view last_purchase"),
      StartsWith("project shop, back to entry 2\n") && ContainsSubstring("last_purchase@2 -> @1"));
}

TEST_CASE("a view on hold is checked by loads but not written until it is released", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK_THAT(shell.Ok("hold user_profile -m 'source under repair'"),
             StartsWith("user_profile is on hold: entry 3; "));
  CHECK(shell.Ok("hold user_profile") == "nothing to change: user_profile is on hold\n");
  CHECK_THAT(shell.Ok("describe user_profile"),
             ContainsSubstring("on hold    by entry 3, until larder release user_profile\n"));
  CHECK_THAT(shell.Ok("describe last_purchase"), !ContainsSubstring("on hold"));
  CHECK_THAT(shell.Ok("materialize --view user_profile"),
             StartsWith("user_profile@1 is on hold: its source was checked and nothing written\n"));
  CHECK_THAT(shell.Ok("materialize --view user_profile --format json"),
             ContainsSubstring("\"held\": [\n    \"user_profile@1\"\n"));
  CHECK_THAT(shell.Ok("release user_profile"), StartsWith("user_profile is released: entry 4\n"));
  CHECK_THAT(shell.Ok("release user_profile --format json"),
             ContainsSubstring("\"on_hold\": false,\n  \"changed\": false,\n  \"number\": 4"));
  CHECK_THAT(shell.Ok("materialize --view user_profile"), !ContainsSubstring("on hold"));
}

TEST_CASE("describe says of an older version whether loads still reach it", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("changed.json", With(kShopDefinitions, R"([{"name": "city", "type": "string"})",
                                   R"json([{"name": "city", "expr": "upper(city)"})json"));
  shell.Ok("apply $D/changed.json");
  CHECK_THAT(shell.Ok("describe user_profile"), !ContainsSubstring("kept up"));
  CHECK_THAT(shell.Ok("describe user_profile"),
             ContainsSubstring("none yet: larder materialize --view user_profile\n"));
  CHECK_THAT(shell.Ok("describe user_profile@1"), ContainsSubstring("kept up") &&
                                                      ContainsSubstring("yes, others use it") &&
                                                      ContainsSubstring("2 keys"));
}

TEST_CASE("describe of a view that is only pushed to names the push, not a load", "[cli]") {
  Shell shell;
  shell.Write("definitions.json", R"({"larder": 1, "project": "shop",
    "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
    "sources": [{"name": "clicks", "kind": "push", "event_time": "at", "fields": [
      {"name": "user_id", "type": "int64"}, {"name": "page", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
    "feature_views": [{"name": "last_click", "entities": ["user"], "source": "clicks", "features": [{"name": "page"}]}]})");
  shell.Ok("apply $D/definitions.json");
  const std::string shown = shell.Ok("describe last_click");
  CHECK_THAT(shown, ContainsSubstring("none yet: larder push --source clicks FILE\n") &&
                        !ContainsSubstring("materialize"));
}

TEST_CASE("describe --at shows what a name, or the project, said then", "[cli]") {
  Shell shell;
  MakeChangedShop(&shell);
  CHECK_THAT(shell.Ok("describe last_purchase --at 1"), ContainsSubstring("\"ttl\": \"30d\""));
  CHECK_THAT(shell.Ok("describe last_purchase --at 3"), ContainsSubstring("\"ttl\": \"60d\""));
  CHECK_THAT(shell.Ok("describe last_purchase --at 2025-03-10T12:59:00Z"),
             ContainsSubstring("\"ttl\": \"30d\""));
  shell.Write("then.json", shell.Ok("describe --at 1"));
  shell.Ok("rollback 1");
  CHECK_THAT(shell.Ok("plan $D/then.json"), ContainsSubstring("nothing to do"));
}

TEST_CASE("what cannot go back, be held or be compared is refused with its reason", "[cli]") {
  struct Case {
    const char* line;
    int code;
    const char* message;
  };
  const Case cases[] = {
      {"diff 1", 2, "to is required"},
      {"diff 1 soon", 2, "diff: B: expected the number of a history entry or a time, found"},
      {"diff 1 99", 1, "history has no entry 99: the last one is 3"},
      {"diff 2001-01-01 3", 1,
       "nothing had happened by 2001-01-01T00:00:00Z: the first entry is of 2025-03-10T12:00:00Z"},
      {"rollback", 2, "moment is required"},
      {"rollback -- -1", 2, "rollback: REV: expected"},
      {"rollback 99", 1, "history has no entry 99"},
      {"rollback 0", 1, "history begins with entry 1"},
      {"rollback 1 --data --definitions", 2, "excludes"},
      {"rollback 1 --view last_purchas", 1, "did you mean \"last_purchase\"?"},
      {"rollback 1 --project shpo", 1, "unknown project: shpo (did you mean \"shop\"?)"},
      {"hold user_profil", 1, "user_profil"},
      {"release user_profil", 1, "user_profil"},
      {"describe last_purchas --at 1", 1,
       "unknown name at entry 1: last_purchas (did you mean \"last_purchase\"?)"},
      {"describe last_purchase@1 --at 1", 2, "--at goes with a bare name"},
      {"describe last_purchase --at 99", 1, "history has no entry 99"},
  };
  Shell shell;
  MakeChangedShop(&shell);
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
