// Cases that were wrong once.
#include "feature_store/store_fixture.h"

namespace {

using larder::Row;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

constexpr std::string_view kHead = R"j({"larder": 1, "project": "shop",
 "entities": [{"name": "item", "join_keys": [{"name": "item", "type": "int64"}]}],)j";

std::string Definitions(std::string_view sources, std::string_view rest) {
  return std::string(kHead) + "\"sources\": [" + std::string(sources) + "], " + std::string(rest) +
         "}";
}

constexpr std::string_view kPrices =
    R"j({"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at",
  "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "int32"}, {"name": "at", "type": "timestamp"}]})j";

TEST_CASE(
    "a computed feature has its declared type, wider than its expression's, wherever it is read",
    "[store]") {
  StoreFixture fixture;
  fixture.folder().Write("prices.csv", "item,price,at\n1,10,2025-01-01\n2,,2025-01-01\n");
  fixture.Apply(Definitions(
      kPrices,
      R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "prices", "features": [
      {"name": "wide", "type": "float64", "default": 7.5, "expr": "if(current_date is null, null, price)"}]}],
    "on_demand_views": [{"name": "o", "inputs": {"w": "v:wide"}, "request": [{"name": "r", "type": "int32"}],
      "features": [{"name": "od", "type": "float64", "default": 0, "expr": "request.r"}]}],
    "feature_services": [{"name": "s", "missing": "default", "features": ["v:wide", "o:od"]}])j"));
  fixture.Materialize();
  larder::OnlineRequest request;
  request.what.service = "s";
  request.rows = {{{"item", 1}, {"r", 3}}, {{"item", 2}, {"r", 3}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->Find("wide")->values.type() == larder::TypeId::kFloat64);
  CHECK(Shown(*response, "wide", 0) == "10 PRESENT");
  CHECK(Shown(*response, "wide", 1) == "7.5 NULL_VALUE");
  CHECK(Shown(*response, "od", 0) == "3 PRESENT");
  const auto plan = fixture.store().Bind("s");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  std::vector<double> tensor(4);
  const std::vector<int64_t> items = {1, 2};
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Of(items),
                                                   larder::InputColumn::Broadcast(int64_t{3})};
  REQUIRE(session->Fill(inputs, At("2025-01-10"), larder::Tensor<double>{tensor.data(), 2, 0}).ok());
  CHECK(tensor == std::vector<double>{10.0, 3.0, 7.5, 3.0});
}

TEST_CASE("with partial updates a feature that reads nothing of its row is refused, not served",
          "[store]") {
  StoreFixture fixture;
  fixture.folder().Write("prices.csv", "item,price,at\n1,10,2025-01-01\n");
  fixture.Apply(Definitions(
      kPrices, R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "prices",
    "partial_updates": true, "features": [{"name": "yr", "expr": "years_between(date '2000-01-01', current_date)"}]}])j"));
  fixture.Materialize();
  const auto response = fixture.TryGet({"v:yr"}, {{{"item", 1}}});
  CHECK(response.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(larder::MessageOf(response.status())), ContainsSubstring("v@1:yr"));
}

TEST_CASE("a spine that is the file of two sources may leak through neither", "[store][leak]") {
  StoreFixture fixture;
  fixture.folder().Write("f.csv", "item,price,at\n1,10,2025-01-01T12:00:00Z\n");
  const auto source = [](std::string_view name) {
    return R"j({"name": ")j" + std::string(name) +
           R"j(", "kind": "csv", "path": "*.csv", "event_time": "at",
      "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "int32"}, {"name": "at", "type": "timestamp"}]})j";
  };
  fixture.Apply(Definitions(
      source("a") + "," + source("b"),
      R"j("feature_views": [{"name": "va", "entities": ["item"], "source": "a", "features": [{"name": "p", "expr": "price"}]},
                         {"name": "vb", "entities": ["item"], "source": "b", "features": [{"name": "q", "expr": "price"}]}])j"));
  for (const std::string feature : {"va:p", "vb:q"}) {
    larder::HistoricalRequest request;
    request.what.features = {feature};
    REQUIRE(fixture.store().LoadSpine(fixture.folder().File("f.csv"), &request).ok());
    request.time_column = "at";
    const auto set = fixture.store().GetHistoricalFeatures(request);
    CHECK_THAT(std::string(larder::MessageOf(set.status())), ContainsSubstring("own event"));
  }
}

constexpr std::string_view kBatchAndPush =
    R"j({"name": "batch", "kind": "csv", "path": "b.csv", "event_time": "at",
  "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "live", "kind": "push", "batch_source": "batch"})j";

