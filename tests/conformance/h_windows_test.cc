// Section H of the conformance cases: window aggregates.
#include <optional>
#include <string>
#include <vector>

#include "feature_store/store_fixture.h"

namespace {

using larder::Row;
using larder_test::At;
using larder_test::Shown;
using larder_test::StoreFixture;

constexpr const char* kReadings = R"({"larder": 1, "project": "h",
 "entities": [{"name": "meter", "join_keys": [{"name": "meter", "type": "int64"}]}],
 "sources": [{"name": "readings", "kind": "csv", "path": "readings.csv", "event_time": "at",
   "fields": [{"name": "meter", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "v", "type": "float64"}]}],
 "feature_views": [{"name": "w", "entities": ["meter"], "source": "readings",
   "aggregates": [{"input": "v", "windows": ["15m"],
     "functions": ["sum", "count", "mean", "max", "min", "stddev", "count_distinct"]}]}]})";

// The two ways to a value say the same.
std::string Value(StoreFixture& fixture, const std::string& function, const char* at) {
  const std::string feature = function + "_v_15m";
  const std::vector<Row> meter = {{{"meter", int64_t{1}}}};
  const std::string served = Shown(fixture.Get({"w:" + feature}, meter, At(at)), feature, 0);
  larder::HistoricalRequest request;
  request.what.features = {"w:" + feature};
  request.spine = *larder::Batch::FromRows(
      std::vector<Row>{{{"meter", int64_t{1}}, {"t", At(at)}}},
      std::vector<larder::Field>{{"meter", larder::TypeId::kInt64, "", ""},
                                 {"t", larder::TypeId::kTimestamp, "", ""}});
  const auto trained = fixture.store().GetHistoricalFeatures(request);
  REQUIRE(trained.ok());
  CHECK(Shown(*trained, feature, 0) == served);
  return served;
}

TEST_CASE(
    "H13 H14 H15 hopping windows are exact, an empty mean is null, distinct values are counted",
    "[conformance][windows]") {
  StoreFixture fixture;
  fixture.folder().Write("readings.csv",
                         "meter,at,v\n"
                         "1,2025-01-01T00:00:00Z,10\n"
                         "1,2025-01-01T00:06:00Z,30\n"
                         "1,2025-01-01T00:11:00Z,20\n"
                         "1,2025-01-01T00:16:00Z,5\n");
  fixture.Apply(kReadings);
  fixture.Materialize();
  struct Case {
    const char* at;
    const char* sum;
    const char* count;
    const char* mean;
    const char* max;
    const char* min;
    const char* stddev;
    const char* distinct;
  };
  const Case cases[] = {
      {"2025-01-01T00:05:00Z", "10", "1", "10", "10", "10", "null", "1"},
      {"2025-01-01T00:10:00Z", "40", "2", "20", "30", "10", "14.142135623730951", "2"},
      {"2025-01-01T00:15:00Z", "60", "3", "20", "30", "10", "10", "3"},
      {"2025-01-01T00:20:00Z", "55", "3", "18.333333333333332", "30", "5", "12.583057392117917",
       "3"},
      {"2025-01-01T01:00:00Z", "0", "0", "null", "null", "null", "null", "0"},
  };
  for (const Case& c : cases) {
    INFO(c.at);
    const auto expect = [&](const char* function, const std::string& value) {
      INFO(function);
      CHECK(Value(fixture, function, c.at) ==
            value + (value == "null" ? " NULL_VALUE" : " PRESENT"));
    };
    expect("sum", c.sum);
    expect("count", c.count);
    expect("mean", c.mean);
    expect("max", c.max);
    expect("min", c.min);
    expect("stddev", c.stddev);
    expect("count_distinct", c.distinct);
  }
}

TEST_CASE("H18 an aggregate is there online as it is in training", "[conformance][windows]") {
  StoreFixture fixture;
  fixture.folder().Write("readings.csv", "meter,at,v\n1,2025-01-01T00:00:00Z,10\n");
  fixture.Apply(kReadings);
  CHECK_FALSE(fixture.TryGet({"w:sum_v_15m"}, {{{"meter", int64_t{1}}}}).ok());  // nothing loaded
  fixture.Materialize();
  CHECK(Value(fixture, "sum", "2025-01-01T00:01:00Z") == "10 PRESENT");
}

}  // namespace
