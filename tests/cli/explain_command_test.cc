// explain: what it prints, and what it refuses.
#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("explain shows the versions of a row and which of them counts", "[cli][explain]") {
  Shell shell;
  MakeShop(&shell);
  CHECK(shell.Ok("explain --service checkout --feature city --key user_id=1 --as-of 2025-03-01") ==
        "city = Porto  PRESENT  event time 2025-02-01T00:00:00Z\n"
        "user_profile@1:city: string\n"
        "checkout@1  as of 2025-03-01T00:00:00Z  commit 2\n"
        "\n"
        "   step                            value       status   event time            known at"
        "              made of  note\n"
        "1  key      user_id                1\n"
        "2  version  user_profile@1         city=Porto           2025-02-01T00:00:00Z  "
        "2025-02-01T00:00:00Z           counts\n"
        "3  row      row of user_profile@1              PRESENT  2025-02-01T00:00:00Z  "
        "2025-02-01T00:00:00Z     1, 2\n"
        "4  feature  user_profile@1:city    Porto       PRESENT  2025-02-01T00:00:00Z"
        "                              3\n"
        "\n"
        "receipt  checkout@1 revision 1 commit 2 as_of 2025-03-01T00:00:00Z\n");
}

TEST_CASE("explain shows every part of an expression with its value", "[cli][explain]") {
  Shell shell;
  MakeShop(&shell);
  CHECK_THAT(
      shell.Ok("explain --service checkout --feature vs_last --key user_id=1 --request total=60"),
      StartsWith("vs_last = 1.5  PRESENT  event time 2025-03-09T10:00:00Z\n"
                 "basket@1:vs_last: float64 = request.total / last_amount\n") &&
          ContainsSubstring("\n6  expression  request.total / last_amount  1.5 "));
  const std::string age = shell.Ok("explain --feature user_profile:age --key user_id=1");
  CHECK_THAT(age, ContainsSubstring("\n5  expression  current_date  ") &&
                      ContainsSubstring("\n6  expression  years_between(birth_date, current_date)  "
                                        "34 "));
}

TEST_CASE("explain under --format json has the same steps", "[cli][explain]") {
  Shell shell;
  MakeShop(&shell);
  const std::string json =
      shell.Ok("explain --feature last_purchase:amount --key user_id=2 --format json");
  CHECK_THAT(
      json,
      ContainsSubstring("\"definition\": \"last_purchase@1:amount\",") &&
          ContainsSubstring("\"stale_value\": 7.5,") &&
          ContainsSubstring(
              R"({"step": 2, "kind": "version", "name": "last_purchase@1", "made_of": [], "details": {"amount": 7.5},)") &&
          ContainsSubstring(R"("made_of": [1, 2], "status": "OUTSIDE_MAX_AGE")") &&
          ContainsSubstring(R"("note": "older than the ttl, 30d"})"));
}

TEST_CASE("explain replays a receipt", "[cli][explain]") {
  Shell shell;
  MakeShop(&shell);
  const std::string served =
      shell.Ok("get-online-features --service checkout --key user_id=1 --request total=60");
  const std::string receipt =
      served.substr(served.find("receipt  ") + 9, served.size() - served.find("receipt  ") - 10);
  shell.Write("late.csv", "purchase_id,user_id,amount,at\nd,1,80,2025-03-10T11:00:00Z\n");
  shell.Ok("push --source purchases_live $D/late.csv");
  const std::string as = " --feature amount --key user_id=1";
  CHECK_THAT(shell.Ok("explain --service checkout" + as), StartsWith("amount = 80"));
  const std::string replayed = shell.Ok("explain --receipt '" + receipt + "'" + as);
  CHECK_THAT(replayed, StartsWith("amount = 40") && ContainsSubstring("a later commit brought it") &&
                           ContainsSubstring("note: last_purchase@1: what loads bring says no "
                                             "commit, and the last load was at ") &&
                           EndsWith("receipt  " + receipt + "\n"));
  CHECK(shell.Run("explain --receipt nothing" + as).code == 1);
  CHECK(shell.Run("explain --receipt '" + receipt + "' --service checkout" + as).code == 2);
}

