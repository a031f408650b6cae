#include "larder/registry/feature_edits.h"

#include "registry/example.h"
#include "registry/store.h"

using Catch::Matchers::ContainsSubstring;
using larder::Feature;
using larder::NewFeature;
using larder_test::Find;
using larder_test::kFraudJson;
using larder_test::Store;

namespace {

Feature Named(const char* name, const char* expr = "") {
  Feature feature;
  feature.name = name;
  feature.expr = expr;
  return feature;
}

template <class T>
std::string Message(const absl::StatusOr<T>& result) {
  REQUIRE_FALSE(result.ok());
  return std::string(larder::MessageOf(result.status()));
}

}  // namespace

TEST_CASE("a feature is created from a source in one call", "[registry][edits]") {
  Store store;
  const std::string files =
      R"({"entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]},
                               {"name": "shop", "join_keys": [{"name": "shop_id", "type": "int64"}]}],
    "sources": [{"name": "user_data", "kind": "csv", "path": "u.csv", "event_time": "t", "fields": [
      {"name": "user_id", "type": "int64"}, {"name": "birth_date", "type": "date"}, {"name": "t", "type": "timestamp"}]}]})";
  store.Apply(files);
  NewFeature wanted;
  wanted.feature = Named("user_age", "age = current_date - birth_date");
  wanted.source = "user_data";
  const auto plan = larder::PlanCreateFeature(store.catalog, wanted, store.checker);
  INFO(plan.status());
  REQUIRE(plan.ok());
  store.Apply(*plan);
  const auto view = store.catalog.GetView("", "user_age");
  REQUIRE(view.ok());
  CHECK((*view)->definition.entities == std::vector<std::string>{"user"});
  CHECK((*view)->features[0].on_read);
  // It belongs to the API: files without it do not prune it.
  CHECK(Find(store.Plan(files, {.prune = true}), "user_age").change ==
        larder::ChangeKind::kUnmanaged);
  SECTION("once more is an error, a second feature is not") {
    CHECK(larder::PlanCreateFeature(store.catalog, wanted, store.checker).status().code() ==
          absl::StatusCode::kAlreadyExists);
    wanted.view = "user_age";
    wanted.feature = Named("birth_date");
    const auto second = larder::PlanCreateFeature(store.catalog, wanted, store.checker);
    REQUIRE(second.ok());
    store.Apply(*second);
    CHECK((*store.catalog.GetView("", "user_age"))->version == 2);
    CHECK((*store.catalog.GetView("", "user_age"))->features.size() == 2);
  }
  SECTION("an unknown view without a source") {
    wanted.source.clear();
    wanted.view = "user_ag";
    CHECK_THAT(Message(larder::PlanCreateFeature(store.catalog, wanted, store.checker)),
               ContainsSubstring("unknown view: user_ag (did you mean \"user_age\"?)"));
  }
  SECTION("update") {
    const auto update = larder::PlanUpdateFeature(
        store.catalog, "default", "user_age",
        Named("user_age", "years_between(birth_date, current_date)"), store.checker);
    REQUIRE(update.ok());
    store.Apply(*update);
    CHECK((*store.catalog.GetView("", "user_age"))->version == 2);
    CHECK_THAT(Message(larder::PlanUpdateFeature(store.catalog, "default", "user_age",
                                                 Named("user_ag"), store.checker)),
               ContainsSubstring("unknown feature: user_age:user_ag (did you mean \"user_age\"?)"));
  }
}

TEST_CASE("a derived view goes with the features it reads, and with no others",
          "[registry][edits]") {
  Store store;
  store.Apply(
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
    "sources": [{"name": "s", "kind": "push", "event_time": "t", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}, {"name": "d", "kind": "view", "view": "a"}],
    "feature_views": [
      {"name": "a", "entities": ["e"], "source": "s", "features": [{"name": "x"}, {"name": "twice", "expr": "x + x"},
                                                                   {"name": "more", "expr": "x + 1"}]},
      {"name": "copy", "entities": ["e"], "source": "d", "features": [{"name": "twice"}]},
      {"name": "worked_out", "entities": ["e"], "source": "d", "features": [{"name": "z", "expr": "more + x"}]},
      {"name": "counted", "entities": ["e"], "source": "d", "aggregates": [
        {"name": "n", "function": "sum", "input": "x", "window": "1d", "where": "twice > 3"}]}]})");
  const auto users = [&](const char* feature) {
    return Message(larder::PlanDeleteFeature(store.catalog, "p", "a", feature, store.checker));
  };
  CHECK(users("twice") ==
        "feature a:twice is still used by feature view copy, feature view counted");
  CHECK(users("more") == "feature a:more is still used by feature view worked_out");
  CHECK(users("x") == "feature a:x is still used by feature view worked_out, feature view counted");
}

TEST_CASE("deleting a feature says who still uses it, and with force takes them along",
          "[registry][edits]") {
  Store store;
  store.Apply(kFraudJson);
  const auto refuse = [&](const char* view, const char* feature) {
    const auto plan =
        larder::PlanDeleteFeature(store.catalog, "fraud", view, feature, store.checker);
    CHECK(plan.status().code() == absl::StatusCode::kFailedPrecondition);
    return Message(plan);
  };
  CHECK(refuse("card_profile", "limit") ==
        "feature card_profile:limit is still used by feature service fraud_model");
  CHECK_THAT(refuse("card_profile", "city"), ContainsSubstring("feature service fraud_model"));
  CHECK_THAT(refuse("card_fraud", "is_fraud"), ContainsSubstring("label fraud_in_7d"));
  CHECK_THAT(refuse("ratios", "vs_card"), ContainsSubstring("feature service fraud_model"));
  CHECK_THAT(Message(larder::PlanDeleteFeature(store.catalog, "fraud", "card_profile", "limt",
                                               store.checker)),
             ContainsSubstring("did you mean \"limit\"?"));
  SECTION("an unused one goes without force") {
    const auto plan = larder::PlanDeleteFeature(store.catalog, "fraud", "card_profile",
                                                "city_bucket", store.checker);
    INFO(plan.status());
    REQUIRE(plan.ok());
    store.Apply(*plan);
    CHECK((*store.catalog.GetView("", "card_profile"))->features.size() == 2);
    CHECK(store.catalog.GetView("", "card_profile@1").ok());
  }
  SECTION("force") {
    const std::pair<const char*, const char*> features[] = {{"card_profile", "city"},
                                                            {"card_profile", "limit"},
                                                            {"card_fraud", "is_fraud"},
                                                            {"ratios", "vs_card"}};
    for (const auto& [view, feature] : features) {
      INFO(view << ":" << feature);
      const auto plan = larder::PlanDeleteFeature(store.catalog, "fraud", view, feature,
                                                  store.checker, /*force=*/true);
      INFO(plan.status());
      REQUIRE(plan.ok());
      store.Apply(*plan);
    }
    CHECK_FALSE(store.catalog.GetView("", "card_fraud").ok());
    CHECK_FALSE(store.catalog.GetLabel("", "fraud_in_7d").ok());
    CHECK_FALSE(store.catalog.GetOnDemandView("", "ratios").ok());
    CHECK((*store.catalog.GetService("", "fraud_model"))->outputs.size() == 1);
    // And back again, all of it.
    const auto back = larder::PlanRollback(store.catalog, store.history, "fraud", 1, store.checker);
    REQUIRE(back.ok());
    store.Apply(*back);
    CHECK((*store.catalog.GetService("", "fraud_model"))->version == 1);
  }
}
