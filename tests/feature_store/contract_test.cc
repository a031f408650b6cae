#include "larder/feature_store/contract.h"

#include "feature_store/store_fixture.h"

namespace {

using larder::ServiceContract;
using larder_test::ContainsSubstring;
using larder_test::StoreFixture;

// As generate-header writes them.
struct Column {
  std::string_view name;
  std::string_view type;
};
struct Pricing {
  static constexpr std::string_view kProject = "shop";
  static constexpr std::string_view kService = "pricing@1";
  static constexpr std::string_view kSchemaHash = "0";
  static constexpr std::array<Column, 1> kOutputs = {{{"shown", "float64"}}};
  static constexpr std::array<Column, 1> kKeys = {{{"item_id", "int64"}}};
  static constexpr std::array<Column, 0> kRequest = {};
};

std::string Prices(std::string_view expr) {
  return larder::Concat(R"({"larder": 1, "project": "shop",
   "entities": [{"name": "item", "join_keys": [{"name": "item_id", "type": "int64"}]}],
   "sources": [{"name": "prices", "kind": "push", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "price", "type": "float64"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [{"name": "item_price", "entities": ["item"], "source": "prices",
     "features": [{"name": "shown", "expr": ")",
                        expr, R"("}]}],
   "feature_services": [{"name": "pricing", "features": ["item_price:shown"]}]})");
}

absl::Status Reopen(const StoreFixture& fixture, const ServiceContract& contract) {
  larder::StoreOptions options;
  options.contracts = {contract};
  return larder::FeatureStore::Open(fixture.folder().File("store"), options).status();
}

ServiceContract AnyVersion() {
  ServiceContract contract = larder::ContractOf<Pricing>();
  contract.service = "pricing";
  return contract;
}

TEST_CASE("a store opens for a program whose service is there, whatever else was applied since",
          "[store][contract]") {
  StoreFixture fixture;
  fixture.Apply(Prices("price"));
  CHECK(Reopen(fixture, larder::ContractOf<Pricing>()).ok());
  CHECK(Reopen(fixture, AnyVersion()).ok());
  fixture.Apply(Prices("cast(price as int64)"));
  CHECK(Reopen(fixture, larder::ContractOf<Pricing>()).ok());
  const auto plan = fixture.store().Bind(AnyVersion());
  INFO(plan.status());
  REQUIRE(plan.ok());
  CHECK(plan->service() == "pricing@1");
  fixture.Apply(Prices("price + 1"));
  CHECK(fixture.store().Bind(AnyVersion())->service() == "pricing@3");
  CHECK(fixture.store().Bind(larder::ContractOf<Pricing>())->service() == "pricing@1");
}

TEST_CASE("a store does not open for a program built for another service, and says what differs",
          "[store][contract]") {
  StoreFixture fixture;
  fixture.Apply(Prices("cast(price as int64)"));
  for (const ServiceContract& contract : {larder::ContractOf<Pricing>(), AnyVersion()}) {
    const absl::Status refused = Reopen(fixture, contract);
    CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
    CHECK_THAT(std::string(larder::MessageOf(refused)),
               ContainsSubstring("pricing@1 is not what this program was built for") &&
                   ContainsSubstring("- output shown: float64") &&
                   ContainsSubstring("+ output shown: int64"));
  }
  ServiceContract unknown = AnyVersion();
  unknown.service = "pricng";
  CHECK(Reopen(fixture, unknown).code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(larder::MessageOf(Reopen(fixture, unknown))),
             ContainsSubstring("did you mean \"pricing\"?"));
  ServiceContract later = larder::ContractOf<Pricing>();
  later.service = "pricing@2";
  CHECK_THAT(std::string(larder::MessageOf(Reopen(fixture, later))),
             ContainsSubstring("built for feature service pricing@2"));
}

}  // namespace
