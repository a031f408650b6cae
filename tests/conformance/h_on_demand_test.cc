// Section H of the conformance cases: what on-demand features need of a request, and what they say of their inputs.
#include "conformance/scenario.h"

namespace {

using larder::Concat;
using larder::FeatureStatus;
using larder::FormatTimestamp;
using larder::InputColumn;
using larder::Row;
using larder::TypeId;
using larder::Value;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

// Two looked-up views of which one expires, a window that begins before the source, and features over them.
constexpr const char* kDrivers = R"json({"larder": 1, "project": "h",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver", "type": "int64"}]}],
 "sources": [
  {"name": "rates", "kind": "csv", "path": "rates.csv", "event_time": "at", "version_horizon": "30d",
   "fields": [{"name": "driver", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "conv_rate", "type": "float64"}]},
  {"name": "trips", "kind": "csv", "path": "trips.csv", "event_time": "at", "version_horizon": "30d",
   "fields": [{"name": "driver", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "km", "type": "float64"}]},
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "driver", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "id", "type": "string"}]},
  {"name": "taps_live", "kind": "push", "batch_source": "taps"}],
 "feature_views": [
  {"name": "stats", "entities": ["driver"], "source": "rates", "ttl": "2h", "features": [{"name": "conv_rate"}]},
  {"name": "trip", "entities": ["driver"], "source": "trips", "features": [{"name": "km"}]},
  {"name": "tapped", "entities": ["driver"], "source": "taps_live", "boundary": "at",
   "aggregates": [{"function": "count", "name": "taps_1h", "window": "1h"}]}],
 "on_demand_views": [
  {"name": "sums", "inputs": {"rate": "stats:conv_rate", "km": "trip:km"},
   "request": [{"name": "val_to_add", "type": "float64"}],
   "features": [{"name": "plus_val", "expr": "rate + request.val_to_add"},
                {"name": "either", "expr": "coalesce(rate, km, -1.0)"
}]
},
  {"name": "again", "inputs": {"either": "sums:either"},
   "features": [{"name": "doubled", "expr": "either * 2"}]},
  {"name": "echo", "request": [{"name": "val_to_add", "type": "float64"}],
   "features": [{"name": "same", "expr": "request.val_to_add"}]},
  {"name": "own", "request": [{"name": "val_to_add", "type": "float64"}, {"name": "driver", "type": "int64"}],
   "inputs": {"km": "trip:km"},
   "features": [{"name": "mine", "expr": "request.driver * 100 + request.val_to_add + km"}]},
  {"name": "busy", "inputs": {"taps": "tapped:taps_1h"},
   "features": [{"name": "is_busy", "expr": "taps > 1"}]}],
 "feature_services": [
  {"name": "model", "features": ["stats:conv_rate", "trip:km", {"view": "sums"}, "again:doubled", "echo:same"]},
  {"name": "tensor", "features": ["sums:plus_val"]},
  {"name": "numbered", "features": ["own:mine", "trip:km"]},
  {"name": "watch", "features": ["busy:is_busy"]}]
})json";

// Driver 1 has all; 2 a rate that is null; 3 one that is too old; 4 trips alone; 5 nothing.
class Drivers : public StoreFixture {
 public:
  Drivers() {
    folder().Write("rates.csv",
                   "driver,at,conv_rate\n"
                   "1,2025-01-09T23:00:00Z,0.5\n"
                   "2,2025-01-09T23:30:00Z,\n"
                   "3,2025-01-09T12:00:00Z,0.25\n");
    folder().Write("trips.csv",
                   "driver,at,km\n"
                   "1,2025-01-08T08:00:00Z,12\n"
                   "2,2025-01-09T23:45:00Z,7\n"
                   "3,2025-01-09T20:00:00Z,9\n"
                   "4,2025-01-09T21:00:00Z,3\n");
    folder().Write("taps.csv", "driver,at,id\n");
    Apply(kDrivers);
    Materialize();
  }

  absl::StatusOr<larder::OnlineResponse> Ask(const char* service, std::vector<Row> rows) {
    larder::OnlineRequest request;
    request.what.service = service;
    request.rows = std::move(rows);
    return store().GetOnlineFeatures(request);
  }
  absl::StatusOr<larder::TrainingSet> Train(const char* service, const std::vector<Row>& rows,
                                            const std::vector<larder::Field>& fields) {
    larder::HistoricalRequest request;
    request.what.service = service;
    request.spine = *larder::Batch::FromRows(rows, fields);
    return store().GetHistoricalFeatures(request);
  }
};

