#include "larder/feature_store/plan_sample.h"

#include "feature_store/store_fixture.h"

namespace {

using larder::PlanSample;
using larder::SampledFeature;
using larder::SampledObject;
using larder_test::ContainsSubstring;
using larder_test::StoreFixture;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// Items with prices from a file, stock that is only pushed, and a ratio over both.
const std::string kShop = R"({"larder": 1, "project": "shop",
  "entities": [{"name": "item", "join_keys": [{"name": "item_id", "type": "int64"}]}],
  "sources": [
    {"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "price", "type": "float64"},
                {"name": "at", "type": "timestamp"}]},
    {"name": "stock_live", "kind": "push", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "pieces", "type": "int64"},
                {"name": "reserved", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
  "feature_views": [
    {"name": "item_price", "entities": ["item"], "source": "prices",
     "features": [{"name": "price"}, {"name": "shown", "expr": "price * 2"}]},
    {"name": "stock", "entities": ["item"], "source": "stock_live",
     "features": [{"name": "pieces"}, {"name": "left", "expr": "pieces - 1"}]}],
  "on_demand_views": [
    {"name": "basket", "request": [{"name": "budget", "type": "float64"}],
     "inputs": {"price": "item_price:shown"},
     "features": [{"name": "share", "expr": "price / request.budget"},
                  {"name": "half", "expr": "price / 2"}]}],
  "feature_services": [
    {"name": "pricing", "features": ["item_price:shown", "basket:share", "basket:half"]},
    {"name": "shelf", "features": ["stock:left"]}]})";

class Shop : public StoreFixture {
 public:
  Shop() {
    std::string prices = "item_id,price,at\n";
    for (int i = 0; i < 100; ++i)
      prices += larder::Concat(i, ",", i % 10 == 0 ? "" : larder::Concat(i), ",2025-01-01\n");
    folder().Write("prices.csv", prices);
    Apply(kShop);
    Materialize();
    std::vector<larder::Row> rows;
    for (int i = 0; i < 40; ++i) {
      rows.push_back(
          {{"item_id", i}, {"pieces", i}, {"reserved", 1}, {"at", larder_test::At("2025-01-02")}});
    }
    Push("stock_live", rows);
  }

  PlanSample Sample(const std::string& json, larder::SampleOptions options = {}) {
    const auto plan = store().Plan(Parse(json));
    INFO(plan.status());
    REQUIRE(plan.ok());
    const auto before = store().History();
    auto sample = store().SamplePlan(*plan, options);
    INFO(sample.status());
    REQUIRE(sample.ok());
    REQUIRE(store().History()->size() == before->size());
    return *std::move(sample);
  }
};

const SampledObject& Object(const PlanSample& sample, std::string_view name) {
  for (const SampledObject& object : sample.objects) {
    if (object.name == name) return object;
  }
  FAIL("nothing was sampled of " << std::string(name));
  return sample.objects.front();
}

const SampledFeature& Feature(const PlanSample& sample, std::string_view object,
                              std::string_view name) {
  for (const SampledFeature& feature : Object(sample, object).features) {
    if (feature.name == name) return feature;
  }
  FAIL("no feature " << std::string(name));
  return sample.objects.front().features.front();
}

TEST_CASE("a sample says what share of values changes, by how much, and which services read them",
          "[store][plan][sample]") {
  Shop shop;
  const PlanSample sample = shop.Sample(Replaced(kShop, "price * 2", "least(price * 2, 100)"));
  const SampledObject& view = Object(sample, "item_price");
  CHECK(view.not_sampled == "");
  CHECK(view.rows == 100);
  CHECK(view.rows_from ==
        std::vector<std::string>{"item_price@1: source prices", "item_price@2: source prices"});
  const SampledFeature& shown = Feature(sample, "item_price", "shown");
  CHECK(shown.rows == 100);
  CHECK(shown.changed == 55);  // 51 to 99, and the ten without a price: least() passes nulls over
  REQUIRE(shown.largest_change.has_value());
  CHECK(*shown.largest_change == 98.0);
  CHECK(shown.nulls_before == 10);
  CHECK(shown.nulls_after == 0);
  CHECK(shown.services == std::vector<std::string>{"pricing@1 -> @2"});
  const SampledFeature& price = Feature(sample, "item_price", "price");
  CHECK(price.changed == 0);
  CHECK_FALSE(price.largest_change.has_value());
  CHECK(price.services.empty());
  // What is computed from it changes with it.
  CHECK(Feature(sample, "basket", "half").changed == 55);
  CHECK(*Feature(sample, "basket", "half").largest_change == 49.0);
  CHECK(Feature(sample, "pricing", "shown").changed == 55);
}

TEST_CASE("a sample is of as many keys as asked for, and always the same ones",
          "[store][plan][sample]") {
  Shop shop;
  larder::SampleOptions options;
  options.keys = 20;
  const std::string next = Replaced(kShop, "price * 2", "price * item_id");
  const PlanSample one = shop.Sample(next, options);
  const PlanSample two = shop.Sample(next, options);
  CHECK(Object(one, "item_price").rows == 20);
  CHECK(Feature(one, "item_price", "shown").changed == Feature(two, "item_price", "shown").changed);
  CHECK(Feature(one, "item_price", "shown").largest_change ==
        Feature(two, "item_price", "shown").largest_change);
  options.keys = 21;
  const PlanSample more = shop.Sample(next, options);
  CHECK(Feature(more, "item_price", "shown").changed >= Feature(one, "item_price", "shown").changed);
}

