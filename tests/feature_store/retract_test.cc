// Retraction: what some commits pushed is gone as if it had never come.
#include <algorithm>
#include <set>
#include <utility>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"
#include "larder/online/verify.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::RetractOptions;
using larder::RetractResult;
using larder::Row;
using larder::Timestamp;
using larder::Value;

RetractResult Retract(StoreFixture& fixture, uint64_t first, uint64_t last) {
  RetractOptions options;
  options.source = "live";
  options.first_commit = first;
  options.last_commit = last;
  const auto result = fixture.store().Retract(options, {"ana", "a bad deploy"});
  INFO(result.status().ToString());
  REQUIRE(result.ok());
  return *result;
}

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

constexpr Timestamp kDay{1'736'380'800'000'000};  // 2025-01-09

std::string RowDefinitions(bool partial, bool by_commit, std::string_view horizon) {
  return Concat(R"({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "file", "kind": "csv", "path": "file.csv", "event_time": "at", "operation": "op",
   "version_horizon": ")",
                horizon, R"(",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "y", "type": "string"},
              {"name": "at", "type": "timestamp"}, {"name": "op", "type": "string"}]},
  {"name": "live", "kind": "push", "batch_source": "file", "version_horizon": ")",
                horizon, R"(")", by_commit ? R"(, "order": "commit")" : "", R"(}],
 "feature_views": [{"name": "v", "entities": ["thing"], "source": "live", )",
                partial ? R"("partial_updates": true, )" : "",
                R"("features": [{"name": "x"}, {"name": "y"}]}]})");
}

// Two stores with the same clock: one is told everything, the other one what stays.
struct Twins {
  StoreFixture all;
  StoreFixture kept;
  struct Push {
    std::vector<Row> rows;
    uint64_t commit = 0;
    bool goes = false;
  };
  std::vector<Push> pushes;

  void Apply(const std::string& definitions, const std::string& file, const std::string& csv) {
    for (StoreFixture* fixture : {&all, &kept}) {
      fixture->folder().Write(file, csv);
      fixture->Apply(definitions);
    }
  }
  // Ranges of pushes that are to be taken back, two at most.
  std::vector<std::pair<std::size_t, std::size_t>> DrawRanges(Random& random) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    if (pushes.empty()) return ranges;
    for (int64_t n = random.Between(1, 2); n > 0; --n) {
      const int64_t first = random.Between(0, std::ssize(pushes) - 1);
      const int64_t last = random.Between(first, std::min(first + 4, std::ssize(pushes) - 1));
      ranges.emplace_back(first, last);
      for (int64_t i = first; i <= last; ++i) pushes[static_cast<std::size_t>(i)].goes = true;
    }
    return ranges;
  }
  // A minute apart. `between` is done to both after push `at`.
  template <class Between>
  void Run(std::size_t at, Between between) {
    Timestamp now{kDay.Plus(larder::Duration::Hours(24))};
    for (std::size_t i = 0; i < pushes.size(); ++i) {
      now = now.Plus(larder::Duration::Minutes(1));
      all.SetNow(now);
      kept.SetNow(now);
      pushes[i].commit = all.Push("live", pushes[i].rows).commit_seq;
      if (!pushes[i].goes) kept.Push("live", pushes[i].rows);
      if (i != at) continue;
      between(all);
      between(kept);
    }
  }
};