constexpr const char* kNow = "2025-01-10T00:00:00Z";
const std::vector<larder::Field> kKeyAndTime = {{"driver", TypeId::kInt64, "", ""},
                                                {"t", TypeId::kTimestamp, "", ""}};

void CheckMissing(const absl::Status& status, const std::string& expected) {
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), ContainsSubstring(expected));
}

TEST_CASE("H16 request data that is missing is an error that names the field",
          "[conformance][on_demand]") {
  Drivers fixture;
  const Row driver = {{"driver", int64_t{1}}};
  CheckMissing(fixture.Ask("model", {driver}).status(), "missing request field val_to_add");
  CheckMissing(fixture.TryGet({"sums:plus_val"}, {driver}).status(),
               "missing request field val_to_add");
  CheckMissing(fixture.Ask("model", {{{"driver", int64_t{1}}, {"val_to_ad", 1.0}}}).status(),
               "missing request field val_to_add (did you mean \"val_to_ad\"?)");
  // Of a later row alone.
  CheckMissing(
      fixture.Ask("model", {{{"driver", int64_t{1}}, {"val_to_add", 1.0}}, driver}).status(),
      "row 1 has columns driver; row 0 has driver, val_to_add");
  // A join key is told apart from it.
  CheckMissing(fixture.Ask("model", {{{"val_to_add", 1.0}}}).status(), "missing join key driver");
  // In training.
  CheckMissing(
      fixture.Train("model", {{{"driver", int64_t{1}}, {"t", At(kNow)}}}, kKeyAndTime).status(),
      "spine: missing request field val_to_add");
  // In a tensor's request, whose columns have no names of their own.
  const auto plan = fixture.store().Bind("tensor");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  double value = 0;
  const InputColumn inputs[] = {InputColumn::Broadcast(int64_t{1})};
  CheckMissing(session->Fill(inputs, At(kNow), larder::Tensor<double>{&value, 1, 0}),
               "service tensor@1 takes 2 input columns (driver, val_to_add), found 1");
  // What needs no request data is not asked for any; and a null that is given is a value.
  CHECK(fixture.Ask("watch", {driver}).ok());
  const auto null = fixture.Ask("model", {{{"driver", int64_t{1}}, {"val_to_add", Value()}}});
  REQUIRE(null.ok());
  CHECK(Shown(*null, "plus_val", 0) == "null NULL_VALUE");
}

TEST_CASE("a join key that an on-demand feature reads is asked for once",
          "[conformance][on_demand]") {
  Drivers fixture;
  const auto plan = fixture.store().Bind("numbered");
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  REQUIRE(plan->inputs().size() == 2);
  CHECK(plan->inputs()[0].name == "driver");
  CHECK(plan->inputs()[1].name == "val_to_add");
  const std::vector<Row> rows = {{{"driver", int64_t{1}}, {"val_to_add", 0.5}},
                                 {{"driver", int64_t{4}}, {"val_to_add", 0.25}}};
  const auto served = fixture.Ask("numbered", rows);
  INFO(served.status().ToString());
  REQUIRE(served.ok());
  CHECK(Shown(*served, "mine", 0) == "112.5 PRESENT");
  CHECK(Shown(*served, "mine", 1) == "403.25 PRESENT");
  larder_test::CheckFill(fixture.store(), "numbered", rows, At(kNow));
  std::vector<Row> spine = rows;
  for (Row& row : spine) row.insert(row.begin() + 1, {"t", At(kNow)});
  std::vector<larder::Field> fields = kKeyAndTime;
  fields.push_back({"val_to_add", TypeId::kFloat64, "", ""});
  const auto trained = fixture.Train("numbered", spine, fields);
  INFO(trained.status().ToString());
  REQUIRE(trained.ok());
  CHECK(Shown(*trained, "mine", 1) == "403.25 PRESENT");
}

// `value STATUS, worst input, oldest time` of what both ways to a value say.
template <class Values>
std::string WithInputs(const Values& all, std::string_view feature, std::size_t row) {
  const auto* values = all.Find(feature);
  if (values == nullptr) return "no such output";
  const larder::Column& times = values->event_times;
  return Concat(
      Shown(all, feature, row), ", ", FeatureStatusName(values->input_statuses[row]), ", ",
      times.IsValid(row) ? FormatTimestamp({times.template Values<int64_t>()[row]}) : "none");
}

