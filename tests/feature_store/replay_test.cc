// History lived through again: what is served as events come in is what training says afterwards.
#include "larder/feature_store/replay.h"

#include <algorithm>
#include <memory>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"
#include "larder/base/text.h"
#include "larder/transform/function.h"

namespace {

using larder::Concat;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::ReplayOptions;
using larder::ReplayReport;
using larder_test::ContainsSubstring;
using larder_test::Random;
using larder_test::TempFolder;
using larder_test::WindowWorld;

larder::Definitions Parse(const TempFolder& folder, std::string_view json) {
  auto definitions = larder::ParseDefinitions(json, "test.json");
  INFO(definitions.status().ToString());
  REQUIRE(definitions.ok());
  definitions->base_path = folder.path().string();
  return *std::move(definitions);
}

absl::StatusOr<ReplayReport> TryReplay(const TempFolder& folder,
                                       const larder::Definitions& definitions,
                                       ReplayOptions options) {
  options.folder = folder.File("replay");
  auto report = larder::Replay(definitions, "model", folder.File("requests.csv"), options);
  CHECK_FALSE(std::filesystem::exists(options.folder));
  return report;
}

ReplayReport Replay(const TempFolder& folder, const larder::Definitions& definitions,
                    ReplayOptions options = {}) {
  auto report = TryReplay(folder, definitions, std::move(options));
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  return *std::move(report);
}

std::string Text(const ReplayReport& report) {
  std::string text;
  for (const larder::ReplayedFeature& feature : report.features) {
    for (const larder::ReplayMismatch& found : feature.first_mismatches) {
      text += Concat(
          feature.name, " at ", FormatTimestamp(found.time), " row ", found.request, ": served ",
          FormatValue(found.served), " ", FeatureStatusName(found.served_status), ", trained ",
          FormatValue(found.trained), " ", FeatureStatusName(found.trained_status), "\n");
    }
  }
  return text;
}

// Taps are pushed, rides are read from files and known late, stations are timeless.
constexpr std::string_view kRides = R"({"larder": 1, "project": "rides",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]},
              {"name": "station", "join_keys": [{"name": "station", "type": "string"}]}],
 "sources": [
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "station", "type": "string"}, {"name": "id", "type": "string"}]},
  {"name": "taps_live", "kind": "push", "batch_source": "taps"},
  {"name": "rides", "kind": "csv", "path": "rides.csv", "event_time": "at", "arrival_time": "seen",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "seen", "type": "timestamp"}, {"name": "fare", "type": "float64"}]},
  {"name": "stations", "kind": "csv", "path": "stations.csv",
   "fields": [{"name": "station", "type": "string"}, {"name": "zone", "type": "int64"}]}],
 "feature_views": [
  {"name": "last_tap", "entities": ["card"], "source": "taps_live", "ttl": "1h",
   "features": [{"name": "station", "type": "string"}]},
  {"name": "spend", "entities": ["card"], "source": "rides",
   "aggregates": [{"input": "fare", "functions": ["count", "sum", "max"], "windows": ["1h"]}]},
  {"name": "where", "entities": ["station"], "source": "stations",
   "features": [{"name": "zone", "type": "int64"}]}],
 "on_demand_views": [
  {"name": "price", "request": [{"name": "fare", "type": "float64"}],
   "inputs": {"before": "spend:sum_fare_1h"},
   "features": [{"name": "total", "type": "float64", "expr": "request.fare + before"}]}],
 "feature_services": [{"name": "model",
   "features": ["last_tap:station", {"view": "spend"}, "price:total",
                {"view": "where", "join_keys": {"station": "last_tap:station"}}]}]})";

void WriteRides(const TempFolder& folder) {
  folder.Write("taps.csv",
               "card,at,station,id\n"
               "1,2025-01-02T10:00:00Z,north,a\n"
               "2,2025-01-02T10:30:00Z,south,b\n"
               "1,2025-01-02T10:20:00Z,south,c\n"
               "1,2025-01-02T19:00:00Z,north,d\n");
  folder.Write("rides.csv",
               "card,at,seen,fare\n"
               "1,2025-01-02T10:00:00Z,2025-01-02T10:10:00Z,0.1\n"
               "1,2025-01-02T10:05:00Z,2025-01-02T10:50:00Z,0.2\n"
               "1,2025-01-02T10:30:00Z,2025-01-02T10:30:00Z,0.3\n"
               "1,2025-01-02T10:31:00Z,,4\n"
               ",2025-01-02T10:31:00Z,2025-01-02T10:31:00Z,5\n"
               "2,,2025-01-02T10:31:00Z,6\n"
               "2,2025-01-02T10:40:00Z,2025-01-02T10:39:00Z,7\n");
  folder.Write("stations.csv", "station,zone\nnorth,1\nsouth,2\n");
  folder.Write("requests.csv",
               "card,t,fare\n"
               "1,2025-01-02T10:55:00Z,1\n"
               "1,2025-01-02T10:45:00Z,1\n"
               "2,2025-01-02T10:45:00Z,2\n"
               "2,2025-01-02T10:39:30Z,2\n"
               "1,2025-01-02T11:40:00Z,3\n"
               "3,2025-01-02T11:40:00Z,3\n"
               ",2025-01-02T11:40:00Z,3\n");
}