TEST_CASE("a request field nobody gave is the reason a feature has no figures, and no other has",
          "[store][plan][sample]") {
  Shop shop;
  const std::string next = Replaced(kShop, "price / request.budget", "price / (request.budget + 1)");
  const PlanSample without = shop.Sample(next);
  CHECK_THAT(Feature(without, "basket", "share").not_sampled, ContainsSubstring("request.budget"));
  CHECK(Feature(without, "basket", "half").not_sampled == "");
  CHECK(Feature(without, "basket", "half").rows == 100);
  larder::SampleOptions options;
  options.request = {{"budget", "1"}};
  const PlanSample with = shop.Sample(next, options);
  const SampledFeature& share = Feature(with, "basket", "share");
  CHECK(share.not_sampled == "");
  CHECK(share.changed == 90);
  CHECK(*share.largest_change == 99.0);  // 198 / 1 against 198 / 2
  options.request = {{"budget", "much"}};
  CHECK_THAT(Object(shop.Sample(next, options), "basket").not_sampled,
             ContainsSubstring("request field budget"));
}

TEST_CASE("a change of a pushed view is sampled from the fields it keeps, or says what is missing",
          "[store][plan][sample]") {
  Shop shop;
  std::string next = Replaced(kShop, "pieces - 1", "pieces - 3");
  next = Replaced(next, R"({"name": "pieces"})",
                  R"({"name": "pieces"}, {"name": "free", "expr": "pieces - reserved"})");
  const PlanSample sample = shop.Sample(next);
  const SampledObject& stock = Object(sample, "stock");
  CHECK(stock.not_sampled == "");
  CHECK(stock.rows == 40);
  CHECK(stock.rows_from == std::vector<std::string>{"stock@2: rows of stock@1"});
  CHECK(Feature(sample, "stock", "left").changed == 40);
  CHECK(*Feature(sample, "stock", "left").largest_change == 2.0);
  CHECK(Feature(sample, "stock", "pieces").changed == 0);
  const SampledFeature& free = Feature(sample, "stock", "free");
  CHECK(free.type_before == "");
  CHECK_THAT(free.not_sampled, ContainsSubstring("stock_live") && ContainsSubstring("reserved"));
  CHECK(Feature(sample, "shelf", "left").changed == 40);
}

TEST_CASE("a change of TTL is sampled on the rows that are stored", "[store][plan][sample]") {
  Shop shop;
  const PlanSample sample =
      shop.Sample(Replaced(kShop, R"("source": "prices",)", R"("source": "prices", "ttl": "1d",)"));
  CHECK(Object(sample, "item_price").rows_from.empty());
  const SampledFeature& shown = Feature(sample, "item_price", "shown");
  CHECK(shown.changed == 90);
  CHECK(shown.nulls_before == 10);
  CHECK(shown.nulls_after == 100);
  CHECK_FALSE(shown.largest_change.has_value());
}

TEST_CASE("a feature that comes or goes is shown with its nulls and without a comparison",
          "[store][plan][sample]") {
  Shop shop;
  const PlanSample sample = shop.Sample(Replaced(
      kShop, R"({"name": "price"})", R"json({"name": "root", "expr": "sqrt(price - 50)"})json"));
  const SampledFeature& root = Feature(sample, "item_price", "root");
  CHECK(root.type_before == "");
  CHECK(root.type_after == "float64");
  CHECK(root.nulls_after == 55);  // 0 to 49, 50 and 60 to 90 by tens
  const SampledFeature& price = Feature(sample, "item_price", "price");
  CHECK(price.type_after == "");
  CHECK(price.nulls_before == 10);
  CHECK(price.changed == 0);
}

TEST_CASE("a source that cannot be read is named, and the rest of the plan is sampled",
          "[store][plan][sample]") {
  Shop shop;
  shop.folder().Write("prices.csv", "item_id,cost,at\n1,2,2025-01-01\n");
  std::string next = Replaced(kShop, "price * 2", "price * 3");
  next = Replaced(next, "pieces - 1", "pieces - 3");
  const PlanSample sample = shop.Sample(next);
  CHECK_THAT(Object(sample, "item_price").not_sampled, ContainsSubstring("price"));
  CHECK(Object(sample, "stock").not_sampled == "");
}

TEST_CASE("a plan that is out of date is not sampled", "[store][plan][sample]") {
  Shop shop;
  const auto plan = shop.store().Plan(shop.Parse(Replaced(kShop, "price * 2", "price * 3")));
  REQUIRE(plan.ok());
  shop.Apply(Replaced(kShop, "price * 2", "price * 4"));
  const auto sample = shop.store().SamplePlan(*plan);
  CHECK(larder::KindOf(sample.status()) == larder::ErrorKind::kConflict);
}

TEST_CASE("a plan says what a load would read", "[store][plan]") {
  Shop shop;
  const auto plan = shop.store().Plan(shop.Parse(Replaced(kShop, "price * 2", "price * 3")));
  REQUIRE(plan.ok());
  const std::uintmax_t bytes = std::filesystem::file_size(shop.folder().File("prices.csv"));
  CHECK_THAT(plan->ToText(), ContainsSubstring(larder::Concat(
                                 "larder materialize --view item_price@2, ", (bytes + 50) / 1000,
                                 ".", (bytes + 50) / 100 % 10, " kB, 100 rows at the last load")));
  CHECK_THAT(plan->ToJson(), ContainsSubstring(larder::Concat("\"bytes\": ", bytes)) &&
                                 ContainsSubstring("\"rows\": 100"));
}

}  // namespace
