#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

constexpr char kRead[] =
    "get-online-features --feature last_purchase:amount --key user_id=1 --format csv";

TEST_CASE("materialize says what it read and wrote", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string again = shell.Ok("materialize --view last_purchase");
  CHECK_THAT(again, ContainsSubstring("last_purchase@1") && ContainsSubstring("beginning") &&
                        ContainsSubstring("2025-03-10T12:00:00Z") &&
                        ContainsSubstring("loaded: commit 3"));
  CHECK_THAT(again, !ContainsSubstring("user_profile"));
  const std::string json = shell.Ok("materialize --view last_purchase --format json");
  CHECK_THAT(json, ContainsSubstring("\"rows_read\": 3,") && ContainsSubstring("\"start\": null,"));
}

TEST_CASE("materialize clamps an end in the future and says so", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK_THAT(shell.Ok("materialize --end 2030-01-01"),
             ContainsSubstring("the end asked for is in the future"));
}

TEST_CASE("materialize skips bad rows only when told to, and reports them", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("purchases.csv",
              "purchase_id,user_id,amount,at\na,1,oops,2025-03-01T10:00:00Z\nd,1,99,2025-03-10T11:"
              "00:00Z\n");
  const std::string before = shell.StoreHash();
  CHECK(shell.Run("materialize --view last_purchase").code == 1);
  CHECK(shell.StoreHash() == before);
  const std::string skipped = shell.Ok("materialize --view last_purchase --skip-bad");
  CHECK_THAT(skipped, ContainsSubstring("skipped 1 rows of last_purchase@1:") &&
                          ContainsSubstring("purchases.csv:2"));
  CHECK(shell.Ok(kRead) == "user_id,amount\n1,99\n");
}

TEST_CASE("a full load forgets rows gone from the source, others keep them", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.Ok(kRead);
  CHECK(before != "user_id,amount\n1,\n");
  shell.Write("purchases.csv", "purchase_id,user_id,amount,at\nz,77,5,2025-03-10T11:00:00Z\n");
  shell.Ok("materialize --view last_purchase");
  CHECK(shell.Ok(kRead) == before);
  shell.Ok("materialize --view last_purchase --full");
  CHECK(shell.Ok(kRead) == "user_id,amount\n1,\n");
  CHECK(shell.Run("materialize --full --incremental").code == 2);
}

TEST_CASE("progress is shown on a terminal only, and cleared", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  CHECK(shell.Run("materialize").err == "");
  shell.terminal = true;
  const Ran ran = shell.Run("materialize");
  CHECK(ran.code == 0);
  CHECK((ran.err.empty() || ran.err.ends_with("\r\x1b[K")));
}

TEST_CASE("a push is visible at once", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("new.csv", "purchase_id,user_id,amount,at\nn,1,77,2025-03-10T11:59:00Z\n");
  CHECK_THAT(shell.Ok("push --source purchases_live $D/new.csv"),
             ContainsSubstring("pushed 1 rows: commit 3"));
  CHECK(shell.Ok(kRead) == "user_id,amount\n1,77\n");
}

TEST_CASE("a push repeated with its batch id is done once", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("new.csv", "purchase_id,user_id,amount,at\nn,1,77,2025-03-10T11:59:00Z\n");
  const std::string line = "push --source purchases_live $D/new.csv --batch-id b1";
  shell.Ok(line);
  const std::string before = shell.StoreHash();
  CHECK_THAT(shell.Ok(line), ContainsSubstring("nothing done") && ContainsSubstring("commit 3"));
  CHECK(shell.StoreHash() == before);
  CHECK_THAT(shell.Ok(line + " --format json"), ContainsSubstring("\"repeated\": true"));
}

TEST_CASE("a push skips bad rows only when told to, and reports them", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("new.csv",
              "purchase_id,user_id,amount,at\n"
              "n,1,77,2025-03-10T11:59:00Z\n"
              "o,1,many,2025-03-10T11:59:30Z\n"
              "p,,5,2025-03-10T11:59:30Z\n"
              "q,1,5,2025-03-11T12:00:00Z\n");
  const std::string before = shell.StoreHash();
  CHECK(shell.Run("push --source purchases_live $D/new.csv").code == 1);
  CHECK(shell.StoreHash() == before);
  const std::string skipped = shell.Ok("push --source purchases_live $D/new.csv --skip-bad");
  CHECK_THAT(skipped, ContainsSubstring("skipped 3 rows of purchases_live:") &&
                          ContainsSubstring("new.csv:3"));
  CHECK(shell.Ok(kRead) == "user_id,amount\n1,77\n");
}

TEST_CASE("a push reads NDJSON by the file's name, or when told so", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string line =
      R"({"purchase_id": "n", "user_id": 1, "amount": 77, "at": "2025-03-10T11:59:00Z"})";
  for (const char* name : {"new.ndjson", "new.jsonl", "new[1].jsonl", "new.txt --ndjson"}) {
    INFO(name);
    const std::string file(name, std::string_view(name).find(' ') != std::string_view::npos
                                     ? std::string_view(name).find(' ')
                                     : std::string_view(name).size());
    shell.Write(file, line + "\n\n");
    CHECK_THAT(shell.Ok(std::string("push --source purchases_live $D/") + name),
               ContainsSubstring("pushed 1 rows"));
    CHECK(shell.Ok(kRead) == "user_id,amount\n1,77\n");
  }
  shell.Write("bad.ndjson", line + "\n{\"user_id\": 1,\n");
  const std::string before = shell.StoreHash();
  const Ran bad = shell.Run("push --source purchases_live $D/bad.ndjson");
  CHECK(bad.code == 1);
  CHECK_THAT(bad.err, ContainsSubstring("bad.ndjson:2"));
  CHECK(shell.StoreHash() == before);
  CHECK_THAT(shell.Ok("push --source purchases_live $D/bad.ndjson --skip-bad"),
             ContainsSubstring("skipped 1 rows"));
}

}  // namespace
}  // namespace larder_test