TEST_CASE("a replay pushes what each moment knew and serves what training says of it",
          "[store][replay]") {
  TempFolder folder;
  WriteRides(folder);
  ReplayOptions options;
  options.shuffle_seed = 7;
  options.batch_size = 2;
  std::size_t last_requests = 0;
  options.progress = [&](const larder::ReplayProgress& now) {
    CHECK(now.requests_all == 7);
    CHECK(now.events <= now.events_all);
    last_requests = now.requests;
  };
  const ReplayReport report = Replay(folder, Parse(folder, kRides), options);
  INFO(Text(report));
  CHECK(report.mismatches() == 0);
  CHECK(report.checked() == std::size_t{7} * 6);
  CHECK(report.service == "model@1");
  CHECK(report.requests == 7);
  CHECK(report.instants == 4);
  CHECK(last_requests == 7);
  REQUIRE(report.sources.size() == 3);
  CHECK(report.sources[0].name == "rides");
  CHECK(report.sources[0].events == 6);
  CHECK(report.sources[0].late == 1);
  CHECK(report.sources[0].never_known == 1);
  CHECK(report.sources[0].rejected == 2);
  CHECK(report.sources[1].name == "stations");
  CHECK(report.sources[1].events == 2);
  CHECK(report.sources[2].name == "taps_live");
  CHECK(report.sources[2].events == 3);
  CHECK(report.sources[2].after == 1);
  CHECK(report.features[0].name == "station");
  CHECK(report.features[0].nulls == 3);
}

TEST_CASE("a replay takes events from files named for it", "[store][replay]") {
  TempFolder folder;
  WriteRides(folder);
  folder.Write("more_rides.csv",
               "card,at,seen,fare\n"
               "1,2025-01-02T10:50:00Z,2025-01-02T10:51:00Z,5\n");
  folder.Write("taps.ndjson",
               R"({"card": 3, "at": "2025-01-02T10:50:00Z", "station": "north", "id": "x"})");
  ReplayOptions options;
  options.events = {{"rides", folder.File("more_rides.csv")},
                    {"taps_live", folder.File("taps.ndjson")}};
  const ReplayReport report = Replay(folder, Parse(folder, kRides), options);
  CHECK(report.mismatches() == 0);
  CHECK(report.sources[0].events == 1);
  CHECK(report.sources[2].events == 1);

  options.events = {{"", folder.File("more_rides.csv")}};
  const auto unclear = TryReplay(folder, Parse(folder, kRides), options);
  CHECK(unclear.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(unclear.status().message()),
             ContainsSubstring("reads rides, stations, taps_live"));
}

// Gives back what it is given, so many times; after that, one more.
larder::FunctionDefinition Forgetful(std::size_t honest_calls) {
  larder::FunctionDefinition definition;
  definition.name = "recalled";
  definition.arguments = {larder::TypeId::kFloat64};
  definition.result = larder::TypeId::kFloat64;
  auto calls = std::make_shared<std::size_t>(0);
  definition.scalar = [calls, honest_calls](std::span<const larder::Datum> arguments,
                                            larder::FunctionResult* result) {
    result->SetFloat(arguments[0].f64 + (++*calls > honest_calls ? 1 : 0));
  };
  definition.probes = {{larder::Value(1.0)}};
  return definition;
}

TEST_CASE("a replay finds what is served otherwise than trained, and where", "[store][replay]") {
  TempFolder folder;
  WriteRides(folder);
  larder::Definitions definitions = Parse(folder, kRides);
  definitions.feature_views[1].aggregates[0].input = "recalled(fare)";
  definitions.feature_views[1].aggregates[0].functions = {"count"};
  auto sum = definitions.feature_views[1].aggregates[0];
  sum.name = "sum_fare_1h";
  sum.functions = {"sum"};
  definitions.feature_views[1].aggregates = {sum};
  larder::FunctionRegistry functions;
  // Once for the probe, and once for each ride with a fare in training.
  REQUIRE(functions.Register(Forgetful(1 + 7)).ok());
  ReplayOptions options;
  options.functions = &functions;
  options.mismatches_max = 2;
  const ReplayReport report = Replay(folder, definitions, options);
  INFO(Text(report));
  REQUIRE(report.features.size() == 4);
  const larder::ReplayedFeature& found = report.features[1];
  CHECK(found.name == "sum_fare_1h");
  CHECK(found.checked == 7);
  CHECK(found.mismatches == 3);
  REQUIRE(found.first_mismatches.size() == 2);
  // The first request of card 1 is the second row of the file.
  CHECK(found.first_mismatches[0].request == 1);
  CHECK(FormatTimestamp(found.first_mismatches[0].time) == "2025-01-02T10:45:00Z");
  CHECK(found.first_mismatches[0].keys[0].second == larder::Value(int64_t{1}));
  CHECK(FormatValue(found.first_mismatches[0].trained) == "0.4");
  CHECK(FormatValue(found.first_mismatches[0].served) == "2.4000000000000004");
  CHECK(report.features[0].mismatches == 0);
  CHECK(report.mismatches() == 6);  // what is computed from it on demand, too
}

