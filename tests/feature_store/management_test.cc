#include "feature_store/store_fixture.h"
#include "larder/registry/feature_edits.h"

namespace {

using larder::Row;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

std::string Prices(std::string_view expr) {
  return std::string(R"({"larder": 1, "project": "shop",
   "entities": [{"name": "item", "join_keys": [{"name": "item_id", "type": "int64"}]}],
   "sources": [{"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "price", "type": "float64"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [{"name": "item_price", "entities": ["item"], "source": "prices",
     "features": [{"name": "shown", "expr": ")") +
         std::string(expr) + R"("}]}],
   "feature_services": [{"name": "pricing", "features": ["item_price:shown"]}]})";
}

constexpr std::string_view kPrices = "item_id,price,at\n1,10,2025-01-01\n2,20,2025-01-01\n";

std::string Serve(StoreFixture& fixture, std::string service) {
  larder::OnlineRequest request;
  request.what.service = std::move(service);
  request.rows = {{{"item_id", 1}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  return response.ok() ? response->service + " " + Shown(*response, "shown", 0)
                       : std::string(larder::MessageOf(response.status()));
}

TEST_CASE("a rollback brings back the version, its rows and its program, and holds the view",
          "[store][rollback]") {
  StoreFixture fixture;
  fixture.folder().Write("prices.csv", kPrices);
  const uint64_t first = fixture.Apply(Prices("price")).revision;
  fixture.Materialize();
  CHECK(Serve(fixture, "pricing") == "pricing@1 10 PRESENT");
  fixture.Apply(Prices("price * 2"));
  CHECK_THAT(Serve(fixture, "pricing"), ContainsSubstring("no data yet in item_price@2"));
  fixture.Materialize();
  CHECK(Serve(fixture, "pricing") == "pricing@2 20 PRESENT");
  CHECK(Serve(fixture, "pricing@1") == "pricing@1 10 PRESENT");

  const auto rolled = fixture.store().Rollback(first);
  INFO(rolled.status().ToString());
  REQUIRE(rolled.ok());
  CHECK(rolled->changed);
  CHECK(Serve(fixture, "pricing") == "pricing@1 10 PRESENT");
  CHECK(Serve(fixture, "pricing@2") == "pricing@2 20 PRESENT");

  fixture.folder().Write("prices.csv", "item_id,price,at\n1,11,2025-01-02\n");
  const auto held = fixture.Materialize();
  REQUIRE(held.held.size() == 2);  // the current version and the one pricing@2 pins
  CHECK(Serve(fixture, "pricing") == "pricing@1 10 PRESENT");
  REQUIRE(fixture.store().Release("item_price").ok());
  fixture.Materialize();
  CHECK(Serve(fixture, "pricing") == "pricing@1 11 PRESENT");

  const auto history = fixture.store().History();
  REQUIRE(history.ok());
  std::vector<std::string> kinds;
  for (const auto& entry : *history)
    kinds.push_back(std::string(larder::HistoryKindName(entry.kind)));
  CHECK(kinds == std::vector<std::string>{"apply", "publish", "apply", "publish", "rollback",
                                          "release", "publish"});
}

TEST_CASE("a plan bound before an apply and a rollback keeps its meaning",
          "[store][rollback][serving]") {
  StoreFixture fixture;
  fixture.folder().Write("prices.csv", kPrices);
  const uint64_t first = fixture.Apply(Prices("price")).revision;
  fixture.Materialize();
  const auto plan = fixture.store().Bind("pricing");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const auto served = [&] {
    double value = 0;
    REQUIRE(session->Refresh().ok());
    const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Broadcast(int64_t{1})};
    REQUIRE(session->Fill(inputs, At("2025-01-10"), larder::Tensor<double>{&value, 1, 0}).ok());
    return value;
  };
  CHECK(served() == 10.0);
  fixture.Apply(Prices("price * 2"));
  fixture.Materialize();
  CHECK(served() == 10.0);
  REQUIRE(fixture.store().Rollback(first).ok());
  CHECK(served() == 10.0);
}

TEST_CASE("one feature is created, updated and deleted from C++", "[store][features]") {
  StoreFixture fixture;
  fixture.folder().Write("prices.csv", kPrices);
  fixture.Apply(Prices("price"));
  larder::NewFeature feature;
  feature.project = "shop";
  feature.view = "item_price";
  feature.feature.name = "cents";
  feature.feature.expr = "price * 100";
  const auto created = fixture.store().CreateFeature(feature);
  INFO(created.status().ToString());
  REQUIRE(created.ok());
  fixture.Materialize();
  CHECK(Shown(fixture.Get({"item_price:cents"}, {{{"item_id", 2}}}), "cents", 0) == "2000 PRESENT");
  feature.feature.expr = "price * 1000";
  REQUIRE(fixture.store().UpdateFeature("item_price", feature.feature).ok());
  fixture.Materialize();
  CHECK(Shown(fixture.Get({"item_price:cents"}, {{{"item_id", 2}}}), "cents", 0) ==
        "20000 PRESENT");

  const auto refused = fixture.store().DeleteFeature("item_price", "shown");
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())), ContainsSubstring("pricing"));
  REQUIRE(fixture.store().DeleteFeature("item_price", "cents").ok());
  CHECK(fixture.TryGet({"item_price:cents"}, {{{"item_id", 2}}}).status().code() !=
        absl::StatusCode::kOk);
}

TEST_CASE("definitions of any entry can be read again, and two entries compared",
          "[store][history]") {
  StoreFixture fixture;
  const uint64_t first = fixture.Apply(Prices("price")).revision;
  const uint64_t second = fixture.Apply(Prices("price * 2")).revision;
  const auto then = fixture.store().DefinitionsAt(first);
  INFO(then.status().ToString());
  REQUIRE(then.ok());
  CHECK(then->feature_views[0].features[0].expr == "price");
  const auto diff = fixture.store().Diff(first, second);
  REQUIRE(diff.ok());
  CHECK_THAT(diff->ToText(), ContainsSubstring("price * 2"));
  CHECK(fixture.store().Diff(first, 99).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("of two plans made from the same definitions the second to be applied conflicts",
          "[store][plan]") {
  StoreFixture fixture;
  fixture.Apply(Prices("price"));
  const auto one = fixture.store().Plan(fixture.Parse(Prices("price + 1")));
  const auto two = fixture.store().Plan(fixture.Parse(Prices("price + 2")));
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  REQUIRE(fixture.store().Apply(*one).ok());
  const auto refused = fixture.store().Apply(*two);
  CHECK(refused.status().code() == absl::StatusCode::kAborted);
  CHECK(larder::KindOf(refused.status()) == larder::ErrorKind::kConflict);
}

}  // namespace
