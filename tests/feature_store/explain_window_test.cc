// Where the value of a window comes from: events, tiles, and which of them count.
#include <algorithm>
#include <numeric>
#include <set>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"
#include "larder/base/text.h"
#include "larder/feature_store/explain.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::ExplainRequest;
using larder::Explanation;
using larder::ExplanationStep;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::Timestamp;
using larder::Value;

using Kind = ExplanationStep::Kind;

constexpr std::string_view kSpend = R"json({"project": "p",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "tx", "kind": "push", "event_time": "at", "event_id": "id", "arrival_time": "seen",
   "fields": [{"name": "card", "type": "int64"}, {"name": "amount", "type": "float64"}, {"name": "id", "type": "string"},
              {"name": "at", "type": "timestamp"}, {"name": "seen", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "spend", "entities": ["card"], "source": "tx",
   "aggregates": [{"input": "amount", "functions": ["sum"], "windows": ["1h", "1d"], "where": "amount > 0"},
                  {"input": "amount", "functions": ["max"], "rows": 2, "name": "max_last"}]}]})json";

Row Spent(double amount, std::string id, std::string_view at, std::string_view seen) {
  return {
      {"card", 1}, {"amount", amount}, {"id", std::move(id)}, {"at", At(at)}, {"seen", At(seen)}};
}

Explanation Explain(StoreFixture& fixture, const std::string& feature, std::string_view as_of,
                    std::optional<Timestamp> known_at = std::nullopt) {
  ExplainRequest request;
  request.what.features = {feature};
  request.row = {{"card", 1}};
  request.as_of = At(as_of);
  request.known_at = known_at;
  auto explained = fixture.store().Explain(request);
  INFO(explained.status().ToString());
  REQUIRE(explained.ok());
  return *std::move(explained);
}

// A line a step: `1 event 5 at 12:00:00 known 12:00:01 commit 3 (why not)`.
std::string Shown(const Explanation& explanation) {
  std::string out;
  const auto time_of = [](Timestamp t) { return FormatTimestamp(t).substr(5, 14); };
  for (std::size_t i = 0; i < explanation.steps.size(); ++i) {
    const ExplanationStep& step = explanation.steps[i];
    out += Concat(i, " ", larder::StepKindName(step.kind), step.name.empty() ? "" : " ", step.name,
                  " ", FormatValue(step.value));
    for (const auto& [name, value] : step.details)
      out += Concat(" ", name, "=", FormatValue(value));
    if (step.kind == Kind::kEvent) {
      out += Concat(" at ", time_of(*step.event_time), " known ", time_of(*step.known_time),
                    " commit ", *step.commit_seq);
    }
    if (!step.note.empty()) out += Concat(" (", step.note, ")");
    out += "\n";
  }
  return out;
}

TEST_CASE("an explanation lists the events of a window with their times and commits",
          "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kSpend);
  fixture.Push("tx", {Spent(1, "a", "2025-01-09T10:00:00Z", "2025-01-09T10:00:01Z"),
                      Spent(2, "b", "2025-01-09T11:10:00Z", "2025-01-09T11:10:01Z"),
                      Spent(-4, "c", "2025-01-09T11:20:00Z", "2025-01-09T11:20:01Z")});
  fixture.Push("tx", {Spent(8, "d", "2025-01-09T11:15:00Z", "2025-01-09T12:30:00Z"),
                      Spent(16, "e", "2025-01-09T12:00:00Z", "2025-01-09T12:00:00Z")});
  CHECK(Shown(Explain(fixture, "spend:sum_amount_1h", "2025-01-09T12:00:00Z")) ==
        "0 key card 1\n"
        "1 event 8 event_id=d at 01-09T11:15:00 known 01-09T12:30:00 commit 3\n"
        "2 event 2 event_id=b at 01-09T11:10:00 known 01-09T11:10:01 commit 2\n"
        "3 window from 2025-01-09T11:00:00Z, before 2025-01-09T12:00:00Z 2\n"
        "4 feature spend@1:sum_amount_1h 10\n");
  CHECK(Shown(Explain(fixture, "spend:sum_amount_1h", "2025-01-09T12:00:00Z",
                      At("2025-01-09T12:00:00Z"))) ==
        "0 key card 1\n"
        "1 event 8 event_id=d at 01-09T11:15:00 known 01-09T12:30:00 commit 3 (not known at "
        "known_at)\n"
        "2 event 2 event_id=b at 01-09T11:10:00 known 01-09T11:10:01 commit 2\n"
        "3 window from 2025-01-09T11:00:00Z, before 2025-01-09T12:00:00Z 1\n"
        "4 feature spend@1:sum_amount_1h 2\n");
  CHECK_THAT(
      Shown(Explain(fixture, "spend:max_last", "2025-01-09T12:10:00Z")),
      ContainsSubstring("1 event 16 event_id=e at 01-09T12:00:00 known 01-09T12:00:00 commit "
                        "3\n2 event -4 event_id=c") &&
          ContainsSubstring("3 event 8 event_id=d at 01-09T11:15:00 known 01-09T12:30:00 "
                            "commit 3 (later ones fill the window)\n") &&
          ContainsSubstring("window the last 2 before 2025-01-09T12:10:00Z 2\n"));
}

