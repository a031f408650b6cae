#include "larder/registry/lineage.h"

#include "registry/example.h"
#include "registry/store.h"

using Catch::Matchers::ContainsSubstring;
using larder_test::kFraudJson;
using larder_test::Store;

TEST_CASE("lineage goes from sources to services and back", "[registry][lineage]") {
  Store store;
  store.Apply(kFraudJson);
  const auto text = [&](const char* name) {
    const auto lineage = larder::LineageOf(store.catalog, "fraud", name);
    INFO(lineage.status());
    REQUIRE(lineage.ok());
    return lineage->ToText();
  };
  CHECK(text("card_spend:mean_amount_30d") ==
        "feature card_spend@1:mean_amount_30d\n"
        "made from\n"
        "  feature view card_spend@1\n"
        "    entity card\n"
        "    source transactions_live\n"
        "      source transactions\n"
        "read by\n"
        "  on-demand view ratios@1\n"
        "    feature ratios@1:vs_card\n"
        "      feature service fraud_model@1\n");
  CHECK_THAT(text("fraud_model"), ContainsSubstring("read by\n  nothing") &&
                                      ContainsSubstring("source cities") &&
                                      ContainsSubstring("feature card_profile@1:city\n"));
  CHECK_THAT(text("transactions"), ContainsSubstring("label fraud_in_7d") &&
                                       ContainsSubstring("feature service fraud_model@1"));
  CHECK_THAT(text("source cities"), ContainsSubstring("feature city_facts@1:population"));
  CHECK_THAT(text("city"), ContainsSubstring("feature view city_facts@1"));
  const auto lineage = larder::LineageOf(store.catalog, "fraud", "fraud_in_7d");
  REQUIRE(lineage.ok());
  CHECK_THAT(lineage->ToJson(), ContainsSubstring("\"node\": \"label fraud_in_7d\"") &&
                                    ContainsSubstring("\"edges\""));
  const auto unknown = larder::LineageOf(store.catalog, "fraud", "card_spnd");
  CHECK_THAT(std::string(larder::MessageOf(unknown.status())),
             ContainsSubstring("did you mean \"card_spend\"?"));
}

TEST_CASE("lineage of a derived view goes through its base", "[registry][lineage]") {
  Store store;
  store.Apply(
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
    "sources": [{"name": "s", "kind": "push", "event_time": "t", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}, {"name": "d", "kind": "view", "view": "a"}],
    "feature_views": [{"name": "a", "entities": ["e"], "source": "s", "features": [{"name": "x"}]},
                      {"name": "b", "entities": ["e"], "source": "d", "features": [{"name": "y", "expr": "x + 1"}]}]})");
  const auto lineage = larder::LineageOf(store.catalog, "p", "b:y");
  REQUIRE(lineage.ok());
  CHECK(lineage->ToText() ==
        "feature b@1:y\n"
        "made from\n"
        "  feature view b@1\n"
        "    entity e\n"
        "    source d\n"
        "      feature view a@1\n"
        "        entity e (above)\n"
        "        source s\n"
        "read by\n"
        "  nothing\n");
}

TEST_CASE("search finds by name, tag, owner, type, entity and kind", "[registry][search]") {
  Store store;
  store.Apply(kFraudJson);
  const auto found = [&](const larder::SearchQuery& query) {
    std::vector<std::string> names;
    for (const auto& hit : larder::Search(store.catalog, query))
      names.push_back(hit.object.ToString());
    return names;
  };
  larder::SearchQuery query;
  query.text = "CITY";
  CHECK(found(query) == std::vector<std::string>{"entity city", "feature card_profile@1:city",
                                                 "feature card_profile@1:city_bucket",
                                                 "feature view city_facts@1"});
  query = {};
  query.owner = "risk";
  CHECK(found(query) == std::vector<std::string>{"entity card"});
  query = {};
  query.tag = "tier=1";
  CHECK(found(query).size() == 1);
  query.tag = "tier=2";
  CHECK(found(query).empty());
  query = {};
  query.type = larder::DataType(larder::TypeId::kBool);
  CHECK(found(query) == std::vector<std::string>{"feature card_fraud@1:is_fraud"});
  query = {};
  query.entity = "city";
  CHECK(found(query) == std::vector<std::string>{"entity city", "feature view city_facts@1",
                                                 "feature city_facts@1:population"});
  query = {};
  query.kind = larder::ObjectKind::kLabel;
  CHECK(found(query) == std::vector<std::string>{"label fraud_in_7d"});
  query.project = "other";
  CHECK(found(query).empty());
}
