// Section E of the conformance cases: what could be known at the instant of a spine row. Every row of the table is
// asked of the online store too, loaded and pushed, so that the two never drift apart.
#include "conformance/case_table.h"
#include "conformance/scenario.h"

namespace {

using larder::TypeId;
using larder_test::At;
using larder_test::kSpine;
using larder_test::Scenario;
using larder_test::ShownWithTime;
using larder_test::SpineOf;
using larder_test::StoreFixture;
using larder_test::Train;

constexpr const char* kArrival = R"("arrival_time": "arrived")";

const Scenario kJoinCases[] = {
    {.name = "of two rows of one instant the later arrival wins",
     .tags = "[conformance][E1]",
     .rows = {"1001,10,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z",
              "1001,20,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z"},
     .asks = {{"1001", "2025-01-03T00:00:00Z", "20 PRESENT 2025-01-01T00:00:00Z"}},
     .columns = "k,value,at,arrived",
     .source = kArrival},
    {.name = "the later event wins over the later arrival",
     .tags = "[conformance][E2]",
     .rows = {"1002,30,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z",
              "1002,40,2025-01-02T00:00:00Z,2025-01-01T00:00:00Z"},
     .asks = {{"1002", "2025-01-03T00:00:00Z", "40 PRESENT 2025-01-02T00:00:00Z"}},
     .columns = "k,value,at,arrived",
     .source = kArrival},
    {.name = "an event at the very instant counts",
     .tags = "[conformance][E3]",
     .rows = {"1,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "5 PRESENT 2025-01-01T00:00:00Z"}}},
    {.name = "an event a microsecond later does not count",
     .tags = "[conformance][E4]",
     .rows = {"1,5,2025-01-01T00:00:00.000001Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "null NOT_FOUND"}}},
    {.name = "digits finer than a microsecond are floored, so that such an event counts",
     .tags = "[conformance][E4]",
     .rows = {"1,5,2025-01-01T00:00:00.000000999Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "5 PRESENT 2025-01-01T00:00:00Z"}}},
    {.name = "the lower bound of the ttl is inclusive",
     .tags = "[conformance][E5]",
     .rows = {"1,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T02:00:00Z", "5 PRESENT"}},
     .view = R"("ttl": "2h")"},
    {.name = "a row one microsecond below the ttl leaves null and keeps the asking row",
     .tags = "[conformance][E6]",
     .rows = {"1,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T02:00:00.000001Z", "null OUTSIDE_MAX_AGE"}},
     .view = R"("ttl": "2h")"},
    {.name = "without a ttl a row of last year joins",
     .tags = "[conformance][E7]",
     .rows = {"1,5,2024-01-01T00:00:00Z"},
     .asks = {{"1", "2024-12-31T00:00:00Z", "5 PRESENT"}}},
    {.name = "with a ttl of 0 a row of last year joins",
     .tags = "[conformance][E7]",
     .rows = {"1,5,2024-01-01T00:00:00Z"},
     .asks = {{"1", "2024-12-31T00:00:00Z", "5 PRESENT"}},
     .view = R"("ttl": "0s")"},
    {.name = "a key with rows only in the future is kept and not found",
     .tags = "[conformance][E8]",
     .rows = {"1,5,2025-01-02T00:00:00Z", "1,6,2025-01-01T01:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "null NOT_FOUND"}}},
    {.name = "a key without rows is kept and not found",
     .tags = "[conformance][E9]",
     .rows = {"2,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "null NOT_FOUND"}},
     .view = R"("ttl": "1d")"},
    {.name = "a source without rows answers every key with not found",
     .tags = "[conformance][E9]",
     .rows = {},
     .asks = {{"1", "2025-01-01T00:00:00Z", "null NOT_FOUND"}}},
    {.name = "two asking rows of one key and instant both stay",
     .tags = "[conformance][E10]",
     .rows = {"1,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "5 PRESENT"},
              {"1", "2025-01-01T00:00:00Z", "5 PRESENT"}}},
    {.name = "composite keys that read alike when glued together never meet",
     .tags = "[conformance][E12]",
     .rows = {"1,11,10,2025-01-01T00:00:00Z", "11,1,20,2025-01-01T00:00:00Z"},
     .asks = {{"1|11", "2025-01-01T00:00:00Z", "10 PRESENT"},
              {"11|1", "2025-01-01T00:00:00Z", "20 PRESENT"},
              {"1|1", "2025-01-01T00:00:00Z", "null NOT_FOUND"}},
     .columns = "k,k2,value,at",
     .key_types = "int64|int64"},
    {.name = "composite text keys that read alike when glued together never meet",
     .tags = "[conformance][E12]",
     .rows = {"a,bc,10,2025-01-01T00:00:00Z", "ab,c,20,2025-01-01T00:00:00Z"},
     .asks = {{"a|bc", "2025-01-01T00:00:00Z", "10 PRESENT"},
              {"ab|c", "2025-01-01T00:00:00Z", "20 PRESENT"},
              {"abc|", "2025-01-01T00:00:00Z", "null NOT_FOUND"}},
     .columns = "k,k2,value,at",
     .key_types = "string|string"},
    {.name = "a key part that is null finds nothing though the others match",
     .tags = "[conformance][E12][B8]",
     .rows = {"1,11,10,2025-01-01T00:00:00Z"},
     .asks = {{"1|-", "2025-01-01T00:00:00Z", "null NOT_FOUND"},
              {"-|11", "2025-01-01T00:00:00Z", "null NOT_FOUND"},
              {"1|11", "2025-01-01T00:00:00Z", "10 PRESENT"}},
     .columns = "k,k2,value,at",
     .key_types = "int64|int64"},
    {.name = "two rows alike in all times give one, the greater canonical bytes",
     .tags = "[conformance][E13]",
     .rows = {"1,1,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z",
              "1,2,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "1 PRESENT"}},
     .columns = "k,value,at,arrived",
     .source = kArrival},
    {.name = "two rows alike in all times give the same one when written the other way round",
     .tags = "[conformance][E13]",
     .rows = {"1,2,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z",
              "1,1,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "1 PRESENT"}},
     .columns = "k,value,at,arrived",
     .source = kArrival},
    {.name = "two rows of one instant without arrival times give one",
     .tags = "[conformance][E13]",
     .rows = {"1,b,2025-01-01T00:00:00Z", "1,a,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "b PRESENT"}},
     .value_type = "string"},
    {.name = "a null ties with a value of its instant like any other row",
     .tags = "[conformance][E13]",
     .rows = {"1,,2025-01-01T00:00:00Z", "1,a,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "a PRESENT"}},
     .value_type = "string"},
    {.name = "known_at spine takes the value that had arrived, any takes the last",
     .tags = "[conformance][E14]",
     .rows = {"1,0.4,2025-01-01T10:00:00Z,2025-01-01T12:00:00Z",
              "1,0.6,2025-01-01T10:00:00Z,2025-01-03T00:00:00Z"},
     .asks = {{"1", "2025-01-02T00:00:00Z", "0.4 PRESENT", kSpine},
              {"1", "2025-01-02T00:00:00Z", "0.6 PRESENT"}},
     .columns = "k,value,at,arrived",
     .source = kArrival,
     .view = R"("ttl": "7d")"},
    {.name = "a row without an arrival time is not known",
     .tags = "[conformance][E15]",
     .rows = {"1,0.4,2025-01-01T10:00:00Z,2025-01-01T12:00:00Z", "1,0.6,2025-01-01T10:00:00Z,"},
     .asks = {{"1", "2025-01-02T00:00:00Z", "0.4 PRESENT", kSpine},
              {"1", "2025-01-02T00:00:00Z", "0.4 PRESENT"}},
     .columns = "k,value,at,arrived",
     .source = kArrival,
     .view = R"("ttl": "7d")"},
    {.name = "before anything arrived there is one row with nothing in it",
     .tags = "[conformance][E16]",
     .rows = {"1,0.4,2025-01-01T10:00:00Z,2025-01-03T00:00:00Z",
              "1,0.6,2025-01-01T11:00:00Z,2025-01-04T00:00:00Z"},
     .asks = {{"1", "2025-01-02T00:00:00Z", "null NOT_FOUND", kSpine}},
     .columns = "k,value,at,arrived",
     .source = kArrival,
     .view = R"("ttl": "7d")"},
    {.name = "no key borrows what arrived for another",
     .tags = "[conformance][E17]",
     .rows = {"1,0.4,2025-01-01T10:00:00Z,2025-01-01T12:00:00Z",
              "2,0.6,2025-01-01T10:00:00Z,2025-01-03T00:00:00Z"},
     .asks = {{"1", "2025-01-02T00:00:00Z", "0.4 PRESENT", kSpine},
              {"2", "2025-01-02T00:00:00Z", "null NOT_FOUND", kSpine}},
     .columns = "k,value,at,arrived",
     .source = kArrival,
     .view = R"("ttl": "7d")"},
    {.name = "backfilled corrections are unseen by the instants before they arrived",
     .tags = "[conformance][E18]",
     .rows = {"1001,10,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z",
              "1001,20,2025-01-01T00:00:00Z,2025-01-03T00:00:00Z",
              "1002,30,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z",
              "1002,40,2025-01-01T00:00:00Z,2025-01-03T00:00:00Z"},
     .asks = {{"1001", "2025-01-02T00:00:00Z", "10 PRESENT", kSpine},
              {"1002", "2025-01-02T00:00:00Z", "30 PRESENT", kSpine},
              {"1001", "2025-01-02T00:00:00Z", "20 PRESENT"},
              {"1002", "2025-01-02T00:00:00Z", "40 PRESENT"}},
     .columns = "k,value,at,arrived",
     .source = kArrival},
    {.name = "a row arriving at the very instant is known",
     .tags = "[conformance][E14][E3]",
     .rows = {"1,5,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z"},
     .asks = {{"1", "2025-01-02T00:00:00Z", "5 PRESENT", kSpine},
              {"1", "2025-01-01T23:59:59.999999Z", "null NOT_FOUND", kSpine}},
     .columns = "k,value,at,arrived",
     .source = kArrival},
    {.name = "available_after delays when a row is known, not its time",
     .tags = "[conformance][E14]",
     .rows = {"1,4,2025-01-01T00:00:00Z", "1,5,2025-01-01T01:00:00Z"},
     .asks = {{"1", "2025-01-01T02:59:59.999999Z", "4 PRESENT", kSpine},
              {"1", "2025-01-01T03:00:00Z", "5 PRESENT 2025-01-01T01:00:00Z", kSpine},
              {"1", "2025-01-01T01:00:00Z", "5 PRESENT"}},
     .source = R"("available_after": "2h")"},
    {.name = "instants written in other zones are one line of time",
     .tags = "[conformance][E27]",
     .rows = {"1,1,2025-01-01T12:00:00+01:00", "1,2,2025-01-01T06:30:00-05:00",
              "1,3,2025-01-01T12:00:00Z"},
     .asks = {{"1", "2025-01-01T11:00:00Z", "1 PRESENT 2025-01-01T11:00:00Z"},
              {"1", "2025-01-01T11:30:00Z", "2 PRESENT 2025-01-01T11:30:00Z"},
              {"1", "2025-01-01T13:00:00+01:00", "3 PRESENT 2025-01-01T12:00:00Z"}}},
    {.name = "instants without an offset are UTC",
     .tags = "[conformance][E27]",
     .rows = {"1,1,2025-07-01T12:00:00", "1,2,2025-07-01 13:00:00"},
     .asks = {{"1", "2025-07-01T12:00:00Z", "1 PRESENT 2025-07-01T12:00:00Z"},
              {"1", "2025-07-01T13:00:00Z", "2 PRESENT 2025-07-01T13:00:00Z"}}},
    {.name = "instants without an offset are read in the source's zone, summer time and all",
     .tags = "[conformance][E27]",
     .rows = {"1,1,2025-07-01T12:00:00", "1,2,2025-12-01T12:00:00"},
     .asks = {{"1", "2025-07-01T10:00:00Z", "1 PRESENT 2025-07-01T10:00:00Z"},
              {"1", "2025-12-01T11:00:00Z", "2 PRESENT 2025-12-01T11:00:00Z"}},
     .source = R"("time_zone": "Europe/Berlin")"},
    {.name = "a global view joins any asking row by time alone",
     .tags = "[conformance][E31]",
     .rows = {"1,2025-01-01T00:00:00Z", "2,2025-01-02T00:00:00Z"},
     .asks = {{"", "2025-01-01T12:00:00Z", "1 PRESENT"},
              {"", "2025-01-02T00:00:00Z", "2 PRESENT"},
              {"", "2024-12-31T00:00:00Z", "null NOT_FOUND"}},
     .columns = "value,at",
     .key_types = ""},
    {.name = "a row just older than a ttl of half a second is out",
     .tags = "[conformance][E32]",
     .rows = {"1,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00.7Z", "null OUTSIDE_MAX_AGE"},
              {"1", "2025-01-01T00:00:00.4Z", "5 PRESENT"}},
     .view = R"("ttl": "500ms")"},
    {.name = "asking rows keep their order whatever their keys and times",
     .tags = "[conformance][E34]",
     .rows = {"1,1,2025-01-01T00:00:00Z", "1,2,2025-01-02T00:00:00Z", "2,3,2025-01-01T00:00:00Z"},
     .asks = {{"2", "2025-01-05T00:00:00Z", "3 PRESENT"},
              {"1", "2025-01-05T00:00:00Z", "2 PRESENT"},
              {"9", "2025-01-05T00:00:00Z", "null NOT_FOUND"},
              {"1", "2025-01-01T00:00:00Z", "1 PRESENT"},
              {"2", "2025-01-01T00:00:00Z", "3 PRESENT"}}},
    {.name = "under boundary before an event at the very instant does not count",
     .tags = "[conformance][E3]",
     .rows = {"1,5,2025-01-01T00:00:00Z"},
     .asks = {{"1", "2025-01-01T00:00:00Z", "null NOT_FOUND"},
              {"1", "2025-01-01T00:00:00.000001Z", "5 PRESENT"}},
     .view = R"("boundary": "before")"},
    {.name = "the sequence settles rows of one instant before the arrival does",
     .tags = "[conformance][E1]",
     .rows = {"1,10,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z,7",
              "1,20,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z,8"},
     .asks = {{"1", "2025-01-03T00:00:00Z", "20 PRESENT"}},
     .columns = "k,value,at,arrived,seq",
     .source = R"("arrival_time": "arrived", "sequence": "seq")"},
};
const bool kJoinRegistered = larder_test::RegisterTable<kJoinCases, larder_test::RunScenario>();

constexpr std::string_view kShop = R"({"project": "p",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]},
              {"name": "item", "join_keys": [{"name": "item_id", "type": "string"}]},
              {"name": "place", "join_keys": [{"name": "location_id", "type": "int64"}]}],
 "sources": [
  {"name": "users", "kind": "csv", "path": "users.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "user_id", "type": "int64", "from": "id_of_user"}, {"name": "score", "type": "float64"},
              {"name": "conv", "type": "float64"}, {"name": "home", "type": "int32"},
              {"name": "id", "type": "string"}, {"name": "at", "type": "timestamp"}]},
  {"name": "items", "kind": "csv", "path": "items.csv", "event_time": "at",
   "fields": [{"name": "item_id", "type": "string"}, {"name": "price", "type": "float64"},
              {"name": "at", "type": "timestamp"}]},
  {"name": "places", "kind": "csv", "path": "places.csv", "event_time": "at",
   "fields": [{"name": "location_id", "type": "int64"}, {"name": "temperature", "type": "float64"},
              {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "user_stats", "entities": ["user"], "source": "users", "features": [{"name": "score"}, {"name": "home"}]},
  {"name": "user_conv", "entities": ["user"], "source": "users", "features": [{"name": "conv"}]},
  {"name": "item_stats", "entities": ["item"], "source": "items", "features": [{"name": "price"}]},
  {"name": "location", "entities": ["place"], "source": "places", "features": [{"name": "temperature"}]}],
 "on_demand_views": [
  {"name": "sums", "request": [{"name": "val_to_add", "type": "float64"}],
   "inputs": {"score": "user_stats:score"},
   "features": [{"name": "plus", "expr": "score + request.val_to_add"},
                {"name": "twice", "expr": "score * 2"},
                {"name": "minus", "expr": "score - request.val_to_add"}]}],
 "feature_services": [
  {"name": "trips", "full_feature_names": true, "features": [
    {"view": "location", "as": "origin", "join_keys": {"location_id": "origin_id"}},
    {"view": "location", "as": "destination", "join_keys": {"location_id": "destination_id"}}]},
  {"name": "at_home", "features": ["user_stats:score",
    {"view": "location", "join_keys": {"location_id": "user_stats:home"}}]},
  {"name": "one_sum", "features": ["sums:twice"]},
  {"name": "two_sums", "features": ["sums:minus", "sums:plus"]}]})";

void LoadShop(StoreFixture& fixture) {
  fixture.folder().Write("users.csv",
                         "id_of_user,score,conv,home,id,at\n"
                         "1,10,0.5,100,a,2025-01-01T00:00:00Z\n"
                         "1,20,0.6,200,b,2025-01-02T00:00:00Z\n"
                         "2,30,0.7,200,c,2025-01-01T00:00:00Z\n");
  fixture.folder().Write("items.csv",
                         "item_id,price,at\n"
                         "1,1.5,2025-01-01T00:00:00Z\n"
                         "2,2.5,2025-01-01T00:00:00Z\n");
  fixture.folder().Write("places.csv",
                         "location_id,temperature,at\n"
                         "100,-1,2025-01-01T00:00:00Z\n"
                         "200,5,2025-01-01T00:00:00Z\n"
                         "200,6,2025-01-03T00:00:00Z\n");
  fixture.Apply(kShop);
  fixture.Materialize();
}

const std::vector<larder::Field> kUser = {{"user_id", TypeId::kInt64, "", ""}};

std::string MessageOf(const absl::Status& status) { return std::string(larder::MessageOf(status)); }

}  // namespace

TEST_CASE("labels and all other columns of duplicate spine rows stay as they were",
          "[conformance][E10]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"label", TypeId::kString, "", ""});
  request.spine = SpineOf(fields,
                          {{{"user_id", int64_t{1}}, {"label", "a"}},
                           {{"user_id", int64_t{1}}, {"label", "b"}},
                           {{"user_id", int64_t{1}}, {"label", larder::Value()}}},
                          {"2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  REQUIRE(set.rows.row_count() == 3);
  CHECK(set.rows.Find("label")->Text(0) == "a");
  CHECK(set.rows.Find("label")->Text(1) == "b");
  CHECK_FALSE(set.rows.Find("label")->IsValid(2));
  for (std::size_t row = 0; row < 3; ++row)
    CHECK(ShownWithTime(set, "score", row) == "10 PRESENT 2025-01-01T00:00:00Z");
}

TEST_CASE("the spine's columns stand first and in their order, then the features in theirs",
          "[conformance][E34][B20]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:home", "user_conv:conv", "user_stats:score"};
  request.spine = SpineOf(kUser, {{{"user_id", int64_t{2}}}}, {"2025-01-05T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  const std::vector<std::string> names(set.rows.names().begin(), set.rows.names().end());
  CHECK(names == std::vector<std::string>{"user_id", "t", "home", "conv", "score"});
}

TEST_CASE("one user with two items gives two rows with both views joined", "[conformance][E11]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score", "item_stats:price"};
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"item_id", TypeId::kInt64, "", ""});
  request.spine = SpineOf(fields,
                          {{{"user_id", int64_t{1}}, {"item_id", int64_t{1}}},
                           {{"user_id", int64_t{1}}, {"item_id", int64_t{2}}}},
                          {"2025-01-05T00:00:00Z", "2025-01-05T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  REQUIRE(set.rows.row_count() == 2);
  CHECK(larder_test::Shown(set, "score", 0) == "20 PRESENT");
  CHECK(larder_test::Shown(set, "score", 1) == "20 PRESENT");
  CHECK(larder_test::Shown(set, "price", 0) == "1.5 PRESENT");
  CHECK(larder_test::Shown(set, "price", 1) == "2.5 PRESENT");
}

TEST_CASE("a cutoff asked of a source that never says when rows arrive is an error",
          "[conformance][E19][E20]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  request.known_at = kSpine;
  request.spine = SpineOf(kUser, {{{"user_id", int64_t{2}}}}, {"2025-01-05T00:00:00Z"});
  const auto set = fixture.store().GetHistoricalFeatures(request);
  CHECK(set.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(set.status()), larder_test::ContainsSubstring("user_stats@1") &&
                                          larder_test::ContainsSubstring("users") &&
                                          larder_test::ContainsSubstring("arrival_time"));
}

TEST_CASE("a key column of another name in the data joins under the declared name",
          "[conformance][E21]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  request.spine = SpineOf(kUser, {{{"user_id", int64_t{1}}}, {{"user_id", int64_t{2}}}},
                          {"2025-01-03T00:00:00Z", "2025-01-03T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  CHECK(larder_test::Shown(set, "score", 0) == "20 PRESENT");
  CHECK(larder_test::Shown(set, "score", 1) == "30 PRESENT");
}

TEST_CASE("a column of the source that a view does not declare is no feature of it",
          "[conformance][E22][B5]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:conv"};
  request.spine = SpineOf(kUser, {{{"user_id", int64_t{2}}}}, {"2025-01-05T00:00:00Z"});
  const auto offline = fixture.store().GetHistoricalFeatures(request);
  const auto online = fixture.TryGet({"user_stats:conv"}, {{{"user_id", 1}}});
  for (const absl::Status& status : {offline.status(), online.status()}) {
    CHECK_FALSE(status.ok());
    CHECK_THAT(MessageOf(status), larder_test::ContainsSubstring("conv") &&
                                      larder_test::ContainsSubstring("user_stats"));
  }
}

TEST_CASE("a request field the spine lacks is named before anything is read",
          "[conformance][E23]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.service = "two_sums";
  request.spine = SpineOf(kUser, {{{"user_id", int64_t{2}}}}, {"2025-01-05T00:00:00Z"});
  const auto offline = fixture.store().GetHistoricalFeatures(request);
  larder::OnlineRequest online_request;
  online_request.what.service = "two_sums";
  online_request.rows = {{{"user_id", 1}}};
  const auto online = fixture.store().GetOnlineFeatures(online_request);
  for (const absl::Status& status : {offline.status(), online.status()}) {
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(status), larder_test::ContainsSubstring("request field val_to_add"));
  }
}

TEST_CASE("only the outputs asked of a view with three come back", "[conformance][E24]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.service = "one_sum";  // needs no request field, since `twice` reads none
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"val_to_add", TypeId::kFloat64, "", ""});
  request.spine =
      SpineOf(fields, {{{"user_id", int64_t{1}}, {"val_to_add", 1.0}}}, {"2025-01-01T00:00:00Z"});
  const auto one = Train(fixture.store(), request);
  REQUIRE(one.features.size() == 1);
  CHECK(larder_test::Shown(one, "twice", 0) == "20 PRESENT");
  request.what.service = "two_sums";
  const auto two = Train(fixture.store(), request);
  REQUIRE(two.features.size() == 2);
  CHECK(two.features[0].name == "minus");
  CHECK(larder_test::Shown(two, "minus", 0) == "9 PRESENT");
  CHECK(larder_test::Shown(two, "plus", 0) == "11 PRESENT");
  larder_test::CheckFill(fixture.store(), "two_sums", {{{"user_id", 1}, {"val_to_add", 0.25}}},
                         At("2025-01-10T00:00:00Z"));
}

TEST_CASE("one view under two aliases joins each on its own key", "[conformance][E25][B23]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.service = "trips";
  const std::vector<larder::Field> fields = {{"destination_id", TypeId::kInt64, "", ""},
                                             {"origin_id", TypeId::kInt64, "", ""}};
  const std::vector<larder::Row> rows = {
      {{"destination_id", int64_t{200}}, {"origin_id", int64_t{100}}},
      {{"destination_id", int64_t{100}}, {"origin_id", int64_t{200}}},
      {{"destination_id", int64_t{300}}, {"origin_id", int64_t{200}}}};
  request.spine = SpineOf(fields, rows,
                          {"2025-01-02T00:00:00Z", "2025-01-04T00:00:00Z", "2025-01-04T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  CHECK(larder_test::Shown(set, "origin__temperature", 0) == "-1 PRESENT");
  CHECK(larder_test::Shown(set, "destination__temperature", 0) == "5 PRESENT");
  CHECK(larder_test::Shown(set, "origin__temperature", 1) == "6 PRESENT");
  CHECK(larder_test::Shown(set, "destination__temperature", 1) == "-1 PRESENT");
  CHECK(larder_test::Shown(set, "destination__temperature", 2) == "null NOT_FOUND");

  larder::OnlineRequest online;
  online.what.service = "trips";
  online.rows = rows;
  const auto response = fixture.store().GetOnlineFeatures(online);
  REQUIRE(response.ok());
  CHECK(larder_test::Shown(*response, "origin__temperature", 0) == "-1 PRESENT");
  CHECK(larder_test::Shown(*response, "destination__temperature", 0) == "6 PRESENT");
  CHECK(larder_test::Shown(*response, "destination__temperature", 2) == "null NOT_FOUND");
  larder_test::CheckFill(fixture.store(), "trips", rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("one view under two aliases without full names is a collision", "[conformance][E26]") {
  StoreFixture fixture;
  std::string bare(kShop);
  const std::string full = R"("full_feature_names": true, )";
  bare.erase(bare.find(full), full.size());
  const auto plan = fixture.store().Plan(fixture.Parse(bare));
  CHECK(plan.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(plan.status()), larder_test::ContainsSubstring("temperature") &&
                                           larder_test::ContainsSubstring("full_feature_names"));
}

TEST_CASE("a join key can come from a feature of another view at the same instant",
          "[conformance][E25]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.service = "at_home";
  const std::vector<larder::Row> rows = {
      {{"user_id", int64_t{1}}}, {{"user_id", int64_t{1}}}, {{"user_id", int64_t{9}}}};
  request.spine = SpineOf(kUser, rows,
                          {"2025-01-01T12:00:00Z", "2025-01-04T00:00:00Z", "2025-01-04T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  CHECK(larder_test::Shown(set, "temperature", 0) == "-1 PRESENT");
  CHECK(larder_test::Shown(set, "temperature", 1) == "6 PRESENT");
  CHECK(larder_test::Shown(set, "temperature", 2) == "null NOT_FOUND");
  larder_test::CheckFill(fixture.store(), "at_home", rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("over a range of time every entity's values have the intervals in which they held",
          "[conformance][E28]") {
  StoreFixture fixture("2025-01-10T01:00:00Z");
  fixture.folder().Write("stats.csv",
                         "driver_id,value,at\n"
                         "1001,10,2025-01-08T00:00:00Z\n1001,20,2025-01-09T00:00:00Z\n"
                         "1001,30,2025-01-10T00:00:00Z\n1002,100,2025-01-08T00:00:00Z\n"
                         "1002,200,2025-01-09T00:00:00Z\n1002,300,2025-01-10T00:00:00Z\n");
  fixture.Apply(R"({"larder": 1, "project": "p",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver_id", "type": "int64"}]}],
 "sources": [{"name": "stats", "kind": "csv", "path": "stats.csv", "event_time": "at",
   "fields": [{"name": "driver_id", "type": "int64"}, {"name": "value", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "driver_stats", "entities": ["driver"], "source": "stats", "ttl": "0s",
   "features": [{"name": "value", "type": "int64"}]}]})");
  larder::ValidityRequest request;
  request.features = {"driver_stats:value"};
  request.start = At("2025-01-07T00:00:00Z");
  request.end = At("2025-01-10T01:00:00Z");
  const auto made = fixture.store().GetValidityIntervals(request);
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  const larder::Batch& rows = made->front().rows;
  std::vector<std::pair<int64_t, int64_t>> found;
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    found.emplace_back(rows.Find("driver_id")->Values<int64_t>()[row],
                       rows.Find("value")->Values<int64_t>()[row]);
    CHECK(rows.Find("valid_from")->Values<int64_t>()[row] >= request.start.us);
    CHECK(rows.Find("valid_to")->Values<int64_t>()[row] <= request.end.us);
  }
  CHECK(found == std::vector<std::pair<int64_t, int64_t>>{
                     {1001, 10}, {1001, 20}, {1001, 30}, {1002, 100}, {1002, 200}, {1002, 300}});
}

TEST_CASE("of several timestamp columns the spine's instant must be named", "[conformance][E30]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"seen", TypeId::kTimestamp, "", ""});
  request.spine = SpineOf(fields, {{{"user_id", int64_t{1}}, {"seen", At("2025-01-01T00:00:00Z")}}},
                          {"2025-01-05T00:00:00Z"});
  const auto unclear = fixture.store().GetHistoricalFeatures(request);
  CHECK(unclear.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(unclear.status()),
             larder_test::ContainsSubstring("seen") && larder_test::ContainsSubstring("t"));
  request.time_column = "seen";
  CHECK(larder_test::Shown(Train(fixture.store(), request), "score", 0) == "10 PRESENT");
  request.time_column = "t";
  CHECK(larder_test::Shown(Train(fixture.store(), request), "score", 0) == "20 PRESENT");
}

TEST_CASE("a spine without any timestamp column is an error", "[conformance][E30]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  auto spine = larder::Batch::FromRows(std::vector<larder::Row>{{{"user_id", int64_t{1}}}}, kUser);
  REQUIRE(spine.ok());
  request.spine = *std::move(spine);
  CHECK(fixture.store().GetHistoricalFeatures(request).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("the instant of a spine row is never null", "[conformance][E30]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"t", TypeId::kTimestamp, "", ""});
  const std::vector<larder::Row> rows = {{{"user_id", int64_t{1}}, {"t", larder::Value()}}};
  request.spine = *larder::Batch::FromRows(rows, fields);
  const auto set = fixture.store().GetHistoricalFeatures(request);
  CHECK(set.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(set.status()), larder_test::ContainsSubstring("row 0"));
}

TEST_CASE("a spine drawn from a view's own source is refused as a self leak", "[conformance][E3]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  request.spine = SpineOf(kUser, {{{"user_id", int64_t{1}}}}, {"2025-01-01T00:00:00Z"});
  request.spine_sources = {"users"};
  const auto set = fixture.store().GetHistoricalFeatures(request);
  CHECK(set.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(set.status()), larder_test::ContainsSubstring("exclude_self"));
}

TEST_CASE("exclude_self leaves out the spine row's own event and no other", "[conformance][E3]") {
  StoreFixture fixture;
  std::string own(kShop);
  own.insert(own.find(R"("features": [{"name": "score"})"), R"("exclude_self": true, )");
  fixture.folder().Write("users.csv",
                         "id_of_user,score,conv,home,id,at\n"
                         "1,10,0.5,100,a,2025-01-01T00:00:00Z\n"
                         "1,20,0.6,200,b,2025-01-02T00:00:00Z\n"
                         "1,15,0.6,200,c,2025-01-02T00:00:00Z\n");
  fixture.Apply(own);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"id", TypeId::kString, "", ""});
  request.spine = SpineOf(fields,
                          {{{"user_id", int64_t{1}}, {"id", "a"}},
                           {{"user_id", int64_t{1}}, {"id", "b"}},
                           {{"user_id", int64_t{1}}, {"id", "c"}},
                           {{"user_id", int64_t{1}}, {"id", "z"}}},
                          {"2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z", "2025-01-02T00:00:00Z",
                           "2025-01-01T12:00:00Z"});
  request.spine_sources = {"users"};
  const auto set = Train(fixture.store(), request);
  CHECK(larder_test::Shown(set, "score", 0) == "null NOT_FOUND");
  CHECK(larder_test::Shown(set, "score", 1) == "15 PRESENT");
  CHECK(larder_test::Shown(set, "score", 2) == "20 PRESENT");
  CHECK(larder_test::Shown(set, "score", 3) == "10 PRESENT");
}

TEST_CASE("a feature with the name of a spine column is an error, with full names it is none",
          "[conformance][G7]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score"};
  std::vector<larder::Field> fields = kUser;
  fields.push_back({"score", TypeId::kFloat64, "", ""});
  request.spine =
      SpineOf(fields, {{{"user_id", int64_t{1}}, {"score", 1.0}}}, {"2025-01-05T00:00:00Z"});
  const auto clash = fixture.store().GetHistoricalFeatures(request);
  CHECK(clash.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(clash.status()), larder_test::ContainsSubstring("score") &&
                                            larder_test::ContainsSubstring("full_feature_names"));
  request.what.full_feature_names = true;
  CHECK(larder_test::Shown(Train(fixture.store(), request), "user_stats__score", 0) ==
        "20 PRESENT");
}

TEST_CASE("any number of threads gives the same training set", "[conformance][E34]") {
  StoreFixture fixture;
  LoadShop(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"user_stats:score", "user_conv:conv"};
  std::vector<larder::Row> rows;
  std::vector<std::string> times;
  for (int64_t i = 0; i < 500; ++i) {
    rows.push_back({{"user_id", i % 4}});
    times.push_back(larder::FormatTimestamp(
        At("2024-12-31T00:00:00Z").Plus(larder::Duration::Minutes(i * 11))));
  }
  request.spine = SpineOf(kUser, rows, times);
  const auto one = Train(fixture.store(), request);
  request.thread_count = 4;
  const auto four = Train(fixture.store(), request);
  for (std::size_t c = 0; c < one.rows.column_count(); ++c)
    CHECK(one.rows.column(c) == four.rows.column(c));
  for (std::size_t f = 0; f < one.features.size(); ++f)
    CHECK(one.features[f].statuses == four.features[f].statuses);
}
