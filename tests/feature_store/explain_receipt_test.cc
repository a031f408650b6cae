// Replaying what a receipt says was served.
#include <algorithm>

#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "larder/feature_store/explain.h"
#include "larder/feature_store/receipt.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::ExplainRequest;
using larder::Explanation;
using larder::ExplanationStep;
using larder::Row;
using larder::Timestamp;
using larder::Value;

constexpr std::string_view kDefinitions = R"json({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "live", "kind": "push", "event_time": "at", "event_id": "id", "version_horizon": "3000d",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "float64"}, {"name": "y", "type": "float64"},
              {"name": "id", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "rows", "entities": ["thing"], "source": "live", "features": [{"name": "x"}]},
  {"name": "parts", "entities": ["thing"], "source": "live", "partial_updates": true, "features": [{"name": "y"}]},
  {"name": "sums", "entities": ["thing"], "source": "live",
   "aggregates": [{"input": "x", "functions": ["sum", "max"], "windows": ["2h"]}]}],
 "on_demand_views": [{"name": "calc", "inputs": {"x": "rows:x", "total": "sums:sum_x_2h"},
                      "features": [{"name": "share", "expr": "x / total"}]}],
 "feature_services": [
  {"name": "s", "features": ["rows:x", "parts:y", "sums:sum_x_2h", "sums:max_x_2h", "calc:share"]}]})json";

Row Event(int64_t k, double x, int64_t id, Timestamp at) {
  return {{"k", k}, {"x", x}, {"y", -x}, {"id", id}, {"at", at}};
}

larder::OnlineResponse Serve(StoreFixture& fixture, int64_t k, Timestamp as_of) {
  larder::OnlineRequest request;
  request.what.service = "s";
  request.rows = {{{"k", k}}};
  request.as_of = as_of;
  auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  return *std::move(response);
}

absl::StatusOr<Explanation> Replay(StoreFixture& fixture, const std::string& receipt,
                                   const std::string& feature, int64_t k) {
  ExplainRequest request;
  request.receipt = receipt;
  request.feature = feature;
  request.row = {{"k", k}};
  return fixture.store().Explain(request);
}

TEST_CASE("a receipt replays what was served before later commits", "[feature_store][explain]") {
  StoreFixture fixture("2025-01-09T12:00:00Z");
  fixture.Apply(kDefinitions);
  const Timestamp noon = At("2025-01-09T12:00:00Z");
  const auto ago = [noon](int64_t minutes) {
    return noon.Minus(larder::Duration::Minutes(minutes));
  };
  fixture.Push("live", {Event(1, 2, 1, ago(60)), Event(1, 4, 2, ago(30))});
  const larder::OnlineResponse served = Serve(fixture, 1, noon);
  fixture.Push("live", {Event(1, 8, 3, ago(20)), Event(1, 16, 4, ago(90))});
  const larder::OnlineResponse now = Serve(fixture, 1, noon);
  CHECK(now.Find("x")->values.ValueAt(0) == Value(8.0));
  for (const larder::FeatureValues& feature : served.features) {
    const auto replayed = Replay(fixture, served.receipt, feature.name, 1);
    INFO(feature.name << " " << replayed.status().ToString());
    REQUIRE(replayed.ok());
    CHECK(replayed->value == feature.values.ValueAt(0));
    CHECK(replayed->status == feature.statuses[0]);
    CHECK(replayed->receipt == served.receipt);
    CHECK(replayed->commit_seq == served.commit_seq);
    CHECK(replayed->limits.empty());
  }
  const auto row = Replay(fixture, served.receipt, "x", 1);
  REQUIRE(row->steps.size() > 1);
  CHECK(row->steps[1].note == "a later commit brought it");
  const auto sum = Replay(fixture, served.receipt, "sum_x_2h", 1);
  CHECK(std::count_if(sum->steps.begin(), sum->steps.end(), [](const ExplanationStep& step) {
          return step.note == "a later commit brought it";
        }) == 2);
}

