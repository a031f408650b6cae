#include "feature_store/store_fixture.h"
#include "support/float_settings.h"

namespace {

using larder::FeatureStatus;
using larder::Row;
using larder_test::At;
using larder_test::Shown;
using larder_test::StoreFixture;

constexpr std::string_view kUsers = R"({"larder": 1, "project": "shop",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [
  {"name": "user_data", "kind": "csv", "path": "users.csv", "event_time": "changed_at",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "birth_date", "type": "date"},
              {"name": "limit", "type": "float64"}, {"name": "changed_at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "user_profile", "entities": ["user"], "source": "user_data", "ttl": "30d",
   "features": [{"name": "user_age", "type": "int64", "expr": "current_date - birth_date"},
                {"name": "limit", "type": "float64", "default": 0},
                {"name": "double_limit", "type": "float64", "expr": "limit * 2"}]}],
 "on_demand_views": [
  {"name": "ratios", "request": [{"name": "amount", "type": "float64"}], "inputs": {"lim": "user_profile:limit"},
   "features": [{"name": "share", "type": "float64", "expr": "request.amount / lim"}]}],
 "feature_services": [
  {"name": "user_model", "dtype": "float64",
   "features": ["user_profile:user_age", "user_profile:limit", "user_profile:double_limit", "ratios:share"]}]})";

constexpr std::string_view kUserRows =
    "user_id,birth_date,limit,changed_at\n"
    "1,2000-01-01,100.5,2025-01-01T00:00:00Z\n"
    "1,2000-01-01,200.0,2025-01-05T00:00:00Z\n"
    "2,1990-06-15,,2025-01-02T00:00:00Z\n"
    "3,1980-01-01,7,2024-11-01T00:00:00Z\n";

void Load(StoreFixture& fixture) {
  fixture.folder().Write("users.csv", kUserRows);
  fixture.Apply(kUsers);
  fixture.Materialize();
}

