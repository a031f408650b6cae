// Where a value comes from: the steps are those of the read, and end in the value that is served.
#include "larder/feature_store/explain.h"

#include <algorithm>

#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::ExplainRequest;
using larder::Explanation;
using larder::ExplanationStep;
using larder::FeatureStatusName;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::Timestamp;
using larder::Value;

using Kind = ExplanationStep::Kind;

Explanation Explain(StoreFixture& fixture, const ExplainRequest& request) {
  auto explained = fixture.store().Explain(request);
  INFO(explained.status().ToString());
  REQUIRE(explained.ok());
  return *std::move(explained);
}

ExplainRequest Ask(std::string feature, Row row, std::optional<Timestamp> as_of = std::nullopt) {
  ExplainRequest request;
  request.what.features = {std::move(feature)};
  request.row = std::move(row);
  request.as_of = as_of;
  return request;
}

// A line a step: `2 version v@1 {x=5} counts <- 1`.
std::string Shown(const Explanation& explanation) {
  std::string out;
  for (std::size_t i = 0; i < explanation.steps.size(); ++i) {
    const ExplanationStep& step = explanation.steps[i];
    out += Concat(i, " ", larder::StepKindName(step.kind), " ", step.name);
    if (step.kind == Kind::kVersion) {
      std::vector<std::string> held;
      for (const auto& [name, value] : step.details)
        held.push_back(Concat(name, "=", FormatValue(value)));
      out += Concat(" {", larder::Join(held, " "), "}");
    } else if (step.kind != Kind::kRow) {
      out += Concat(" ", FormatValue(step.value));
    }
    if (step.status) out += Concat(" ", FeatureStatusName(*step.status));
    if (!step.note.empty()) out += Concat(" (", step.note, ")");
    if (!step.inputs.empty()) {
      std::vector<std::string> inputs;
      for (const std::size_t input : step.inputs) inputs.push_back(Concat(input));
      out += Concat(" <- ", larder::Join(inputs, " "));
    }
    out += "\n";
  }
  return out;
}

// Every way of serving gives what is explained.
void CheckServed(StoreFixture& fixture, const Explanation& explanation,
                 const ExplainRequest& asked) {
  larder::OnlineRequest request;
  request.what = asked.what;
  request.rows = {asked.row};
  request.as_of = explanation.as_of;
  request.known_at = asked.known_at;
  const auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  const larder::FeatureValues* served = response->Find(explanation.feature);
  REQUIRE(served != nullptr);
  CHECK(served->values.ValueAt(0) == explanation.value);
  CHECK(served->statuses[0] == explanation.status);
  CHECK(response->receipt == explanation.receipt);
  REQUIRE(!explanation.steps.empty());
  CHECK(explanation.steps.back().value == explanation.value);
  for (std::size_t i = 0; i < explanation.steps.size(); ++i) {
    for (const std::size_t input : explanation.steps[i].inputs) CHECK(input < i);
  }
}

constexpr std::string_view kUsers = R"json({"project": "p",
 "entities": [{"name": "user", "join_keys": [{"name": "user", "type": "int64"}]},
              {"name": "town", "join_keys": [{"name": "town", "type": "string"}]}],
 "sources": [
  {"name": "live", "kind": "push", "event_time": "at", "operation": "op",
   "fields": [{"name": "user", "type": "int64"}, {"name": "town", "type": "string"}, {"name": "born", "type": "date"},
              {"name": "at", "type": "timestamp"}, {"name": "op", "type": "string"}]},
  {"name": "towns", "kind": "push", "event_time": "at",
   "fields": [{"name": "town", "type": "string"}, {"name": "people", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "profile", "entities": ["user"], "source": "live", "ttl": "30d",
   "features": [{"name": "town"}, {"name": "years", "expr": "years_between(born, current_date) + 1"},
                {"name": "big", "expr": "upper(town)"}]},
  {"name": "town_facts", "entities": ["town"], "source": "towns", "features": [{"name": "people", "default": 7}]}],
 "on_demand_views": [
  {"name": "calc", "request": [{"name": "x", "type": "float64"}], "inputs": {"age": "profile:years"},
   "features": [{"name": "per_year", "expr": "(request.x * 2) / age"}]}],
 "feature_services": [
  {"name": "s", "features": ["profile:town", "profile:years", "calc:per_year"]},
  {"name": "d", "missing": "default", "casts": {"people": "float32"},
   "features": [{"view": "town_facts", "join_keys": {"town": "profile:town"}, "features": ["people"]}]}]})json";