TEST_CASE("a receipt that cannot be replayed says why", "[feature_store][explain]") {
  StoreFixture fixture("2025-01-09T12:00:00Z");
  fixture.Apply(kDefinitions);
  const Timestamp noon = At("2025-01-09T12:00:00Z");
  fixture.Push("live", {Event(1, 2, 1, noon)});
  const larder::OnlineResponse served = Serve(fixture, 1, noon);
  const auto refused = [&](const std::string& receipt, std::string_view message) {
    const auto replayed = Replay(fixture, receipt, "x", 1);
    REQUIRE_FALSE(replayed.ok());
    CHECK_THAT(std::string(larder::MessageOf(replayed.status())),
               ContainsSubstring(std::string(message)));
  };
  refused("lunch for two", "is no receipt");
  refused(Concat("s@1 revision 1 commit ", served.commit_seq + 5, " as_of 2025-01-09T12:00:00Z"),
          "it is another one, or was restored");
  refused("s@1 revision 9 commit 1 as_of 2025-01-09T12:00:00Z", "it is another one");
  refused("s@7 revision 1 commit 1 as_of 2025-01-09T12:00:00Z", "has no version 7");
  refused("features revision 1 commit 1 as_of 2025-01-09T12:00:00Z", "say which one");
  ExplainRequest both;
  both.receipt = served.receipt;
  both.as_of = noon;
  CHECK_THAT(std::string(larder::MessageOf(fixture.store().Explain(both).status())),
             ContainsSubstring("a receipt says service, as_of and known_at itself"));
  const auto staged = Replay(fixture, served.receipt + " staged 3", "x", 1);
  REQUIRE(staged.ok());
  CHECK(staged->limits ==
        std::vector<std::string>{"staged events are not kept: 3 that only that session saw"});
}

TEST_CASE("a replay names the limit where history is no longer kept", "[feature_store][explain]") {
  StoreFixture fixture("2025-01-09T12:00:00Z");
  std::string definitions(kDefinitions);
  const std::string horizon = R"("version_horizon": "3000d")";
  definitions.replace(definitions.find(horizon), horizon.size(), R"("version_horizon": "1h")");
  fixture.Apply(definitions);
  const Timestamp noon = At("2025-01-09T12:00:00Z");
  fixture.Push("live", {Event(1, 2, 1, noon)});
  const larder::OnlineResponse served = Serve(fixture, 1, noon);
  fixture.SetNow("2025-01-09T18:00:00Z");
  fixture.Push("live", {Event(1, 4, 2, noon.Plus(larder::Duration::Minutes(240)))});
  fixture.SetNow("2025-01-09T20:00:00Z");
  fixture.Push("live", {Event(1, 8, 3, noon.Plus(larder::Duration::Minutes(450)))});
  const auto replayed = Replay(fixture, served.receipt, "x", 1);
  REQUIRE_FALSE(replayed.ok());
  CHECK(larder::KindOf(replayed.status()) == larder::ErrorKind::kOutsideHistory);
  CHECK_THAT(std::string(larder::MessageOf(replayed.status())),
             ContainsSubstring("as_of 2025-01-09T12:00:00Z is before what is kept: from "
                               "2025-01-09T16:00:00Z"));
}

TEST_CASE("random receipts replay to what they were given for",
          "[feature_store][explain][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  constexpr int kCommits = 150;
#else
  constexpr int kCommits = 40;
#endif
  StoreFixture fixture("2025-01-09T12:00:00Z");
  fixture.Apply(kDefinitions);
  const Timestamp noon = At("2025-01-09T12:00:00Z");
  std::vector<std::pair<int64_t, larder::OnlineResponse>> served;
  int64_t id = 0;
  for (int c = 0; c < kCommits; ++c) {
    std::vector<Row> rows;
    for (int64_t n = random.Between(1, 4); n > 0; --n) {
      // Half of them late, some at one instant.
      const Timestamp at = noon.Minus(larder::Duration::Minutes(random.Between(0, 240)));
      rows.push_back(
          Event(random.Between(1, 3), static_cast<double>(random.Between(-9, 9)) / 8, ++id, at));
    }
    fixture.Push("live", rows);
    const int64_t k = random.Between(1, 3);
    served.emplace_back(
        k, Serve(fixture, k, noon.Minus(larder::Duration::Minutes(random.Between(0, 120)))));
  }
  for (const auto& [k, response] : served) {
    for (const larder::FeatureValues& feature : response.features) {
      const auto replayed = Replay(fixture, response.receipt, feature.name, k);
      INFO(response.receipt << " " << feature.name << " " << replayed.status().ToString());
      REQUIRE(replayed.ok());
      CHECK(replayed->value == feature.values.ValueAt(0));
      CHECK(replayed->status == feature.statuses[0]);
    }
  }
}

}  // namespace
}  // namespace larder_test
