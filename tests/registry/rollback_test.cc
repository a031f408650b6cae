#include "larder/registry/rollback.h"

#include "registry/example.h"
#include "registry/store.h"

using Catch::Matchers::ContainsSubstring;
using larder::ApplyOptions;
using larder::HistoryKind;
using larder_test::Find;
using larder_test::kFraudJson;
using larder_test::Parsed;
using larder_test::Replaced;
using larder_test::Store;

namespace {

ApplyOptions Rollback() {
  ApplyOptions options;
  options.kind = HistoryKind::kRollback;
  return options;
}

}  // namespace

TEST_CASE("a rollback brings back the versions of that time as a new entry",
          "[registry][rollback]") {
  Store store;
  store.Apply(kFraudJson);                                                    // 1
  store.Apply(Replaced(kFraudJson, "365d", "30d"));                           // 2
  store.Apply(Replaced(kFraudJson, "lower(city), 1000", "lower(city), 99"));  // 3
  CHECK((*store.catalog.GetView("", "card_profile"))->version == 3);
  const auto plan = larder::PlanRollback(store.catalog, store.history, "fraud", 1, store.checker);
  INFO(plan.status());
  REQUIRE(plan.ok());
  CHECK(Find(*plan, "card_profile").change == larder::ChangeKind::kKnownVersion);
  store.checker.calls = 0;
  store.Apply(*plan, Rollback());
  CHECK(store.catalog.revision() == 4);
  CHECK((*store.catalog.GetView("", "card_profile"))->version == 1);
  CHECK((*store.catalog.GetService("", "fraud_model"))->version == 1);
  CHECK(store.Plan(kFraudJson).empty());
  CHECK(store.history.back().kind == HistoryKind::kRollback);
  // Later versions stay, and are found again by their meaning.
  CHECK(store.catalog.GetView("", "card_profile@3").ok());
  store.Apply(Replaced(kFraudJson, "365d", "30d"));
  CHECK((*store.catalog.GetView("", "card_profile"))->version == 2);
  store.Apply(Replaced(kFraudJson, "365d", "7d"));
  CHECK((*store.catalog.GetView("", "card_profile"))->version == 4);
}

TEST_CASE("rolled-back views are on hold until they are released", "[registry][rollback][hold]") {
  Store store;
  store.Apply(kFraudJson);
  store.Apply(Replaced(kFraudJson, "365d", "30d"));
  CHECK(larder::Holds(store.catalog).empty());
  const auto plan = larder::PlanRollback(store.catalog, store.history, "fraud", 1, store.checker);
  REQUIRE(plan.ok());
  store.Apply(*plan, Rollback());
  CHECK(larder::Holds(store.catalog) == std::vector<larder::Hold>{{"fraud", "card_profile", 3}});
  CHECK(larder::IsHeld(store.catalog, "fraud", "card_profile"));
  CHECK_FALSE(larder::IsHeld(store.catalog, "fraud", "card_spend"));
  const auto released = larder::ReleaseView(store.catalog, "fraud", "card_profile", {});
  REQUIRE(released.ok());
  store.Take(*released);
  CHECK(larder::Holds(store.catalog).empty());
  CHECK(store.history.back().kind == HistoryKind::kRelease);
  CHECK(store.history.back().number == 4);
  CHECK(store.catalog.revision() == 3);  // definitions did not change
  // Again is nothing; unknown views are told.
  CHECK(larder::ReleaseView(store.catalog, "fraud", "card_profile", {})->last_change().number == 4);
  CHECK(larder::HoldView(store.catalog, "fraud", "card_profil", {}).status().code() ==
        absl::StatusCode::kNotFound);
  const auto held = larder::HoldView(store.catalog, "fraud", "card_spend", {});
  REQUIRE(held.ok());
  store.Take(*held);
  CHECK(larder::IsHeld(store.catalog, "fraud", "card_spend"));
  // An apply after a hold gets the next number.
  store.Apply(Replaced(kFraudJson, "365d", "60d"));
  CHECK(store.catalog.revision() == 6);
  CHECK(larder::IsHeld(store.catalog, "fraud", "card_spend"));
}

