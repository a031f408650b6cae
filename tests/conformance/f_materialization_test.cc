// Section F of the conformance cases: what loads bring, when they are repeated, and what they refuse.
#include "conformance/scenario.h"

namespace {

using larder::Concat;
using larder::MaterializeOptions;
using larder::MaterializeResult;
using larder::Timestamp;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::SpineOf;
using larder_test::StoreFixture;
using larder_test::Train;

// The cases' own rows, `ts` being 2025-01-10T00:00Z: (1, 0.1, ts - 4h), (2, null, ts), (1, 0.3, ts - 3h), (3, 4, ts - 4h
// as Berlin has it), (3, 5, ts - 1h as Los Angeles has it); all made known at ts.
constexpr char kRows[] =
    "driver,value,at,created\n"
    "1,0.1,2025-01-09T20:00:00Z,2025-01-10T00:00:00Z\n"
    "2,,2025-01-10T00:00:00Z,2025-01-10T00:00:00Z\n"
    "1,0.3,2025-01-09T21:00:00Z,2025-01-10T00:00:00Z\n"
    "3,4,2025-01-09T21:00:00+01:00,2025-01-10T00:00:00Z\n"
    "3,5,2025-01-09T15:00:00-08:00,2025-01-10T00:00:00Z\n";
constexpr char kNow[] = "2025-01-10T00:30:00Z";

// `source` and `view`: more keys of either.
std::string DriverDefinitions(const std::string& features = R"({"name": "value"})",
                              const std::string& source = "", const std::string& view = "") {
  return Concat(
      R"({"larder": 1, "project": "p",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver", "type": "int64"}]}],
 "sources": [{"name": "rows", "kind": "csv", "path": "rows.csv", "event_time": "at", )",
      source.empty() ? "" : source + ", ",
      R"("fields": [{"name": "driver", "type": "int64"}, {"name": "value", "type": "float64"},
              {"name": "at", "type": "timestamp"}, {"name": "created", "type": "timestamp"}]},
   {"name": "rows_live", "kind": "push", "batch_source": "rows"}],
 "feature_views": [{"name": "stats", "entities": ["driver"], "source": "rows_live", )",
      view.empty() ? "" : view + ", ", R"("features": [)", features, R"(]}],
 "feature_services": [{"name": "service", "features": [{"view": "stats"}]}]})");
}

class Drivers : public StoreFixture {
 public:
  explicit Drivers(const std::string& definitions = DriverDefinitions(R"({"name": "value"})", "",
                                                                      R"("ttl": "5d")"))
      : StoreFixture(kNow) {
    folder().Write("rows.csv", kRows);
    Apply(definitions);
  }

  MaterializeResult Load(const char* start, const char* end) {
    MaterializeOptions options;
    if (start != nullptr) options.start = At(start);
    options.end = At(end);
    return Materialize(options);
  }
  MaterializeResult LoadIncrementally() {
    MaterializeOptions options;
    options.incremental = true;
    return Materialize(options);
  }
  // `0.3 PRESENT`, of the view's feature.
  std::string Value(int driver, const std::string& feature = "value", const char* as_of = nullptr) {
    std::optional<Timestamp> at;
    if (as_of != nullptr) at = At(as_of);
    return Shown(Get({"stats:" + feature}, {{{"driver", driver}}}, at), feature, 0);
  }
  larder::ViewState State(const char* view = "stats") {
    auto state = store().GetViewState(view);
    INFO(state.status().ToString());
    REQUIRE(state.ok());
    return *std::move(state);
  }
};

TEST_CASE("a load up to an end brings what a join at that end gives", "[conformance][F1]") {
  Drivers drivers;
  constexpr char kEnd[] = "2025-01-09T22:59:59Z";
  drivers.Load("2025-01-09T19:30:00Z", kEnd);
  CHECK(drivers.Value(1) == "0.3 PRESENT");
  CHECK(drivers.Value(3) == "4 PRESENT");
  // The row of driver 2 is of the moment after.
  CHECK(drivers.Value(2) == "null NOT_FOUND");

  larder::HistoricalRequest request;
  request.what.features = {"stats:value"};
  request.spine = SpineOf({{"driver", larder::TypeId::kInt64, "", ""}},
                          {{{"driver", 1}}, {{"driver", 2}}, {{"driver", 3}}}, {kEnd, kEnd, kEnd});
  const larder::TrainingSet set = Train(drivers.store(), request);
  for (int driver = 1; driver <= 3; ++driver) {
    INFO(driver);
    CHECK(Shown(set, "value", static_cast<std::size_t>(driver - 1)) ==
          drivers.Value(driver, "value", kEnd));
  }
}

TEST_CASE("a load up to now finds a null as null, not as not found", "[conformance][F1]") {
  Drivers drivers;
  drivers.Load(nullptr, kNow);
  CHECK(drivers.Value(2) == "null NULL_VALUE");
}

