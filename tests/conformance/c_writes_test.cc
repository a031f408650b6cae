// Section C of the conformance cases: which of the rows written for a key is the one read. Every row of the table is
// loaded at once and piece by piece, pushed one by one in both orders and together, and joined.
#include <thread>

#include "conformance/case_table.h"
#include "conformance/scenario.h"
#include "larder/online/verify.h"

namespace {

using larder::Row;
using larder_test::At;
using larder_test::Scenario;
using larder_test::Shown;
using larder_test::ShownWithTime;
using larder_test::StoreFixture;

constexpr const char* kLate = "2025-01-02T00:00:00Z";

const Scenario kWriteCases[] = {
    {.name = "rows written newest first leave the newest",
     .tags = "[conformance][C1]",
     .rows = {"1,30,2024-01-01T12:00:10Z", "1,20,2024-01-01T12:00:05Z", "1,10,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "30 PRESENT 2024-01-01T12:00:10Z"}}},
    {.name = "rows written oldest first leave the newest",
     .tags = "[conformance][C1]",
     .rows = {"1,10,2024-01-01T12:00:00Z", "1,20,2024-01-01T12:00:05Z", "1,30,2024-01-01T12:00:10Z"},
     .asks = {{"1", kLate, "30 PRESENT 2024-01-01T12:00:10Z"}}},
    {.name = "rows written with the newest in the middle leave the newest",
     .tags = "[conformance][C1]",
     .rows = {"1,20,2024-01-01T12:00:05Z", "1,30,2024-01-01T12:00:10Z", "1,10,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "30 PRESENT 2024-01-01T12:00:10Z"}}},
    {.name = "an older row changes nothing about a later as_of and everything about an earlier one",
     .tags = "[conformance][C2][C8]",
     .rows = {"1,30,2024-01-01T12:00:10Z", "1,10,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "30 PRESENT"},
              {"1", "2024-01-01T12:00:09Z", "10 PRESENT 2024-01-01T12:00:00Z"}}},
    {.name = "a higher sequence wins within one instant",
     .tags = "[conformance][C3]",
     .rows = {"1,10,2024-01-01T12:00:00Z,2", "1,20,2024-01-01T12:00:00Z,1"},
     .asks = {{"1", kLate, "10 PRESENT"}},
     .columns = "k,value,at,seq",
     .source = R"("sequence": "seq", "order": "sequence")"},
    {.name = "a sequence below zero comes before one above it",
     .tags = "[conformance][C3]",
     .rows = {"1,10,2024-01-01T12:00:00Z,-9223372036854775808", "1,20,2024-01-01T12:00:00Z,0",
              "1,30,2024-01-01T12:00:00Z,-1"},
     .asks = {{"1", kLate, "20 PRESENT"}},
     .columns = "k,value,at,seq",
     .source = R"("sequence": "seq")"},
    {.name = "a row without a sequence comes before those that have one",
     .tags = "[conformance][C3]",
     .rows = {"1,10,2024-01-01T12:00:00Z,", "1,20,2024-01-01T12:00:00Z,-5"},
     .asks = {{"1", kLate, "20 PRESENT"}},
     .columns = "k,value,at,seq",
     .source = R"("sequence": "seq")"},
    {.name = "a later event wins over a higher sequence",
     .tags = "[conformance][C3]",
     .rows = {"1,10,2024-01-01T12:00:00Z,9", "1,20,2024-01-01T12:00:01Z,1"},
     .asks = {{"1", kLate, "20 PRESENT"}, {"1", "2024-01-01T12:00:00Z", "10 PRESENT"}},
     .columns = "k,value,at,seq",
     .source = R"("sequence": "seq")"},
    {.name = "a later arrival wins within one instant",
     .tags = "[conformance][C3]",
     .rows = {"1,10,2024-01-01T12:00:00Z,2024-01-01T12:00:02Z",
              "1,20,2024-01-01T12:00:00Z,2024-01-01T12:00:01Z"},
     .asks = {{"1", kLate, "10 PRESENT"}},
     .columns = "k,value,at,arrived",
     .source = R"("arrival_time": "arrived")"},
    {.name = "with order commit the last one written wins within one instant",
     .tags = "[conformance][C3]",
     .rows = {"1,9,2024-01-01T12:00:00Z", "1,7,2024-01-01T12:00:00Z", "1,8,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "8 PRESENT"}},
     .source = R"("order": "commit")",
     .any_order = false},
    {.name = "without any order three values of one instant give the same one however written",
     .tags = "[conformance][C3]",
     .rows = {"1,b,2024-01-01T12:00:00Z", "1,c,2024-01-01T12:00:00Z", "1,a,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "c PRESENT"}},
     .value_type = "string"},
    {.name = "a microsecond makes a row newer",
     .tags = "[conformance][C4]",
     .rows = {"1,20,2024-01-01T12:00:00.000001Z", "1,10,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "20 PRESENT 2024-01-01T12:00:00.000001Z"},
              {"1", "2024-01-01T12:00:00Z", "10 PRESENT"}}},
    {.name = "a nanosecond is below what instants tell apart, so the tie rule decides",
     .tags = "[conformance][C4]",
     .rows = {"1,b,2024-01-01T12:00:00.000000001Z", "1,c,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "c PRESENT 2024-01-01T12:00:00Z"}},
     .value_type = "string"},
    {.name = "the same row delivered three times is one row",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z", "1,10,2024-01-01T12:00:00Z", "1,10,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "10 PRESENT"}}},
    {.name = "a delete hides the key from its time on",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z,insert", "1,,2024-01-01T12:00:10Z,delete"},
     .asks = {{"1", kLate, "null NOT_FOUND"},
              {"1", "2024-01-01T12:00:10Z", "null NOT_FOUND"},
              {"1", "2024-01-01T12:00:09.999999Z", "10 PRESENT"}},
     .columns = "k,value,at,op",
     .source = R"("operation": "op")"},
    {.name = "a row after a delete is visible again",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z,insert", "1,,2024-01-01T12:00:10Z,delete",
              "1,20,2024-01-01T12:00:20Z,update"},
     .asks = {{"1", kLate, "20 PRESENT"}, {"1", "2024-01-01T12:00:15Z", "null NOT_FOUND"}},
     .columns = "k,value,at,op",
     .source = R"("operation": "op")"},
    {.name = "an old delete does not touch a newer row",
     .tags = "[conformance][C2]",
     .rows = {"1,20,2024-01-01T12:00:20Z,update", "1,,2024-01-01T12:00:10Z,delete"},
     .asks = {{"1", kLate, "20 PRESENT"}, {"1", "2024-01-01T12:00:15Z", "null NOT_FOUND"}},
     .columns = "k,value,at,op",
     .source = R"("operation": "op")"},
    {.name = "the operations of change data capture are understood in any case",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z,c", "2,10,2024-01-01T12:00:00Z,R",
              "3,10,2024-01-01T12:00:00Z,u", "4,10,2024-01-01T12:00:00Z,UPSERT",
              "5,10,2024-01-01T12:00:00Z,", "4,,2024-01-01T12:00:01Z,D"},
     .asks = {{"1", kLate, "10 PRESENT"},
              {"2", kLate, "10 PRESENT"},
              {"3", kLate, "10 PRESENT"},
              {"4", kLate, "null NOT_FOUND"},
              {"5", kLate, "10 PRESENT"}},
     .columns = "k,value,at,op",
     .source = R"("operation": "op")"},
    {.name = "a delete of one key leaves the others",
     .tags = "[conformance][C10]",
     .rows = {"1,10,2024-01-01T12:00:00Z,insert", "2,20,2024-01-01T12:00:00Z,insert",
              "1,,2024-01-01T12:00:10Z,delete"},
     .asks = {{"1", kLate, "null NOT_FOUND"}, {"2", kLate, "20 PRESENT"}},
     .columns = "k,value,at,op",
     .source = R"("operation": "op")"},
    {.name = "a row ends at its valid_to, that instant excluded",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z,2024-01-01T13:00:00Z"},
     .asks = {{"1", "2024-01-01T12:59:59.999999Z", "10 PRESENT"},
              {"1", "2024-01-01T13:00:00Z", "null NOT_FOUND"}},
     .columns = "k,value,at,until",
     .source = R"("valid_to": "until")"},
    {.name = "a row without valid_to never ends",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z,"},
     .asks = {{"1", kLate, "10 PRESENT"}},
     .columns = "k,value,at,until",
     .source = R"("valid_to": "until")"},
    {.name = "once a row has ended the one before it shows again if it still holds",
     .tags = "[conformance][C2]",
     .rows = {"1,10,2024-01-01T12:00:00Z,", "1,20,2024-01-01T12:30:00Z,2024-01-01T13:00:00Z"},
     .asks = {{"1", "2024-01-01T12:45:00Z", "20 PRESENT"},
              {"1", "2024-01-01T13:00:00Z", "10 PRESENT 2024-01-01T12:00:00Z"}},
     .columns = "k,value,at,until",
     .source = R"("valid_to": "until")"},
    {.name = "a timeless row is valid at every instant and has no event time",
     .tags = "[conformance][C2][B13]",
     .rows = {"1,10"},
     .asks = {{"1", "1971-01-01T00:00:00Z", "10 PRESENT"}, {"1", kLate, "10 PRESENT"}},
     .columns = "k,value"},
    {.name = "of timeless rows the greater bytes win however written",
     .tags = "[conformance][C3]",
     .rows = {"1,b", "1,c", "1,a"},
     .asks = {{"1", kLate, "c PRESENT"}},
     .columns = "k,value",
     .value_type = "string"},
    {.name = "of timeless rows of an ordered source the last written wins",
     .tags = "[conformance][C3]",
     .rows = {"1,c", "1,a", "1,b"},
     .asks = {{"1", kLate, "b PRESENT"}},
     .columns = "k,value",
     .value_type = "string",
     .source = R"("order": "commit")",
     .any_order = false},
    {.name = "rows with null in every feature are rows",
     .tags = "[conformance][C13]",
     .rows = {"1,5,2024-01-01T11:00:00Z", "1,,2024-01-01T12:00:00Z"},
     .asks = {{"1", kLate, "null NULL_VALUE 2024-01-01T12:00:00Z"},
              {"1", "2024-01-01T11:30:00Z", "5 PRESENT"}}},
    {.name = "an event before 1970 is as good as any",
     .tags = "[conformance][C2]",
     .rows = {"1,10,1923-03-04T05:06:07.089Z", "2,20,1969-12-31T23:59:59.999999Z"},
     .asks = {{"1", kLate, "10 PRESENT 1923-03-04T05:06:07.089Z"},
              {"2", kLate, "20 PRESENT 1969-12-31T23:59:59.999999Z"}}},
};
const bool kWritesRegistered = larder_test::RegisterTable<kWriteCases, larder_test::RunScenario>();

// A pushed source over a file, feeding two views, and one with partial updates.
constexpr std::string_view kHome = R"({"project": "p",
 "entities": [{"name": "place", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "file", "kind": "csv", "path": "home.csv", "event_time": "at", "version_horizon": "30d",
   "fields": [{"name": "k", "type": "int64"}, {"name": "text", "type": "string"}, {"name": "number", "type": "int64"},
              {"name": "at", "type": "timestamp"}]},
  {"name": "pushes", "kind": "push", "batch_source": "file"}],
 "feature_views": [
  {"name": "texts", "entities": ["place"], "source": "pushes", "features": [{"name": "text"}]},
  {"name": "numbers", "entities": ["place"], "source": "pushes", "features": [{"name": "number"}]},
  {"name": "parts", "entities": ["place"], "source": "pushes", "partial_updates": true, "ttl": "1d",
   "features": [{"name": "number"}, {"name": "text"}, {"name": "double", "expr": "number * 2"}]}],
 "feature_services": [{"name": "s", "features": ["parts:number", "parts:double"]}]})";

Row Event(int64_t key, larder::Value text, larder::Value number, std::string_view at) {
  return {{"k", key}, {"text", std::move(text)}, {"number", std::move(number)}, {"at", At(at)}};
}

std::string TextOf(StoreFixture& fixture, int64_t key) {
  return larder_test::Shown(fixture.Get({"texts:text"}, {{{"k", key}}}), "text", 0);
}

std::string Parts(StoreFixture& fixture, int64_t key,
                  std::optional<larder::Timestamp> as_of = std::nullopt) {
  const auto response =
      fixture.Get({"parts:number", "parts:text", "parts:double"}, {{{"k", key}}}, as_of);
  return ShownWithTime(response, "number", 0) + ", " + ShownWithTime(response, "text", 0) + ", " +
         ShownWithTime(response, "double", 0);
}

larder::Hash128 HashOf(StoreFixture& fixture) {
  const auto hash = larder::HashContents(fixture.store().environment());
  REQUIRE(hash.ok());
  return *hash;
}

}  // namespace

TEST_CASE("pushes and a load of older data leave the newest value of every key",
          "[conformance][C5][C6][C7]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(123, "hi_123", 1, "2025-01-09T12:00:00Z")});
  fixture.Push("pushes", {Event(123, "bye_321", 1, "2025-01-09T11:00:00Z"),
                          Event(567, "hello_123", 1, "2025-01-09T11:00:00Z"),
                          Event(890, "greetings_321", 1, "2025-01-09T11:00:00Z")});
  CHECK(TextOf(fixture, 123) == "hi_123 PRESENT");
  CHECK(TextOf(fixture, 567) == "hello_123 PRESENT");
  CHECK(TextOf(fixture, 890) == "greetings_321 PRESENT");
  fixture.Push("pushes", {Event(123, "LATEST_VALUE", 1, "2025-01-09T12:00:01Z")});
  CHECK(TextOf(fixture, 123) == "LATEST_VALUE PRESENT");
  CHECK(TextOf(fixture, 567) == "hello_123 PRESENT");
  fixture.folder().Write("home.csv",
                         "k,text,number,at\n"
                         "123,OLD,1,2025-01-09T11:00:00Z\n"
                         "567,LATEST_VALUE2,1,2025-01-09T12:00:00Z\n"
                         "890,LATEST_VALUE3,1,2025-01-09T12:00:00Z\n");
  larder::MaterializeOptions options;
  options.start = At("2025-01-09T00:00:00Z");
  options.end = At("2025-01-09T12:00:00Z");
  fixture.Materialize(options);
  CHECK(TextOf(fixture, 123) == "LATEST_VALUE PRESENT");
  CHECK(TextOf(fixture, 567) == "LATEST_VALUE2 PRESENT");
  CHECK(TextOf(fixture, 890) == "LATEST_VALUE3 PRESENT");
}

TEST_CASE("a push counts what became of its rows", "[conformance][C2]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "b", 1, "2025-01-09T12:00:00Z")});
  const auto pushed = fixture.Push(
      "pushes",
      {Event(1, "b", 1, "2025-01-09T12:00:00Z"), Event(1, "a", 1, "2025-01-09T12:00:00Z"),
       Event(1, "c", 1, "2025-01-09T11:00:00Z"), Event(2, "c", 1, "2025-01-09T11:00:00Z")});
  CHECK(pushed.rows == 4);
  CHECK(pushed.skipped == 0);
  REQUIRE(pushed.views.size() == 3);
  for (const auto& view : pushed.views) {
    if (view.view != "texts@1") continue;
    CHECK(view.rows.duplicate == 1);
    CHECK(view.rows.older == 2);
    CHECK(view.rows.written == 1);
    CHECK(view.rows.ambiguous == 1);
  }
}

TEST_CASE("a removed view leaves the values of its neighbours", "[conformance][C10]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "a", 7, "2025-01-09T12:00:00Z")});
  std::string without(kHome);
  const std::string texts =
      R"({"name": "texts", "entities": ["place"], "source": "pushes", "features": [{"name": "text"}]},)";
  REQUIRE(without.find(texts) != std::string::npos);
  without.erase(without.find(texts), texts.size());
  larder::PlanOptions prune;
  prune.prune = true;
  const auto pruned = fixture.store().Apply(fixture.Parse(without), prune);
  INFO(pruned.status().ToString());
  REQUIRE(pruned.ok());
  CHECK(fixture.TryGet({"texts:text"}, {{{"k", 1}}}).status().code() != absl::StatusCode::kOk);
  CHECK(larder_test::Shown(fixture.Get({"numbers:number"}, {{{"k", 1}}}), "number", 0) ==
        "7 PRESENT");
}

TEST_CASE("what is pushed is read back", "[conformance][C11]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "x", 4, "2025-01-09T12:00:00Z")});
  const auto response = fixture.Get({"numbers:number"}, {{{"k", 1}}});
  CHECK(response.keys.Find("k")->ValueAt(0) == larder::Value(int64_t{1}));
  CHECK(ShownWithTime(response, "number", 0) == "4 PRESENT 2025-01-09T12:00:00Z");
}

TEST_CASE("a pushed value is gone a moment after its ttl, and a new push brings it back",
          "[conformance][C9]") {
  StoreFixture fixture("2025-01-09T12:00:00Z");
  std::string home(kHome);
  const std::size_t view = home.find(R"("name": "numbers")");
  REQUIRE(view != std::string::npos);
  const std::size_t at = home.find(R"("source": "pushes")", view);
  fixture.Apply(home.insert(at, R"("ttl": "1s", )"));
  fixture.Push("pushes", {Event(1, "x", 4, "2025-01-09T12:00:00Z")});
  CHECK(Shown(fixture.Get({"numbers:number"}, {{{"k", 1}}}), "number", 0) == "4 PRESENT");
  fixture.SetNow("2025-01-09T12:00:01.000001Z");
  CHECK(Shown(fixture.Get({"numbers:number"}, {{{"k", 1}}}), "number", 0) ==
        "null OUTSIDE_MAX_AGE");
  fixture.Push("pushes", {Event(1, "x", 5, "2025-01-09T12:00:01Z")});
  CHECK(Shown(fixture.Get({"numbers:number"}, {{{"k", 1}}}), "number", 0) == "5 PRESENT");
}

TEST_CASE("one push reaches every view of its source in one commit", "[conformance][C12]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  const auto pushed = fixture.Push("pushes", {Event(1, "x", 4, "2025-01-09T12:00:00Z")});
  const auto response = fixture.Get({"texts:text", "numbers:number"}, {{{"k", 1}}});
  CHECK(response.commit_seq == pushed.commit_seq);
  CHECK(larder_test::Shown(response, "text", 0) == "x PRESENT");
  CHECK(larder_test::Shown(response, "number", 0) == "4 PRESENT");
}

TEST_CASE("a push without rows is no error and changes no value", "[conformance][C13]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "x", 4, "2025-01-09T12:00:00Z")});
  const larder::Hash128 before = HashOf(fixture);
  const auto pushed = fixture.Push("pushes", {});
  CHECK(pushed.rows == 0);
  CHECK(HashOf(fixture) == before);
  CHECK(TextOf(fixture, 1) == "x PRESENT");
}

TEST_CASE("a file with a header and no rows loads nothing and makes the view ready",
          "[conformance][C13]") {
  StoreFixture fixture;
  fixture.folder().Write("home.csv", "k,text,number,at\n");
  fixture.Apply(kHome);
  const auto loaded = fixture.Materialize();
  REQUIRE(loaded.views.size() == 3);
  CHECK(loaded.views[0].rows_read == 0);
  CHECK(TextOf(fixture, 1) == "null NOT_FOUND");
}

TEST_CASE("pushed columns are matched by name, not by place", "[conformance][C15]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes",
               {{{"at", At("2025-01-09T12:00:00Z")}, {"number", 4}, {"text", "x"}, {"k", 1}}});
  CHECK(TextOf(fixture, 1) == "x PRESENT");
}

