// Views over other views: they give what the same view gives with the base's expressions written out by hand.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "larder/feature_store/replay.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::OnlineResponse;
using larder::Row;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;

// `scored` reads the rows of `clean` and `busy` those of `scored`; each has a twin that reads the source itself.
constexpr std::string_view kDefinitions = R"json({"project": "p",
 "entities": [{"name": "card", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "file", "kind": "csv", "path": "events.csv", "event_time": "at", "event_id": "id",
   "version_horizon": "30d", "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "y", "type": "float64"},
              {"name": "z", "type": "int32"}, {"name": "id", "type": "string"}, {"name": "at", "type": "timestamp"}]},
  {"name": "live", "kind": "push", "batch_source": "file"},
  {"name": "cleaned", "kind": "view", "view": "clean"},
  {"name": "scores", "kind": "view", "view": "scored"}],
 "feature_views": [
  {"name": "clean", "entities": ["card"], "source": "live", "features": [
    {"name": "x"}, {"name": "net", "expr": "net = coalesce(y, 0.5) * 2 - x -- twice"}, {"name": "z", "type": "int64"},
    {"name": "days", "expr": "current_date - at::date"}]},
  {"name": "scored", "entities": ["card"], "source": "cleaned", "features": [
    {"name": "score", "expr": "net * net + z // 2"}, {"name": "net"}, {"name": "z"}, {"name": "x"},
    {"name": "weeks", "expr": "days // 7 + x"}, {"name": "days"}]},
  {"name": "scored_twin", "entities": ["card"], "source": "live", "features": [
    {"name": "score", "expr": "(coalesce(y, 0.5) * 2 - x) * (coalesce(y, 0.5) * 2 - x) + z // 2"},
    {"name": "net", "expr": "coalesce(y, 0.5) * 2 - x"}, {"name": "z", "type": "int64"}, {"name": "x"},
    {"name": "weeks", "expr": "(current_date - at::date) // 7 + x"}, {"name": "days", "expr": "current_date - at::date"}]},
  {"name": "busy", "entities": ["card"], "source": "scores", "aggregates": [
    {"input": "score", "functions": ["sum", "max", "last"], "windows": ["1d", "6h"]},
    {"input": "z", "functions": ["min", "count_distinct"], "windows": ["1d"], "where": "net > 0"},
    {"name": "gain", "function": "mean", "input": "score - net", "window": "12h"},
    {"name": "by_x", "function": "count", "group_by": "x", "window": "1d"}]},
  {"name": "busy_twin", "entities": ["card"], "source": "live", "aggregates": [
    {"name": "sum_score_1d", "function": "sum", "window": "1d",
     "input": "(coalesce(y, 0.5) * 2 - x) * (coalesce(y, 0.5) * 2 - x) + z // 2"},
    {"name": "max_score_6h", "function": "max", "window": "6h",
     "input": "(coalesce(y, 0.5) * 2 - x) * (coalesce(y, 0.5) * 2 - x) + z // 2"},
    {"name": "last_score_1d", "function": "last", "window": "1d",
     "input": "(coalesce(y, 0.5) * 2 - x) * (coalesce(y, 0.5) * 2 - x) + z // 2"},
    {"name": "min_z_1d", "function": "min", "window": "1d", "input": "z::int64", "where": "coalesce(y, 0.5) * 2 - x > 0"},
    {"name": "count_distinct_z_1d", "function": "count_distinct", "window": "1d", "input": "z",
     "where": "coalesce(y, 0.5) * 2 - x > 0"},
    {"name": "gain", "function": "mean", "window": "12h",
     "input": "((coalesce(y, 0.5) * 2 - x) * (coalesce(y, 0.5) * 2 - x) + z // 2) - (coalesce(y, 0.5) * 2 - x)"},
    {"name": "by_x", "function": "count", "group_by": "x", "window": "1d"}]}]})json";

std::string WithService(std::string_view terms) {
  std::string json(kDefinitions);
  json.insert(json.rfind(']') + 1, Concat(R"(, "feature_services": [{"name": "s", )", terms, "}]"));
  return json;
}

constexpr const char* kRowFeatures[] = {"score", "net", "z", "x", "weeks", "days"};
constexpr const char* kWindowFeatures[] = {"sum_score_1d", "max_score_6h",        "last_score_1d",
                                           "min_z_1d",     "count_distinct_z_1d", "gain",
                                           "by_x"};

struct Event {
  int64_t k = 0;
  int64_t x = 0;
  Value y;
  Value z;
  std::string id;
  Timestamp at;
};

