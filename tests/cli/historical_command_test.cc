// How get-historical-features goes about large work.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/shell.h"
#include "larder/base/text.h"
#include "support/catch.h"

namespace larder_test {
namespace {

constexpr char kMake[] =
    "get-historical-features --service checkout --spine $D/spine.csv --output $D/";

// What a shell script prints.
std::string RunInShell(const std::string& script) {
  std::FILE* pipe = popen(script.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
    text.push_back(static_cast<char>(c));
  pclose(pipe);
  return text;
}

// Rows 1 to 7; the sixth has a long note.
std::string LongSpine() {
  std::string spine = "user_id,asked_at,total,note\n";
  for (int row = 1; row <= 7; ++row) {
    spine += larder::Concat(row % 3, ",2025-03-0", row, "T00:00:00Z,", 10 * row, ",",
                            std::string(row == 6 ? 100'000 : 2, 'n'), "\n");
  }
  return spine;
}

std::string HashOf(const std::string& json) {
  const std::string mark = "\n  \"sha256\": \"";
  const std::size_t at = json.find(mark);
  REQUIRE(at != std::string::npos);
  return json.substr(at + mark.size(), 64);
}

std::string Name(int part) { return larder::Concat("training.0000", part, ".csv"); }

// A set in parts of two rows whose maker was killed inside the third.
void MakeUnfinished(Shell& shell, const std::string& folder,
                    const std::string& what = "--service checkout") {
  const std::string text = RunInShell("exec 2>&1; cd " + shell.Path("") + "; mkdir " + folder +
                                      "; ulimit -c 0; (ulimit -f 100; exec " LARDER_BINARY_DIR
                                      "/bin/larder get-historical-features --store store " +
                                      what + " --spine spine.csv --part-rows 2 --output " + folder +
                                      "/training.csv)\necho code $?\n");
  INFO(text);
  REQUIRE_THAT(text, ContainsSubstring("code 1"));
  REQUIRE(std::filesystem::exists(shell.Path(folder + "/training.csv.unfinished.json")));
  REQUIRE(std::filesystem::exists(shell.Path(folder + "/" + Name(2))));
  REQUIRE_FALSE(std::filesystem::exists(shell.Path(folder + "/" + Name(3))));
}

std::vector<std::string> FilesIn(const Shell& shell, const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(shell.Path(folder)))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("a training set shows progress on a terminal only, and clears it", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  CHECK(shell.Run(std::string(kMake) + "a.csv").err == "");
  shell.terminal = true;
  const Ran ran = shell.Run(std::string(kMake) + "b.csv");
  CHECK(ran.code == 0);
  CHECK_THAT(ran.err, ContainsSubstring("last_purchase@1: 3 events read, 4 of 4 rows joined"));
  CHECK_THAT(ran.err, EndsWith("\r\x1b[K"));
}

TEST_CASE("SIGINT stops a training set and leaves nothing behind", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", kShopSpine);
  // A history that stays open until the signal was sent.
  const std::string script =
      "set -e; cd " + shell.Path("") +
      "; exec 2>&1; rm purchases.csv; mkfifo purchases.csv\n"
      "env --default-signal=INT " LARDER_BINARY_DIR "/bin/larder get-historical-features --store " +
      shell.Path("store") +
      " --service checkout --spine spine.csv --output training.csv & pid=$!\n"
      "exec 3>purchases.csv\n"
      "echo 'purchase_id,user_id,amount,at' >&3; echo 'p,1,20,2025-03-01T10:00:00Z' >&3\n"
      "kill -INT $pid; exec 3>&-\n"
      "code=0; wait $pid || code=$?; echo code $code; ls\n";
  const std::string text = RunInShell(script);
  INFO(text);
  CHECK_THAT(text, StartsWith("larder: interrupted\ncode 1\n"));
  CHECK_THAT(text, ContainsSubstring("spine.csv") && !ContainsSubstring("training.csv"));
}

TEST_CASE("numbered parts hold the rows in order, and one hash is that of all of them", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", LongSpine());
  const std::string whole = HashOf(shell.Ok(std::string(kMake) + "whole.csv --format json"));
  const std::string json =
      shell.Ok(std::string(kMake) + "training.csv --part-rows 3 --format json");
  CHECK(HashOf(json) == whole);
  std::string rows;
  for (int part = 1; part <= 3; ++part) {
    const std::string text = shell.Read(Name(part));
    const std::size_t header = part == 1 ? 0 : text.find('\n') + 1;
    rows += text.substr(header);
    CHECK_THAT(shell.Read(Name(part) + ".manifest.json"),
               ContainsSubstring("\"made_sha256\": \"" + whole) &&
                   ContainsSubstring("\"split\": \"every 3 rows\""));
    shell.Ok("verify-dataset $D/" + Name(part));
  }
  CHECK(rows == shell.Read("whole.csv"));
  CHECK_FALSE(std::filesystem::exists(shell.Path(Name(4))));
  CHECK_FALSE(std::filesystem::exists(shell.Path("training.csv.unfinished.json")));

  // Fewer parts leave none of the old ones.
  const std::string again = std::string(kMake) + "training.csv --part-rows 5";
  CHECK_THAT(shell.Run(again).err, ContainsSubstring("training.00001.csv exists; --force"));
  CHECK_THAT(shell.Run(again + " --resume").err, ContainsSubstring("training.00001.csv exists"));
  shell.Ok(again + " --force");
  CHECK_FALSE(std::filesystem::exists(shell.Path(Name(3))));
  CHECK_FALSE(std::filesystem::exists(shell.Path(Name(3) + ".manifest.json")));

  CHECK(shell.Run(again + " --force --resume").code == 2);
  CHECK(shell.Run(std::string(kMake) + "t.csv --resume").code == 2);
  CHECK(shell.Run(std::string(kMake) + "t.csv --part-rows 2 --split-by user_id").code == 2);
  // Of no rows there is one part.
  shell.Write("spine.csv", "user_id,asked_at,total,note\n");
  shell.Ok(std::string(kMake) + "none.csv --part-rows 2 --time asked_at");
  CHECK(shell.Read("none.00001.csv") == "user_id,asked_at,total,note,age,city,amount,vs_last\n");
}

TEST_CASE("a sample of numbered parts is the sample of the whole", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  std::string spine = "user_id,asked_at,total\n";
  for (int row = 0; row < 200; ++row)
    spine += larder::Concat(row % 3, ",2025-03-05T00:00:00Z,", row, "\n");
  shell.Write("spine.csv", spine);
  const std::string options = " --where 'total % 7 > 1' --sample 0.3 --column total";
  shell.Ok(std::string(kMake) + "whole.csv" + options);
  shell.Ok(std::string(kMake) + "training.csv --part-rows 30" + options);
  std::string rows = "total\n";
  for (int part = 1; part <= 7; ++part)
    rows += shell.Read(Name(part)).substr(std::string("total\n").size());
  CHECK(rows == shell.Read("whole.csv"));
  CHECK(rows.size() > 100);
}

TEST_CASE("a set killed between its parts goes on to the same files", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", LongSpine());
  std::filesystem::create_directory(shell.Path("at_once"));
  const std::string whole =
      HashOf(shell.Ok(std::string(kMake) + "at_once/training.csv --part-rows 2 --format json"));
  const std::vector<std::string> files = FilesIn(shell, "at_once");
  REQUIRE(files.size() == 8);
  const auto check = [&](const std::string& folder, const std::string& more) {
    CAPTURE(folder, more);
    const Ran refused =
        shell.Run(std::string(kMake) + folder + "/training.csv --part-rows 2" + more);
    CHECK_THAT(refused.err, ContainsSubstring("unfinished.json exists: --resume goes on with it"));
    const std::string json = shell.Ok(std::string(kMake) + folder +
                                      "/training.csv --part-rows 2 --resume --format json" + more);
    CHECK(HashOf(json) == whole);
    CHECK(FilesIn(shell, folder) == files);
    for (const std::string& file : files)
      CHECK(shell.Read(folder + "/" + file) == shell.Read("at_once/" + file));
    return json;
  };
  MakeUnfinished(shell, "a");
  CHECK_THAT(check("a", ""), ContainsSubstring("\"rows_resumed\": 4"));
  MakeUnfinished(shell, "b");
  check("b", " --memory 1K --threads 4");
  // A part that is not what its maker wrote is made again, and so is what follows it.
  MakeUnfinished(shell, "c");
  shell.Write("c/" + Name(2), "something else");
  CHECK_THAT(check("c", " --threads 2"), ContainsSubstring("\"rows_resumed\": 2"));
  MakeUnfinished(shell, "d");
  std::filesystem::remove(shell.Path("d/" + Name(1)));
  CHECK_THAT(check("d", ""), ContainsSubstring("\"rows_resumed\": 0"));
}

TEST_CASE("files that no run wrote are neither removed nor replaced by numbered parts", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", LongSpine());
  const std::string make = std::string(kMake) + "training.csv --part-rows 3";
  // A date is no part's number, whatever is asked for.
  shell.Write("training.20240101.csv", "mine\n");
  shell.Ok(make);
  shell.Ok(make + " --force");
  CHECK(shell.Read("training.20240101.csv") == "mine\n");
  // A part that another one replaces is named before the join, the first or not.
  shell.Write("t.00003.csv", "mine\n");
  const Ran refused = shell.Run(std::string(kMake) + "t.csv --part-rows 3");
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, ContainsSubstring("t.00003.csv exists; --force"));
  CHECK_FALSE(std::filesystem::exists(shell.Path("t.00001.csv")));
  CHECK(shell.Read("t.00003.csv") == "mine\n");

  MakeUnfinished(shell, "a");
  const std::vector<std::string> files = FilesIn(shell, "a");
  const std::string resume = std::string(kMake) + "a/training.csv --resume --part-rows ";
  // A run that is refused has removed nothing: not the third part, which may have been finished and not recorded.
  shell.Write("a/" + Name(3), "half\n");
  CHECK(shell.Run(resume + "3").code == 1);
  CHECK(shell.Read("a/" + Name(3)) == "half\n");
  CHECK(FilesIn(shell, "a").size() == files.size() + 1);
  // The fourth cannot be of the run whose record knows two.
  shell.Write("a/" + Name(4), "mine\n");
  CHECK_THAT(shell.Run(resume + "2").err, ContainsSubstring(Name(4) + " exists; --force"));
  CHECK(shell.Read("a/" + Name(4)) == "mine\n");
  std::filesystem::remove(shell.Path("a/" + Name(4)));
  shell.Ok(resume + "2");
  CHECK_THAT(shell.Read("a/" + Name(3)), StartsWith("user_id,"));
}

TEST_CASE("parts of another set are not gone on with", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", LongSpine());
  MakeUnfinished(shell, "a");
  const std::string make = std::string(kMake) + "a/training.csv --resume --part-rows ";
  const auto refusal = [&](const std::string& more) {
    const Ran ran = shell.Run(make + more);
    CHECK(ran.code == 1);
    return ran.err;
  };
  CHECK_THAT(refusal("2 --where 'total > 10'"),
             ContainsSubstring(
                 "its finished parts are of another set: rows where: none, now total > 10") &&
                 ContainsSubstring("--force starts over"));
  CHECK_THAT(refusal("3"), ContainsSubstring("split: every 2 rows, now every 3 rows"));
  shell.Write("spine.csv", LongSpine() + "1,2025-03-09T00:00:00Z,5,x\n");
  CHECK_THAT(refusal("2"), ContainsSubstring("spine: its rows differ"));
  shell.Write("spine.csv", LongSpine());
  const std::string users = shell.Read("users.csv");
  shell.Write("users.csv", users + "8,1990-05-17,Bern,2025-02-02T00:00:00Z\n");
  CHECK_THAT(refusal("2"), ContainsSubstring("source users: the content of its files differs"));
  shell.Write("users.csv", users);
  std::string definitions = kShopDefinitions;
  const std::size_t at = definitions.find("\"ttl\": \"");
  REQUIRE(at != std::string::npos);
  definitions.insert(at + 8, "9");
  shell.Write("shop.json", definitions);
  shell.Ok("apply $D/shop.json");
  CHECK_THAT(refusal("2"), ContainsSubstring("(meaning "));
  CHECK(shell.Ok(std::string(kMake) + "a/training.csv --force --part-rows 2") != "");
}

// Rows of users with a price, in what `source` says.
std::string DefinitionsOver(const std::string& source) {
  return R"json({"larder": 1, "project": "live",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [{"name": "clicks", "event_time": "at", )json" +
         source + R"json(,
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "price", "type": "float64"},
              {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "last_click", "entities": ["user"], "source": "clicks",
   "features": [{"name": "price", "type": "float64"}]}]})json";
}