TEST_CASE("rows that were taken back are as if they had never been pushed",
          "[feature_store][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 25;
#else
  const int rounds = 5;
#endif
  for (int round = 0; round < rounds; ++round) {
    const bool partial = random.OneIn(2);
    const bool by_commit = random.OneIn(2);
    INFO((partial ? "partial, " : "") << (by_commit ? "by commit" : "by bytes"));
    Twins twins;
    std::string csv = "k,x,y,at,op\n";
    for (int64_t k = 0; k < 20; k += random.Between(1, 3)) {
      csv += Concat(k, ",", 1'000 + k, ",file,",
                    FormatTimestamp(kDay.Plus({random.Between(0, 40) * 1'000'000})), ",insert\n");
    }
    twins.Apply(RowDefinitions(partial, by_commit, "300d"), "file.csv", csv);
    // Neither values nor deletes repeat: a row told again goes with the commit that told it first.
    int64_t value = 0;
    std::set<std::pair<int64_t, int64_t>> deleted;
    for (int64_t n = random.Between(1, 25); n > 0; --n) {
      Twins::Push& push = twins.pushes.emplace_back();
      for (int64_t r = random.Between(1, 12); r > 0; --r) {
        const int64_t key = random.Between(0, 25);
        const int64_t second = random.Between(0, 40);
        const bool is_delete = random.OneIn(6) && deleted.emplace(key, second).second;
        Row row = {{"k", key},
                   {"at", kDay.Plus({second * 1'000'000})},
                   {"op", is_delete ? "delete" : "insert"}};
        if (!partial || random.OneIn(2)) row.emplace_back("x", ++value);
        if (!partial || random.OneIn(2)) row.emplace_back("y", Concat("text ", ++value));
        push.rows.push_back(std::move(row));
      }
    }
    const auto ranges = twins.DrawRanges(random);
    const bool loads = random.OneIn(2);
    const bool compacts = random.OneIn(2);
    twins.Run(static_cast<std::size_t>(random.Between(0, std::ssize(twins.pushes) - 1)),
              [&](StoreFixture& fixture) {
                if (loads) fixture.Materialize();
                if (compacts) REQUIRE(fixture.store().Compact({}).ok());
              });
    for (const auto& [first, last] : ranges)
      Retract(twins.all, twins.pushes[first].commit, twins.pushes[last].commit);

    std::vector<Row> keys;
    for (int64_t k = 0; k <= 25; ++k) keys.push_back({{"k", k}});
    for (int instant = 0; instant < 12; ++instant) {
      const Timestamp as_of = kDay.Plus({random.Between(-1, 41) * 1'000'000});
      INFO("as of " << FormatTimestamp(as_of));
      const bool nothing_there =
          !loads && std::all_of(twins.pushes.begin(), twins.pushes.end(),
                                [](const Twins::Push& push) { return push.goes; });
      if (nothing_there) break;  // the other store has no data at all, and says so
      const auto found = twins.all.Get({"v:x", "v:y"}, keys, as_of);
      const auto expected = twins.kept.Get({"v:x", "v:y"}, keys, as_of);
      for (std::size_t i = 0; i < keys.size(); ++i) {
        INFO("key " << i);
        REQUIRE(Shown(found, "x", i) == Shown(expected, "x", i));
        REQUIRE(Shown(found, "y", i) == Shown(expected, "y", i));
      }
    }
    const auto report = larder::VerifyStore(twins.all.store().environment()->path());
    REQUIRE(report.ok());
    CHECK(report->problems == std::vector<std::string>{});
  }
}

