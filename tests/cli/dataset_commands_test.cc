// Training sets kept with their manifests, checked and compared.
#include <algorithm>
#include <filesystem>
#include <string>

#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

constexpr char kMake[] =
    "get-historical-features --service checkout --spine $D/spine.csv --output $D/";

std::string HashIn(const std::string& manifest) {
  const std::size_t content = manifest.find("\"content\": {");
  const std::size_t at = manifest.find("\"sha256\": \"", content) + 11;
  return manifest.substr(at, 64);
}

}  // namespace

TEST_CASE("a training set has the same hash at any number of threads, in any format, each time",
          "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Ok(std::string(kMake) + "one.csv --threads 1");
  const std::string manifest = shell.Read("one.csv.manifest.json");
  for (const char* threads : {"1", "2", "4"}) {
    CAPTURE(threads);
    shell.Ok(std::string(kMake) + "one.csv --force --threads " + threads);
    CHECK(shell.Read("one.csv.manifest.json") == manifest);
  }
  for (const char* name : {"one.ndjson", "one.tsv"}) {
    CAPTURE(name);
    shell.Ok(std::string(kMake) + name);
    CHECK(HashIn(shell.Read(std::string(name) + ".manifest.json")) == HashIn(manifest));
  }
}

TEST_CASE("a training set as Parquet has the hash of the CSV, and is read back to check it",
          "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Ok(std::string(kMake) + "one.csv");
  const Ran made = shell.Run(std::string(kMake) + "one.parquet");
  if (made.code != 0) {
    CHECK_THAT(made.err, ContainsSubstring("install libduckdb"));
    WARN("DuckDB is not installed: not tested");
    return;
  }
  CHECK(HashIn(shell.Read("one.parquet.manifest.json")) ==
        HashIn(shell.Read("one.csv.manifest.json")));
  CHECK_THAT(shell.Ok("verify-dataset $D/one.parquet"),
             ContainsSubstring("is what its manifest says"));
  CHECK(shell.Ok("diff-datasets $D/one.csv $D/one.parquet") ==
        "the same columns, rows and values\n");
  shell.Ok(
      "get-historical-features --feature user_profile:city --spine $D/one.parquet --time asked_at "
      "--output"
      " $D/two.csv --full-feature-names");
  CHECK_THAT(shell.Read("two.csv"), ContainsSubstring("Porto"));
}

TEST_CASE("a manifest names every version, source and hash a training set was made from", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  const std::string summary = shell.Ok(std::string(kMake) + "t.csv");
  const std::string manifest = shell.Read("t.csv.manifest.json");
  CHECK_THAT(summary, ContainsSubstring("sha256 " + HashIn(manifest)));
  for (const char* part :
       {"\"service\": \"checkout@1\"", "\"name\": \"user_profile@1\"",
        "\"name\": \"last_purchase@1\"", "\"name\": \"basket@1\"", "users.csv\"", "purchases.csv\"",
        "\"known_at\": \"any\"", "\"event_time_only\": true", "\"rows\": 4", "\"sleef ",
        "\"tzdata ", "\"unicode ", "\"time_column\": \"asked_at\"", "\"path\": \"t.csv\""}) {
    CHECK_THAT(manifest, ContainsSubstring(part));
  }
}

TEST_CASE("a training set is split by time, with an embargo and the balance of its label",
          "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  const std::string summary = shell.Ok(
      std::string(kMake) + "t.csv.gz --label bought --split-at 2025-03-09T10:00:00Z --embargo 90s");
  CHECK_THAT(summary,
             StartsWith("2 rows, 8 columns: $D/t.train.csv.gz  label false 1 (50.0%), true 1 "
                        "(50.0%)\n"
                        "1 rows, 8 columns: $D/t.test.csv.gz  label false 1 (100%)\n"));
  CHECK_THAT(shell.Ok("verify-dataset $D/t.train.csv.gz"), ContainsSubstring("2 rows"));
  const std::string manifest = shell.Read("t.test.csv.gz.manifest.json");
  CHECK_THAT(manifest, ContainsSubstring("\"split\": \"at 2025-03-09T10:00:00Z embargo 90s\""));
  CHECK_THAT(manifest, ContainsSubstring("\"part\": \"test\""));
  CHECK(!std::filesystem::exists(shell.Path("t.csv.gz")));
  const Ran again = shell.Run(std::string(kMake) + "t.csv.gz --split-at 2025-03-09T10:00:00Z");
  CHECK(again.code == 1);
  CHECK_THAT(again.err, ContainsSubstring("t.train.csv.gz exists"));
}

TEST_CASE("a training set is split by entity, every row in one part", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  std::string spine = "user_id,asked_at,total\n";
  for (int i = 0; i < 200; ++i) spine += std::to_string(i % 40) + ",2025-03-09T10:00:00Z,60\n";
  shell.Write("spine.csv", spine);
  shell.Ok(std::string(kMake) +
           "t.csv --split-by user_id --part a=0.5 --part b=0.5 --column user_id");
  const std::string a = shell.Read("t.a.csv");
  const std::string b = shell.Read("t.b.csv");
  std::size_t rows = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string line = "\n" + std::to_string(i) + "\n";
    CHECK((a.find(line) == std::string::npos) != (b.find(line) == std::string::npos));
  }
  for (const std::string& text : {a, b})
    rows += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1;
  CHECK(rows == 200);
}

