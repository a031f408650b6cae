#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("online features of one key are read from top to bottom", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK(shell.Ok("get-online-features --service checkout --key user_id=1 --request total=60") ==
        "user_id  1\n"
        "\n"
        "feature  value  status   event time\n"
        "age      34     PRESENT  2025-02-01T00:00:00Z\n"
        "city     Porto  PRESENT  2025-02-01T00:00:00Z\n"
        "amount   40     PRESENT  2025-03-09T10:00:00Z\n"
        "vs_last  1.5    PRESENT  2025-03-09T10:00:00Z\n"
        "\n"
        "checkout@1  as of 2025-03-10T12:00:00Z  commit 2\n"
        "receipt  checkout@1 revision 1 commit 2 as_of 2025-03-10T12:00:00Z\n");
}

TEST_CASE("several keys are rows of a table, and what is not PRESENT says why", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string table = shell.Ok(
      "get-online-features --service checkout --key user_id=1 --key user_id=2 --key user_id=9 "
      "--request total=60");
  CHECK_THAT(table, StartsWith("user_id  age"));
  CHECK_THAT(table, ContainsSubstring("OUTSIDE_MAX_AGE, was 7.5"));
  CHECK_THAT(table, ContainsSubstring("NULL_VALUE"));
  CHECK_THAT(table, ContainsSubstring("NOT_FOUND"));
  CHECK_THAT(table, ContainsSubstring("NULL_VALUE, inputs OUTSIDE_MAX_AGE"));
}

TEST_CASE("online JSON has keys, features with value, status and time, and the snapshot", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK(shell.Ok("get-online-features --feature user_profile:city --feature last_purchase:amount"
                 " --key user_id=2 --format json --as-of 2025-03-10T11:00:00Z") ==
        "{\n"
        "  \"as_of\": \"2025-03-10T11:00:00Z\",\n"
        "  \"commit_seq\": 2,\n"
        "  \"receipt\": \"features revision 1 commit 2 as_of 2025-03-10T11:00:00Z\",\n"
        "  \"cells_refused\": 0,\n"
        "  \"rows\": [\n"
        "    {\n"
        "      \"keys\": {\"user_id\": 2},\n"
        "      \"features\": {\n"
        "        \"city\": {\"value\": null, \"status\": \"NULL_VALUE\", \"event_time\": "
        "\"2025-01-02T00:00:00Z\"},\n"
        "        \"amount\": {\"value\": null, \"status\": \"OUTSIDE_MAX_AGE\", \"event_time\": "
        "\"2025-01-20T10:00:00Z\","
        " \"stale_value\": 7.5}\n"
        "      }\n"
        "    }\n"
        "  ]\n"
        "}\n");
}

TEST_CASE("online rows come from a file, in its order, duplicates included", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("rows.csv", "total,user_id\n40,1\n,2\n80,1\n20,1\n");
  CHECK(shell.Ok("get-online-features --service checkout --rows $D/rows.csv --format csv") ==
        "user_id,age,city,amount,vs_last\n"
        "1,34,Porto,40,1\n"
        "2,23,,,\n"
        "1,34,Porto,40,2\n"
        "1,34,Porto,40,0.5\n");
  shell.Write("none.csv", "total,user_id\n");
  CHECK(shell.Ok("get-online-features --service checkout --rows $D/none.csv --format csv") ==
        "user_id,age,city,amount,vs_last\n");
  shell.Write("more.csv", "total,user_id,note\n40,1,x\n");
  CHECK(shell.Run("get-online-features --service checkout --rows $D/more.csv").code == 1);
  CHECK(shell.Run("get-online-features --service checkout --rows $D/more.csv --ignore-unknown").code ==
        0);
}

TEST_CASE("control characters in stored text do not reach the terminal", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write(
      "users.csv",
      "user_id,birth_date,city,changed_at\n1,1990-05-17,\"a\x1b[2Jb\",2025-02-02T00:00:00Z\n");
  shell.Ok("materialize --view user_profile");
  const std::string read = "get-online-features --feature user_profile:city --key user_id=1";
  CHECK_THAT(shell.Ok(read), ContainsSubstring("a[2Jb") && !ContainsSubstring("\x1b"));
  CHECK_THAT(shell.Ok(read + " --format json"), ContainsSubstring("a\\u001b[2Jb"));
  CHECK_THAT(shell.Ok(read + " --format csv"), ContainsSubstring("a\x1b[2Jb"));
  shell.terminal = true;
  CHECK_THAT(shell.Run(read + " --format csv").out,
             ContainsSubstring("a[2Jb") && !ContainsSubstring("\x1b"));
}