TEST_CASE("aggregates are as if events that were taken back had never come",
          "[feature_store][windows][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 20;
#else
  const int rounds = 4;
#endif
  for (int round = 0; round < rounds; ++round) {
    const WindowWorld world =
        WindowWorld::Draw(random, static_cast<std::size_t>(random.Between(1, 80)), false);
    // Versions are kept long enough for each to come back.
    const std::string definitions = Replaced(world.Definitions(true), R"("kind": "push")",
                                             R"("kind": "push", "version_horizon": "30d")");
    INFO(definitions);
    std::vector<WorldEvent> events;
    for (const WorldEvent& event : world.events) {
      if (std::find(events.begin(), events.end(), event) == events.end()) events.push_back(event);
    }
    std::vector<WorldEvent> in_file;
    for (const WorldEvent& event : events) {
      if (random.OneIn(4)) in_file.push_back(event);
    }
    Twins twins;
    twins.Apply(definitions, "tx.csv", world.Csv(in_file));
    std::shuffle(events.begin(), events.end(), random.engine());
    while (!events.empty()) {
      Twins::Push& push = twins.pushes.emplace_back();
      for (int64_t n = random.Between(1, 9); n > 0 && !events.empty(); --n) {
        push.rows.push_back(world.RowOf(events.back()));
        events.pop_back();
      }
    }
    const auto ranges = twins.DrawRanges(random);
    const bool loads = world.has_ids && random.OneIn(2);
    twins.Run(static_cast<std::size_t>(random.Between(0, std::ssize(twins.pushes) - 1)),
              [&](StoreFixture& fixture) {
                if (loads) fixture.Materialize();
              });
    uint64_t unsure = 0;
    for (const auto& [first, last] : ranges) {
      for (const auto& view :
           Retract(twins.all, twins.pushes[first].commit, twins.pushes[last].commit).views)
        unsure += view.rows.keys_unsure;
    }
    CHECK(unsure == 0);
    CHECK(twins.all.store().VerifyWindows()->empty());
    if (!loads && std::all_of(twins.pushes.begin(), twins.pushes.end(),
                              [](const Twins::Push& push) { return push.goes; }))
      continue;
    std::vector<std::string> features;
    for (const auto& feature : world.features) features.push_back("spend:" + feature.name);
    for (int question = 0; question < 10; ++question) {
      const Timestamp as_of = world.RandomInstant(random);
      const std::vector<Row> key = {{{"card", random.Between(1, 4)}}};
      const auto found = twins.all.Get(features, key, as_of);
      const auto expected = twins.kept.Get(features, key, as_of);
      for (const auto& feature : world.features) {
        const Value value = found.Find(feature.name)->values.ValueAt(0);
        const Value wanted = expected.Find(feature.name)->values.ValueAt(0);
        if (value == wanted) continue;
        FAIL(feature.name << " at " << FormatTimestamp(as_of) << " is " << FormatValue(value)
                          << ", expected " << FormatValue(wanted) << '\n'
                          << world.Csv(world.events));
      }
    }
  }
}

TEST_CASE("a retraction takes back versions of its own source and of no other",
          "[feature_store][windows]") {
  constexpr const char* kTwo = R"({"larder": 1, "project": "p",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "live", "kind": "push", "event_time": "at", "event_id": "id", "fields": [
    {"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
    {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]},
  {"name": "other", "kind": "push", "event_time": "at", "event_id": "id", "fields": [
    {"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
    {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "live", "union": ["other"],
   "boundary": "at", "aggregates": [{"input": "fare", "functions": ["sum"], "windows": ["1h"]}]}]})";
  const auto tap = [](double fare, const char* at) {
    return Row{{"card", int64_t{1}}, {"at", At(at)}, {"fare", fare}, {"id", "a"}};
  };
  for (const std::string_view goes : {"live", "other"}) {
    INFO("source " << goes);
    StoreFixture fixture;
    fixture.Apply(kTwo);
    // Each source's event has two versions.
    fixture.Push("live", {tap(1, "2025-01-09T23:30:00Z")});
    fixture.Push("other", {tap(10, "2025-01-09T23:30:00Z")});
    const uint64_t first = fixture.Push("live", {tap(2, "2025-01-09T23:31:00Z")}).commit_seq;
    const uint64_t last = fixture.Push("other", {tap(20, "2025-01-09T23:31:00Z")}).commit_seq;
    const auto sum = [&] {
      return Shown(fixture.Get({"spend:sum_fare_1h"}, {{{"card", 1}}}), "sum_fare_1h", 0);
    };
    CHECK(sum() == "22 PRESENT");
    RetractOptions options;
    options.source = goes;
    options.first_commit = first;
    options.last_commit = last;
    const auto result = fixture.store().Retract(options);
    REQUIRE(result.ok());
    REQUIRE(result->views.size() == 1);
    CHECK(result->views[0].rows.rows == 1);
    CHECK(sum() == (goes == "live" ? "21 PRESENT" : "12 PRESENT"));
  }
}

Row X(int64_t key, int64_t x, const char* at) {
  return {{"k", key}, {"x", x}, {"y", "y"}, {"at", At(at)}, {"op", "insert"}};
}