TEST_CASE("columns of a file are matched by name, and further ones ignored", "[conformance][C15]") {
  StoreFixture fixture;
  fixture.folder().Write("home.csv", "at,other,number,text,k\n2025-01-09T12:00:00Z,?,4,x,1\n");
  fixture.Apply(kHome);
  fixture.Materialize();
  CHECK(TextOf(fixture, 1) == "x PRESENT");
}

TEST_CASE("a project whose name another one ends with shares nothing with it",
          "[conformance][C16]") {
  StoreFixture fixture;
  std::string b(kHome);
  b.replace(b.find(R"("project": "p")"), 14, R"("project": "b")");
  std::string ab(kHome);
  ab.replace(ab.find(R"("project": "p")"), 14, R"("project": "ab")");
  fixture.Apply(b);
  fixture.Apply(ab);
  larder::PushOptions options;
  options.project = "b";
  const std::vector<Row> of_b = {Event(1, "of b", 1, "2025-01-09T12:00:00Z")};
  REQUIRE(fixture.store().Push("pushes", of_b, options).ok());
  options.project = "ab";
  const std::vector<Row> of_ab = {Event(1, "of ab", 1, "2025-01-09T12:00:00Z")};
  REQUIRE(fixture.store().Push("pushes", of_ab, options).ok());
  larder::Definitions empty;
  empty.project = "b";
  larder::PlanOptions prune;
  prune.prune = true;
  REQUIRE(fixture.store().Apply(empty, prune).ok());
  larder::OnlineRequest request;
  request.what.project = "ab";
  request.what.features = {"texts:text"};
  request.rows = {{{"k", 1}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(larder_test::Shown(*response, "text", 0) == "of ab PRESENT");
  request.what.project = "b";
  CHECK_FALSE(fixture.store().GetOnlineFeatures(request).ok());
}

TEST_CASE("a partial update leaves the other features with their values and times",
          "[conformance][C17]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "x", 4, "2025-01-09T10:00:00Z")});
  larder::PushOptions options;
  const std::vector<Row> part = {{{"k", 1}, {"number", 5}, {"at", At("2025-01-09T11:00:00Z")}}};
  const auto pushed = fixture.store().Push("pushes", part, options);
  // The whole-row views of the source need all their fields, so such a row is refused for them by name.
  CHECK(pushed.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(larder::MessageOf(pushed.status())),
             larder_test::ContainsSubstring("text"));
}

namespace {

// Only the view with partial updates.
std::string PartsOnly() {
  std::string text(kHome);
  const std::size_t from = text.find(R"({"name": "texts")");
  const std::size_t to = text.find(R"({"name": "parts")");
  return text.erase(from, to - from);
}

struct PartCase {
  const char* name;
  const char* tags;
  std::vector<Row> rows;
  const char* at;
  const char* expected;
};

const larder::Timestamp kTen{1'736'416'800'000'000};  // 2025-01-09T10:00:00Z
const larder::Timestamp kEleven = kTen.Plus(larder::Duration::Hours(1));
const larder::Timestamp kTwelve = kTen.Plus(larder::Duration::Hours(2));

const PartCase kPartCases[] = {
    {"an absent feature keeps value and time, also of what is computed from it",
     "[conformance][C17]",
     {{{"k", 1}, {"number", 4}, {"text", "x"}, {"at", kTen}},
      {{"k", 1}, {"text", "y"}, {"at", kEleven}}},
     "2025-01-09T12:00:00Z",
     "4 PRESENT 2025-01-09T10:00:00Z, y PRESENT 2025-01-09T11:00:00Z, 8 PRESENT "
     "2025-01-09T10:00:00Z"},
    {"an explicit null is a null of its own time",
     "[conformance][C17]",
     {{{"k", 1}, {"number", 4}, {"text", "x"}, {"at", kTen}},
      {{"k", 1}, {"number", larder::Value()}, {"at", kEleven}}},
     "2025-01-09T12:00:00Z",
     "null NULL_VALUE 2025-01-09T11:00:00Z, x PRESENT 2025-01-09T10:00:00Z, null NULL_VALUE "
     "2025-01-09T11:00:00Z"},
    {"a feature never carried is not found beside one that was",
     "[conformance][C17][B12]",
     {{{"k", 1}, {"number", 4}, {"at", kTen}}},
     "2025-01-09T12:00:00Z",
     "4 PRESENT 2025-01-09T10:00:00Z, null NOT_FOUND, 8 PRESENT 2025-01-09T10:00:00Z"},
    {"an older partial row fills what newer ones left untouched and nothing else",
     "[conformance][C17][C2]",
     {{{"k", 1}, {"text", "new"}, {"at", kTwelve}},
      {{"k", 1}, {"text", "old"}, {"number", 4}, {"at", kTen}}},
     "2025-01-09T12:00:00Z",
     "4 PRESENT 2025-01-09T10:00:00Z, new PRESENT 2025-01-09T12:00:00Z, 8 PRESENT "
     "2025-01-09T10:00:00Z"},
    {"each feature has its own age",
     "[conformance][C17][D4]",
     {{{"k", 1}, {"number", 4}, {"at", kTen}}, {{"k", 1}, {"text", "y"}, {"at", kTwelve}}},
     "2025-01-10T11:00:00Z",
     "null OUTSIDE_MAX_AGE 2025-01-09T10:00:00Z, y PRESENT 2025-01-09T12:00:00Z, null "
     "OUTSIDE_MAX_AGE 2025-01-09T10:00:00Z"},
    {"a partial row of the future is unseen until its time",
     "[conformance][C17][D8]",
     {{{"k", 1}, {"number", 4}, {"at", kTen}}, {{"k", 1}, {"number", 5}, {"at", kTwelve}}},
     "2025-01-09T11:00:00Z",
     "4 PRESENT 2025-01-09T10:00:00Z, null NOT_FOUND, 8 PRESENT 2025-01-09T10:00:00Z"},
};

void RunPartCase(const PartCase& row) {
  for (const bool reversed : {false, true}) {
    for (const bool together : {false, true}) {
      INFO("reversed " << reversed << ", together " << together);
      StoreFixture fixture("2025-01-11T00:00:00Z");
      fixture.Apply(PartsOnly());
      std::vector<Row> rows = row.rows;
      if (reversed) std::reverse(rows.begin(), rows.end());
      if (together) {
        fixture.Push("pushes", rows);
      } else {
        for (const Row& one : rows) fixture.Push("pushes", {one});
      }
      CHECK(Parts(fixture, 1, At(row.at)) == row.expected);
      larder_test::CheckFill(fixture.store(), "s", {{{"k", 1}}, {{"k", 2}}}, At(row.at));
    }
  }
}
const bool kPartsRegistered = larder_test::RegisterTable<kPartCases, RunPartCase>();

}  // namespace

TEST_CASE("of writers racing on one key the later event wins whoever comes last",
          "[conformance][C18]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  constexpr int64_t kEach = 25;
  const auto write = [&](int64_t first) {
    for (int64_t i = 0; i < kEach; ++i) {
      const int64_t number = first + 2 * i;
      const larder::Timestamp at = kTen.Plus(larder::Duration::Seconds(number));
      const std::vector<Row> rows = {{{"k", 1}, {"text", "x"}, {"number", number}, {"at", at}}};
      if (!fixture.store().Push("pushes", rows).ok()) return;
    }
  };
  std::thread even(write, 0);
  std::thread odd(write, 1);
  even.join();
  odd.join();
  CHECK(larder_test::Shown(fixture.Get({"numbers:number"}, {{{"k", 1}}}), "number", 0) ==
        "49 PRESENT");
  for (int64_t second = 0; second < 50; ++second) {
    const auto response =
        fixture.Get({"numbers:number"}, {{{"k", 1}}}, kTen.Plus(larder::Duration::Seconds(second)));
    CHECK(response.Find("number")->values.ValueAt(0) == larder::Value(second));
  }
}

TEST_CASE("a batch pushed again under its id is done once", "[conformance][C2]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  larder::PushOptions options;
  options.batch_id = "batch-7";
  const std::vector<Row> rows = {Event(1, "x", 4, "2025-01-09T12:00:00Z")};
  const auto first = fixture.store().Push("pushes", rows, options);
  REQUIRE(first.ok());
  CHECK_FALSE(first->repeated);
  const auto second = fixture.store().Push("pushes", rows, options);
  REQUIRE(second.ok());
  CHECK(second->repeated);
  CHECK(second->commit_seq == first->commit_seq);
}

TEST_CASE("an event later than max_future refuses the push and leaves the store as it was",
          "[conformance][D8]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "now", 4, "2025-01-10T00:00:00Z")});
  const larder::Hash128 before = HashOf(fixture);
  const std::vector<Row> rows = {Event(2, "fine", 4, "2025-01-09T12:00:00Z"),
                                 Event(1, "far", 4, "2025-01-10T00:10:01Z")};
  const auto refused = fixture.store().Push("pushes", rows);
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())),
             larder_test::ContainsSubstring("future") && larder_test::ContainsSubstring("row 1"));
  CHECK(HashOf(fixture) == before);
  larder::PushOptions skip;
  skip.skip_bad = true;
  const auto skipped = fixture.store().Push("pushes", rows, skip);
  REQUIRE(skipped.ok());
  CHECK(skipped->first_reasons.size() == 3);  // one for each view
  CHECK(TextOf(fixture, 1) == "now PRESENT");
  CHECK(TextOf(fixture, 2) == "fine PRESENT");
}