TEST_CASE("an incremental load brings what came after the last one's end", "[conformance][F2]") {
  Drivers drivers;
  drivers.Load("2025-01-09T19:30:00Z", "2025-01-09T22:59:59Z");
  CHECK(drivers.State().loaded_to == At("2025-01-09T22:59:59Z"));
  const MaterializeResult second = drivers.LoadIncrementally();
  REQUIRE(second.views.size() == 1);
  CHECK(second.views[0].start == At("2025-01-09T22:59:59Z"));
  CHECK(second.views[0].end == At(kNow));
  CHECK(second.views[0].rows.written == 2);
  CHECK(second.views[0].rows_outside == 3);
  CHECK(drivers.Value(3) == "5 PRESENT");
  CHECK(drivers.Value(1) == "0.3 PRESENT");
  CHECK(drivers.State().loaded_from == At("2025-01-09T19:30:00Z"));
  CHECK(drivers.State().loaded_to == At(kNow));
}

TEST_CASE("a start after the end is an error and loads nothing", "[conformance][F3]") {
  Drivers drivers;
  MaterializeOptions options;
  options.start = At("2025-01-09T12:00:00Z");
  options.end = At("2025-01-09T11:59:59Z");
  const auto loaded = drivers.store().Materialize(options);
  CHECK(loaded.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(loaded.status().message()), ContainsSubstring("is after end"));
  CHECK_FALSE(drivers.State().has_data);
}

TEST_CASE(
    "an incremental load that is the first one begins where the source does, whatever the ttl",
    "[conformance][F4]") {
  for (const char* view : {"", R"("ttl": "0")", R"("ttl": "1h")"}) {
    INFO(view);
    Drivers drivers(DriverDefinitions(R"({"name": "value"})", "", view));
    const MaterializeResult loaded = drivers.LoadIncrementally();
    REQUIRE(loaded.views.size() == 1);
    CHECK_FALSE(loaded.views[0].start.has_value());
    CHECK(loaded.views[0].rows_outside == 0);
    CHECK(drivers.State().keys == 3);
  }
}

TEST_CASE("rows exactly at the start and exactly at the end are loaded", "[conformance][F5]") {
  Drivers drivers;
  const MaterializeResult loaded = drivers.Load("2025-01-09T20:00:00Z", "2025-01-09T21:00:00Z");
  CHECK(loaded.views[0].rows_outside == 2);
  CHECK(drivers.Value(1) == "0.3 PRESENT");                                   // at the end
  CHECK(drivers.Value(1, "value", "2025-01-09T20:30:00Z") == "0.1 PRESENT");  // at the start
  Drivers narrower;
  const MaterializeResult inside =
      narrower.Load("2025-01-09T20:00:00.000001Z", "2025-01-09T20:59:59.999999Z");
  CHECK(inside.views[0].rows_outside == 5);
}

TEST_CASE("applying the same definitions after a load keeps the watermark", "[conformance][F6]") {
  Drivers drivers;
  drivers.Load(nullptr, "2025-01-09T22:00:00Z");
  const larder::ApplyResult again =
      drivers.Apply(DriverDefinitions(R"({"name": "value"})", "", R"("ttl": "5d")"));
  CHECK_FALSE(again.changed);
  CHECK(drivers.State().loaded_to == At("2025-01-09T22:00:00Z"));
  CHECK(drivers.LoadIncrementally().views[0].start == At("2025-01-09T22:00:00Z"));
}

TEST_CASE("a feature added to a loaded view is loaded from the beginning, incrementally too",
          "[conformance][F7]") {
  Drivers drivers;
  drivers.Load(nullptr, kNow);
  drivers.Apply(DriverDefinitions(R"({"name": "value"}, {"name": "twice", "expr": "value * 2"})",
                                  "", R"("ttl": "5d")"));
  CHECK_FALSE(drivers.State().has_data);
  CHECK_FALSE(drivers.store().Bind("service").ok());
  drivers.LoadIncrementally();
  CHECK(drivers.Value(1, "twice") == "0.6 PRESENT");
  CHECK(drivers.Value(3, "twice") == "10 PRESENT");
  CHECK(drivers.State().loaded_to == At(kNow));
}

TEST_CASE("a view of a new name has no watermark, though its source was loaded for another",
          "[conformance][F8]") {
  Drivers drivers;
  drivers.Load(nullptr, kNow);
  std::string other = DriverDefinitions();
  for (std::size_t at = other.find("\"stats\""); at != std::string::npos;
       at = other.find("\"stats\""))
    other.replace(at, 7, "\"other\"");
  drivers.Apply(other);
  CHECK_FALSE(drivers.State("other").has_data);
  CHECK_FALSE(drivers.State("other").loaded_to.has_value());
}