TEST_CASE("explain evaluates a row of a training set again", "[cli][explain]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv",
              "user_id,t,total\n2,2025-03-10T10:00:00Z,10\n1,2025-03-09T12:00:00Z,60\n");
  shell.Ok("get-historical-features --service checkout --spine $D/spine.csv --output $D/tr.csv");
  CHECK(shell.Ok("explain --dataset $D/tr.csv --row 2") ==
        "row 2 of $D/tr.csv  as of 2025-03-09T12:00:00Z\n"
        "\n"
        "feature  in the file  trained now    served now\n"
        "age      34           34 PRESENT     34 PRESENT     agree\n"
        "city     Porto        Porto PRESENT  Porto PRESENT  agree\n"
        "amount   40           40 PRESENT     40 PRESENT     agree\n"
        "vs_last  1.5          1.5 PRESENT    1.5 PRESENT    agree\n");
  CHECK_THAT(shell.Ok("explain --dataset $D/tr.csv --row 2 --feature vs_last"),
             EndsWith("training and serving agree, step by step\n"));
  // The source is corrected after the load.
  shell.Write("purchases.csv",
              "purchase_id,user_id,amount,at\na,1,20,2025-03-01T10:00:00Z\n"
              "b,1,44,2025-03-09T10:00:00Z\nc,2,7.5,2025-01-20T10:00:00Z\n");
  const std::string text = shell.Ok("explain --dataset $D/tr.csv --row 2");
  CHECK_THAT(text,
             ContainsSubstring("amount   40           44 PRESENT                  40 PRESENT"
                               "     the file's is another one, served otherwise\n") &&
                 ContainsSubstring("  source purchases: the content of its files differs\n") &&
                 EndsWith("the two part in step 5 of training, step 4 of serving: feature "
                          "last_purchase@1:amount\n"));
  CHECK_THAT(shell.Ok("explain --dataset $D/tr.csv --row 2 --format json"),
             ContainsSubstring("\"parting\": {\"trained_step\": 5, \"served_step\": 4}"));
  const auto refused = [&](std::string_view line, int code, std::string_view message) {
    const Ran ran = shell.Run(line);
    INFO(ran.err);
    CHECK(ran.code == code);
    CHECK_THAT(ran.err, ContainsSubstring(std::string(message)));
  };
  refused("explain --dataset $D/tr.csv --row 3", 2, "expected 1 to 2");
  refused("explain --dataset $D/tr.csv --row 0", 2, "expected 1 to 2");
  refused("explain --dataset $D/tr.csv", 2, "--row");
  refused("explain --dataset $D/spine.csv --row 1", 1, "no manifest beside");
  refused("explain --dataset $D/tr.csv --row 1 --feature ctiy", 1, "gives no feature ctiy");
  refused("explain --dataset $D/tr.csv --row 1 --key user_id=1", 2, "--key and --request");
}

TEST_CASE("explain says what it needs when it is not told", "[cli][explain]") {
  Shell shell;
  MakeShop(&shell);
  const auto refused = [&](std::string_view line, int code, std::string_view message) {
    const Ran ran = shell.Run(line);
    INFO(ran.err);
    CHECK(ran.code == code);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, ContainsSubstring(std::string(message)));
  };
  refused("explain --key user_id=1", 2, "say what to explain");
  refused("explain --service checkout --key user_id=1", 1,
          "say which one to explain: age, city, amount, vs_last");
  refused("explain --service checkout --feature ciyt --key user_id=1", 1,
          "checkout@1 gives no feature ciyt (did you mean \"city\"?)");
  refused("explain --service chekout --feature city --key user_id=1", 1, "chekout");
  refused("explain --feature user_profile:ctiy --key user_id=1", 1, "ctiy");
  refused("explain --feature user_profile:city --key usr=1", 1, "missing join key user_id");
  refused("explain --feature user_profile:city --key user_id=x", 1, "join key user_id");
  refused("explain --feature user_profile:city --key user_id=1 --key user_id=2", 2,
          "one value is explained at a time");
}

}  // namespace
}  // namespace larder_test