TEST_CASE("a replay refuses what it cannot compare, with the reason", "[store][replay]") {
  TempFolder folder;
  WriteRides(folder);
  const auto refusal = [&](const larder::Definitions& definitions, ReplayOptions options = {}) {
    const auto report = TryReplay(folder, definitions, std::move(options));
    REQUIRE_FALSE(report.ok());
    return std::string(report.status().message());
  };
  larder::Definitions definitions = Parse(folder, kRides);
  definitions.feature_views[1].source = "taps";
  definitions.feature_views[1].aggregates[0].input = "card";
  definitions.feature_views[1].aggregates[0].name = "sum_fare_1h";
  definitions.feature_views[1].aggregates[0].functions = {"sum"};
  definitions.feature_views[1].exclude_self = true;
  CHECK_THAT(refusal(definitions), ContainsSubstring("spend@1 has exclude_self"));

  definitions = Parse(folder, kRides);
  definitions.sources[1].batch_source.clear();
  definitions.sources[1].fields = definitions.sources[0].fields;
  definitions.sources[1].event_time = "at";
  CHECK_THAT(refusal(definitions), ContainsSubstring("push source taps_live has no batch_source"));
  ReplayOptions options;
  options.events = {{"taps_live", folder.File("taps.csv")}};
  CHECK(Replay(folder, definitions, options).mismatches() == 0);

  options.events = {{"tapps", folder.File("taps.csv")}};
  CHECK_THAT(refusal(definitions, options), ContainsSubstring("tapps"));

  options = {};
  options.folder = folder.path().string();
  const auto taken =
      larder::Replay(Parse(folder, kRides), "model", folder.File("requests.csv"), options);
  CHECK(taken.status().code() == absl::StatusCode::kAlreadyExists);
  CHECK(std::filesystem::exists(folder.File("taps.csv")));
}

TEST_CASE("random windows over late, corrected and deleted events are served as they are trained",
          "[store][replay][windows][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 20;
#else
  const int rounds = 6;
#endif
  for (int round = 0; round < rounds; ++round) {
    // Now and then a few pushes of hundreds, in which an event, its corrections and its delete come in any order.
    const bool large = random.OneIn(4);
    const auto events =
        static_cast<std::size_t>(large ? random.Between(300, 900) : random.Between(0, 80));
    const WindowWorld world = WindowWorld::Draw(random, events, false);
    TempFolder folder;
    folder.Write("tx.csv", world.Csv(world.events));
    std::string requests = "card,t\n";
    for (int64_t n = random.Between(1, large ? 5 : 25); n > 0; --n) {
      const int64_t card = random.Between(1, 4);
      requests += Concat(card, ",", FormatTimestamp(world.RandomInstant(random)), "\n");
    }
    folder.Write("requests.csv", requests);
    larder::Definitions definitions = Parse(folder, world.Definitions(random.OneIn(2)));
    larder::FeatureView latest;
    latest.name = "latest";
    latest.entities = {"card"};
    latest.source = definitions.feature_views[0].source;
    latest.ttl = larder::Duration::Minutes(random.Between(1, 200));
    latest.features.emplace_back().name = "amount";
    latest.features.emplace_back().name = "shop";
    definitions.feature_views.push_back(latest);
    larder::FeatureService service;
    service.name = "model";
    service.features.emplace_back().view = "spend";
    service.features.emplace_back().view = "latest";
    definitions.feature_services = {service};
    ReplayOptions options;
    options.batch_size =
        static_cast<std::size_t>(large ? random.Between(200, 900) : random.Between(1, 40));
    options.shuffle_seed = random.Bits();
    const ReplayReport report = Replay(folder, definitions, options);
    INFO(Text(report));
    INFO(larder::DefinitionsToJson(definitions));
    INFO(world.Csv(world.events));
    REQUIRE(report.mismatches() == 0);
    REQUIRE(report.checked() == report.requests * report.features.size());
  }
}

}  // namespace
