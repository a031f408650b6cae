// Pushes over the public API: what they count, and what they share when many come at once.
#include <atomic>
#include <thread>

#include "feature_store/store_fixture.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::PushOptions;
using larder::PushResult;
using larder::Row;

constexpr std::string_view kDefinitions = R"({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "live", "kind": "push", "event_time": "at",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "v", "entities": ["thing"], "source": "live", "partial_updates": true,
                    "features": [{"name": "x"}]}],
 "feature_services": [{"name": "s", "features": ["v:x"]}]})";

constexpr larder::Timestamp kAt{1'736'380'800'000'000};  // 2025-01-09

TEST_CASE("rows refused of a push are numbered as the caller numbered them", "[feature_store]") {
  StoreFixture fixture;
  fixture.Apply(kDefinitions);
  const larder::Value no_key;
  // The second row carries other fields, so it is stored in a batch of its own.
  const std::vector<Row> rows = {{{"k", 1}, {"x", 5}, {"at", kAt}},
                                 {{"k", 1}, {"at", kAt}},
                                 {{"k", 2}, {"x", 5}, {"at", At("2026-01-01T00:00:00Z")}},
                                 {{"k", no_key}, {"x", 5}, {"at", kAt}}};
  const auto refused = fixture.store().Push("live", rows);
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())),
             ContainsSubstring("the first is row 2: future"));
  larder::PushOptions skipping;
  skipping.skip_bad = true;
  const auto pushed = fixture.store().Push("live", rows, skipping);
  REQUIRE(pushed.ok());
  CHECK(pushed->rows == 4);
  CHECK(pushed->skipped == 2);
  CHECK(pushed->first_reasons ==
        std::vector<std::string>{"v@1, row 2: future", "v@1, row 3: null key"});
}

TEST_CASE("pushes of many threads are each whole, whatever becomes of their neighbours",
          "[feature_store][random][thread]") {
  Random random;
  INFO(random.Describe());
  StoreFixture fixture;
  fixture.Apply(kDefinitions);
  constexpr int kThreads = 6;
  constexpr int kPushes = 12;
  struct Push {
    std::vector<Row> rows;
    std::string batch_id;
    bool is_bad = false;
  };
  // Every push has keys of its own, and one key that all of them change.
  std::vector<std::vector<Push>> pushes(kThreads);
  int64_t last = 0;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kPushes; ++i) {
      Push& push = pushes[static_cast<std::size_t>(t)].emplace_back();
      push.is_bad = random.OneIn(4);
      if (random.OneIn(2)) push.batch_id = larder::Concat("batch ", t, " ", i);
      const int64_t first_key = 1'000 * t + 10 * i;
      for (int64_t k = first_key; k < first_key + 3; ++k)
        push.rows.push_back({{"k", k}, {"x", k}, {"at", kAt}});
      const int64_t after = random.Between(1, 1'000'000);
      if (!push.is_bad) last = std::max(last, after);
      push.rows.push_back({{"k", 999'999}, {"x", after}, {"at", larder::Timestamp{kAt.us + after}}});
      if (push.is_bad) push.rows.push_back({{"k", larder::Value()}, {"x", 1}, {"at", kAt}});
    }
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (const std::vector<Push>& own : pushes) {
    threads.emplace_back([&fixture, &own, &wrong] {
      for (const Push& push : own) {
        PushOptions options;
        options.batch_id = push.batch_id;
        const auto first = fixture.store().Push("live", push.rows, options);
        if (first.ok() == push.is_bad) ++wrong;
        if (push.is_bad &&
            !larder::MessageOf(first.status()).ends_with("the first is row 4: null key"))
          ++wrong;
        if (push.is_bad || push.batch_id.empty()) continue;
        const auto again = fixture.store().Push("live", push.rows, options);
        if (!again.ok() || !again->repeated || again->commit_seq != first->commit_seq) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);

  for (const std::vector<Push>& own : pushes) {
    for (const Push& push : own) {
      for (std::size_t i = 0; i < 3; ++i) {
        const larder::Value& key = push.rows[i].front().second;
        const std::string expected =
            push.is_bad ? "null NOT_FOUND" : larder::FormatValue(key) + " PRESENT";
        CHECK(Shown(fixture.Get({"v:x"}, {{{"k", key}}}), "x", 0) == expected);
      }
    }
  }
  CHECK(Shown(fixture.Get({"v:x"}, {{{"k", 999'999}}}), "x", 0) ==
        (last == 0 ? "null NOT_FOUND" : std::to_string(last) + " PRESENT"));
}

}  // namespace
}  // namespace larder_test