TEST_CASE("a retraction is an entry of the history, and a second one finds nothing",
          "[feature_store]") {
  StoreFixture fixture;
  fixture.Apply(RowDefinitions(false, false, "300d"));
  fixture.Push("live", {X(1, 10, "2025-01-09T00:00:00Z"), X(2, 20, "2025-01-09T00:00:00Z")});
  const uint64_t bad = fixture.Push("live", {X(1, 99, "2025-01-09T01:00:00Z")}).commit_seq;
  CHECK(Shown(fixture.Get({"v:x"}, {{{"k", 1}}}), "x", 0) == "99 PRESENT");
  const RetractResult result = Retract(fixture, bad, bad);
  REQUIRE(result.views.size() == 1);
  CHECK(result.views[0].view == "v@1");
  CHECK(result.views[0].rows.rows == 1);
  CHECK(result.views[0].rows.keys == 1);
  CHECK(result.views[0].rows.keys_unsure == 0);
  CHECK(Shown(fixture.Get({"v:x"}, {{{"k", 1}}}), "x", 0) == "10 PRESENT");
  CHECK(Shown(fixture.Get({"v:x"}, {{{"k", 2}}}), "x", 0) == "20 PRESENT");
  const auto history = fixture.store().History();
  REQUIRE(history.ok());
  CHECK(history->back().number == result.number);
  CHECK(history->back().kind == larder::HistoryKind::kRetract);
  CHECK(history->back().author == "ana");
  CHECK(history->back().message == "a bad deploy");
  CHECK(history->back().detail == Concat("source live, commits ", bad, " to ", bad, ": v@1 1 rows"));

  const RetractResult again = Retract(fixture, bad, bad);
  CHECK(again.number == 0);
  CHECK(again.views.empty());
  CHECK(fixture.store().History()->size() == history->size());
}

TEST_CASE("a retraction says where an earlier row may be gone already", "[feature_store]") {
  StoreFixture fixture;
  fixture.Apply(RowDefinitions(false, false, "1m"));
  fixture.Push("live", {X(1, 10, "2025-01-01T00:00:00Z"), X(2, 20, "2025-01-01T00:00:00Z")});
  fixture.SetNow("2025-01-10T01:00:00Z");
  const uint64_t bad = fixture.Push("live", {X(1, 99, "2025-01-09T01:00:00Z")}).commit_seq;
  fixture.SetNow("2025-01-12T02:00:00Z");
  // Only now is the bad row old enough to stand for the one before.
  fixture.Push("live", {X(1, 9, "2025-01-08T00:00:00Z")});
  const RetractResult result = Retract(fixture, bad, bad);
  REQUIRE(result.views.size() == 1);
  CHECK(result.views[0].rows.keys_unsure == 1);
}

TEST_CASE("a retraction of what cannot be taken back is refused and changes nothing",
          "[feature_store]") {
  StoreFixture fixture;
  fixture.Apply(RowDefinitions(false, false, "1h"));
  const uint64_t commit = fixture.Push("live", {X(1, 10, "2025-01-09T00:00:00Z")}).commit_seq;
  RetractOptions options;
  options.source = "live";
  const auto message = [&] {
    return std::string(larder::MessageOf(fixture.store().Retract(options).status()));
  };
  CHECK(message() == "commits 0 to 0: expected a range from 1 on, its end not before its begin");
  options.first_commit = 1;
  options.last_commit = commit + 1;
  CHECK(message() == Concat("commits 1 to ", commit + 1, ": the store's last one is ", commit));
  options.last_commit = commit;
  options.source = "file";
  CHECK_THAT(message(), ContainsSubstring("source file is loaded from files"));
  options.source = "lve";
  CHECK_THAT(message(), ContainsSubstring("live"));
  CHECK(Shown(fixture.Get({"v:x"}, {{{"k", 1}}}), "x", 0) == "10 PRESENT");
}

}  // namespace
}  // namespace larder_test