Event RandomEvent(Random& random, int number) {
  Event event;
  event.k = random.Between(1, 4);
  event.x = random.Between(-2, 2);
  if (!random.OneIn(5)) event.y = static_cast<double>(random.Between(-8, 8)) / 4;
  if (!random.OneIn(5)) event.z = static_cast<int32_t>(random.Between(-3, 9));
  event.id = Concat("e", number);
  event.at = At("2025-01-08T00:00:00Z").Plus({random.Between(0, 47) * 3'600'000'000});
  return event;
}

std::string Csv(const std::vector<Event>& events) {
  std::string text = "k,x,y,z,id,at\n";
  for (const Event& e : events) {
    const auto field = [](const Value& v) { return v.is_null() ? "" : larder::FormatValue(v); };
    text += Concat(e.k, ",", e.x, ",", field(e.y), ",", field(e.z), ",", e.id, ",",
                   larder::FormatTimestamp(e.at), "\n");
  }
  return text;
}

std::vector<std::string> FeaturesOf(const char* view, std::span<const char* const> names) {
  std::vector<std::string> out;
  for (const char* name : names) out.push_back(Concat(view, ":", name));
  return out;
}

// What a view and its twin answer, as texts: equal bits give equal ones.
void CheckTwins(StoreFixture& fixture, const char* view, const char* twin,
                std::span<const char* const> names, Timestamp as_of) {
  const std::vector<Row> rows = {{{"k", 1}}, {{"k", 2}}, {{"k", 3}}, {{"k", 4}}, {{"k", 9}}};
  const OnlineResponse mine = fixture.Get(FeaturesOf(view, names), rows, as_of);
  const OnlineResponse theirs = fixture.Get(FeaturesOf(twin, names), rows, as_of);
  larder::HistoricalRequest request;
  std::vector<Row> spine = rows;
  for (Row& row : spine) row.emplace_back("t", as_of);
  request.spine = *larder::Batch::FromRows(
      spine,
      std::vector<larder::Field>{{"k", TypeId::kInt64, "", ""}, {"t", TypeId::kTimestamp, "", ""}});
  request.what.features = FeaturesOf(view, names);
  const auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  request.what.features = FeaturesOf(twin, names);
  const auto twin_set = fixture.store().GetHistoricalFeatures(request);
  REQUIRE(twin_set.ok());
  for (const char* name : names) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      INFO(view << ":" << name << ", row " << row << " at " << larder::FormatTimestamp(as_of));
      CHECK(Shown(mine, name, row) == Shown(theirs, name, row));
      CHECK(Shown(*set, name, row) == Shown(*twin_set, name, row));
    }
  }
}