TEST_CASE("an explanation of a window says what it aggregates", "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kSpend);
  fixture.Push("tx", {Spent(1, "a", "2025-01-09T10:00:00Z", "2025-01-09T10:00:01Z")});
  const Explanation explanation = Explain(fixture, "spend:sum_amount_1h", "2025-01-09T12:00:00Z");
  CHECK(explanation.expression == "sum(amount) over 1h where amount > 0");
  CHECK(explanation.value == Value(0.0));
  CHECK(Shown(explanation) ==
        "0 key card 1\n"
        "1 window from 2025-01-09T11:00:00Z, before 2025-01-09T12:00:00Z 0\n"
        "2 feature spend@1:sum_amount_1h 0\n");
}

TEST_CASE("an explanation says which version of an event counts", "[feature_store][explain]") {
  StoreFixture fixture("2025-01-09T12:00:00Z");
  fixture.Apply(kSpend);
  fixture.Push("tx", {Spent(1, "a", "2025-01-09T11:30:00Z", "2025-01-09T11:30:01Z")});
  fixture.Push("tx", {Spent(5, "a", "2025-01-09T11:30:00Z", "2025-01-09T11:50:00Z")});
  CHECK(Shown(Explain(fixture, "spend:sum_amount_1h", "2025-01-09T12:00:00Z")) ==
        "0 key card 1\n"
        "1 event 1 event_id=a at 01-09T11:30:00 known 01-09T11:30:01 commit 2 (a later version of "
        "the event counts)\n"
        "2 event 5 event_id=a at 01-09T11:30:00 known 01-09T11:50:00 commit 3\n"
        "3 window from 2025-01-09T11:00:00Z, before 2025-01-09T12:00:00Z 1\n"
        "4 feature spend@1:sum_amount_1h 5\n");
}

TEST_CASE("tiles and single events of an explanation add up to the events that count",
          "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kSpend);
  std::vector<Row> rows;
  const Timestamp start = At("2025-01-08T12:00:00Z");
  for (int i = 0; i < 4000; ++i) {
    const Timestamp at = start.Plus(larder::Duration::Seconds(21 * i));
    rows.push_back(
        {{"card", 1}, {"amount", 1.0 + i % 7}, {"id", Concat("e", i)}, {"at", at}, {"seen", at}});
  }
  fixture.Push("tx", rows);
  const Explanation explanation = Explain(fixture, "spend:sum_amount_1d", "2025-01-09T11:00:00Z");
  int64_t in_tiles = 0;
  std::size_t events = 0;
  const ExplanationStep* window = nullptr;
  for (const ExplanationStep& step : explanation.steps) {
    if (step.kind == Kind::kTile) in_tiles += *step.value.As<int64_t>();
    if (step.kind == Kind::kEvent) ++events;
    if (step.kind == Kind::kWindow) window = &step;
  }
  REQUIRE(window != nullptr);
  CHECK(window->value == Value(int64_t{3943}));
  CHECK(events == 20);
  CHECK(in_tiles > 3000);
  CHECK(in_tiles <= 3943);
  CHECK_THAT(window->note, ContainsSubstring("3923 events are not shown") &&
                               ContainsSubstring(Concat(in_tiles, " events in ")));
}

// Whatever a world holds, an explanation ends in the value that is served; the store itself refuses one whose events do
// not add up to it.
TEST_CASE("random windows are explained with the value that is served",
          "[feature_store][explain][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  constexpr int kWorlds = 12;
#else
  constexpr int kWorlds = 3;
#endif
  for (int w = 0; w < kWorlds; ++w) {
    StoreFixture fixture;
    const WindowWorld world =
        WindowWorld::Draw(random, static_cast<std::size_t>(random.Between(0, 150)), false);
    std::vector<WorldEvent> in_file;
    std::vector<Row> pushed;
    std::set<std::string> ids_in_file;
    for (const WorldEvent& event : world.events) {
      if (random.OneIn(2)) ids_in_file.insert(event.id);
    }
    for (const WorldEvent& event : world.events) {
      const bool is_in_file = world.has_ids ? ids_in_file.count(event.id) > 0 : random.OneIn(2);
      if (is_in_file) {
        in_file.push_back(event);
      } else {
        pushed.push_back(world.RowOf(event));
      }
    }
    fixture.folder().Write("tx.csv", world.Csv(in_file));
    fixture.Apply(world.Definitions(true));
    fixture.Materialize();
    if (!pushed.empty()) fixture.Push("live", pushed);
    for (int q = 0; q < 12; ++q) {
      const auto& feature =
          world.features[static_cast<std::size_t>(random.Between(0, std::ssize(world.features) - 1))];
      larder::OnlineRequest request;
      request.what.features = {Concat("spend:", feature.name)};
      request.rows = {{{"card", random.Between(1, 4)}}};
      request.as_of = world.RandomInstant(random);
      if (random.OneIn(3)) request.known_at = *request.as_of;
      ExplainRequest ask;
      ask.what = request.what;
      ask.row = request.rows[0];
      ask.as_of = request.as_of;
      ask.known_at = request.known_at;
      ask.items_max = static_cast<std::size_t>(random.Between(0, 200));
      const auto served = fixture.store().GetOnlineFeatures(request);
      const auto explained = fixture.store().Explain(ask);
      INFO(feature.name << " at " << FormatTimestamp(*request.as_of));
      INFO(explained.status().ToString());
      REQUIRE(served.ok() == explained.ok());
      if (!served.ok()) continue;
      CHECK(explained->value == served->features[0].values.ValueAt(0));
      CHECK(explained->status == served->features[0].statuses[0]);
      CHECK(explained->steps.back().value == explained->value);
    }
  }
}

}  // namespace
}  // namespace larder_test
