// Section I: registry, plan, versions. I9 and I15 have no counterpart, nor have I18 and I19: the registry is in the store,
// read in the same snapshot as the rows.
#include "feature_store/store_fixture.h"

namespace {

using larder::Change;
using larder::ChangeKind;
using larder::ChangePlan;
using larder_test::ContainsSubstring;
using larder_test::StoreFixture;

// Where tests put their changes.
struct Text {
  std::string project = "p";
  std::string join_key = "int64";
  std::string description = "original";
  std::string tags = R"({"team": "a"})";
  std::string owner = "ann";
  std::string path = "s.csv";
  std::string ttl = "1d";
  std::string features = R"({"name": "x"})";
  std::string source = "s";
  std::string expr = "v + 1";
  std::string service = "v:x";
  std::string more_views;

  [[nodiscard]] std::string ToJson() const {
    return larder::Concat(
        R"({"project": ")", project, R"(",
      "entities": [{"name": "e", "join_keys": [{"name": "k", "type": ")",
        join_key, R"("}]}],
      "sources": [{"name": "s", "kind": "csv", "path": ")",
        path, R"(", "event_time": "t", "fields": [
        {"name": "k", "type": ")",
        join_key, R"("}, {"name": "x", "type": "int64"}, {"name": "y", "type": "int64"},
        {"name": "t", "type": "timestamp"}]}, {"name": "live", "kind": "push", "batch_source": "s"}],
      "feature_views": [{"name": "v", "entities": ["e"], "source": ")",
        source, R"(", "ttl": ")", ttl, R"(", "description": ")", description, R"(", "owner": ")",
        owner, R"(", "tags": )", tags, R"(, "features": [)", features, "]}", more_views, R"(],
      "on_demand_views": [{"name": "o", "inputs": {"v": "v:x"}, "features": [{"name": "z", "expr": ")",
        expr, R"("}]}],
      "feature_services": [{"name": "f", "features": [")",
        service, R"("]}]})");
  }
};

ChangePlan Plan(StoreFixture& fixture, const Text& text, const larder::PlanOptions& options = {}) {
  auto plan = fixture.store().Plan(fixture.Parse(text.ToJson()), options);
  INFO(plan.status());
  REQUIRE(plan.ok());
  return *std::move(plan);
}

const Change& Of(const ChangePlan& plan, std::string_view name, larder::ObjectKind kind) {
  for (const Change& change : plan.changes) {
    if (change.name == name && change.kind == kind) return change;
  }
  FAIL("no change of " << std::string(name));
  return plan.changes.front();
}
const Change& OfView(const ChangePlan& plan) {
  return Of(plan, "v", larder::ObjectKind::kFeatureView);
}

std::vector<std::string> Versions(StoreFixture& fixture) {
  const auto catalog = fixture.store().GetCatalog();
  REQUIRE(catalog.ok());
  std::vector<std::string> names;
  for (const auto* view : catalog->Views("p", /*all_versions=*/true))
    names.push_back(view->ToString());
  return names;
}

TEST_CASE("the first apply makes version 1, a feature more version 2, and the same again nothing",
          "[conformance][I1][I2][I16]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1"});
  text.features += R"(, {"name": "y"})";
  const uint64_t made = fixture.Apply(text.ToJson()).revision;
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1", "v@2"});
  const auto again = fixture.Apply(text.ToJson());
  CHECK_FALSE(again.changed);
  CHECK(again.revision == made);
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1", "v@2"});
  CHECK(fixture.store().History()->size() == 2);
}

