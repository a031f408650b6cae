// Casts of a service: one value, whether a tensor, a typed read or a training set gives it.
#include <cmath>
#include <limits>

#include "feature_store/store_fixture.h"

namespace {

using larder::FeatureStatus;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

std::string Visits(std::string_view service) {
  return larder::Concat(R"json({"larder": 1, "project": "web",
   "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
   "sources": [{"name": "visits", "kind": "csv", "path": "visits.csv", "event_time": "at",
     "fields": [{"name": "user_id", "type": "int64"}, {"name": "seconds", "type": "float64"},
                {"name": "born", "type": "date"}, {"name": "stay", "type": "duration"},
                {"name": "count", "type": "int64"}, {"name": "where", "type": "vector<float32, 3>"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [{"name": "visit", "entities": ["user"], "source": "visits", "ttl": "100d",
     "features": [{"name": "seconds", "default": -7.5}, {"name": "born", "type": "date", "default": "1970-01-11"},
                  {"name": "stay", "type": "duration", "default": "1s"}, {"name": "count", "default": 16777217},
                  {"name": "where", "type": "vector<float32, 3>", "default": [0, 0, 0]},
                  {"name": "seen", "type": "timestamp", "expr": "at", "default": "1970-01-01"},
                  {"name": "age", "expr": "years_between(born, current_date)", "default": 0}]}],
   "on_demand_views": [{"name": "rate", "inputs": {"s": "visit:seconds", "n": "visit:count"},
     "features": [{"name": "per_visit", "expr": "s / n", "default": 0}]}],
   "feature_services": [)json",
                        service, "]}");
}

constexpr std::string_view kRows =
    "user_id,seconds,born,stay,count,where,at\n"
    "1,2.5,1970-01-31,1s,3,\"[1, 2, 3]\",2025-01-01\n"
    "2,1e300,2000-01-01,2s,16777217,\"[4, 5, 6]\",2025-01-02\n"
    "3,,,,,,2025-01-03\n"
    "4,NaN,1969-12-31,0s,-1,\"[7, 8, 9]\",2025-01-04\n";

// The service's tensor, and its rows as a training set at the same instant; both must say the same.
struct Served {
  std::vector<std::string> names;
  std::vector<std::vector<double>> rows;
  std::vector<std::vector<FeatureStatus>> statuses;
};

template <class T>
Served Serve(StoreFixture& fixture, const std::string& service, larder::Timestamp as_of) {
  const auto plan = fixture.store().Bind(service);
  INFO(plan.status());
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const std::vector<int64_t> users = {1, 2, 3, 4, 9};
  std::vector<T> tensor(users.size() * plan->width());
  std::vector<FeatureStatus> statuses(users.size() * plan->outputs().size());
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Of(users)};
  const absl::Status filled =
      session->Fill(inputs, as_of, larder::Tensor<T>{tensor.data(), users.size(), 0}, statuses);
  INFO(filled);
  REQUIRE(filled.ok());
  Served served;
  served.names.assign(plan->outputs().begin(), plan->outputs().end());
  const std::size_t outputs = served.names.size();
  for (std::size_t r = 0; r < users.size(); ++r) {
    served.rows.emplace_back(tensor.begin() + static_cast<std::ptrdiff_t>(r * plan->width()),
                             tensor.begin() + static_cast<std::ptrdiff_t>((r + 1) * plan->width()));
    served.statuses.emplace_back(statuses.begin() + static_cast<std::ptrdiff_t>(r * outputs),
                                 statuses.begin() + static_cast<std::ptrdiff_t>((r + 1) * outputs));
  }
  return served;
}

double AsNumber(const larder::Value& value) {
  if (value.is_null()) return std::nan("");
  if (const auto* v = value.As<bool>()) return *v ? 1 : 0;
  if (const auto* v = value.As<int32_t>()) return *v;
  if (const auto* v = value.As<int64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.As<uint64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.As<float>()) return static_cast<double>(*v);
  if (const auto* v = value.As<double>()) return *v;
  FAIL("not a number: " << larder::FormatValue(value));
  return 0;
}

bool IsSameNumber(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

const char* const kCasts =
    R"("features": ["visit:seconds", "visit:born", "visit:stay", "visit:count",
     "visit:seen", "visit:age", "rate:per_visit"],
   "casts": {"seconds": "int32", "born": "int64", "stay": "float32", "count": "uint64", "seen": "float32",
             "age": "bool", "per_visit": "float32"})";

TEST_CASE("casts give the same values in a tensor, a typed read and a training set",
          "[store][cast][serving]") {
  for (const char* missing : {"null", "default"}) {
    for (const char* dtype : {"float32", "float64"}) {
      INFO(missing << " " << dtype);
      StoreFixture fixture;
      fixture.folder().Write("visits.csv", kRows);
      fixture.Apply(Visits(larder::Concat(R"({"name": "s", "dtype": ")", dtype,
                                          R"(", "missing": ")", missing, "\", ", kCasts, "}")));
      fixture.Materialize();
      const larder::Timestamp as_of = At("2025-01-09");
      const Served served = std::string_view(dtype) == "float32"
                                ? Serve<float>(fixture, "s", as_of)
                                : Serve<double>(fixture, "s", as_of);

      larder::OnlineRequest online;
      online.what.service = "s";
      online.as_of = as_of;
      larder::HistoricalRequest historical;
      historical.what.service = "s";
      larder::Column users(larder::TypeId::kInt64);
      larder::Column times(larder::TypeId::kTimestamp);
      for (const int64_t user : {1, 2, 3, 4, 9}) {
        online.rows.push_back({{"user_id", user}});
        users.AppendFixed(user);
        times.AppendFixed(as_of.us);
      }
      REQUIRE(historical.spine.AddColumn("user_id", users).ok());
      REQUIRE(historical.spine.AddColumn("t", times).ok());
      const auto read = fixture.store().GetOnlineFeatures(online);
      INFO(read.status());
      REQUIRE(read.ok());
      const auto trained = fixture.store().GetHistoricalFeatures(historical);
      INFO(trained.status());
      REQUIRE(trained.ok());
      for (std::size_t f = 0; f < served.names.size(); ++f) {
        const larder::FeatureValues* typed = read->Find(served.names[f]);
        const larder::Column* column = trained->rows.Find(served.names[f]);
        const larder::TrainingFeature* feature = trained->Find(served.names[f]);
        REQUIRE(typed != nullptr);
        REQUIRE(column != nullptr);
        CHECK(typed->values == *column);
        CHECK(typed->statuses == feature->statuses);
        for (std::size_t row = 0; row < 5; ++row) {
          INFO(served.names[f] << " of row " << row << ": "
                               << larder::FormatValue(typed->values.ValueAt(row)));
          const double number = AsNumber(typed->values.ValueAt(row));
          CHECK(IsSameNumber(served.rows[row][f],
                             std::string_view(dtype) == "float32"
                                 ? static_cast<double>(static_cast<float>(number))
                                 : number));
          CHECK(served.statuses[row][f] == typed->statuses[row]);
        }
      }
    }
  }
}

TEST_CASE("a value that does not fit its cast is null, and missing like any other",
          "[store][cast]") {
  StoreFixture fixture;
  fixture.folder().Write("visits.csv", kRows);
  fixture.Apply(Visits(larder::Concat(
      R"({"name": "nulls", )", kCasts, "},", R"({"name": "defaults", "missing": "default", )",
      kCasts, "},", R"({"name": "errors", "missing": "error", )", kCasts, "}")));
  fixture.Materialize();
  const auto get = [&](const char* service, int user) {
    larder::OnlineRequest request;
    request.what.service = service;
    request.rows = {{{"user_id", user}}};
    return fixture.store().GetOnlineFeatures(request);
  };
  const auto nulls = get("nulls", 2);
  REQUIRE(nulls.ok());
  CHECK(Shown(*nulls, "seconds", 0) == "null NULL_VALUE");  // 1e300 is no int32
  CHECK(Shown(*nulls, "born", 0) == "10957 PRESENT");
  CHECK(Shown(*nulls, "stay", 0) == "2e+06 PRESENT");
  CHECK(Shown(*nulls, "count", 0) == "16777217 PRESENT");
  CHECK(Shown(*nulls, "age", 0) == "true PRESENT");
  CHECK(Shown(*get("nulls", 4), "count", 0) == "null NULL_VALUE");  // -1 is no uint64
  const auto defaults = get("defaults", 2);
  INFO(defaults.status());
  REQUIRE(defaults.ok());
  CHECK(Shown(*defaults, "seconds", 0) == "-8 NULL_VALUE");  // -7.5, half to even
  CHECK(Shown(*get("defaults", 3), "born", 0) == "10 NULL_VALUE");
  CHECK_THAT(std::string(larder::MessageOf(get("errors", 2).status())),
             ContainsSubstring("seconds") && ContainsSubstring("missing: error"));
  const auto plan = fixture.store().Bind("errors");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  std::vector<double> tensor(plan->width());
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Broadcast(int64_t{2})};
  CHECK(session->Fill(inputs, At("2025-01-09"), larder::Tensor<double>{tensor.data(), 1, 0}).code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a vector stands in the tensor, an element a column", "[store][serving]") {
  StoreFixture fixture;
  fixture.folder().Write("visits.csv", kRows);
  fixture.Apply(Visits(
      R"({"name": "s", "dtype": "float32", "features": ["visit:count", "visit:where", "visit:seconds"]})"));
  fixture.Materialize();
  const auto plan = fixture.store().Bind("s");
  REQUIRE(plan.ok());
  CHECK(plan->width() == 5);
  CHECK(std::vector<std::size_t>(plan->offsets().begin(), plan->offsets().end()) ==
        std::vector<std::size_t>{0, 1, 4});
  const Served served = Serve<float>(fixture, "s", At("2025-01-09"));
  CHECK(served.rows[0] == std::vector<double>{3, 1, 2, 3, 2.5});
  CHECK(std::isnan(served.rows[2][1]));
  CHECK(std::isnan(served.rows[2][3]));
  CHECK(served.rows[3][3] == 9);
}

TEST_CASE(
    "values that no float32 holds are refused when the plan is made, and integers are not guessed "
    "at",
    "[store][cast][plan]") {
  StoreFixture fixture;
  const auto plan = [&](std::string_view service) {
    return fixture.store().Plan(fixture.Parse(Visits(service)));
  };
  const auto message = [&](std::string_view service) {
    const auto planned = plan(service);
    return planned.ok() ? std::string() : std::string(larder::MessageOf(planned.status()));
  };
  for (const char* feature : {"seen", "stay"}) {
    CHECK_THAT(message(larder::Concat(R"({"name": "s", "dtype": "float32", "features": ["visit:)",
                                      feature, R"("]})")),
               ContainsSubstring(larder::Concat("/feature_services/0/dtype: ", feature)));
  }
  const auto quiet =
      plan(R"({"name": "s", "dtype": "float32", "features": ["visit:count", "visit:age"]})");
  REQUIRE(quiet.ok());
  for (const auto& warning : quiet->warnings) CHECK(warning.object != "feature service s");
  CHECK_THAT(
      message(
          R"({"name": "s", "dtype": "float32", "missing": "default", "features": ["visit:count"]})"),
      ContainsSubstring("the default of count, 16777217, is too large for float32"));
  CHECK(
      message(
          R"({"name": "s", "dtype": "float64", "missing": "default", "features": ["visit:count"]})")
          .empty());
  CHECK_THAT(
      message(
          R"({"name": "s", "missing": "default", "features": ["visit:seconds"], "casts": {"seconds": "uint64"}})"),
      ContainsSubstring(
          "/feature_services/0/casts/seconds: the default of seconds, -7.5, does not fit uint64"));
  CHECK_THAT(message(R"({"name": "s", "features": ["visit:where"], "casts": {"where": "float32"}})"),
             ContainsSubstring("cannot cast vector<float32, 3> to float32"));
}

}  // namespace