TEST_CASE("a source loaded from files takes no pushes, which its next load could lose",
          "[store][push]") {
  StoreFixture fixture;
  fixture.folder().Write("b.csv", "item,price,at\n1,10,2025-01-01\n");
  fixture.Apply(Definitions(
      kBatchAndPush, R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "live",
    "features": [{"name": "price"}]}])j"));
  fixture.Materialize();
  const std::vector<Row> rows = {{{"item", 9}, {"price", 90}, {"at", At("2025-01-02")}}};
  const auto refused = fixture.store().Push("batch", rows);
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())), ContainsSubstring("batch_source"));
  fixture.Push("live", rows);
  fixture.Materialize();
  CHECK(Shown(fixture.Get({"v:price"}, {{{"item", 1}}}), "price", 0) == "10 PRESENT");
  CHECK(Shown(fixture.Get({"v:price"}, {{{"item", 9}}}), "price", 0) == "90 PRESENT");
}

std::string Pushed(std::string_view event_time, std::string_view fields, std::string_view features) {
  return Definitions(
      R"j({"name": "s", "kind": "push", "event_time": ")j" + std::string(event_time) +
          R"j(", "fields": [
      {"name": "item", "type": "int64"}, {"name": "at", "type": "timestamp"}, {"name": "at2", "type": "timestamp"},)j" +
          std::string(fields) + "]}",
      R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "s", "features": [)j" +
          std::string(features) +
          R"j(]}], "feature_services": [{"name": "m", "features": [{"view": "v"}]}])j");
}

TEST_CASE(
    "a pinned version keeps its event time, and one that cannot be fed does not stop the current "
    "one",
    "[store][push]") {
  StoreFixture fixture;
  fixture.Apply(Pushed("at", R"j({"name": "x", "type": "int64"})j", R"j({"name": "x"})j"));
  fixture.Apply(Pushed("at2", R"j({"name": "x", "type": "int64"})j", R"j({"name": "x"})j"));
  fixture.Push("s", {{{"item", 1}, {"at", At("2025-01-01")}, {"at2", At("2025-01-05")}, {"x", 5}}});
  const auto time_of = [&](std::string service) {
    larder::OnlineRequest request;
    request.what.service = std::move(service);
    request.rows = {{{"item", 1}}};
    const auto response = fixture.store().GetOnlineFeatures(request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return larder::FormatTimestamp({response->features[0].event_times.Values<int64_t>()[0]});
  };
  CHECK(time_of("m@1") == "2025-01-01T00:00:00Z");
  CHECK(time_of("m@2") == "2025-01-05T00:00:00Z");
  fixture.Apply(Pushed("at2", R"j({"name": "y", "type": "int64"})j", R"j({"name": "y"})j"));
  const auto pushed = fixture.Push(
      "s", {{{"item", 1}, {"at", At("2025-01-06")}, {"at2", At("2025-01-06")}, {"y", 6}}});
  CHECK(pushed.not_fed.size() == 2);
  CHECK(time_of("m@3") == "2025-01-06T00:00:00Z");
}

TEST_CASE("a load keeps versions fresh that services pin", "[store][load]") {
  StoreFixture fixture;
  const auto with = [](std::string_view expr) {
    return Definitions(kPrices,
                       R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "prices",
      "features": [{"name": "p", "expr": ")j" +
                           std::string(expr) + R"j("}]}],
      "feature_services": [{"name": "m", "features": ["v:p"]}])j");
  };
  fixture.folder().Write("prices.csv", "item,price,at\n1,10,2025-01-01\n");
  fixture.Apply(with("price"));
  fixture.Materialize();
  fixture.Apply(with("price * 2"));
  fixture.folder().Write("prices.csv", "item,price,at\n1,10,2025-01-01\n1,11,2025-01-02\n");
  fixture.Materialize();
  larder::OnlineRequest request;
  request.rows = {{{"item", 1}}};
  request.what.service = "m@1";
  CHECK(Shown(*fixture.store().GetOnlineFeatures(request), "p", 0) == "11 PRESENT");
  request.what.service = "m@2";
  CHECK(Shown(*fixture.store().GetOnlineFeatures(request), "p", 0) == "22 PRESENT");
}