TEST_CASE(
    "description, tags, owner and path change in place, while ttl, keys and expressions make "
    "versions",
    "[conformance][I3][I4][I22]") {
  const auto kind_after = [](auto change) {
    StoreFixture fixture;
    Text text;
    fixture.Apply(text.ToJson());
    change(text);
    const ChangePlan plan = Plan(fixture, text);
    CHECK_FALSE(plan.empty());
    fixture.Apply(text.ToJson());
    CHECK(Plan(fixture, text).empty());  // it was kept
    return OfView(plan).change;
  };
  CHECK(kind_after([](Text& t) { t.description = "another"; }) == ChangeKind::kMetadata);
  CHECK(kind_after([](Text& t) { t.tags = R"({"team": "b"})"; }) == ChangeKind::kMetadata);
  CHECK(kind_after([](Text& t) { t.owner = "bob"; }) == ChangeKind::kMetadata);
  CHECK(kind_after([](Text& t) { t.path = "other.csv"; }) == ChangeKind::kUnchanged);
  CHECK(kind_after([](Text& t) { t.ttl = "2d"; }) == ChangeKind::kNewVersion);
  CHECK(kind_after([](Text& t) { t.ttl = "0s"; }) == ChangeKind::kNewVersion);
  CHECK(kind_after([](Text& t) { t.join_key = "string"; }) == ChangeKind::kNewVersion);
  CHECK(kind_after([](Text& t) { t.features = R"({"name": "x", "expr": "x + y"})"; }) ==
        ChangeKind::kNewVersion);
}

TEST_CASE("an older version keeps its definition, and one that never was is not found",
          "[conformance][I5][I7][I10][I21]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  text.description = "updated";
  text.features += R"(, {"name": "y"})";
  fixture.Apply(text.ToJson());
  const auto catalog = fixture.store().GetCatalog();
  CHECK((*catalog->GetView("p", "v@1"))->definition.metadata.description == "original");
  CHECK((*catalog->GetView("p", "v"))->definition.metadata.description == "updated");
  const auto missing = catalog->GetView("p", "v@5");
  CHECK(missing.status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(larder::MessageOf(missing.status())), ContainsSubstring("v@1, v@2"));
  text.service = "v@5:x";
  const auto refused = fixture.store().Plan(fixture.Parse(text.ToJson()));
  CHECK_THAT(std::string(larder::MessageOf(refused.status())),
             ContainsSubstring("v has no version 5; there are @1, @2"));
  CHECK(fixture.store().DeleteFeature("w", "x").status().code() == absl::StatusCode::kNotFound);
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1", "v@2"});
}

TEST_CASE("a service that names version 1 reads it while version 2 is current",
          "[conformance][I5][I6]") {
  StoreFixture fixture;
  Text text;
  text.service = "v@1:x";
  fixture.Apply(text.ToJson());
  text.features = R"({"name": "x", "expr": "x + y"})";
  const ChangePlan plan = Plan(fixture, text);
  CHECK(OfView(plan).change == ChangeKind::kNewVersion);
  CHECK(Of(plan, "f", larder::ObjectKind::kFeatureService).change == ChangeKind::kUnchanged);
  fixture.Apply(text.ToJson());
  const auto catalog = fixture.store().GetCatalog();
  const larder::ServiceVersion* service = *catalog->GetService("p", "f");
  CHECK(service->ToString() == "f@1");
  CHECK(catalog->FindView(service->views[0].view_id)->ToString() == "v@1");
}

TEST_CASE("a staged version is there, moves no name, and a plain apply takes it up",
          "[conformance][I8]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  text.features += R"(, {"name": "y"})";
  larder::PlanOptions stage;
  stage.stage = true;
  REQUIRE(fixture.store().Apply(fixture.Parse(text.ToJson()), stage)->changed);
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1", "v@2"});
  CHECK((*fixture.store().GetCatalog()->GetView("p", "v"))->version == 1);
  CHECK_FALSE(fixture.store().Apply(fixture.Parse(text.ToJson()), stage)->changed);
  CHECK(OfView(Plan(fixture, text)).change == ChangeKind::kKnownVersion);
  fixture.Apply(text.ToJson());
  CHECK((*fixture.store().GetCatalog()->GetView("p", "v"))->version == 2);
}