TEST_CASE("H17 an on-demand value says the worst status and the oldest time of its inputs",
          "[conformance][on_demand]") {
  Drivers fixture;
  struct Case {
    int64_t driver;
    const char* feature;
    const char* expected;
  };
  const Case cases[] = {
      {1, "conv_rate", "0.5 PRESENT, PRESENT, 2025-01-09T23:00:00Z"},
      {1, "plus_val", "1.5 PRESENT, PRESENT, 2025-01-08T08:00:00Z"},
      {1, "either", "0.5 PRESENT, PRESENT, 2025-01-08T08:00:00Z"},
      {1, "doubled", "1 PRESENT, PRESENT, 2025-01-08T08:00:00Z"},
      {1, "same", "1 PRESENT, PRESENT, none"},
      // A value that does not need the worst of its inputs still says so.
      {2, "plus_val", "null NULL_VALUE, NULL_VALUE, 2025-01-09T23:30:00Z"},
      {2, "either", "7 PRESENT, NULL_VALUE, 2025-01-09T23:30:00Z"},
      {2, "doubled", "14 PRESENT, NULL_VALUE, 2025-01-09T23:30:00Z"},
      {3, "conv_rate", "null OUTSIDE_MAX_AGE, OUTSIDE_MAX_AGE, 2025-01-09T12:00:00Z"},
      {3, "plus_val", "null NULL_VALUE, OUTSIDE_MAX_AGE, 2025-01-09T12:00:00Z"},
      {3, "either", "9 PRESENT, OUTSIDE_MAX_AGE, 2025-01-09T12:00:00Z"},
      {4, "either", "3 PRESENT, NOT_FOUND, 2025-01-09T21:00:00Z"},
      {4, "doubled", "6 PRESENT, NOT_FOUND, 2025-01-09T21:00:00Z"},
      {5, "plus_val", "null NULL_VALUE, NOT_FOUND, none"},
      {5, "either", "-1 PRESENT, NOT_FOUND, none"},
      {5, "same", "1 PRESENT, PRESENT, none"},
  };
  std::vector<Row> rows;
  std::vector<Row> spine;
  for (int64_t driver = 1; driver <= 5; ++driver) {
    rows.push_back({{"driver", driver}, {"val_to_add", 1.0}});
    spine.push_back({{"driver", driver}, {"t", At(kNow)}, {"val_to_add", 1.0}});
  }
  const auto served = fixture.Ask("model", rows);
  INFO(served.status().ToString());
  REQUIRE(served.ok());
  std::vector<larder::Field> fields = kKeyAndTime;
  fields.push_back({"val_to_add", TypeId::kFloat64, "", ""});
  const auto trained = fixture.Train("model", spine, fields);
  INFO(trained.status().ToString());
  REQUIRE(trained.ok());
  for (const Case& c : cases) {
    INFO(c.feature << " of driver " << c.driver);
    const auto row = static_cast<std::size_t>(c.driver - 1);
    CHECK(WithInputs(*served, c.feature, row) == c.expected);
    CHECK(WithInputs(*trained, c.feature, row) == c.expected);
  }
  larder_test::CheckFill(fixture.store(), "model", rows, At(kNow));
}

TEST_CASE("H17 a window without all its history is the worst input of what is made from it",
          "[conformance][on_demand][windows]") {
  StoreFixture fixture;
  fixture.folder().Write("taps.csv", "driver,at,id\n");
  fixture.Apply(kDrivers);
  fixture.Push("taps_live",
               {{{"driver", int64_t{1}}, {"at", At("2025-01-09T23:50:00Z")}, {"id", "a"}},
                {{"driver", int64_t{1}}, {"at", At("2025-01-09T23:55:00Z")}, {"id", "b"}}});
  larder::OnlineRequest request;
  request.what.service = "watch";
  request.rows = {{{"driver", int64_t{1}}}};
  const auto served = fixture.store().GetOnlineFeatures(request);
  INFO(served.status().ToString());
  REQUIRE(served.ok());
  // Many events have no one time.
  CHECK(WithInputs(*served, "is_busy", 0) == "true PRESENT, PARTIAL_WINDOW, none");
}

}  // namespace
