// bench: what it refuses, what it prints, and that it leaves the store alone. Times themselves are not tested.
#include <algorithm>
#include <cmath>
#include <random>
#include <regex>

#include "cli/bench_output.h"
#include "cli/key_draw.h"
#include "cli/shell.h"
#include "support/catch.h"
#include "support/random.h"

namespace larder_test {
namespace {

constexpr char kQuick[] =
    "bench --service checkout --request total=60 --duration 100ms --warm-up 20ms --batch 2 ";

// The number behind `"key": ` in JSON.
double NumberIn(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\": ");
  INFO(key << " in " << json);
  REQUIRE(at != std::string::npos);
  return std::stod(json.substr(at + key.size() + 4));
}

std::vector<std::string> FilesIn(const Shell& shell) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(shell.Path("")))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("bench serves stored keys from several threads and says how long that took", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.StoreHash();
  const std::string text = shell.Ok(std::string(kQuick) + "--threads 2");
  INFO(text);
  CHECK_THAT(text, StartsWith("checkout@1: ") && ContainsSubstring("2 threads") &&
                       ContainsSubstring("2 entities a request") &&
                       ContainsSubstring("keys: 2 stored ones, uniform, seed 1"));
  for (const char* line : {"p50 ", "p90 ", "p99 ", "p99.9 ", "p99.99 ", "max ", "throughput ",
                           "page faults ", "commits served  2", "all equal", "PRESENT", "#"}) {
    CHECK_THAT(text, ContainsSubstring(line));
  }
  CHECK(shell.StoreHash() == before);
}

TEST_CASE("bench under --format json gives numbers that belong together", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string json = shell.Ok(std::string(kQuick) + "--format json --zipf 1.1 --seed 7");
  INFO(json);
  const double requests = NumberIn(json, "requests");
  CHECK(requests > 0);
  CHECK(NumberIn(json, "seconds") >= 0.1);
  CHECK(NumberIn(json, "entities_per_second") == Approx(2 * NumberIn(json, "requests_per_second")));
  CHECK(NumberIn(json, "requests_per_second") == Approx(requests / NumberIn(json, "seconds")));
  double last = NumberIn(json, "min_us");
  for (const char* key : {"p50_us", "p90_us", "p99_us", "p99_9_us", "p99_99_us", "max_us"}) {
    CHECK(NumberIn(json, key) >= last);
    last = NumberIn(json, key);
  }
  const std::regex step(R"("up_to_us": [0-9.e+]+, "requests": ([0-9]+))");
  double counted = 0;
  for (std::sregex_iterator i(json.begin(), json.end(), step), end; i != end; ++i)
    counted += std::stod((*i)[1]);
  CHECK(counted == requests);
  CHECK(NumberIn(json, "mismatches") == 0);
  CHECK(NumberIn(json, "errors") == 0);
}

TEST_CASE("bench with a rate sends so many requests, not more", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string json = shell.Ok(
      "bench --service checkout --request total=60 --batch 1 --threads 2 --rate 200 "
      "--warm-up 0s --duration 500ms --format json");
  INFO(json);
  CHECK(NumberIn(json, "requests") <= 102);
  CHECK(NumberIn(json, "requests") >= 10);  // a busy machine may be late
}

TEST_CASE("bench writes real rows into a copy, which is gone afterwards", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::string before = shell.StoreHash();
  const std::vector<std::string> files = FilesIn(shell);
  for (const std::string writer : {"", "--thread-writer "}) {
    const std::string json =
        shell.Ok(std::string(kQuick) + writer + "--writes 1000 --write-batch 3 --format json");
    INFO(json);
    CHECK_THAT(json, ContainsSubstring("\"source\": \"purchases_live\"") &&
                         ContainsSubstring(writer.empty() ? "\"kind\": \"process\""
                                                          : "\"kind\": \"thread\""));
    CHECK(NumberIn(json, "pushes") > 0);
    CHECK(NumberIn(json, "rows") == 3 * NumberIn(json, "pushes"));
    CHECK(NumberIn(json, "written") > 0);
    CHECK(NumberIn(json, "mismatches") == 0);
    CHECK(shell.StoreHash() == before);
    CHECK(FilesIn(shell) == files);
  }
  shell.Write("more.csv", "purchase_id,user_id,amount,at\nz,2,99,2025-03-10T11:00:00Z\n");
  CHECK_THAT(shell.Ok(std::string(kQuick) + "--writes 500 --write-file $D/more.csv"),
             ContainsSubstring("source purchases_live: "));
}

