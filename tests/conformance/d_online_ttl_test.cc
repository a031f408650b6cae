// Section D of the conformance cases: how old a value may be. Every row is asked online, through a tensor and in a join.
#include "conformance/case_table.h"
#include "conformance/scenario.h"

namespace {

using larder_test::At;
using larder_test::Scenario;
using larder_test::ShownWithTime;
using larder_test::StoreFixture;

constexpr const char* kAge = "1,5,2025-01-01T10:00:00Z";

const Scenario kTtlCases[] = {
    {.name = "a value older than its ttl is outside its max age and null",
     .tags = "[conformance][D1]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T12:00:00Z", "null OUTSIDE_MAX_AGE 2025-01-01T10:00:00Z"}},
     .view = R"("ttl": "1h")"},
    {.name = "a value of this very instant is present",
     .tags = "[conformance][D2]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T10:00:00Z", "5 PRESENT 2025-01-01T10:00:00Z"}},
     .view = R"("ttl": "1h")"},
    {.name = "a ttl of 0 keeps a value of last year",
     .tags = "[conformance][D3]",
     .rows = {kAge},
     .asks = {{"1", "2026-01-01T10:00:00Z", "5 PRESENT"}},
     .view = R"("ttl": "0")"},
    {.name = "no ttl keeps a value of last year",
     .tags = "[conformance][D3]",
     .rows = {kAge},
     .asks = {{"1", "2026-01-01T10:00:00Z", "5 PRESENT"}}},
    {.name = "a value exactly as old as its ttl is present",
     .tags = "[conformance][D5]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T11:00:00Z", "5 PRESENT"}},
     .view = R"("ttl": "1h")"},
    {.name = "a value one microsecond older than its ttl is outside its max age",
     .tags = "[conformance][D5]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T11:00:00.000001Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "1h")"},
    {.name = "a value of 17 minutes under a ttl of one second is outside its max age",
     .tags = "[conformance][D6]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T10:17:00Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "1s")"},
    {.name = "a fresh key is present and an unknown one not found under one ttl",
     .tags = "[conformance][D7]",
     .rows = {"1005,0.5,2025-01-01T10:00:00Z"},
     .asks = {{"1005", "2025-01-01T10:30:00Z", "0.5 PRESENT"},
              {"-1", "2025-01-01T10:30:00Z", "null NOT_FOUND"}},
     .view = R"("ttl": "1h")"},
    {.name = "a row of the future is invisible until its time",
     .tags = "[conformance][D8]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T09:59:59.999999Z", "null NOT_FOUND"},
              {"1", "2025-01-01T10:00:00Z", "5 PRESENT"}}},
    {.name = "a row of the future does not hide the one before it",
     .tags = "[conformance][D8]",
     .rows = {kAge, "1,6,2025-01-01T11:00:00Z"},
     .asks = {{"1", "2025-01-01T10:59:59Z", "5 PRESENT 2025-01-01T10:00:00Z"},
              {"1", "2025-01-01T11:00:00Z", "6 PRESENT 2025-01-01T11:00:00Z"}}},
    {.name = "a ttl below a second is honoured",
     .tags = "[conformance][D5][E32]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T10:00:00.5Z", "5 PRESENT"},
              {"1", "2025-01-01T10:00:00.7Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "500ms")"},
    {.name = "a ttl of one microsecond is honoured",
     .tags = "[conformance][D5]",
     .rows = {kAge},
     .asks = {{"1", "2025-01-01T10:00:00.000001Z", "5 PRESENT"},
              {"1", "2025-01-01T10:00:00.000002Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "1us")"},
    {.name = "a ttl longer than time itself does not wrap",
     .tags = "[conformance][D3]",
     .rows = {"1,5,1970-01-01T00:00:00Z"},
     .asks = {{"1", "2029-12-31T00:00:00Z", "5 PRESENT"}},
     .view = R"("ttl": "106751000d")"},
    {.name = "an expired null is outside its max age like any other value",
     .tags = "[conformance][D1][B17]",
     .rows = {"1,,2025-01-01T10:00:00Z"},
     .asks = {{"1", "2025-01-01T11:00:00Z", "null NULL_VALUE"},
              {"1", "2025-01-01T11:00:01Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "1h")"},
    {.name = "the newest row decides about age, not an older one within reach",
     .tags = "[conformance][D1]",
     .rows = {"1,4,2025-01-01T09:59:00Z", kAge},
     .asks = {{"1", "2025-01-01T10:30:00Z", "5 PRESENT"},
              {"1", "2025-01-01T11:00:01Z", "null OUTSIDE_MAX_AGE 2025-01-01T10:00:00Z"}},
     .view = R"("ttl": "1h")"},
    {.name = "an expired text is outside its max age",
     .tags = "[conformance][D1]",
     .rows = {"1,old,2025-01-01T10:00:00Z"},
     .asks = {{"1", "2025-01-01T10:30:00Z", "old PRESENT"},
              {"1", "2025-01-01T12:00:00Z", "null OUTSIDE_MAX_AGE"}},
     .value_type = "string",
     .view = R"("ttl": "1h")"},
    {.name = "an expired vector is outside its max age in every element",
     .tags = "[conformance][D1]",
     .rows = {R"(1,"[1,2]",2025-01-01T10:00:00Z)"},
     .asks = {{"1", "2025-01-01T10:30:00Z", "[1,2] PRESENT"},
              {"1", "2025-01-01T12:00:00Z", "null OUTSIDE_MAX_AGE"}},
     .value_type = "vector<float32, 2>",
     .view = R"("ttl": "1h")"},
    {.name = "a row that was deleted is not found rather than too old",
     .tags = "[conformance][D1]",
     .rows = {"1,5,2025-01-01T10:00:00Z,insert", "1,,2025-01-01T10:10:00Z,delete"},
     .asks = {{"1", "2025-01-01T10:05:00Z", "5 PRESENT"},
              {"1", "2025-01-01T12:00:00Z", "null NOT_FOUND"}},
     .columns = "k,value,at,op",
     .source = R"("operation": "op")",
     .view = R"("ttl": "1h")"},
    {.name = "a ttl counts from an event before 1970 too",
     .tags = "[conformance][D5]",
     .rows = {"1,5,1969-12-31T23:00:00Z"},
     .asks = {{"1", "1970-01-01T00:00:00Z", "5 PRESENT"},
              {"1", "1970-01-01T00:00:00.000001Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "1h")"},
};
const bool kTtlRegistered = larder_test::RegisterTable<kTtlCases, larder_test::RunScenario>();

constexpr std::string_view kTwoViews = R"({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "a", "kind": "push", "event_time": "at", "version_horizon": "30d",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "b", "kind": "push", "event_time": "at", "version_horizon": "30d",
   "fields": [{"name": "k", "type": "int64"}, {"name": "y", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "fv1", "entities": ["thing"], "source": "a", "ttl": "1h", "features": [{"name": "x", "default": -1}]},
  {"name": "fv2", "entities": ["thing"], "source": "b", "ttl": "1h", "features": [{"name": "y", "default": "none"}]}],
 "feature_services": [
  {"name": "plain", "features": ["fv1:x", "fv2:y"]},
  {"name": "filled", "missing": "default", "features": ["fv1:x", "fv2:y"]},
  {"name": "strict", "missing": "error", "features": ["fv1:x", "fv2:y"]}]})";

void PushBoth(StoreFixture& fixture) {
  fixture.Apply(kTwoViews);
  fixture.Push("a", {{{"k", int64_t{1}}, {"x", int64_t{7}}, {"at", At("2025-01-09T23:30:00Z")}}});
  fixture.Push("b", {{{"k", int64_t{1}}, {"y", "old"}, {"at", At("2025-01-09T19:00:00Z")}}});
}

}  // namespace

TEST_CASE("each view of a request has its own age", "[conformance][D4]") {
  StoreFixture fixture;
  PushBoth(fixture);
  const auto response = fixture.Get({"fv1:x", "fv2:y"}, {{{"k", 1}}});
  CHECK(ShownWithTime(response, "x", 0) == "7 PRESENT 2025-01-09T23:30:00Z");
  CHECK(ShownWithTime(response, "y", 0) == "null OUTSIDE_MAX_AGE 2025-01-09T19:00:00Z");
  larder_test::CheckFill(fixture.store(), "plain", {{{"k", 1}}}, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("the old value stays readable as the stale value, and only where it is stale",
          "[conformance][D1]") {
  StoreFixture fixture;
  PushBoth(fixture);
  const auto response = fixture.Get({"fv1:x", "fv2:y"}, {{{"k", 2}}, {{"k", 1}}});
  CHECK(response.Find("x")->stale_values.empty());
  REQUIRE(response.Find("y")->stale_values.size() == 1);
  CHECK(response.Find("y")->stale_values.at(1) == larder::Value("old"));
}

TEST_CASE("a stale value counts as missing for the service's missing policy", "[conformance][D1]") {
  StoreFixture fixture;
  PushBoth(fixture);
  larder::OnlineRequest request;
  request.rows = {{{"k", 1}}};
  request.what.service = "filled";
  const auto filled = fixture.store().GetOnlineFeatures(request);
  REQUIRE(filled.ok());
  CHECK(ShownWithTime(*filled, "y", 0) == "none OUTSIDE_MAX_AGE 2025-01-09T19:00:00Z");
  request.what.service = "strict";
  const auto strict = fixture.store().GetOnlineFeatures(request);
  CHECK(strict.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(larder::MessageOf(strict.status())),
             larder_test::ContainsSubstring("feature y") &&
                 larder_test::ContainsSubstring("OUTSIDE_MAX_AGE"));
}

TEST_CASE("the clock is the as_of of a request that gives none, and moves values out of age",
          "[conformance][D1][D2]") {
  StoreFixture fixture;
  PushBoth(fixture);
  CHECK(ShownWithTime(fixture.Get({"fv1:x"}, {{{"k", 1}}}), "x", 0) ==
        "7 PRESENT 2025-01-09T23:30:00Z");
  fixture.SetNow("2025-01-10T00:30:00Z");
  CHECK(ShownWithTime(fixture.Get({"fv1:x"}, {{{"k", 1}}}), "x", 0) ==
        "7 PRESENT 2025-01-09T23:30:00Z");
  fixture.SetNow("2025-01-10T00:30:00.000001Z");
  const auto response = fixture.Get({"fv1:x"}, {{{"k", 1}}});
  CHECK(ShownWithTime(response, "x", 0) == "null OUTSIDE_MAX_AGE 2025-01-09T23:30:00Z");
  CHECK(response.as_of == At("2025-01-10T00:30:00.000001Z"));
}

TEST_CASE("a shorter ttl is a new version that reads the same rows", "[conformance][D1][I3]") {
  StoreFixture fixture;
  PushBoth(fixture);
  std::string shorter(kTwoViews);
  shorter.replace(shorter.find(R"("ttl": "1h")"), 11, R"("ttl": "5m")");
  const auto applied = fixture.Apply(shorter);
  CHECK(applied.changed);
  const auto response = fixture.Get({"fv1:x"}, {{{"k", 1}}});
  CHECK(ShownWithTime(response, "x", 0) == "null OUTSIDE_MAX_AGE 2025-01-09T23:30:00Z");
  const auto before = fixture.Get({"fv1@1:x"}, {{{"k", 1}}});
  CHECK(ShownWithTime(before, "x", 0) == "7 PRESENT 2025-01-09T23:30:00Z");
}
