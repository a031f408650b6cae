#include "larder/registry/generate_header.h"

#include "registry/example.h"
#include "registry/store.h"

using larder::SchemaColumn;
using larder_test::Store;

TEST_CASE("a generated header has every column with its type and the schema's hash",
          "[registry][header]") {
  Store store;
  store.Apply(larder_test::kFraudJson);
  const auto service = store.catalog.GetService("fraud", "fraud_model");
  REQUIRE(service.ok());
  const std::string header = larder::GenerateHeader(**service, "models");
  INFO(header);
  for (const char* part :
       {"namespace models {", "struct FraudModel {", "kService = \"fraud_model@1\"",
        "std::optional<double> sum_amount_1h;", "std::optional<std::int64_t> population;",
        "std::uint64_t cc_num{};", "std::optional<double> amount;", "{\"vs_card\", \"float64\"}"}) {
    CHECK_THAT(header, Catch::Matchers::ContainsSubstring(part));
  }
  CHECK_THAT(header, Catch::Matchers::ContainsSubstring(ToHex((*service)->schema_hash())));
  const auto by_schema = store.catalog.GetServiceBySchema("fraud", (*service)->schema_hash());
  REQUIRE(by_schema.ok());
  CHECK((*by_schema)->id == (*service)->id);
}

TEST_CASE("a service that changed is told field by field", "[registry][header]") {
  Store store;
  store.Apply(larder_test::kFraudJson);
  const auto service = store.catalog.GetService("fraud", "fraud_model");
  REQUIRE(service.ok());
  const SchemaColumn same[] = {{"sum_amount_1h", "float64"},
                               {"vs_card", "float64"},
                               {"limit", "float64"},
                               {"population", "int64"}};
  const SchemaColumn keys[] = {{"cc_num", "uint64"}};
  const SchemaColumn request[] = {{"amount", "float64"}};
  CHECK(larder::CheckSchema(**service, same, keys, request).ok());
  const SchemaColumn other[] = {
      {"sum_amount_1h", "float64"}, {"vs_card", "float32"}, {"limit", "float64"}};
  const auto status = larder::CheckSchema(**service, other, keys, {});
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  const std::string message(larder::MessageOf(status));
  CHECK_THAT(message, Catch::Matchers::ContainsSubstring("- output vs_card: float32") &&
                          Catch::Matchers::ContainsSubstring("+ output vs_card: float64") &&
                          Catch::Matchers::ContainsSubstring("+ output population: int64") &&
                          Catch::Matchers::ContainsSubstring("+ request field amount: float64"));
  const SchemaColumn moved[] = {{"vs_card", "float64"},
                                {"sum_amount_1h", "float64"},
                                {"limit", "float64"},
                                {"population", "int64"}};
  CHECK_THAT(std::string(larder::MessageOf(larder::CheckSchema(**service, moved, keys, request))),
             Catch::Matchers::ContainsSubstring("another order"));
}

TEST_CASE("names that C++ keeps for itself get a trailing underscore", "[registry][header]") {
  larder::ServiceVersion service;
  service.project = "p";
  service.name = "class";
  service.version = 1;
  for (const char* name : {"double", "a__b", "Keys", "when"}) {
    larder::ServiceOutput output;
    output.name = name;
    output.type = larder::TypeId::kTimestamp;
    service.outputs.push_back(output);
  }
  const std::string header = larder::GenerateHeader(service);
  for (const char* part : {"struct Class {", " double_;", " a_b;", " Keys_;",
                           " when;  // microseconds since 1970-01-01T00:00:00Z"}) {
    CHECK_THAT(header, Catch::Matchers::ContainsSubstring(part));
  }
}