TEST_CASE("a view over a view serves and trains as the same view written over the source",
          "[feature_store][derived][random]") {
  Random random;
  INFO(random.Describe());
  StoreFixture fixture;
  std::vector<Event> events;
  for (int i = 0; i < 60; ++i) events.push_back(RandomEvent(random, i));
  const auto in_file = events.begin() + random.Between(0, 60);
  fixture.folder().Write("events.csv", Csv({events.begin(), in_file}));
  fixture.Apply(kDefinitions);
  fixture.Materialize();
  for (auto at = in_file; at != events.end(); ++at) {
    fixture.Push(
        "live",
        {{{"k", at->k}, {"x", at->x}, {"y", at->y}, {"z", at->z}, {"id", at->id}, {"at", at->at}}});
  }
  fixture.folder().Write("events.csv", Csv(events));  // what training reads
  for (int i = 0; i < 4; ++i) {
    const Timestamp as_of = At("2025-01-08T00:00:00Z").Plus({random.Between(0, 60) * 3'600'000'000});
    CheckTwins(fixture, "scored", "scored_twin", kRowFeatures, as_of);
    CheckTwins(fixture, "busy", "busy_twin", kWindowFeatures, as_of);
  }
}

TEST_CASE("a view over a view has the values one works out by hand", "[feature_store][derived]") {
  StoreFixture fixture;
  fixture.folder().Write("events.csv",
                         "k,x,y,z,id,at\n"
                         "1,1,2.0,5,a,2025-01-09T20:00:00Z\n"
                         "1,2,,4,b,2025-01-09T22:00:00Z\n");
  fixture.Apply(kDefinitions);
  fixture.Materialize();
  // net: 2 * 2 - 1 = 3, then 0.5 * 2 - 2 = -1; score: 9 + 2 = 11, then 1 + 2 = 3.
  const OnlineResponse rows = fixture.Get({"scored:score", "scored:net", "scored:days"},
                                          {{{"k", 1}}}, At("2025-01-10T00:00:00Z"));
  CHECK(Shown(rows, "score", 0) == "3 PRESENT");
  CHECK(Shown(rows, "net", 0) == "-1 PRESENT");
  CHECK(Shown(rows, "days", 0) == "1 PRESENT");
  const OnlineResponse windows =
      fixture.Get({"busy:sum_score_1d", "busy:min_z_1d", "busy:last_score_1d"}, {{{"k", 1}}},
                  At("2025-01-10T00:00:00Z"));
  CHECK(Shown(windows, "sum_score_1d", 0) == "14 PRESENT");
  CHECK(Shown(windows, "min_z_1d", 0) == "5 PRESENT");
  CHECK(Shown(windows, "last_score_1d", 0) == "3 PRESENT");
}

TEST_CASE("views over views are replayed without a mismatch",
          "[feature_store][derived][replay][random]") {
  Random random;
  INFO(random.Describe());
  TempFolder folder;
  std::vector<Event> events;
  for (int i = 0; i < 60; ++i) events.push_back(RandomEvent(random, i));
  folder.Write("events.csv", Csv(events));
  std::string requests = "k,t\n";
  for (int i = 0; i < 30; ++i) {
    const Timestamp at = At("2025-01-08T00:00:00Z").Plus({random.Between(0, 60) * 3'600'000'000});
    requests += Concat(random.Between(1, 5), ",", larder::FormatTimestamp(at), "\n");
  }
  folder.Write("requests.csv", requests);
  auto definitions = larder::ParseDefinitions(
      WithService(
          R"("features": ["scored:score", "scored:weeks", "busy:sum_score_1d", "busy:gain"])"),
      "test.json");
  REQUIRE(definitions.ok());
  definitions->base_path = folder.path().string();
  larder::ReplayOptions options;
  options.folder = folder.File("replay");
  options.shuffle_seed = random.seed();
  const auto report = larder::Replay(*definitions, "s", folder.File("requests.csv"), options);
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  CHECK(report->checked() == 120);
  CHECK(report->mismatches() == 0);
}

TEST_CASE("a name in front of a derived expression stays a name", "[feature_store][derived]") {
  StoreFixture fixture;
  fixture.Apply(R"json({"project": "p",
   "entities": [{"name": "card", "join_keys": [{"name": "k", "type": "int64"}]}],
   "sources": [{"name": "live", "kind": "push", "event_time": "at", "fields": [{"name": "k", "type": "int64"},
      {"name": "flag", "type": "bool"}, {"name": "amount", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
     {"name": "rows", "kind": "view", "view": "base"}],
   "feature_views": [
    {"name": "base", "entities": ["card"], "source": "live", "features": [
      {"name": "suspicious", "expr": "flag and amount > 3"}]},
    {"name": "over", "entities": ["card"], "source": "rows", "features": [
      {"name": "flag", "expr": "flag = suspicious"}]}]})json");
  fixture.Push("live",
               {{{"k", 1}, {"flag", false}, {"amount", 5}, {"at", At("2025-01-09T00:00:00Z")}}});
  CHECK(Shown(fixture.Get({"over:flag"}, {{{"k", 1}}}), "flag", 0) == "false PRESENT");
}

TEST_CASE("events staged in a session reach views over views", "[feature_store][derived]") {
  StoreFixture fixture;
  fixture.folder().Write("events.csv", "k,x,y,z,id,at\n");
  fixture.Apply(WithService(R"("features": ["scored:score", "busy:sum_score_1d"])"));
  fixture.Materialize();
  const auto plan = fixture.store().Bind("s");
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const Timestamp at = At("2025-01-09T23:00:00Z");
  const Row event = {{"k", 7},    {"x", 1},  {"y", 2.0}, {"z", static_cast<int32_t>(5)},
                     {"id", "a"}, {"at", at}};
  REQUIRE(session->Stage("live", std::span(&event, 1)).ok());
  const int64_t key = 7;
  const larder::InputColumn input = larder::InputColumn::Of(std::span(&key, 1));
  double out[2] = {};
  REQUIRE(
      session->Fill({&input, 1}, At("2025-01-09T23:30:00Z"), larder::Tensor<double>{out, 1, 0}).ok());
  CHECK(out[0] == 11.0);
  CHECK(out[1] == 11.0);
}

}  // namespace
}  // namespace larder_test