TEST_CASE("bench refuses what it cannot do and says why", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  const std::vector<std::string> files = FilesIn(shell);
  struct Case {
    const char* line;
    int code;
    const char* message;
  };
  const Case cases[] = {
      {"bench", 2, "--service is required"},
      {"bench --service checkot --request total=1", 1, "did you mean \"checkout\"?"},
      {"bench --service checkout", 2, "--request total=VALUE"},
      {"bench --service checkout --request total=60 --request totl=1", 2, "did you mean \"total\"?"},
      {"bench --service checkout --request total=much", 2, "--request total: cannot read"},
      {"bench --service checkout --request total=60 --threads 0", 2, "--threads"},
      {"bench --service checkout --request total=60 --duration soon", 2, "--duration: "},
      {"bench --service checkout --request total=60 --duration 0s", 2, "nothing to measure"},
      {"bench --service checkout --request total=60 --writes 10 --write-source users", 2,
       "reads no push source \"users\""},
      {"bench --service checkout --request total=60 --writes 10 --thread-writer --write-file "
       "$D/no.csv",
       1, "no.csv"},
      {"bench --service checkout --request total=60 --writes 10 --write-file $D/no.csv", 1,
       "no.csv"},
  };
  for (const Case& c : cases) {
    INFO(c.line);
    const Ran ran = shell.Run(c.line);
    CHECK(ran.code == c.code);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, ContainsSubstring(c.message));
    CHECK(FilesIn(shell) == files);
  }
}

TEST_CASE("bench shows how far it is on a terminal, on one line that is gone at the end", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.terminal = true;
  const Ran ran =
      shell.Run("bench --service checkout --request total=60 --duration 250ms --warm-up 150ms");
  CHECK(ran.code == 0);
  CHECK_THAT(ran.err, ContainsSubstring(" s of 150ms, ") && ContainsSubstring("measuring 0.") &&
                          ContainsSubstring(" s of 250ms, ") && EndsWith("\r\x1b[K"));
}

TEST_CASE("keys are drawn evenly, or in proportion to 1 over their rank", "[cli][random]") {
  constexpr std::size_t kKeys = 50;
  constexpr int kDraws = 200'000;
  Random seed;
  INFO(seed.Describe());
  for (const double skew : {0.0, 0.7, 1.0, 2.0}) {
    INFO(skew);
    const larder::cli::KeyDraw draw(kKeys, skew);
    std::vector<int> drawn(kKeys);
    for (int i = 0; i < kDraws; ++i) ++drawn[draw.Next(seed.engine())];
    double sum = 0;
    for (std::size_t i = 1; i <= kKeys; ++i) sum += std::pow(static_cast<double>(i), -skew);
    for (std::size_t i = 0; i < kKeys; ++i) {
      const double share = std::pow(static_cast<double>(i + 1), -skew) / sum;
      // Six standard deviations of a binomial count.
      const double slack = 6 * std::sqrt(kDraws * share * (1 - share)) + 1;
      CHECK(std::abs(drawn[i] - kDraws * share) < slack);
    }
  }
  std::mt19937_64 one(3), same(3);
  const larder::cli::KeyDraw draw(1000, 1.0);
  for (int i = 0; i < 100; ++i) CHECK(draw.Next(one) == draw.Next(same));
}

TEST_CASE("times are written with three digits and a unit that fits", "[cli]") {
  using larder::cli::LatencyText;
  CHECK(LatencyText(0) == "0 ns");
  CHECK(LatencyText(999) == "999 ns");
  CHECK(LatencyText(1000) == "1.00 us");
  CHECK(LatencyText(1234) == "1.23 us");
  CHECK(LatencyText(99'960) == "100 us");
  CHECK(LatencyText(999'999) == "1.00 ms");
  CHECK(LatencyText(12'345'678) == "12.3 ms");
  CHECK(LatencyText(3e9) == "3.00 s");
}

}  // namespace
}  // namespace larder_test