TEST_CASE("a training set has every spine row once, in order, with values as of its time",
          "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  const std::string summary = shell.Ok(
      "get-historical-features --service checkout --spine $D/spine.csv --output $D/training.csv");
  CHECK(shell.Read("training.csv") ==
        "user_id,asked_at,total,bought,age,city,amount,vs_last\n"
        "1,2025-03-09T09:59:59Z,60,true,34,Porto,20,3\n"
        "1,2025-03-09T10:00:00Z,60,false,34,Porto,40,1.5\n"
        "2,2025-03-05T00:00:00Z,30,true,23,,,\n"
        "9,2025-03-05T00:00:00Z,30,false,,,,\n");
  CHECK_THAT(summary, StartsWith("4 rows, 8 columns: $D/training.csv\n"));
  CHECK_THAT(summary, ContainsSubstring("checkout@1  revision 1  time column asked_at\n"));
  CHECK_THAT(summary, ContainsSubstring("user_profile@1   any           3"));
  CHECK_THAT(summary, ContainsSubstring("amount       2      50.0%"));
}

TEST_CASE("a training set replaces a file only when told to", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Write("training.csv", "mine");
  const std::string line =
      "get-historical-features --service checkout --spine $D/spine.csv --output $D/training.csv";
  const Ran ran = shell.Run(line);
  CHECK(ran.code == 1);
  CHECK(ran.err == "larder: $D/training.csv exists; --force replaces it\n");
  CHECK(shell.Read("training.csv") == "mine");
  shell.Ok(line + " --force");
  CHECK_THAT(shell.Read("training.csv"), StartsWith("user_id,"));
}

TEST_CASE("the name of a training set says its format", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  const std::string line =
      "get-historical-features --service checkout --spine $D/spine.csv --output $D/";
  shell.Ok(line + "t.ndjson");
  CHECK_THAT(shell.Read("t.ndjson"),
             StartsWith("{\"user_id\": 1, \"asked_at\": \"2025-03-09T09:59:59Z\", \"total\": 60, "
                        "\"bought\": true, \"age\": 34, \"city\": \"Porto\", \"amount\": 20, "
                        "\"vs_last\": 3}\n"));
  const std::string features =
      "get-historical-features --feature user_profile:age --feature last_purchase:amount --spine "
      "$D/spine.csv --output $D/";
  shell.Ok(features + "t.libsvm --label bought");
  CHECK(shell.Read("t.libsvm") == "1 1:34 2:20\n0 1:34 2:40\n1 1:23\n0\n");
  shell.Ok(features + "z.libsvm --label bought --query user_id --nulls -1");
  CHECK(shell.Read("z.libsvm") ==
        "1 qid:1 1:34 2:20\n0 qid:1 1:34 2:40\n1 qid:2 1:23 2:-1\n0 qid:9 1:-1 2:-1\n");
  shell.Ok(features + "t.npy");
  CHECK_THAT(shell.Read("t.npy"), ContainsSubstring("'descr': '<f8', 'fortran_order': False, "
                                                    "'shape': (4, 2)"));
}

TEST_CASE("an output whose options do not fit its format is refused and leaves nothing behind",
          "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  const std::string line =
      "get-historical-features --service checkout --spine $D/spine.csv --output $D/";
  struct Case {
    const char* rest;
    int code;
    const char* message;
  };
  const Case cases[] = {
      {"t.xlsx", 2, "ends in none of .csv"},
      {"t.csv --nulls nan", 2, "--nulls"},
      {"t.csv --compress", 2, "--compress"},
      {"t.npz --dtype int8", 2, "\"int8\""},
      {"t.npz --nulls zero", 2, "\"zero\""},
      {"t.npz --nulls omit", 2, "omit"},
      {"t.npy --label bought", 2, "one matrix"},
      {"t.libsvm", 2, "--label"},
      {"t.npy", 1, "column city is of type string"},
      {"t.libsvm --label bougt", 1, "did you mean \"bought\"?"},
  };
  for (const Case& c : cases) {
    INFO(c.rest);
    const Ran ran = shell.Run(line + c.rest);
    CHECK(ran.code == c.code);
    CHECK_THAT(ran.err, ContainsSubstring(c.message));
    CHECK(ran.out == "");
    CHECK(!std::filesystem::exists(
        shell.Path(std::string(c.rest).substr(0, std::string(c.rest).find(' ')))));
  }
}

TEST_CASE("a training set summary for machines counts what became of each row", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  const std::string json = shell.Ok(
      "get-historical-features --service checkout --spine $D/spine.csv --output $D/training.csv "
      "--format json");
  CHECK_THAT(json, ContainsSubstring("\"rows\": 4,"));
  CHECK_THAT(json, ContainsSubstring("\"rows_outside_max_age\": 1,"));
  CHECK_THAT(json, ContainsSubstring("{\"name\": \"city\", \"nulls\": 2, \"null_rate\": 0.5}"));
}

}  // namespace
}  // namespace larder_test