TEST_CASE("a plan tells unchanged, changed, added and removed objects apart",
          "[conformance][I11]") {
  StoreFixture fixture;
  const auto view = [](std::string_view name, std::string_view tag) {
    return larder::Concat(
        R"(, {"name": ")", name,
        R"(", "entities": ["e"], "source": "s", "features": [{"name": "y"}], "tags": {"t": ")", tag,
        "\"}}");
  };
  Text text;
  text.more_views = view("same", "1") + view("tagged", "before") + view("gone", "1");
  fixture.Apply(text.ToJson());
  text.more_views = view("same", "1") + view("tagged", "after") + view("fresh", "1");
  larder::PlanOptions prune;
  prune.prune = true;
  const ChangePlan plan = Plan(fixture, text, prune);
  const auto kind = [&](std::string_view name) {
    return Of(plan, name, larder::ObjectKind::kFeatureView).change;
  };
  CHECK(kind("same") == ChangeKind::kUnchanged);
  CHECK(kind("tagged") == ChangeKind::kMetadata);
  CHECK(kind("fresh") == ChangeKind::kAdded);
  CHECK(kind("gone") == ChangeKind::kRemoved);
}

TEST_CASE("a difference is one line with both sides, and what is equal has none",
          "[conformance][I12][I13][I14]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  CHECK(OfView(Plan(fixture, text)).diffs.empty());
  Text tagged = text;
  tagged.tags = R"({"team": "b"})";
  const ChangePlan tags = Plan(fixture, tagged);
  REQUIRE(OfView(tags).diffs.size() == 1);
  CHECK(OfView(tags).diffs[0].path == "tags/team");
  CHECK(OfView(tags).diffs[0].before == "\"a\"");
  CHECK(OfView(tags).diffs[0].after == "\"b\"");
  Text pushed = text;
  pushed.source = "live";
  const ChangePlan source = Plan(fixture, pushed);
  REQUIRE(OfView(source).diffs.size() == 1);
  CHECK(OfView(source).diffs[0].path == "source");
  Text computed = text;
  computed.expr = "v + 2";
  const ChangePlan program = Plan(fixture, computed);
  const Change& on_demand = Of(program, "o", larder::ObjectKind::kOnDemandView);
  REQUIRE(on_demand.diffs.size() == 1);
  CHECK(on_demand.diffs[0].before == "\"v + 1\"");
  CHECK(on_demand.diffs[0].after == "\"v + 2\"");
}

TEST_CASE("two projects may use one name, and removing it in one leaves the other alone",
          "[conformance][I17]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  text.project = "q";
  fixture.Apply(text.ToJson());
  larder::PlanOptions prune;
  prune.prune = true;
  REQUIRE(fixture.store().Apply(fixture.Parse(R"({"project": "p"})"), prune)->changed);
  const auto catalog = fixture.store().GetCatalog();
  CHECK(catalog->Sources("p").empty());
  CHECK(catalog->GetSource("q", "s").ok());
  CHECK(catalog->GetView("q", "v").ok());
  CHECK_FALSE(catalog->GetView("p", "v").ok());
}

TEST_CASE("a plan is seen by nobody until it is applied", "[conformance][I20]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  text.features += R"(, {"name": "y"})";
  const ChangePlan plan = Plan(fixture, text);
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1"});
  CHECK(fixture.store().History()->size() == 1);
  REQUIRE(fixture.store().Apply(plan)->changed);
  CHECK(Versions(fixture) == std::vector<std::string>{"v@1", "v@2"});
}

TEST_CASE("an on-demand view cannot take a view's name", "[conformance][I23]") {
  StoreFixture fixture;
  Text text;
  fixture.Apply(text.ToJson());
  std::string json = text.ToJson();
  json.replace(json.find(R"({"name": "o")"), 12, R"({"name": "V")");
  const auto refused = fixture.store().Plan(fixture.Parse(json));
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())),
             ContainsSubstring("on_demand_views/0"));
}

}  // namespace