void PushUsers(StoreFixture& fixture) {
  const auto push = [&](int user, const char* town, const char* at, const char* op) {
    fixture.Push(
        "live",
        {{{"user", user}, {"town", town}, {"born", larder::Date{7000}}, {"at", At(at)}, {"op", op}}});
  };
  push(1, "Lyon", "2025-01-02T00:00:00Z", "insert");
  push(1, "Porto", "2025-01-05T00:00:00Z", "update");
  push(1, "Oslo", "2025-01-10T00:05:00Z", "update");
  push(2, "Bern", "2025-01-03T00:00:00Z", "insert");
  push(2, "", "2025-01-04T00:00:00Z", "delete");
  fixture.Push("towns", {{{"town", "Porto"}, {"people", 250}, {"at", At("2025-01-01T00:00:00Z")}}});
}

TEST_CASE("an explanation shows every version of a row and which of them counts",
          "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kUsers);
  PushUsers(fixture);
  const ExplainRequest request = Ask("profile:town", {{"user", 1}});
  const Explanation explanation = Explain(fixture, request);
  CHECK(Shown(explanation) ==
        "0 key user 1\n"
        "1 version profile@1 {town=Oslo} (after as_of)\n"
        "2 version profile@1 {town=Porto} (counts)\n"
        "3 version profile@1 {town=Lyon} (gave way)\n"
        "4 row row of profile@1 PRESENT <- 0 2\n"
        "5 feature profile@1:town Porto PRESENT <- 4\n");
  CheckServed(fixture, explanation, request);
  const ExplanationStep& row = explanation.steps[4];
  CHECK(row.event_time == At("2025-01-05T00:00:00Z"));
  CHECK(row.commit_seq == explanation.steps[2].commit_seq);
  CHECK(row.known_time == explanation.steps[2].known_time);
  CHECK(explanation.definition == "profile@1:town");
  CHECK(explanation.type == larder::TypeId::kString);
}

TEST_CASE("an explanation says why there is no row", "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kUsers);
  PushUsers(fixture);
  CHECK(Shown(Explain(fixture, Ask("profile:town", {{"user", 2}}))) ==
        "0 key user 2\n"
        "1 version profile@1 {} (a delete, counts)\n"
        "2 version profile@1 {town=Bern} (gave way)\n"
        "3 row row of profile@1 NOT_FOUND (no version gives a row) <- 0\n"
        "4 feature profile@1:town null NOT_FOUND <- 3\n");
  CHECK(Shown(Explain(fixture, Ask("profile:town", {{"user", 3}}))) ==
        "0 key user 3\n"
        "1 row row of profile@1 NOT_FOUND (nothing is stored for this key) <- 0\n"
        "2 feature profile@1:town null NOT_FOUND <- 1\n");
  CHECK(Shown(Explain(fixture, Ask("profile:town", {{"user", Value()}}))) ==
        "0 key user null\n"
        "1 row row of profile@1 NOT_FOUND (a join key is null) <- 0\n"
        "2 feature profile@1:town null NOT_FOUND <- 1\n");
  const Explanation old =
      Explain(fixture, Ask("profile:years", {{"user", 1}}, At("2025-03-10T00:00:00Z")));
  CHECK_THAT(Shown(old), ContainsSubstring("OUTSIDE_MAX_AGE (older than the ttl, 30d)") &&
                             ContainsSubstring("null, whatever the expression gives"));
}