TEST_CASE("an incremental load finds a late row by its arrival time", "[conformance][F9]") {
  Drivers drivers(DriverDefinitions(R"({"name": "value"})", R"("arrival_time": "created")"));
  drivers.Materialize();
  drivers.folder().Write("rows.csv",
                         Concat(kRows, "1,0.9,2025-01-09T23:00:00Z,2025-01-10T00:40:00Z\n",
                                "3,9,2025-01-09T01:00:00Z,2025-01-10T00:40:00Z\n"));
  drivers.SetNow("2025-01-10T01:00:00Z");
  const MaterializeResult loaded = drivers.LoadIncrementally();
  CHECK(drivers.Value(1) == "0.9 PRESENT");
  // Late, and older than what is there: it loses, as it would have in time.
  CHECK(drivers.Value(3) == "5 PRESENT");
  CHECK(loaded.views[0].rows.written == 1);
}

TEST_CASE("an incremental load finds a late row within late_by where no arrival is recorded",
          "[conformance][F9]") {
  Drivers drivers(DriverDefinitions(R"({"name": "value"})", R"("late_by": "2h")"));
  drivers.Materialize();
  drivers.folder().Write(
      "rows.csv", Concat(kRows, "1,0.9,2025-01-09T23:00:00Z,\n", "1,0.8,2025-01-09T22:00:00Z,\n"));
  drivers.SetNow("2025-01-10T01:00:00Z");
  const MaterializeResult loaded = drivers.LoadIncrementally();
  CHECK(loaded.views[0].start == At("2025-01-09T22:30:00Z"));
  CHECK(drivers.Value(1) == "0.9 PRESENT");
}

TEST_CASE("a load to an end in the future is one to now, and the next goes on from there",
          "[conformance][F10]") {
  Drivers drivers;
  const MaterializeResult loaded = drivers.Load(nullptr, "2035-01-01T00:00:00Z");
  CHECK(loaded.end_clamped);
  CHECK(drivers.State().loaded_to == At(kNow));
  drivers.folder().Write("rows.csv", Concat(kRows, "1,0.9,2025-01-10T00:45:00Z,\n"));
  drivers.SetNow("2025-01-10T01:00:00Z");
  drivers.LoadIncrementally();
  CHECK(drivers.Value(1) == "0.9 PRESENT");
}

TEST_CASE(
    "an expression over source fields is computed when the row is written, by any way of writing",
    "[conformance][F11]") {
  Drivers drivers(
      DriverDefinitions(R"({"name": "value"}, {"name": "plus_10", "expr": "value + 10"})"));
  drivers.Load(nullptr, "2025-01-09T22:59:59Z");
  CHECK(drivers.Value(3, "plus_10") == "14 PRESENT");
  CHECK(drivers.Value(1, "plus_10") == "10.3 PRESENT");
  drivers.LoadIncrementally();
  CHECK(drivers.Value(3, "plus_10") == "15 PRESENT");
  drivers.Push("rows_live", {{{"driver", 3}, {"value", 100.0}, {"at", At("2025-01-10T00:10:00Z")}}});
  CHECK(drivers.Value(3, "plus_10") == "110 PRESENT");
}