TEST_CASE("parts of another state of the store, or of one that nobody can compare, end there",
          "[cli]") {
  Shell shell;
  shell.Write("spine.csv", LongSpine());
  const std::string what = "--feature last_click:price --time asked_at";
  const std::string make =
      "get-historical-features " + what + " --spine $D/spine.csv --part-rows 2 --output $D/";
  SECTION("of pushed events") {
    shell.Write("live.json", DefinitionsOver(R"("kind": "push")"));
    shell.Ok("apply $D/live.json");
    shell.Write("new.csv", "user_id,price,at\n1,5,2025-03-01T00:00:00Z\n");
    shell.now = larder::ParseTimestamp("2025-03-01T00:01:00Z").value().value;
    shell.Ok("push --source clicks $D/new.csv");
    MakeUnfinished(shell, "a", what);
    MakeUnfinished(shell, "b", what);
    shell.Ok(make + "a/training.csv --resume");
    shell.Write("new.csv", "user_id,price,at\n1,6,2025-03-01T00:02:00Z\n");
    shell.now = larder::ParseTimestamp("2025-03-01T00:03:00Z").value().value;
    shell.Ok("push --source clicks $D/new.csv");
    const Ran ran = shell.Run(make + "b/training.csv --resume");
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("of another set: store: commit 2, now commit 3"));
  }
  SECTION("of a query") {
    shell.Write("live.json",
                DefinitionsOver(R"("kind": "sql", "query": "SELECT 1 AS user_id, 5.0 AS price, )"
                                R"(TIMESTAMP '2025-03-01' AS at")"));
    shell.Ok("apply $D/live.json");
    const Ran whole = shell.Run(make + "whole.csv");
    if (whole.code != 0) {
      REQUIRE_THAT(whole.err, ContainsSubstring("DuckDB"));
      WARN("DuckDB is not installed: not tested");
      return;
    }
    MakeUnfinished(shell, "a", what);
    const Ran ran = shell.Run(make + "a/training.csv --resume");
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("source clicks: cannot be compared"));
  }
}