TEST_CASE("one view goes back alone, or says why it cannot", "[registry][rollback]") {
  Store store;
  store.Apply(kFraudJson);
  const std::string both = Replaced(Replaced(kFraudJson, "365d", "30d"), R"("where": "amount > 0")",
                                    R"("where": "amount > 1")");
  store.Apply(both);
  const auto plan =
      larder::PlanRollback(store.catalog, store.history, "fraud", 1, store.checker, "card_profile");
  INFO(plan.status());
  REQUIRE(plan.ok());
  store.Apply(*plan, Rollback());
  CHECK((*store.catalog.GetView("", "card_profile"))->version == 1);
  CHECK((*store.catalog.GetView("", "card_spend"))->version == 2);
  CHECK((*store.catalog.GetService("", "fraud_model"))->version == 3);
  CHECK(larder::PlanRollback(store.catalog, store.history, "fraud", 1, store.checker, "card_profil")
            .status()
            .code() == absl::StatusCode::kNotFound);
  SECTION("its source has changed") {
    const std::string mapped = Replaced(both, R"("name": "limit", "type": "float64"})",
                                        R"("name": "limit", "type": "float64", "from": "lim"})");
    store.Apply(mapped);
    const auto refused = larder::PlanRollback(store.catalog, store.history, "fraud", 1,
                                              store.checker, "card_profile");
    CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
    CHECK_THAT(
        std::string(larder::MessageOf(refused.status())),
        ContainsSubstring(
            "card_profile cannot go back to @1 alone, because source profiles changed since"));
    CHECK(larder::PlanRollback(store.catalog, store.history, "fraud", 1, store.checker).ok());
  }
}

TEST_CASE("a rollback works for functions that are no longer there", "[registry][rollback]") {
  class Nothing : public larder::ExpressionChecker {
    absl::StatusOr<larder::CheckedExpression> Check(std::string_view,
                                                    std::span<const larder::Field>) const override {
      return larder::InvalidArgumentError("no such function");
    }
  };
  Store store;
  store.Apply(kFraudJson);
  store.Apply(Replaced(kFraudJson, "lower(city), 1000", "lower(city), 99"));
  const auto plan = larder::PlanRollback(store.catalog, store.history, "fraud", 1, Nothing());
  INFO(plan.status());
  REQUIRE(plan.ok());
  CHECK(Find(*plan, "card_profile").version_after == 1);
}

TEST_CASE("the registry can be described at every entry", "[registry][rollback]") {
  Store store;
  std::vector<std::string> texts = {
      kFraudJson, Replaced(kFraudJson, "365d", "30d"),
      Replaced(kFraudJson, "Payment card", "A card"),
      Replaced(kFraudJson, R"("project": "fraud",)", R"("project": "fraud", "owner": "me",)")};
  for (const std::string& text : texts) store.Apply(text);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto then = larder::DefinitionsAt(store.catalog, store.history, "fraud", i + 1);
    INFO(then.status());
    REQUIRE(then.ok());
    Store other;
    other.Apply(texts[i]);
    CHECK(other.Plan(*then).empty());
    CHECK(then->metadata == Parsed(texts[i]).metadata);
  }
  const auto before = larder::DefinitionsAt(store.catalog, store.history, "fraud", 0);
  REQUIRE(before.ok());
  CHECK(before->feature_views.empty());
  // A hole in the history is noticed.
  std::vector<larder::HistoryEntry> holed = store.history;
  holed.erase(holed.begin() + 1);
  CHECK(larder::DefinitionsAt(store.catalog, holed, "fraud", 0).status().code() ==
        absl::StatusCode::kDataLoss);
}

TEST_CASE("two moments compare both ways", "[registry][rollback]") {
  Store store;
  store.Apply(kFraudJson);
  store.Apply(Replaced(kFraudJson, "365d", "30d"));
  const auto forth = larder::DiffRevisions(store.catalog, store.history, "fraud", 1, 2);
  REQUIRE(forth.ok());
  CHECK(forth->changes.size() == 2);
  CHECK(Find(*forth, "card_profile").change == larder::ChangeKind::kNewVersion);
  CHECK(Find(*forth, "card_profile").diffs[0].before == "\"365d\"");
  CHECK_THAT(forth->ToText(), ContainsSubstring("card_profile@1 -> @2"));
  const auto back = larder::DiffRevisions(store.catalog, store.history, "fraud", 2, 1);
  REQUIRE(back.ok());
  CHECK(Find(*back, "card_profile").change == larder::ChangeKind::kKnownVersion);
  CHECK(Find(*back, "card_profile").diffs[0].after == "\"365d\"");
  const auto all = larder::DiffRevisions(store.catalog, store.history, "fraud", 0, 2);
  REQUIRE(all.ok());
  CHECK(Find(*all, "card_profile").change == larder::ChangeKind::kAdded);
  CHECK(larder::DiffRevisions(store.catalog, store.history, "fraud", 2, 2)->changes.empty());
}