TEST_CASE("a hold made after a plan survives its apply", "[store][rollback]") {
  StoreFixture fixture;
  const auto with = [](std::string_view expr) {
    return Definitions(kPrices,
                       R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "prices",
      "features": [{"name": "p", "expr": "price"}]}, {"name": "w", "entities": ["item"], "source": "prices",
      "features": [{"name": "p", "expr": ")j" +
                           std::string(expr) + R"j("}]}])j");
  };
  fixture.folder().Write("prices.csv", "item,price,at\n1,10,2025-01-01\n");
  fixture.Apply(with("price"));
  const auto plan = fixture.store().Plan(fixture.Parse(with("price + 1")));
  REQUIRE(plan.ok());
  REQUIRE(fixture.store().Hold("v").ok());
  REQUIRE(fixture.store().Apply(*plan).ok());
  const auto loaded = fixture.Materialize();
  REQUIRE(loaded.held.size() == 1);
  CHECK_THAT(loaded.held[0], ContainsSubstring("v@1"));
}

TEST_CASE("an incremental load takes rows that arrived before their event time came",
          "[store][load]") {
  StoreFixture fixture("2025-01-01T10:05:00Z");
  fixture.folder().Write("p.csv",
                         "item,price,at,arrived\n1,10,2025-01-01T11:00:00Z,2025-01-01T10:00:00Z\n");
  fixture.Apply(Definitions(
      R"j({"name": "prices", "kind": "csv", "path": "p.csv", "event_time": "at", "arrival_time": "arrived",
    "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "int64"}, {"name": "at", "type": "timestamp"},
               {"name": "arrived", "type": "timestamp"}]})j",
      R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "prices", "features": [{"name": "price"}]}])j"));
  larder::MaterializeOptions options;
  options.incremental = true;
  fixture.Materialize(options);
  fixture.SetNow("2025-01-01T10:50:00Z");
  fixture.Materialize(options);
  fixture.SetNow("2025-01-01T11:10:00Z");
  fixture.Materialize(options);
  CHECK(Shown(fixture.Get({"v:price"}, {{{"item", 1}}}), "price", 0) == "10 PRESENT");
}

TEST_CASE("a row refused for its operation is skipped with its place when the load is not strict",
          "[store][load]") {
  StoreFixture fixture;
  fixture.folder().Write("p.csv",
                         "item,price,at,op\n1,10,2025-01-01,insert\n2,20,2025-01-01,replace\n");
  fixture.Apply(Definitions(
      R"j({"name": "prices", "kind": "csv", "path": "p.csv", "event_time": "at", "operation": "op",
    "format": {"strict": false}, "fields": [{"name": "item", "type": "int64"}, {"name": "price", "type": "int64"},
      {"name": "at", "type": "timestamp"}, {"name": "op", "type": "string"}]})j",
      R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "prices", "features": [{"name": "price"}]}])j"));
  const auto loaded = fixture.Materialize();
  REQUIRE(loaded.views.size() == 1);
  CHECK(loaded.views[0].rows_bad == 1);
  CHECK_THAT(loaded.views[0].first_reasons.at(0), ContainsSubstring("p.csv:3"));
  CHECK(Shown(fixture.Get({"v:price"}, {{{"item", 1}}}), "price", 0) == "10 PRESENT");
}

TEST_CASE("a partial row below a delete that ends is kept, and answers again after that end",
          "[store][push]") {
  StoreFixture fixture("2025-01-10T12:00:00Z");
  fixture.Apply(Definitions(
      R"j({"name": "s", "kind": "push", "event_time": "at", "operation": "op", "valid_to": "until",
    "fields": [{"name": "item", "type": "int64"}, {"name": "at", "type": "timestamp"}, {"name": "op", "type": "string"},
               {"name": "until", "type": "timestamp"}, {"name": "x", "type": "int64"}, {"name": "y", "type": "int64"}]})j",
      R"j("feature_views": [{"name": "v", "entities": ["item"], "source": "s", "partial_updates": true,
    "features": [{"name": "x"}, {"name": "y"}]}])j"));
  const larder::Value none;
  fixture.Push("s", {{{"item", 1},
                      {"at", At("2025-01-10T07:00:00Z")},
                      {"op", "insert"},
                      {"until", none},
                      {"x", 5}}});
  fixture.Push("s", {{{"item", 1},
                      {"at", At("2025-01-10T08:00:00Z")},
                      {"op", "delete"},
                      {"until", At("2025-01-10T11:59:00Z")}}});
  CHECK(Shown(fixture.Get({"v:x"}, {{{"item", 1}}}), "x", 0) == "5 PRESENT");
  CHECK(Shown(fixture.Get({"v:x"}, {{{"item", 1}}}, At("2025-01-10T11:58:00Z")), "x", 0) ==
        "null NOT_FOUND");
}

}  // namespace