TEST_CASE("parts whose columns have other names are not gone on with", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("spine.csv", LongSpine());
  const std::string what = "--feature user_profile:age";
  MakeUnfinished(shell, "a", what);
  const std::string make =
      "get-historical-features " + what +
      " --spine $D/spine.csv --part-rows 2 --output $D/a/training.csv --resume";
  const Ran ran = shell.Run(make + " --full-feature-names");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, ContainsSubstring("of another set: column 5: age int64, now "
                                        "user_profile__age int64"));
  shell.Ok(make);
}

TEST_CASE("a split set that is replaced in part has no manifests", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const auto spine = [](std::size_t size) {
    return larder::Concat("user_id,asked_at,note\n1,2025-03-01T00:00:00Z,x\n",
                          "1,2025-03-09T00:00:00Z,", std::string(size, 'n'), "\n");
  };
  shell.Write("spine.csv", spine(1));
  const std::string make =
      " --feature user_profile:age --spine spine.csv --output t.csv --split-at 2025-03-05";
  const auto run = [&](const std::string& limit, const std::string& more) {
    return RunInShell("exec 2>&1; cd " + shell.Path("") + "; ulimit -c 0; (ulimit -f " + limit +
                      "; exec " LARDER_BINARY_DIR
                      "/bin/larder get-historical-features --store store" +
                      make + more + ")\necho code $?\n");
  };
  REQUIRE_THAT(run("unlimited", ""), ContainsSubstring("code 0"));
  shell.Ok("verify-dataset $D/t.train.csv");
  // The first part takes its name, the second finds no room for its last bytes.
  shell.Write("spine.csv", spine(60'000));
  REQUIRE_THAT(run("40", " --force"), ContainsSubstring("code 1"));
  CHECK(shell.Read("t.test.csv").size() < 100);
  CHECK_FALSE(std::filesystem::exists(shell.Path("t.train.csv.manifest.json")));
  CHECK_FALSE(std::filesystem::exists(shell.Path("t.test.csv.manifest.json")));
  CHECK(shell.Run("verify-dataset $D/t.train.csv").code == 1);
}

TEST_CASE("an error in a later piece of the spine says where its rows are counted from", "[cli]") {
  Shell shell;
  std::string definitions = DefinitionsOver(R"("kind": "csv", "path": "clicks.csv")");
  definitions.insert(definitions.rfind('}'), R"(, "feature_services": [
    {"name": "strict", "missing": "error", "features": ["last_click:price"]}])");
  shell.Write("live.json", definitions);
  shell.Ok("apply $D/live.json");
  shell.Write("clicks.csv", "user_id,price,at\n1,5,2025-03-01T00:00:00Z\n");
  std::string spine = "user_id,asked_at\n";
  for (int row = 0; row < 3000; ++row)
    spine += larder::Concat(row == 2500 ? 2 : 1, ",2025-03-05T00:00:00Z\n");
  shell.Write("spine.csv", spine);
  const std::string make =
      "get-historical-features --service strict --spine $D/spine.csv --output $D/t.csv";
  CHECK_THAT(shell.Run(make).err, ContainsSubstring("larder: feature price of service strict@1 is "
                                                    "missing in row 2500"));
  CHECK_THAT(shell.Run(make + " --memory 1K").err,
             ContainsSubstring("larder: rows counted from spine row 2048: feature price of service "
                               "strict@1 is missing in row 452"));
  // And one of the disk names the folder.
  CHECK_THAT(RunInShell("exec 2>&1; cd " + shell.Path("") +
                        "; ulimit -c 0; trap '' XFSZ; ulimit -f 60; exec " LARDER_BINARY_DIR
                        "/bin/larder get-historical-features --store store "
                        "--service strict --spine spine.csv --output t.csv --memory 1K"),
             ContainsSubstring("cannot write a temporary file in .: "));
}

TEST_CASE("neither threads nor a budget of memory change a training set", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  std::string spine = "user_id,asked_at,total\n";
  for (int row = 0; row < 5000; ++row)
    spine += larder::Concat(row % 7, ",2025-03-0", 1 + row % 9, "T00:00:00Z,", row, "\n");
  shell.Write("spine.csv", spine);
  shell.Ok(std::string(kMake) + "whole.csv");
  for (int turn = 0; turn < 2; ++turn) {
    for (const char* options : {"", " --memory 1K", " --memory 100K", " --memory 1G"}) {
      for (const int threads : {1, 2, 4}) {
        CAPTURE(options, threads);
        shell.Ok(larder::Concat(kMake, "t.csv --force --threads ", threads, options));
        CHECK(shell.Read("t.csv") == shell.Read("whole.csv"));
        CHECK(shell.Read("t.csv.manifest.json").size() ==
              shell.Read("whole.csv.manifest.json").size() - 4);
      }
    }
  }
  for (const char* bad : {"0", "G", "1T", "-1", "99999999999999999999", "2147483648G"})
    CHECK(shell.Run(larder::Concat(kMake, "u.csv --memory ", bad)).code == 2);
}

}  // namespace
}  // namespace larder_test