TEST_CASE("an expression over the features of two views is one number", "[conformance][F11]") {
  StoreFixture fixture(kNow);
  fixture.folder().Write("prices.csv", "item,price,at\n7,100,2025-01-09\n");
  fixture.folder().Write("sales.csv", "item,revenue,at\n7,5,2025-01-09\n");
  fixture.Apply(R"({"larder": 1, "project": "p",
 "entities": [{"name": "item", "join_keys": [{"name": "item", "type": "int64"}]}],
 "sources": [
  {"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at",
   "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "float64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "sales", "kind": "csv", "path": "sales.csv", "event_time": "at",
   "fields": [{"name": "item", "type": "int64"}, {"name": "revenue", "type": "float64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "price", "entities": ["item"], "source": "prices", "features": [{"name": "price"}]},
  {"name": "sale", "entities": ["item"], "source": "sales", "features": [{"name": "revenue"}]}],
 "on_demand_views": [{"name": "sum", "inputs": {"price": "price:price", "revenue": "sale:revenue"},
   "features": [{"name": "total", "expr": "price + revenue"}]}]})");
  fixture.Materialize();
  CHECK(Shown(fixture.Get({"sum:total"}, {{{"item", 7}}}), "total", 0) == "105 PRESENT");
}

TEST_CASE("what is computed on write and what is computed on read stand in one answer",
          "[conformance][F12]") {
  StoreFixture fixture(kNow);
  fixture.Apply(R"({"larder": 1, "project": "p",
 "entities": [{"name": "item", "join_keys": [{"name": "item", "type": "int64"}]}],
 "sources": [{"name": "sales", "kind": "push", "event_time": "at",
   "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "float64"},
              {"name": "revenue", "type": "float64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "sale", "entities": ["item"], "source": "sales",
   "features": [{"name": "price"}, {"name": "total_value", "expr": "price + revenue"}]}],
 "on_demand_views": [{"name": "double", "inputs": {"price": "sale:price"},
   "features": [{"name": "price_doubled", "expr": "price * 2"}]}]})");
  const Timestamp at = At("2025-01-09T00:00:00Z");
  fixture.Push("sales", {{{"item", 1}, {"price", 300.0}, {"revenue", 15.0}, {"at", at}},
                         {{"item", 2}, {"price", 100.0}, {"revenue", 5.0}, {"at", at}}});
  const larder::OnlineResponse response =
      fixture.Get({"sale:total_value", "double:price_doubled"}, {{{"item", 1}}, {{"item", 2}}});
  CHECK(Shown(response, "total_value", 0) == "315 PRESENT");
  CHECK(Shown(response, "total_value", 1) == "105 PRESENT");
  CHECK(Shown(response, "price_doubled", 1) == "200 PRESENT");
}

TEST_CASE("a view on hold is read and checked, and nothing of it is written",
          "[conformance][F13]") {
  Drivers drivers;
  drivers.Load(nullptr, "2025-01-09T22:59:59Z");
  REQUIRE(drivers.store().Hold("stats").ok());
  const MaterializeResult held = drivers.Materialize();
  CHECK(held.held == std::vector<std::string>{"stats@1"});
  CHECK(held.views.empty());
  CHECK(drivers.Value(3) == "4 PRESENT");
  CHECK(drivers.State().loaded_to == At("2025-01-09T22:59:59Z"));
  REQUIRE(drivers.store().Release("stats").ok());
  drivers.Materialize();
  CHECK(drivers.Value(3) == "5 PRESENT");
}

TEST_CASE("a source without a declared join key is refused when it is applied, naming both",
          "[conformance][F14]") {
  StoreFixture fixture;
  const auto applied = fixture.store().Apply(fixture.Parse(R"({"larder": 1, "project": "p",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver", "type": "int64"}]}],
 "sources": [{"name": "rows", "kind": "csv", "path": "rows.csv", "event_time": "at",
   "fields": [{"name": "drvr", "type": "int64"}, {"name": "value", "type": "float64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "stats", "entities": ["driver"], "source": "rows", "features": [{"name": "value"}]}]})"));
  REQUIRE_FALSE(applied.ok());
  const std::string message(applied.status().message());
  CHECK_THAT(message, ContainsSubstring("driver") && ContainsSubstring("rows"));
}

TEST_CASE("a file without a declared column refuses the load, naming column and file",
          "[conformance][F14][F15]") {
  Drivers drivers;
  drivers.folder().Write("rows.csv", "driver,valu,at,created\n1,2,2025-01-09,\n");
  const auto loaded = drivers.store().Materialize();
  REQUIRE_FALSE(loaded.ok());
  CHECK_THAT(std::string(loaded.status().message()),
             ContainsSubstring("rows.csv") && ContainsSubstring("value"));
  CHECK_FALSE(drivers.State().has_data);
}

TEST_CASE("a cell that is not of its type refuses the whole load, naming its line",
          "[conformance][F15]") {
  Drivers drivers;
  drivers.Load(nullptr, "2025-01-09T22:00:00Z");
  drivers.folder().Write("rows.csv", Concat(kRows, "4,much,2025-01-09T20:00:00Z,\n"));
  const auto loaded = drivers.store().Materialize();
  CHECK(loaded.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(loaded.status().message()), ContainsSubstring("rows.csv:7"));
  CHECK(drivers.Value(3) == "4 PRESENT");

  MaterializeOptions skip;
  skip.strict = false;
  const MaterializeResult skipped = drivers.Materialize(skip);
  CHECK(skipped.views[0].rows_bad == 1);
  REQUIRE(skipped.views[0].first_reasons.size() == 1);
  CHECK_THAT(skipped.views[0].first_reasons[0], ContainsSubstring("rows.csv:7"));
  CHECK(drivers.Value(3) == "5 PRESENT");
  CHECK(drivers.Value(4) == "null NOT_FOUND");
}

TEST_CASE("a load of the same rows again, whole or incremental, changes no answer",
          "[conformance][F2][F6]") {
  Drivers drivers;
  drivers.Materialize();
  const std::string before = drivers.Value(1) + drivers.Value(2) + drivers.Value(3);
  drivers.LoadIncrementally();
  drivers.Materialize();
  MaterializeOptions full;
  full.full = true;
  drivers.Materialize(full);
  CHECK(drivers.Value(1) + drivers.Value(2) + drivers.Value(3) == before);
  CHECK(drivers.State().keys == 3);
}

}  // namespace