TEST_CASE("an explanation follows expressions, keys from features, casts and defaults",
          "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kUsers);
  PushUsers(fixture);
  ExplainRequest request;
  request.what.service = "s";
  request.row = {{"user", 1}, {"x", 34.0}};
  request.feature = "per_year";
  Explanation explanation = Explain(fixture, request);
  CHECK(Shown(explanation) ==
        "0 request x 34\n"
        "1 key user 1\n"
        "2 version profile@1 {born=1989-03-02} (after as_of)\n"
        "3 version profile@1 {born=1989-03-02} (counts)\n"
        "4 version profile@1 {born=1989-03-02} (gave way)\n"
        "5 row row of profile@1 PRESENT <- 1 3\n"
        "6 column born 1989-03-02 PRESENT <- 5\n"
        "7 expression current_date 2025-01-10\n"
        "8 expression years_between(born, current_date) 35 <- 6 7\n"
        "9 expression years_between(born, current_date) + 1 36 <- 8\n"
        "10 feature profile@1:years 36 PRESENT <- 9\n"
        "11 expression request.x * 2 68 <- 0\n"
        "12 expression (request.x * 2) / age 1.8888888888888888 <- 10 11\n"
        "13 feature calc@1:per_year 1.8888888888888888 PRESENT <- 12\n");
  CheckServed(fixture, explanation, request);
  request.what.service = "d";
  request.feature = "town_facts:people";
  request.row = {{"user", 1}};
  explanation = Explain(fixture, request);
  CHECK(Shown(explanation) ==
        "0 key user 1\n"
        "1 version profile@1 {town=Oslo} (after as_of)\n"
        "2 version profile@1 {town=Porto} (counts)\n"
        "3 version profile@1 {town=Lyon} (gave way)\n"
        "4 row row of profile@1 PRESENT <- 0 2\n"
        "5 feature profile@1:town Porto PRESENT <- 4\n"
        "6 version town_facts@1 {people=250} (counts)\n"
        "7 row row of town_facts@1 PRESENT <- 5 6\n"
        "8 feature town_facts@1:people 250 PRESENT <- 7\n"
        "9 cast cast to float32 250 <- 8\n");
  CheckServed(fixture, explanation, request);
  request.row[0].second = Value(2);
  explanation = Explain(fixture, request);
  CHECK(Shown(explanation) ==
        "0 key user 2\n"
        "1 version profile@1 {} (a delete, counts)\n"
        "2 version profile@1 {town=Bern} (gave way)\n"
        "3 row row of profile@1 NOT_FOUND (no version gives a row) <- 0\n"
        "4 feature profile@1:town null NOT_FOUND <- 3\n"
        "5 row row of town_facts@1 NOT_FOUND (a join key is null) <- 4\n"
        "6 feature town_facts@1:people null NOT_FOUND <- 5\n"
        "7 cast cast to float32 null <- 6\n"
        "8 missing missing: default 7 <- 7\n");
  CheckServed(fixture, explanation, request);
  CHECK(explanation.value == Value(7.0F));
}

TEST_CASE("an explanation of many versions shows some and the one that counts",
          "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.Apply(kUsers);
  PushUsers(fixture);
  ExplainRequest request = Ask("profile:town", {{"user", 1}});
  request.items_max = 1;
  CHECK(Shown(Explain(fixture, request)) ==
        "0 key user 1\n"
        "1 version profile@1 {town=Oslo} (after as_of)\n"
        "2 version profile@1 {town=Porto} (counts)\n"
        "3 row row of profile@1 PRESENT (1 versions are not shown) <- 0 2\n"
        "4 feature profile@1:town Porto PRESENT <- 3\n");
}

}  // namespace
}  // namespace larder_test