TEST_CASE("a service read online gives values, statuses and computed features in its own order",
          "[store]") {
  StoreFixture fixture;
  Load(fixture);
  larder::OnlineRequest request;
  request.what.service = "user_model";
  request.rows = {{{"user_id", 1}, {"amount", 50.0}},
                  {{"user_id", 2}, {"amount", 50.0}},
                  {{"user_id", 3}, {"amount", 50.0}},
                  {{"user_id", 9}, {"amount", 50.0}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  REQUIRE(response->features.size() == 4);
  CHECK(response->features[0].name == "user_age");
  CHECK(response->features[3].name == "share");
  CHECK(response->service == "user_model@1");
  CHECK(Shown(*response, "user_age", 0) == "9141 PRESENT");
  CHECK(Shown(*response, "limit", 0) == "200 PRESENT");
  CHECK(Shown(*response, "double_limit", 0) == "400 PRESENT");
  CHECK(Shown(*response, "share", 0) == "0.25 PRESENT");
  CHECK(Shown(*response, "limit", 1) == "null NULL_VALUE");
  CHECK(Shown(*response, "share", 1) == "null NULL_VALUE");
  CHECK(Shown(*response, "limit", 2) == "null OUTSIDE_MAX_AGE");
  CHECK(Shown(*response, "user_age", 2) == "null OUTSIDE_MAX_AGE");
  CHECK(response->Find("limit")->stale_values.at(2) == larder::Value(7.0));
  CHECK(Shown(*response, "limit", 3) == "null NOT_FOUND");
  CHECK(response->Find("share")->input_statuses[3] == FeatureStatus::kNotFound);
}

TEST_CASE("training and serving agree at the same instant", "[store]") {
  StoreFixture fixture;
  Load(fixture);
  larder::HistoricalRequest request;
  request.what.service = "user_model";
  const std::vector<larder::Field> fields = {{"user_id", larder::TypeId::kInt64, "", ""},
                                             {"amount", larder::TypeId::kFloat64, "", ""},
                                             {"t", larder::TypeId::kTimestamp, "", ""}};
  std::vector<Row> rows;
  for (int user = 1; user <= 4; ++user) {
    rows.push_back(
        {{"user_id", int64_t{user}}, {"amount", 50.0}, {"t", At("2025-01-10T00:00:00Z")}});
  }
  rows.push_back({{"user_id", int64_t{1}}, {"amount", 50.0}, {"t", At("2025-01-03T00:00:00Z")}});
  auto spine = larder::Batch::FromRows(rows, fields);
  REQUIRE(spine.ok());
  request.spine = *std::move(spine);
  const auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  REQUIRE(set->rows.row_count() == 5);
  larder::OnlineRequest online;
  online.what.service = "user_model";
  for (std::size_t i = 0; i < 4; ++i) online.rows.push_back({rows[i][0], rows[i][1]});
  const auto response = fixture.store().GetOnlineFeatures(online);
  REQUIRE(response.ok());
  for (const auto& feature : response->features) {
    for (std::size_t row = 0; row < 4; ++row) {
      CHECK(Shown(*set, feature.name, row) == Shown(*response, feature.name, row));
      CHECK(set->Find(feature.name)->input_statuses[row] == feature.input_statuses[row]);
    }
    CHECK(set->rows.Find(feature.name)->type() == feature.values.type());
  }
  CHECK(Shown(*set, "limit", 4) == "100.5 PRESENT");
  CHECK(Shown(*set, "user_age", 4) == "9134 PRESENT");
}

TEST_CASE("a bound plan fills the tensor that the typed read describes", "[store][serving]") {
  StoreFixture fixture;
  Load(fixture);
  const auto plan = fixture.store().Bind("user_model");
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  REQUIRE(plan->width() == 4);
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const std::vector<int64_t> users = {1, 2, 3, 9, 1};
  std::vector<double> tensor(5 * 4);
  std::vector<FeatureStatus> statuses(5 * 4);
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Of(users),
                                                   larder::InputColumn::Broadcast(50.0)};
  const absl::Status filled = session->Fill(inputs, At("2025-01-10T00:00:00Z"),
                                            larder::Tensor<double>{tensor.data(), 5, 0}, statuses);
  INFO(filled.ToString());
  REQUIRE(filled.ok());
  CHECK(tensor[0] == 9141.0);
  CHECK(tensor[1] == 200.0);
  CHECK(tensor[3] == 0.25);
  CHECK(tensor[4 + 1] != tensor[4 + 1]);
  CHECK(statuses[4 + 1] == FeatureStatus::kNullValue);
  CHECK(statuses[2 * 4 + 0] == FeatureStatus::kOutsideMaxAge);
  CHECK(statuses[3 * 4 + 2] == FeatureStatus::kNotFound);
  CHECK(std::vector<double>(tensor.begin(), tensor.begin() + 4) ==
        std::vector<double>(tensor.end() - 4, tensor.end()));
}

TEST_CASE("a thread that rounds otherwise can neither open a store nor bind a service",
          "[store][serving]") {
  StoreFixture fixture;
  Load(fixture);
  const auto plan = fixture.store().Bind("user_model");
  REQUIRE(plan.ok());
  std::vector<absl::Status> refused;
  {
    const larder_test::FloatSettings settings;
    REQUIRE(std::fesetround(FE_UPWARD) == 0);
    refused.push_back(larder::FeatureStore::Open(fixture.folder().File("store")).status());
    refused.push_back(fixture.store().Bind("user_model").status());
    refused.push_back(fixture.store().OpenSession(*plan).status());
  }
  for (const absl::Status& status : refused) {
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(larder::MessageOf(status).find("round to nearest") != std::string_view::npos);
  }
  CHECK(fixture.store().OpenSession(*plan).ok());
}

TEST_CASE("a view that was never loaded is not ready, and the error says what to run", "[store]") {
  StoreFixture fixture;
  fixture.Apply(kUsers);
  const auto plan = fixture.store().Bind("user_model");
  CHECK(plan.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(larder::KindOf(plan.status()) == larder::ErrorKind::kNotReady);
  CHECK_THAT(std::string(larder::MessageOf(plan.status())),
             larder_test::ContainsSubstring("larder materialize --view user_profile"));
}

TEST_CASE("loading a file without event times again replaces what the last load said", "[store]") {
  StoreFixture fixture;
  fixture.Apply(R"({"larder": 1, "project": "shop",
   "entities": [{"name": "city", "join_keys": [{"name": "city", "type": "string"}]}],
   "sources": [{"name": "cities", "kind": "csv", "path": "cities.csv",
     "fields": [{"name": "city", "type": "string"}, {"name": "population", "type": "int64"}]}],
   "feature_views": [{"name": "facts", "entities": ["city"], "source": "cities",
     "features": [{"name": "population"}]}]})");
  fixture.folder().Write("cities.csv", "city,population\nOslo,900\nBergen,300\n");
  fixture.Materialize();
  CHECK(Shown(fixture.Get({"facts:population"}, {{{"city", "Oslo"}}}), "population", 0) ==
        "900 PRESENT");
  fixture.folder().Write("cities.csv", "city,population\nOslo,7\n");
  fixture.Materialize();
  CHECK(Shown(fixture.Get({"facts:population"}, {{{"city", "Oslo"}}}), "population", 0) ==
        "7 PRESENT");
  CHECK(Shown(fixture.Get({"facts:population"}, {{{"city", "Bergen"}}}), "population", 0) ==
        "null NOT_FOUND");
}

TEST_CASE("a store opened read-only refuses every write, also beside a writable one", "[store]") {
  StoreFixture fixture;
  Load(fixture);
  larder::StoreOptions options;
  options.read_only = true;
  auto reader = larder::FeatureStore::Open(fixture.folder().File("store"), options);
  INFO(reader.status().ToString());
  REQUIRE(reader.ok());
  CHECK(reader->Materialize().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(reader->Apply(fixture.Parse(kUsers)).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  CHECK(reader->GetCatalog().ok());
}

TEST_CASE("under boundary before an event at the very instant is not served, as it is not joined",
          "[store]") {
  StoreFixture fixture;
  fixture.Apply(R"({"larder": 1, "project": "shop",
   "entities": [{"name": "item", "join_keys": [{"name": "item", "type": "int64"}]}],
   "sources": [{"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at", "version_horizon": "60d",
     "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "int64"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [{"name": "last", "entities": ["item"], "source": "prices", "boundary": "before",
     "features": [{"name": "price"}]}]})");
  fixture.folder().Write("prices.csv", "item,price,at\n1,10,2025-01-01\n1,20,2025-01-05\n");
  fixture.Materialize();
  const auto served = [&](std::string_view at) {
    return Shown(fixture.Get({"last:price"}, {{{"item", 1}}}, At(at)), "price", 0);
  };
  CHECK(served("2025-01-05T00:00:00Z") == "10 PRESENT");
  CHECK(served("2025-01-05T00:00:00.000001Z") == "20 PRESENT");
  CHECK(served("2025-01-01T00:00:00Z") == "null NOT_FOUND");
}

}  // namespace