TEST_CASE("an event within max_future is kept beside the visible row until its time",
          "[conformance][D8]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  fixture.Push("pushes", {Event(1, "soon", 4, "2025-01-10T00:10:00Z")});
  fixture.Push("pushes", {Event(1, "now", 4, "2025-01-09T23:59:00Z")});
  CHECK(TextOf(fixture, 1) == "now PRESENT");
  fixture.SetNow("2025-01-10T00:10:00Z");
  CHECK(TextOf(fixture, 1) == "soon PRESENT");
}

TEST_CASE("a null key or event time refuses a push, naming row and reason", "[conformance][B8]") {
  StoreFixture fixture;
  fixture.Apply(kHome);
  const larder::Hash128 before = HashOf(fixture);
  Row null_key = Event(1, "x", 4, "2025-01-09T12:00:00Z");
  null_key[0].second = larder::Value();
  Row null_time = Event(1, "x", 4, "2025-01-09T12:00:00Z");
  null_time[3].second = larder::Value();
  for (const auto& [row, reason] :
       {std::pair(null_key, "null key"), {null_time, "null event time"}}) {
    const std::vector<Row> rows = {Event(1, "x", 4, "2025-01-09T12:00:00Z"), row};
    const auto refused = fixture.store().Push("pushes", rows);
    CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(larder::MessageOf(refused.status())),
               larder_test::ContainsSubstring(reason) && larder_test::ContainsSubstring("row 1"));
  }
  CHECK(HashOf(fixture) == before);
}

