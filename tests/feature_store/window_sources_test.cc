// What windows take from their sources in training: whose rows the spine's are, when events are known, what they mean.
#include "feature_store/store_fixture.h"
#include "larder/transform/function.h"

namespace {

using Catch::Matchers::ContainsSubstring;
using larder::Row;
using larder::TypeId;
using larder_test::At;
using larder_test::Shown;
using larder_test::StoreFixture;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// Two sources of one shape; the first knows when events arrived.
constexpr const char* kDefinitions = R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int32"}]}],
 "sources": [
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", "event_id": "id",
   "arrival_time": "seen",
   "fields": [{"name": "card", "type": "int32"}, {"name": "at", "type": "timestamp"},
              {"name": "seen", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]},
  {"name": "old_taps", "kind": "csv", "path": "old_taps.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "card", "type": "int32"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]}],
 "feature_views": [
  {"name": "spend", "entities": ["card"], "source": "old_taps", "union": ["taps"],
   "aggregates": [{"input": "fare", "function": "sum", "windows": ["1d"], "name": "s"}]}],
 "feature_services": [{"name": "model", "features": [{"view": "spend"}]}]})";

struct Training {
  StoreFixture fixture;
  larder::HistoricalRequest request;

  explicit Training(const std::string& definitions = kDefinitions) {
    fixture.folder().Write("taps.csv",
                           "card,at,seen,fare,id\n"
                           "1,2025-01-02T10:00:00Z,2025-01-02T18:00:00Z,2,a\n"
                           "1,2025-01-02T11:00:00Z,2025-01-02T11:00:00Z,3,17\n");
    fixture.folder().Write("old_taps.csv",
                           "card,at,fare,id\n"
                           "1,2025-01-02T10:40:00Z,50,a\n"
                           "1,2025-01-02T10:50:00Z,70,17\n");
    fixture.Apply(definitions);
    request.what.service = "model";
  }
  absl::StatusOr<larder::TrainingSet> Ask(const std::vector<Row>& spine,
                                          std::vector<larder::Field> fields) {
    request.spine = *larder::Batch::FromRows(spine, fields);
    return fixture.store().GetHistoricalFeatures(request);
  }
};

const std::vector<larder::Field> kFields = {{"card", TypeId::kInt64, "", ""},
                                            {"t", TypeId::kTimestamp, "", ""}};

TEST_CASE("events of a united source count from when they arrived", "[store][windows]") {
  Training training;
  const std::vector<Row> spine = {{{"card", int64_t{1}}, {"t", At("2025-01-02T12:00:00Z")}},
                                  {{"card", int64_t{1}}, {"t", At("2025-01-02T19:00:00Z")}}};
  const auto set = training.Ask(spine, kFields);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  CHECK(Shown(*set, "s", 0) == "123 PRESENT");  // 50 + 70 + 3, not the 2 that came at 18:00
  CHECK(Shown(*set, "s", 1) == "125 PRESENT");
  // Of old_taps nobody knows, so it cannot be promised.
  training.request.known_at = larder::KnownAt::kSpine;
  CHECK_THAT(training.Ask(spine, kFields).status().ToString(),
             ContainsSubstring("known_at spine was asked for, but source old_taps"));
}

TEST_CASE("a spine drawn from a united source does not see its own events", "[store][windows]") {
  const std::vector<Row> spine = {{{"card", int64_t{1}}, {"t", At("2025-01-02T11:00:00Z")}}};
  Training inclusive(
      Replaced(kDefinitions, R"("union": ["taps"],)", R"("union": ["taps"], "boundary": "at",)"));
  inclusive.request.spine_sources = {"taps"};
  CHECK_THAT(inclusive.Ask(spine, kFields).status().ToString(),
             ContainsSubstring("the spine is drawn from source taps") &&
                 ContainsSubstring("every row would see its own event"));

  Training excluding(Replaced(kDefinitions, R"("union": ["taps"],)",
                              R"("union": ["taps"], "boundary": "at", "exclude_self": true,)"));
  std::vector<larder::Field> fields = kFields;
  // An id of another type is read as the source's.
  fields.push_back({"id", TypeId::kInt64, "", ""});
  const std::vector<Row> own = {
      {{"card", int64_t{1}}, {"t", At("2025-01-02T11:00:00Z")}, {"id", int64_t{17}}}};
  CHECK_THAT(excluding.Ask(own, fields).status().ToString(),
             ContainsSubstring("say with spine_sources from which one of them"));
  excluding.request.spine_sources = {"taps"};
  const auto set = excluding.Ask(own, fields);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  CHECK(Shown(*set, "s", 0) == "120 PRESENT");  // the 17 of old_taps stays
  excluding.request.spine_sources = {"old_taps"};
  const auto other = excluding.Ask(own, fields);
  REQUIRE(other.ok());
  CHECK(Shown(*other, "s", 0) == "53 PRESENT");
}

TEST_CASE("a key of the spine that its declared type cannot hold is an error", "[store][windows]") {
  Training training;
  const auto set = training.Ask(
      {{{"card", int64_t{5'000'000'000}}, {"t", At("2025-01-02T11:00:00Z")}}}, kFields);
  CHECK_THAT(set.status().ToString(), ContainsSubstring("card") && ContainsSubstring("5000000000"));
}

TEST_CASE("a delete that names no event is an error", "[store][windows]") {
  Training training(Replaced(
      Replaced(kDefinitions, R"("source": "old_taps", "union": ["taps"])", R"("source": "bad")"),
      R"("sources": [)", R"("sources": [
  {"name": "bad", "kind": "csv", "path": "bad.csv", "event_time": "at", "event_id": "id",
   "operation": "op",
   "fields": [{"name": "card", "type": "int32"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"},
              {"name": "op", "type": "string"}]},)"));
  training.fixture.folder().Write("bad.csv",
                                  "card,at,fare,id,op\n1,2025-01-02T10:00:00Z,5,,delete\n");
  const auto set =
      training.Ask({{{"card", int64_t{1}}, {"t", At("2025-01-02T11:00:00Z")}}}, kFields);
  CHECK_THAT(set.status().ToString(),
             ContainsSubstring("source bad: a delete at 2025-01-02T10:00:00Z has no id"));
}

larder::FunctionDefinition Times(int version, double factor) {
  larder::FunctionDefinition definition;
  definition.name = "score";
  definition.version = version;
  definition.arguments = {TypeId::kFloat64};
  definition.scalar = [factor](std::span<const larder::Datum> arguments,
                               larder::FunctionResult* result) {
    result->SetFloat(arguments[0].f64 * factor);
  };
  definition.probes = {{larder::Value(1.0)}};
  return definition;
}

TEST_CASE("an aggregate keeps the version of a function that it was made with",
          "[store][windows]") {
  larder_test::TempFolder folder;
  folder.Write("old_taps.csv", "card,at,fare,id\n1,2025-01-02T10:40:00Z,50,a\n");
  folder.Write("taps.csv", "card,at,seen,fare,id\n");
  const auto ask = [&](const larder::FunctionRegistry& functions, bool apply) {
    larder::StoreOptions options;
    options.functions = &functions;
    auto store = larder::FeatureStore::Open(folder.File("store"), options);
    REQUIRE(store.ok());
    if (apply) {
      auto definitions = larder::ParseDefinitions(
          Replaced(Replaced(kDefinitions, R"("input": "fare")", R"x("input": "score(fare)")x"),
                   R"("function": "sum")", R"x("function": "sum", "where": "score(fare) > 0")x"),
          "test.json");
      REQUIRE(definitions.ok());
      definitions->base_path = folder.path().string();
      const auto applied = store->Apply(*definitions);
      INFO(applied.status().ToString());
      REQUIRE(applied.ok());
    }
    larder::HistoricalRequest request;
    request.what.service = "model";
    const std::vector<Row> spine = {{{"card", int64_t{1}}, {"t", At("2025-01-02T11:00:00Z")}}};
    request.spine = *larder::Batch::FromRows(spine, kFields);
    const auto set = store->GetHistoricalFeatures(request);
    INFO(set.status().ToString());
    REQUIRE(set.ok());
    return Shown(*set, "s", 0);
  };
  larder::FunctionRegistry one;
  REQUIRE(one.Register(Times(1, 2)).ok());
  CHECK(ask(one, true) == "100 PRESENT");
  larder::FunctionRegistry both;
  REQUIRE(both.Register(Times(1, 2)).ok());
  REQUIRE(both.Register(Times(2, 3)).ok());
  CHECK(ask(both, false) == "100 PRESENT");
}

TEST_CASE("what sources cannot give to a window is refused by the plan", "[store][windows]") {
  struct Refused {
    const char* from;
    const char* to;
    const char* message;
  };
  const Refused cases[] = {
      {R"("union": ["taps"])", R"("union": ["taps", "taps"])",
       "/feature_views/0/union/1: source taps is in the view already"},
      {R"("union": ["taps"])", R"("union": ["old_taps"])",
       "/feature_views/0/union/0: source old_taps is in the view already"},
      {R"("path": "taps.csv", "event_time": "at", "event_id": "id",)",
       R"("path": "taps.csv", "event_time": "at", "operation": "id",)",
       "source taps has deletes but no event_id to say which event is deleted"},
      {R"("path": "old_taps.csv", "event_time": "at",)",
       R"("path": "old_taps.csv", "event_time": "at", "valid_to": "at",)",
       "events of source old_taps end at valid_to; events in a window leave with it"},
      {R"("path": "taps.csv", "event_time": "at", "event_id": "id",)",
       R"("path": "taps.csv", "event_time": "at", "retention": "1d",)", "s needs events of"},
      {R"("windows": ["1d"])", R"("rows": 3)", nullptr},
  };
  for (const Refused& refused : cases) {
    INFO(refused.to);
    StoreFixture fixture;
    const auto plan =
        fixture.store().Plan(fixture.Parse(Replaced(kDefinitions, refused.from, refused.to)));
    if (refused.message == nullptr) {
      CHECK(plan.ok());
    } else {
      CHECK_THAT(plan.status().ToString(), ContainsSubstring(refused.message));
    }
  }
  StoreFixture fixture;
  const std::string rows = Replaced(kDefinitions, R"("windows": ["1d"])", R"("rows": 3)");
  const std::string kept =
      Replaced(rows, R"("event_time": "at",)", R"("event_time": "at", "retention": "30d",)");
  CHECK_THAT(fixture.store().Plan(fixture.Parse(kept)).status().ToString(),
             ContainsSubstring(
                 "s: the last 3 events may be of any age, but source taps keeps them for 30d"));
  const std::string ids = Replaced(
      Replaced(kDefinitions, R"("path": "taps.csv", "event_time": "at", "event_id": "id",)",
               R"("path": "taps.csv", "event_time": "at",)"),
      R"("union": ["taps"],)", R"("union": ["taps"], "exclude_self": true,)");
  CHECK_THAT(
      fixture.store().Plan(fixture.Parse(ids)).status().ToString(),
      ContainsSubstring("source taps has no event_id to tell the asking row's own event by"));
  // Near the end of time nothing wraps.
  const std::string longest = Replaced(
      Replaced(kDefinitions, R"("windows": ["1d"])", R"("windows": ["106751991d"], "delay": "3d")"),
      R"("event_time": "at",)", R"("event_time": "at", "retention": "1d",)");
  CHECK_THAT(fixture.store().Plan(fixture.Parse(longest)).status().ToString(),
             ContainsSubstring("s needs events of"));
}

}  // namespace
