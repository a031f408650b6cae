// FeatureStore::SampleKeys: requests made of what is stored.
#include <set>

#include "feature_store/store_fixture.h"

namespace {

using larder_test::ContainsSubstring;
using larder_test::StoreFixture;

constexpr char kDefinitions[] = R"({"larder": 1, "project": "shop",
  "entities": [{"name": "house", "join_keys": [{"name": "house_id", "type": "int64"}]},
               {"name": "product", "join_keys": [{"name": "product_id", "type": "string"}]}],
  "sources": [
    {"name": "houses", "kind": "push", "event_time": "at",
     "fields": [{"name": "house_id", "type": "int64"}, {"name": "spent", "type": "float64"},
                {"name": "at", "type": "timestamp"}]},
    {"name": "bought", "kind": "push", "event_time": "at",
     "fields": [{"name": "house_id", "type": "int64"}, {"name": "product_id", "type": "string"},
                {"name": "pieces", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
    {"name": "prices", "kind": "push", "event_time": "at",
     "fields": [{"name": "product_id", "type": "string"}, {"name": "price", "type": "float64"},
                {"name": "at", "type": "timestamp"}]}],
  "feature_views": [
    {"name": "house", "entities": ["house"], "source": "houses", "features": [{"name": "spent"}]},
    {"name": "house_product", "entities": ["house", "product"], "source": "bought",
     "features": [{"name": "pieces"}]},
    {"name": "product", "entities": ["product"], "source": "prices",
     "features": [{"name": "price"}]}],
  "feature_services": [
    {"name": "both", "features": ["house:spent", "product:price", "house_product:pieces"]},
    {"name": "apart", "features": ["house:spent", "product:price"]}]})";

constexpr int kHouses = 6;
constexpr int kProducts = 10;

std::string ProductOf(int house) { return larder::Concat("p", house * 3 % kProducts); }

class Shop : public StoreFixture {
 public:
  Shop() {
    Apply(kDefinitions);
    const larder::Timestamp at = larder_test::At("2025-01-02");
    std::vector<larder::Row> houses, products, pairs;
    for (int i = 0; i < kHouses; ++i) {
      houses.push_back({{"house_id", i}, {"spent", 1.0}, {"at", at}});
      pairs.push_back({{"house_id", i}, {"product_id", ProductOf(i)}, {"pieces", i}, {"at", at}});
    }
    for (int i = 0; i < kProducts; ++i)
      products.push_back({{"product_id", larder::Concat("p", i)}, {"price", 2.0}, {"at", at}});
    Push("houses", houses);
    Push("prices", products);
    Push("bought", pairs);
  }

  larder::Batch Sample(std::string_view service, std::size_t count) {
    const auto plan = store().Bind(service);
    REQUIRE(plan.ok());
    auto keys = store().SampleKeys(*plan, count);
    INFO(keys.status().ToString());
    REQUIRE(keys.ok());
    return *std::move(keys);
  }
};

TEST_CASE("sampled keys keep together what one view stores together", "[feature_store]") {
  Shop shop;
  const larder::Batch keys = shop.Sample("both", 100);
  REQUIRE(keys.row_count() == kHouses);
  std::set<int64_t> houses;
  for (std::size_t i = 0; i < keys.row_count(); ++i) {
    const int64_t house = keys.Find("house_id")->Values<int64_t>()[i];
    houses.insert(house);
    CHECK(keys.Find("product_id")->Text(i) == ProductOf(static_cast<int>(house)));
  }
  CHECK(houses.size() == kHouses);
}

TEST_CASE("sampled keys of independent entities are paired until the longer list ends",
          "[feature_store]") {
  Shop shop;
  const larder::Batch keys = shop.Sample("apart", 100);
  REQUIRE(keys.row_count() == kProducts);
  std::set<std::string_view> products;
  std::set<int64_t> houses;
  for (std::size_t i = 0; i < keys.row_count(); ++i) {
    products.insert(keys.Find("product_id")->Text(i));
    houses.insert(keys.Find("house_id")->Values<int64_t>()[i]);
  }
  CHECK(products.size() == kProducts);
  CHECK(houses.size() == kHouses);
}

TEST_CASE("the same stored keys give the same sample, and a smaller one is its beginning",
          "[feature_store]") {
  Shop shop;
  const larder::Batch all = shop.Sample("both", 100);
  const larder::Batch three = shop.Sample("both", 3);
  REQUIRE(three.row_count() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(three.RowAt(i) == all.RowAt(i));
}

TEST_CASE("a service of a view without rows has no keys to sample, and the message names the key",
          "[feature_store]") {
  StoreFixture fixture;
  fixture.Apply(kDefinitions);
  fixture.Push("houses", {{{"house_id", 1}, {"spent", 1.0}, {"at", larder_test::At("2025-01-02")}}});
  fixture.Push("prices", {});
  const auto plan = fixture.store().Bind("apart");
  if (!plan.ok()) {
    CHECK_THAT(std::string(plan.status().message()), ContainsSubstring("product"));
    return;
  }
  const auto keys = fixture.store().SampleKeys(*plan, 10);
  CHECK(keys.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(keys.status().message()),
             ContainsSubstring("no values of key product_id are stored"));
}

}  // namespace