TEST_CASE("an as_of before what is kept is an error and never not found", "[conformance][C2]") {
  StoreFixture fixture;
  std::string short_horizon(kHome);
  short_horizon.replace(short_horizon.find("30d"), 3, "1h");
  fixture.Apply(short_horizon);
  fixture.Push("pushes", {Event(1, "a", 1, "2025-01-09T10:00:00Z")});
  fixture.Push("pushes", {Event(1, "b", 2, "2025-01-09T11:00:00Z")});
  CHECK(TextOf(fixture, 1) == "b PRESENT");
  const auto within = fixture.Get({"texts:text"}, {{{"k", 1}}}, At("2025-01-09T23:00:00Z"));
  CHECK(larder_test::Shown(within, "text", 0) == "b PRESENT");
  // Whether the superseded row is gone yet is the store's business; another answer is not.
  const auto before = fixture.TryGet({"texts:text"}, {{{"k", 1}}}, At("2025-01-09T10:30:00Z"));
  if (before.ok()) {
    CHECK(larder_test::Shown(*before, "text", 0) == "a PRESENT");
  } else {
    CHECK(larder::KindOf(before.status()) == larder::ErrorKind::kOutsideHistory);
  }
}

TEST_CASE("loading the same file again changes nothing a reader can notice", "[conformance][C2]") {
  StoreFixture fixture;
  fixture.folder().Write("home.csv",
                         "k,text,number,at\n"
                         "1,a,1,2025-01-09T11:00:00Z\n1,b,2,2025-01-09T12:00:00Z\n");
  fixture.Apply(kHome);
  fixture.Materialize();
  const auto again = fixture.Materialize();
  for (const auto& view : again.views) {
    CHECK(view.rows_read == 2);
    CHECK(view.rows.duplicate == 2);
    CHECK(view.rows.written == 0);
  }
  CHECK(TextOf(fixture, 1) == "b PRESENT");
}