TEST_CASE("rows and columns of a training set are chosen", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Ok(std::string(kMake) +
           "t.csv --where 'amount > 20 or user_id = 9' --column vs_last --column user_id");
  CHECK(shell.Read("t.csv") == "vs_last,user_id\n1.5,1\n,9\n");
  CHECK_THAT(shell.Read("t.csv.manifest.json"),
             ContainsSubstring("\"where\": \"amount > 20 or user_id = 9\""));
  shell.Ok(std::string(kMake) + "u.npy --column age --column amount");
  CHECK_THAT(shell.Read("u.npy"), ContainsSubstring("'shape': (4, 2)"));
  shell.Ok(std::string(kMake) + "s.csv --sample 1");
  CHECK(shell.Read("s.csv") != "");
  struct Case {
    const char* rest;
    int code;
    const char* message;
  };
  const Case cases[] = {
      {"--sample 2", 2, "--sample"},
      {"--split-at soon", 2, "--split-at"},
      {"--split-at 2025-01-02T00:00:00Z --split-at 2025-01-01T00:00:00Z", 2, "rise"},
      {"--embargo 1d", 2, "--split-at"},
      {"--part a=1", 2, "--split-by"},
      {"--split-by user_id --part a=0.9 --part b=0.9", 2, "over 1"},
      {"--split-by usr_id", 1, "did you mean \"user_id\"?"},
      {"--column usr_id", 1, "did you mean \"user_id\"?"},
      {"--where amount", 1, "expected bool"},
      {"--where 'amuont > 1'", 1, "amuont"},
      {"--label bougt", 1, "did you mean \"bought\"?"},
  };
  for (const Case& c : cases) {
    INFO(c.rest);
    const Ran ran = shell.Run(std::string(kMake) + "bad.csv " + c.rest);
    CHECK(ran.code == c.code);
    CHECK_THAT(ran.err, ContainsSubstring(c.message));
    CHECK(!std::filesystem::exists(shell.Path("bad.csv")));
  }
}

TEST_CASE("a training set is checked against its manifest", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Ok(std::string(kMake) + "t.csv");
  CHECK_THAT(shell.Ok("verify-dataset $D/t.csv"),
             StartsWith("$D/t.csv is what its manifest says: 4 rows, 8 columns, sha256 "));
  const std::string rows = shell.Read("t.csv");

  std::string changed = rows;
  changed.replace(changed.find("Porto"), 5, "Paris");
  shell.Write("t.csv", changed);
  Ran ran = shell.Run("verify-dataset $D/t.csv");
  CHECK(ran.code == 1);
  CHECK(ran.err ==
        "larder: $D/t.csv is not what its manifest says:\n  column city: values differ\n");

  shell.Write("t.csv", rows.substr(0, rows.rfind("9,2025")));
  ran = shell.Run("verify-dataset $D/t.csv");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, ContainsSubstring("3 rows, expected 4"));

  shell.Write("t.csv", rows.substr(0, rows.size() - 1));  // without the last line end
  ran = shell.Run("verify-dataset $D/t.csv --format json");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, ContainsSubstring("\"ok\": false"));
  CHECK_THAT(ran.err, ContainsSubstring("its bytes differ, its rows and values do not"));

  shell.Write("t.csv", rows);
  shell.Write("users.csv", shell.Read("users.csv") + "3,1990-01-01,Lyon,2025-01-01T00:00:00Z\n");
  CHECK_THAT(shell.Ok("verify-dataset $D/t.csv"),
             ContainsSubstring("note: source users: $D/users.csv has changed since\n"));
  CHECK(shell.Run("verify-dataset $D/spine.csv").code == 1);
}

TEST_CASE("a matrix is checked by its bytes", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Ok(
      "get-historical-features --feature user_profile:age --spine $D/spine.csv --output $D/t.npy");
  shell.Ok("verify-dataset $D/t.npy");
  CHECK_THAT(shell.Read("t.npy.manifest.json"), ContainsSubstring("\"null_rule\": \"nan\""));
  std::string bytes = shell.Read("t.npy");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  shell.Write("t.npy", bytes);
  CHECK_THAT(shell.Run("verify-dataset $D/t.npy").err, ContainsSubstring("its bytes differ"));
}

TEST_CASE("two training sets are compared by origin, columns, rows and values", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  shell.Ok(std::string(kMake) + "a.csv");
  shell.Ok(std::string(kMake) + "same.ndjson");
  CHECK(shell.Ok("diff-datasets $D/a.csv $D/same.ndjson") == "the same columns, rows and values\n");

  shell.Write("users.csv", shell.Read("users.csv") + "1,1990-05-17,Faro,2025-03-01T00:00:00Z\n");
  shell.Ok(std::string(kMake) + "b.csv");
  const Ran differ = shell.Run("diff-datasets $D/a.csv $D/b.csv --examples 1");
  CHECK(differ.code == 1);
  CHECK_THAT(differ.err, ContainsSubstring("a.csv and") && ContainsSubstring("b.csv differ"));
  const std::string& text = differ.out;
  CHECK_THAT(text, ContainsSubstring("made: source users: the content of its files differs\n"));
  CHECK_THAT(text, ContainsSubstring("~ values of city: 2 differ\n    row 1: Porto, now Faro\n"));
  const std::string json =
      shell.Run("diff-datasets $D/a.csv $D/b.csv --key user_id --key asked_at --format json").out;
  CHECK_THAT(json, ContainsSubstring("\"same\": false"));
  CHECK_THAT(json, ContainsSubstring("\"before\": \"Porto\", \"after\": \"Faro\""));
  CHECK(shell.Run("diff-datasets $D/a.csv $D/gone.csv").code == 1);
  CHECK(shell.Run("diff-datasets $D/a.csv $D/b.csv --key usr_id").code == 1);
}

}  // namespace larder_test
