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

ServiceContract Loaded(StoreFixture& fixture, bool any_version) {
  const auto catalog = fixture.store().GetCatalog();
  REQUIRE(catalog.ok());
  const auto service = catalog->GetService("shop", "pricing");
  REQUIRE(service.ok());
  larder::ServiceTerms terms = TermsOf(*catalog, **service);
  if (any_version) terms.service = "pricing";
  fixture.folder().Write("pricing.contract.json", ToJson(terms));
  auto contract = larder::LoadContract(fixture.folder().File("pricing.contract.json"));
  INFO(contract.status());
  REQUIRE(contract.ok());
  return *std::move(contract);
}

TEST_CASE("a contract file opens and binds the version it was written for", "[store][contract]") {
  StoreFixture fixture;
  fixture.Apply(Prices("price"));
  const ServiceContract exact = Loaded(fixture, false);
  const ServiceContract any = Loaded(fixture, true);
  fixture.Apply(Prices("price + 1"));
  fixture.Push("prices", {{{"item_id", 1}, {"price", 2.0}, {"at", larder_test::At("2025-01-02")}}});
  for (const ServiceContract& contract : {exact, any}) {
    CHECK(Reopen(fixture, contract).ok());
    const auto plan = fixture.store().Bind(contract);
    INFO(plan.status());
    REQUIRE(plan.ok());
    CHECK(plan->service() == "pricing@1");
  }
}

TEST_CASE("a contract file is not kept by a service of the same columns and another meaning",
          "[store][contract]") {
  StoreFixture fixture;
  fixture.Apply(Prices("price"));
  const ServiceContract contract = Loaded(fixture, false);
  StoreFixture other;
  other.Apply(Prices("price * 1.1"));
  const absl::Status refused = Reopen(other, contract);
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(larder::MessageOf(refused)), ContainsSubstring("+ meaning: "));
  // A header holds names and types alone.
  CHECK(Reopen(other, larder::ContractOf<Pricing>()).ok());
}

TEST_CASE("a contract file that is not there or not one is an error naming it",
          "[store][contract]") {
  StoreFixture fixture;
  const std::string path = fixture.folder().File("none.json");
  CHECK(larder::LoadContract(path).status().code() == absl::StatusCode::kNotFound);
  fixture.folder().Write("none.json", "{}");
  CHECK_THAT(std::string(larder::MessageOf(larder::LoadContract(path).status())),
             ContainsSubstring("none.json"));
}

}  // namespace
