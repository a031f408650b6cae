// Section B of the conformance cases: what an online read answers. Types and keys are tables, each row loaded, pushed,
// read, filled into a tensor and joined.
#include "conformance/case_table.h"
#include "conformance/scenario.h"

namespace {

using larder::Concat;
using larder::Row;
using larder::TypeId;
using larder::Value;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Scenario;
using larder_test::Shown;
using larder_test::ShownWithTime;
using larder_test::SpineOf;
using larder_test::StoreFixture;
using larder_test::Train;

constexpr const char* kLate = "2025-02-01T00:00:00Z";

// A value, a null and a key that was never written, of every type.
const Scenario kTypeCases[] = {
    {.name = "a bool feature is read as it was written",
     .tags = "[conformance][B17][J9]",
     .rows = {"1,true,2025-01-01T00:00:00Z", "2,0,2025-01-01T00:00:00Z", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "true PRESENT"},
              {"2", kLate, "false PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "bool"},
    {.name = "an int32 feature is read as it was written, to both ends",
     .tags = "[conformance][B17][J9]",
     .rows = {"1,-2147483648,2025-01-01T00:00:00Z", "2,2147483647,2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "-2147483648 PRESENT"},
              {"2", kLate, "2147483647 PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "int32"},
    {.name = "an int64 feature with nulls stays integer, to both ends",
     .tags = "[conformance][B17][J10]",
     .rows = {"1,-9223372036854775808,2025-01-01T00:00:00Z",
              "2,9223372036854775807,2025-01-01T00:00:00Z", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "-9223372036854775808 PRESENT"},
              {"2", kLate, "9223372036854775807 PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "int64"},
    {.name = "a uint64 feature is read as it was written, to both ends",
     .tags = "[conformance][B17]",
     .rows = {"1,0,2025-01-01T00:00:00Z", "2,18446744073709551615,2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "0 PRESENT"},
              {"2", kLate, "18446744073709551615 PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "uint64"},
    {.name = "a float32 feature is rounded once, where it is written",
     .tags = "[conformance][B19]",
     .rows = {"123,0.91,2025-01-01T00:00:00Z", "2,16777217,2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z"},
     .asks = {{"123", kLate, "0.91 PRESENT"},
              {"2", kLate, "16777216 PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "float32"},
    {.name = "a float64 feature is read to its last bit",
     .tags = "[conformance][B17]",
     .rows = {"1,0.1,2025-01-01T00:00:00Z", "2,5e-324,2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z", "5,-0.0,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "0.1 PRESENT"},
              {"2", kLate, "5e-324 PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"},
              {"5", kLate, "-0 PRESENT"}}},
    {.name = "NaN and the infinities are values and not nulls",
     .tags = "[conformance][J13]",
     .rows = {"1,NaN,2025-01-01T00:00:00Z", "2,Infinity,2025-01-01T00:00:00Z",
              "3,-inf,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "NaN PRESENT"},
              {"2", kLate, "Infinity PRESENT"},
              {"3", kLate, "-Infinity PRESENT"}}},
    {.name = "a string feature keeps empty text apart from null",
     .tags = "[conformance][B17]",
     .rows = {"1,John,2025-01-01T00:00:00Z", "2,\"\",2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z", "5,\"a,\"\"b\"\"\",2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "John PRESENT"},
              {"2", kLate, " PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"},
              {"5", kLate, "a,\"b\" PRESENT"}},
     .value_type = "string"},
    {.name = "a string feature beyond ASCII is read as it was written",
     .tags = "[conformance][J9]",
     .rows = {"1,\xE7\x94\xA8\xE6\x88\xB7,2025-01-01T00:00:00Z",
              "2,\xF0\x9F\x98\x80,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "\xE7\x94\xA8\xE6\x88\xB7 PRESENT"},
              {"2", kLate, "\xF0\x9F\x98\x80 PRESENT"}},
     .value_type = "string"},
    {.name = "a bytes feature is read as it was written, zeros and all",
     .tags = "[conformance][J9]",
     .rows = {"1,AP8=,2025-01-01T00:00:00Z", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "AP8= PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "bytes"},
    {.name = "a timestamp feature keeps its microseconds",
     .tags = "[conformance][J9][J12]",
     .rows = {"1,1980-01-01T00:00:00Z,2025-01-01T00:00:00Z",
              "2,1981-01-01 00:00:00.123456+02:00,2025-01-01T00:00:00Z", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "1980-01-01T00:00:00Z PRESENT"},
              {"2", kLate, "1980-12-31T22:00:00.123456Z PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "timestamp"},
    {.name = "a date feature is read as it was written, leap days and early years too",
     .tags = "[conformance][J9]",
     .rows = {"1,2024-02-29,2025-01-01T00:00:00Z", "2,0001-01-01,2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "2024-02-29 PRESENT"},
              {"2", kLate, "0001-01-01 PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "date"},
    {.name = "a duration feature is read as it was written",
     .tags = "[conformance][J9]",
     .rows = {"1,1h30m,2025-01-01T00:00:00Z", "2,-250us,2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "1h30m PRESENT"},
              {"2", kLate, "-250us PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "duration"},
    {.name = "a float32 vector feature is null as a whole or not at all",
     .tags = "[conformance][J7]",
     .rows = {R"(1,"[4,5.5,-1]",2025-01-01T00:00:00Z)", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "[4,5.5,-1] PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "vector<float32, 3>"},
    {.name = "an int8 vector feature is read as it was written",
     .tags = "[conformance][J7]",
     .rows = {R"(1,"[-128,0,127]",2025-01-01T00:00:00Z)", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "[-128,0,127] PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"}},
     .value_type = "vector<int8, 3>"},
    {.name = "the empty list, null and a list of one null are three different values",
     .tags = "[conformance][J11]",
     .rows = {R"(1,"[1,2]",2025-01-01T00:00:00Z)", "2,[],2025-01-01T00:00:00Z",
              "3,,2025-01-01T00:00:00Z", "5,[null],2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "[1,2] PRESENT"},
              {"2", kLate, "[] PRESENT"},
              {"3", kLate, "null NULL_VALUE"},
              {"4", kLate, "null NOT_FOUND"},
              {"5", kLate, "[null] PRESENT"}},
     .value_type = "list<int64>"},
    {.name = "a list of strings is read as it was written",
     .tags = "[conformance][J9]",
     .rows = {R"(1,"[""a"",""b,c""]",2025-01-01T00:00:00Z)", "3,,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, R"(["a","b,c"] PRESENT)"}, {"3", kLate, "null NULL_VALUE"}},
     .value_type = "list<string>"},
    {.name = "a list of floats is read as it was written",
     .tags = "[conformance][J9]",
     .rows = {R"(1,"[0.5,1]",2025-01-01T00:00:00Z)", "2,[],2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "[0.5,1] PRESENT"}, {"2", kLate, "[] PRESENT"}},
     .value_type = "list<float64>"},
    {.name = "a list of bools is read as it was written",
     .tags = "[conformance][J9]",
     .rows = {R"(1,"[true,null,false]",2025-01-01T00:00:00Z)"},
     .asks = {{"1", kLate, "[true,null,false] PRESENT"}},
     .value_type = "list<bool>"},
};
const bool kTypesRegistered = larder_test::RegisterTable<kTypeCases, larder_test::RunScenario>();

// A key that is there, one that is not, and a null one, of every type a key may have.
const Scenario kKeyCases[] = {
    {.name = "an int32 key finds its row, to both ends",
     .tags = "[conformance][B25]",
     .rows = {"-2147483648,1,2025-01-01T00:00:00Z", "2147483647,2,2025-01-01T00:00:00Z",
              "0,3,2025-01-01T00:00:00Z"},
     .asks = {{"-2147483648", kLate, "1 PRESENT"},
              {"2147483647", kLate, "2 PRESENT"},
              {"0", kLate, "3 PRESENT"},
              {"1", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "int32"},
    {.name = "an int64 key finds its row, to both ends",
     .tags = "[conformance][B2]",
     .rows = {"-9223372036854775808,1,2025-01-01T00:00:00Z",
              "9223372036854775807,2,2025-01-01T00:00:00Z", "-1,3,2025-01-01T00:00:00Z"},
     .asks = {{"-9223372036854775808", kLate, "1 PRESENT"},
              {"9223372036854775807", kLate, "2 PRESENT"},
              {"-1", kLate, "3 PRESENT"},
              {"0", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}}},
    {.name = "a uint64 key beyond int64 finds its row",
     .tags = "[conformance][B2]",
     .rows = {"18446744073709551615,1,2025-01-01T00:00:00Z",
              "9223372036854775808,2,2025-01-01T00:00:00Z", "7,3,2025-01-01T00:00:00Z"},
     .asks = {{"18446744073709551615", kLate, "1 PRESENT"},
              {"9223372036854775808", kLate, "2 PRESENT"},
              {"7", kLate, "3 PRESENT"},
              {"8", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "uint64"},
    {.name = "a string key finds its row, case and blanks count",
     .tags = "[conformance][B2]",
     .rows = {"ab,1,2025-01-01T00:00:00Z", "AB,2,2025-01-01T00:00:00Z",
              "\" ab\",3,2025-01-01T00:00:00Z", "5,4,2025-01-01T00:00:00Z",
              "05,5,2025-01-01T00:00:00Z"},
     .asks = {{"ab", kLate, "1 PRESENT"},
              {"AB", kLate, "2 PRESENT"},
              {" ab", kLate, "3 PRESENT"},
              {"5", kLate, "4 PRESENT"},
              {"05", kLate, "5 PRESENT"},
              {"aB", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "string"},
    {.name = "a string key beyond ASCII finds its row",
     .tags = "[conformance][B2]",
     .rows = {"\xE7\x94\xA8\xE6\x88\xB7ID,1,2025-01-01T00:00:00Z",
              "\xC3\xA9,2,2025-01-01T00:00:00Z"},
     .asks = {{"\xE7\x94\xA8\xE6\x88\xB7ID", kLate, "1 PRESENT"},
              {"\xC3\xA9", kLate, "2 PRESENT"},
              {"e\xCC\x81", kLate, "null NOT_FOUND"}},
     .key_types = "string"},
    {.name = "a bytes key finds its row, zeros and all",
     .tags = "[conformance][B2]",
     .rows = {"AP8=,1,2025-01-01T00:00:00Z", "AA==,2,2025-01-01T00:00:00Z"},
     .asks = {{"AP8=", kLate, "1 PRESENT"},
              {"AA==", kLate, "2 PRESENT"},
              {"AAA=", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "bytes"},
    {.name = "a timestamp key finds its row by instant, however it is written",
     .tags = "[conformance][B2]",
     .rows = {"2025-01-01T00:00:00Z,1,2025-01-01T00:00:00Z",
              "1969-12-31T23:59:59.999999Z,2,2025-01-01T00:00:00Z"},
     .asks = {{"2025-01-01T01:00:00+01:00", kLate, "1 PRESENT"},
              {"1969-12-31T23:59:59.999999Z", kLate, "2 PRESENT"},
              {"2025-01-01T00:00:00.000001Z", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "timestamp"},
    {.name = "a date key finds its row",
     .tags = "[conformance][B2]",
     .rows = {"2024-02-29,1,2025-01-01T00:00:00Z", "1969-12-31,2,2025-01-01T00:00:00Z"},
     .asks = {{"2024-02-29", kLate, "1 PRESENT"},
              {"1969-12-31", kLate, "2 PRESENT"},
              {"2024-02-28", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "date"},
    {.name = "a bool key finds its row",
     .tags = "[conformance][B2]",
     .rows = {"true,1,2025-01-01T00:00:00Z"},
     .asks = {{"true", kLate, "1 PRESENT"},
              {"1", kLate, "1 PRESENT"},
              {"false", kLate, "null NOT_FOUND"},
              {"-", kLate, "null NOT_FOUND"}},
     .key_types = "bool"},
    {.name = "a key of four parts of four types finds its row",
     .tags = "[conformance][B22]",
     .rows = {"1,a,2025-01-01,true,10,2025-01-01T00:00:00Z",
              "1,a,2025-01-01,false,20,2025-01-01T00:00:00Z"},
     .asks = {{"1|a|2025-01-01|true", kLate, "10 PRESENT"},
              {"1|a|2025-01-01|false", kLate, "20 PRESENT"},
              {"1|a|2025-01-02|true", kLate, "null NOT_FOUND"},
              {"1|a|2025-01-01|-", kLate, "null NOT_FOUND"}},
     .columns = "k,k2,k3,k4,value,at",
     .key_types = "int32|string|date|bool"},
    {.name = "one stored row asked for three times answers three times alike",
     .tags = "[conformance][B9]",
     .rows = {"1,10,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "10 PRESENT 2025-01-01T00:00:00Z"},
              {"1", kLate, "10 PRESENT 2025-01-01T00:00:00Z"},
              {"1", kLate, "10 PRESENT 2025-01-01T00:00:00Z"}}},
    {.name = "a row found beside one that was never written",
     .tags = "[conformance][B11]",
     .rows = {"1,1,2025-01-01T00:00:00Z"},
     .asks = {{"1", kLate, "1 PRESENT 2025-01-01T00:00:00Z"}, {"2", kLate, "null NOT_FOUND"}}},
};
const bool kKeysRegistered = larder_test::RegisterTable<kKeyCases, larder_test::RunScenario>();

constexpr std::string_view kDrivers = R"({"project": "p",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver_id", "type": "int64"}]},
              {"name": "customer", "join_keys": [{"name": "customer_id", "type": "string"}]},
              {"name": "item", "join_keys": [{"name": "item_id", "type": "int64"}]},
              {"name": "small", "join_keys": [{"name": "small_id", "type": "int32"}]}],
 "sources": [
  {"name": "locations", "kind": "csv", "path": "locations.csv", "event_time": "at",
   "fields": [{"name": "driver_id", "type": "int64"}, {"name": "lat", "type": "float64"}, {"name": "lon", "type": "string"},
              {"name": "conv_rate", "type": "float64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "customers", "kind": "csv", "path": "customers.csv", "event_time": "at",
   "fields": [{"name": "customer_id", "type": "string"}, {"name": "avg_orders_day", "type": "float32"},
              {"name": "name", "type": "string"}, {"name": "age", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "both", "kind": "csv", "path": "both.csv", "event_time": "at",
   "fields": [{"name": "driver_id", "type": "int64"}, {"name": "customer_id", "type": "string"},
              {"name": "trips", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "smalls", "kind": "push", "event_time": "at",
   "fields": [{"name": "small_id", "type": "int32"}, {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "driver_locations", "entities": ["driver"], "source": "locations", "features": [{"name": "lat"}, {"name": "lon"}]},
  {"name": "driver_rates", "entities": ["driver"], "source": "locations", "features": [{"name": "conv_rate"}]},
  {"name": "customer_profile", "entities": ["customer"], "source": "customers",
   "features": [{"name": "avg_orders_day"}, {"name": "name"}, {"name": "age"}]},
  {"name": "combined", "entities": ["customer", "driver"], "source": "both", "features": [{"name": "trips"}]},
  {"name": "small_view", "entities": ["small"], "source": "smalls", "features": [{"name": "x"}]}],
 "feature_services": [
  {"name": "numbers", "features": ["combined:trips", "driver_locations:lat", "customer_profile:age",
                                   "customer_profile:avg_orders_day"]},
  {"name": "mixed", "features": ["driver_rates:conv_rate", "driver_locations:lon", "driver_locations:lat"]},
  {"name": "full", "full_feature_names": true, "features": ["driver_locations:lat"]},
  {"name": "small_service", "features": ["small_view:x"]}]})";

void LoadDrivers(StoreFixture& fixture) {
  fixture.folder().Write("locations.csv",
                         "driver_id,lat,lon,conv_rate,at\n"
                         "1,0.1,1.0,0.5,2022-03-02T23:25:00Z\n"
                         "2,0.2,2.0,0.25,2022-03-02T23:26:40Z\n"
                         "3,0.3,3.0,,2022-03-02T23:26:40Z\n");
  fixture.folder().Write("customers.csv",
                         "customer_id,avg_orders_day,name,age,at\n"
                         "5,1.0,John,3,2022-03-02T23:25:00Z\n"
                         "6,2.5,Ann,,2022-03-02T23:25:00Z\n");
  fixture.folder().Write("both.csv",
                         "driver_id,customer_id,trips,at\n"
                         "1,5,7,2022-03-02T23:25:00Z\n"
                         "2,5,8,2022-03-02T23:25:00Z\n");
  fixture.Apply(kDrivers);
  fixture.Materialize();
}

std::string MessageOf(const absl::Status& status) { return std::string(larder::MessageOf(status)); }

const std::vector<std::string> kFour = {"driver_locations:lon", "customer_profile:avg_orders_day",
                                        "customer_profile:name", "combined:trips"};

}  // namespace

TEST_CASE("the number 5 given for a declared text key is the text 5", "[conformance][B1]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const std::vector<Row> rows = {{{"driver_id", 1}, {"customer_id", "5"}},
                                 {{"driver_id", 1}, {"customer_id", 5}}};
  const auto response = fixture.Get(kFour, rows);
  for (std::size_t row = 0; row < 2; ++row) {
    CHECK(response.keys.Find("driver_id")->ValueAt(row) == Value(int64_t{1}));
    CHECK(response.keys.Find("customer_id")->ValueAt(row) == Value("5"));
    CHECK(Shown(response, "lon", row) == "1.0 PRESENT");
    CHECK(Shown(response, "avg_orders_day", row) == "1 PRESENT");
    CHECK(Shown(response, "name", row) == "John PRESENT");
    CHECK(Shown(response, "trips", row) == "7 PRESENT");
  }
  larder_test::CheckFill(fixture.store(), "numbers", rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("an integer column of a spine serves a declared text key", "[conformance][B1]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  larder::HistoricalRequest request;
  request.what.features = kFour;
  request.spine =
      SpineOf({{"driver_id", TypeId::kInt32, "", ""}, {"customer_id", TypeId::kInt64, "", ""}},
              {{{"driver_id", 1}, {"customer_id", int64_t{5}}}}, {"2025-01-01T00:00:00Z"});
  const auto set = Train(fixture.store(), request);
  CHECK(Shown(set, "lon", 0) == "1.0 PRESENT");
  CHECK(Shown(set, "name", 0) == "John PRESENT");
  CHECK(Shown(set, "trips", 0) == "7 PRESENT");
}

TEST_CASE("an absent key gives the column all the same, null and not found, without a time",
          "[conformance][B2]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto response = fixture.Get({"combined:trips"}, {{{"driver_id", 0}, {"customer_id", 0}}});
  REQUIRE(response.features.size() == 1);
  CHECK(ShownWithTime(response, "trips", 0) == "null NOT_FOUND");
  CHECK(response.features[0].values.type() == larder::DataType(TypeId::kInt64));
}

TEST_CASE("a missing join key is named, and only what is missing", "[conformance][B3]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto online = fixture.TryGet({"driver_locations:lon"}, {{{"customer_id", 0}}});
  larder::HistoricalRequest request;
  request.what.features = {"driver_locations:lon"};
  request.spine = SpineOf({{"customer_id", TypeId::kInt64, "", ""}},
                          {{{"customer_id", int64_t{0}}}}, {"2025-01-01T00:00:00Z"});
  const auto offline = fixture.store().GetHistoricalFeatures(request);
  for (const absl::Status& status : {online.status(), offline.status()}) {
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(status), ContainsSubstring("missing join key driver_id"));
    CHECK_THAT(MessageOf(status), !ContainsSubstring("item_id"));
  }
}

TEST_CASE("every missing join key is named at once", "[conformance][B3]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto online = fixture.TryGet({"combined:trips"}, {{{"driver", 0}}});
  CHECK_THAT(MessageOf(online.status()),
             ContainsSubstring("driver_id") && ContainsSubstring("customer_id"));
}

TEST_CASE("a tensor asked for with too few inputs is an error", "[conformance][B3]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto plan = fixture.store().Bind("numbers");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  std::vector<double> tensor(plan->width());
  const std::vector<larder::InputColumn> one = {larder::InputColumn::Broadcast(int64_t{1})};
  const absl::Status status =
      session->Fill(one, At("2025-01-10T00:00:00Z"), larder::Tensor<double>{tensor.data(), 1, 0});
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(status), ContainsSubstring("2") && ContainsSubstring("1"));
}

TEST_CASE("an unknown view is named with the nearest one there is", "[conformance][B4]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto online = fixture.TryGet({"driver_location:lon"}, {{{"driver_id", 1}}});
  CHECK_FALSE(online.ok());
  CHECK_THAT(MessageOf(online.status()),
             ContainsSubstring("driver_location") &&
                 ContainsSubstring("did you mean \"driver_locations\""));
}

TEST_CASE("a feature that only another view of the same source has is unknown",
          "[conformance][B5]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto online = fixture.TryGet({"driver_locations:conv_rate"}, {{{"driver_id", 1}}});
  CHECK_FALSE(online.ok());
  CHECK_THAT(MessageOf(online.status()),
             ContainsSubstring("conv_rate") && ContainsSubstring("driver_locations"));
  CHECK(Shown(fixture.Get({"driver_rates:conv_rate"}, {{{"driver_id", 1}}}), "conv_rate", 0) ==
        "0.5 PRESENT");
}

TEST_CASE("rows with different columns are an error naming the first such row",
          "[conformance][B6]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto online = fixture.TryGet(
      {"driver_locations:lon"}, {{{"driver_id", 1}}, {{"driver_id", 1}, {"customer_id", "5"}}});
  CHECK(online.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(online.status()), ContainsSubstring("row 1"));
}

TEST_CASE("the same columns in another order are the same columns", "[conformance][B6]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto response = fixture.Get({"combined:trips"}, {{{"driver_id", 1}, {"customer_id", "5"}},
                                                         {{"customer_id", "5"}, {"driver_id", 2}}});
  CHECK(Shown(response, "trips", 0) == "7 PRESENT");
  CHECK(Shown(response, "trips", 1) == "8 PRESENT");
}

TEST_CASE("a column given twice in a row is an error", "[conformance][B6]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto online =
      fixture.TryGet({"driver_locations:lon"}, {{{"driver_id", 1}, {"driver_id", 2}}});
  CHECK(online.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(online.status()), ContainsSubstring("driver_id twice"));
}

TEST_CASE("an unknown key column is an error with a suggestion unless the caller says ignore",
          "[conformance][B7]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  larder::OnlineRequest request;
  request.what.features = {"driver_locations:lon"};
  request.rows = {{{"driver_id", 1}, {"drivr", 2}}};
  const auto refused = fixture.store().GetOnlineFeatures(request);
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(refused.status()), ContainsSubstring("unknown column: drivr"));
  request.ignore_unknown_columns = true;
  const auto ignored = fixture.store().GetOnlineFeatures(request);
  REQUIRE(ignored.ok());
  CHECK(Shown(*ignored, "lon", 0) == "1.0 PRESENT");
  CHECK(ignored->keys.column_count() == 1);
}

TEST_CASE("a null join key gives a row that is not found, beside rows that are",
          "[conformance][B8]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto response =
      fixture.Get({"driver_locations:lat"}, {{{"driver_id", Value()}}, {{"driver_id", 1}}});
  CHECK(ShownWithTime(response, "lat", 0) == "null NOT_FOUND");
  CHECK(Shown(response, "lat", 1) == "0.1 PRESENT");
  CHECK_FALSE(response.keys.Find("driver_id")->IsValid(0));
}

TEST_CASE("a null join key in a file refuses the load, naming line and key", "[conformance][B8]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  fixture.folder().Write("both.csv",
                         "driver_id,customer_id,trips,at\n"
                         "1,5,7,2022-03-02T23:25:00Z\n"
                         ",5,8,2022-03-02T23:25:00Z\n");
  const auto refused = fixture.store().Materialize();
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(refused.status()),
             ContainsSubstring("both.csv:3") && ContainsSubstring("driver_id"));
  larder::MaterializeOptions lenient;
  lenient.views = {"combined"};
  lenient.strict = false;
  const auto loaded = fixture.Materialize(lenient);
  CHECK(loaded.views[0].rows_bad == 1);
  REQUIRE(loaded.views[0].first_reasons.size() == 1);
  CHECK_THAT(loaded.views[0].first_reasons[0], ContainsSubstring("both.csv:3"));
}

TEST_CASE("answers keep the order and the duplicates of the request", "[conformance][B10][B9]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const std::vector<Row> rows = {
      {{"driver_id", 3}}, {{"driver_id", 1}}, {{"driver_id", 3}}, {{"driver_id", 2}}};
  const auto response = fixture.Get({"driver_locations:lat"}, rows);
  REQUIRE(response.row_count == 4);
  const char* expected[] = {"0.3 PRESENT", "0.1 PRESENT", "0.3 PRESENT", "0.2 PRESENT"};
  for (std::size_t row = 0; row < 4; ++row) CHECK(Shown(response, "lat", row) == expected[row]);
  larder_test::CheckFill(fixture.store(), "mixed", rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("a null of one feature leaves its neighbour of the same row present",
          "[conformance][B12][B17]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto response =
      fixture.Get({"customer_profile:age", "customer_profile:name"}, {{{"customer_id", "6"}}});
  CHECK(ShownWithTime(response, "age", 0) == "null NULL_VALUE 2022-03-02T23:25:00Z");
  CHECK(ShownWithTime(response, "name", 0) == "Ann PRESENT 2022-03-02T23:25:00Z");
}

TEST_CASE("50 features of 500 entities are all present with the time they were written at",
          "[conformance][B14]") {
  StoreFixture fixture;
  std::string fields, features, header = "k", selection;
  for (int f = 0; f < 50; ++f) {
    fields += Concat(R"({"name": "f)", f, R"(", "type": "float64"}, )");
    features += Concat(f == 0 ? "" : ", ", R"({"name": "f)", f, R"("})");
    header += Concat(",f", f);
  }
  std::string file = header + ",at\n";
  for (int e = 0; e < 500; ++e) {
    file += Concat(e);
    for (int f = 0; f < 50; ++f) file += Concat(",", e * 100 + f);
    file += ",2024-01-01T12:00:00Z\n";
  }
  fixture.folder().Write("wide.csv", file);
  fixture.Apply(Concat(
      R"({"project": "p", "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [{"name": "wide", "kind": "csv", "path": "wide.csv", "event_time": "at", "fields": [
  {"name": "k", "type": "int64"}, )",
      fields, R"({"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "v", "entities": ["thing"], "source": "wide", "features": [)",
      features, R"(]}], "feature_services": [{"name": "s", "features": [{"view": "v"}]}]})"));
  fixture.Materialize();
  larder::OnlineRequest request;
  request.what.service = "s";
  for (int64_t e = 0; e < 500; ++e) request.rows.push_back({{"k", e}});
  const auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  REQUIRE(response->features.size() == 50);
  int wrong = 0;
  for (std::size_t f = 0; f < 50; ++f) {
    const larder::FeatureValues& feature = response->features[f];
    CHECK(feature.name == Concat("f", f));
    for (std::size_t e = 0; e < 500; ++e) {
      wrong += feature.statuses[e] != larder::FeatureStatus::kPresent;
      wrong += feature.event_times.Values<int64_t>()[e] != int64_t{1'704'110'400} * 1'000'000;
      wrong += feature.values.Values<double>()[e] != static_cast<double>(e * 100 + f);
    }
  }
  CHECK(wrong == 0);
  larder_test::CheckFill(fixture.store(), "s", request.rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("a request for no rows is answered with no rows and every feature",
          "[conformance][B15]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto response = fixture.Get({"driver_locations:lon", "driver_locations:lat"}, {});
  CHECK(response.row_count == 0);
  REQUIRE(response.features.size() == 2);
  CHECK(response.features[0].values.size() == 0);
  CHECK(response.features[1].statuses.empty());
  larder_test::CheckFill(fixture.store(), "mixed", {}, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("a spine without rows gives a training set without rows and with every column",
          "[conformance][B15]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  larder::HistoricalRequest request;
  request.what.features = {"driver_locations:lon"};
  request.spine = SpineOf({{"driver_id", TypeId::kInt64, "", ""}}, {}, {});
  const auto set = Train(fixture.store(), request);
  CHECK(set.rows.row_count() == 0);
  CHECK(set.rows.column_count() == 3);
}

TEST_CASE("full feature names are view, two underscores, feature", "[conformance][B16]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  larder::OnlineRequest request;
  request.what.features = {"driver_locations:lat"};
  request.what.full_feature_names = true;
  request.rows = {{{"driver_id", 1}}};
  const auto by_feature = fixture.store().GetOnlineFeatures(request);
  REQUIRE(by_feature.ok());
  CHECK(by_feature->features[0].name == "driver_locations__lat");
  request.what = {};
  request.what.service = "full";
  const auto by_service = fixture.store().GetOnlineFeatures(request);
  REQUIRE(by_service.ok());
  CHECK(by_service->features[0].name == "driver_locations__lat");
  const auto plan = fixture.store().Bind("full");
  REQUIRE(plan.ok());
  CHECK(plan->outputs()[0] == "driver_locations__lat");
}

TEST_CASE("a stored null and a row never written are told apart everywhere", "[conformance][B17]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const std::vector<Row> rows = {{{"driver_id", 3}}, {{"driver_id", 4}}};
  const auto response = fixture.Get({"driver_rates:conv_rate"}, rows);
  CHECK(ShownWithTime(response, "conv_rate", 0) == "null NULL_VALUE 2022-03-02T23:26:40Z");
  CHECK(ShownWithTime(response, "conv_rate", 1) == "null NOT_FOUND");
  larder_test::CheckFill(fixture.store(), "mixed", rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("each value carries the event time of its own row", "[conformance][B18]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const auto response = fixture.Get({"driver_locations:lat", "driver_rates:conv_rate"},
                                    {{{"driver_id", 1}}, {{"driver_id", 2}}});
  for (const char* feature : {"lat", "conv_rate"}) {
    const auto times = response.Find(feature)->event_times.Values<int64_t>();
    CHECK(times[0] == int64_t{1'646'263'500} * 1'000'000);
    CHECK(times[1] == int64_t{1'646'263'600} * 1'000'000);
  }
  CHECK(Shown(response, "conv_rate", 1) == "0.25 PRESENT");
}

TEST_CASE("features come back in the order they were asked for", "[conformance][B20]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const std::vector<std::vector<std::string>> orders = {
      {"driver_locations:lon", "driver_rates:conv_rate", "driver_locations:lat"},
      {"driver_rates:conv_rate", "driver_locations:lat", "driver_locations:lon"},
      {"driver_locations:lat", "driver_locations:lon", "driver_rates:conv_rate"}};
  for (const auto& order : orders) {
    const auto response = fixture.Get(order, {{{"driver_id", 1}}});
    REQUIRE(response.features.size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(order[i].substr(order[i].find(':') + 1) == response.features[i].name);
  }
  const auto plan = fixture.store().Bind("mixed");
  REQUIRE(plan.ok());
  CHECK(std::vector<std::string>(plan->outputs().begin(), plan->outputs().end()) ==
        std::vector<std::string>{"conv_rate", "lat"});
}

TEST_CASE("views of one request have their own statuses and times", "[conformance][B21]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  const std::vector<Row> rows = {{{"driver_id", 9}, {"customer_id", "5"}},
                                 {{"driver_id", 1}, {"customer_id", "9"}}};
  const auto response = fixture.Get({"driver_locations:lat", "customer_profile:name"}, rows);
  CHECK(ShownWithTime(response, "lat", 0) == "null NOT_FOUND");
  CHECK(ShownWithTime(response, "name", 0) == "John PRESENT 2022-03-02T23:25:00Z");
  CHECK(ShownWithTime(response, "lat", 1) == "0.1 PRESENT 2022-03-02T23:25:00Z");
  CHECK(ShownWithTime(response, "name", 1) == "null NOT_FOUND");
}

TEST_CASE("repeated keys of several views in one request each find their own rows",
          "[conformance][B22]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  std::vector<Row> rows;
  const int drivers[] = {1, 1, 2, 2, 2};
  const char* customers[] = {"5", "6", "5", "5", "7"};
  for (std::size_t i = 0; i < 5; ++i)
    rows.push_back({{"driver_id", drivers[i]}, {"customer_id", customers[i]}});
  const auto response = fixture.Get(
      {"combined:trips", "driver_locations:lat", "customer_profile:age", "customer_profile:name"},
      rows);
  const char* trips[] = {"7 PRESENT", "null NOT_FOUND", "8 PRESENT", "8 PRESENT", "null NOT_FOUND"};
  const char* lat[] = {"0.1 PRESENT", "0.1 PRESENT", "0.2 PRESENT", "0.2 PRESENT", "0.2 PRESENT"};
  const char* age[] = {"3 PRESENT", "null NULL_VALUE", "3 PRESENT", "3 PRESENT", "null NOT_FOUND"};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(Shown(response, "trips", i) == trips[i]);
    CHECK(Shown(response, "lat", i) == lat[i]);
    CHECK(Shown(response, "age", i) == age[i]);
  }
  larder_test::CheckFill(fixture.store(), "numbers", rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("a mapped join key that the request lacks is named by its mapped name",
          "[conformance][B24]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  std::string mapped(kDrivers);
  mapped.insert(mapped.find(R"({"name": "small_service")"),
                R"({"name": "mapped", "features": [{"view": "driver_locations", "as": "other",
                    "join_keys": {"driver_id": "destination_id"}}]}, )");
  fixture.Apply(mapped);
  larder::OnlineRequest request;
  request.what.service = "mapped";
  request.rows = {{{"driver_id", 1}}};
  const auto missing = fixture.store().GetOnlineFeatures(request);
  CHECK(missing.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(missing.status()), ContainsSubstring("missing join key destination_id"));
  request.rows = {{{"destination_id", 2}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  CHECK(Shown(*response, "lat", 0) == "0.2 PRESENT");
  larder_test::CheckFill(fixture.store(), "mapped", request.rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("an int32 key given in any integer type or as text finds the same row",
          "[conformance][B25]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  fixture.Push("smalls", {{{"small_id", 7}, {"x", 42}, {"at", At("2025-01-09T00:00:00Z")}}});
  const Value given[] = {int32_t{7}, int64_t{7}, uint64_t{7}, "7", "7.0", 7.0};
  for (const Value& key : given) {
    INFO(larder::FormatValue(key));
    const auto response = fixture.Get({"small_view:x"}, {{{"small_id", key}}});
    CHECK(Shown(response, "x", 0) == "42 PRESENT");
    CHECK(response.keys.Find("small_id")->type() == larder::DataType(TypeId::kInt32));
  }
  fixture.Push("smalls",
               {{{"small_id", int64_t{8}}, {"x", int64_t{43}}, {"at", At("2025-01-09T00:00:00Z")}}});
  CHECK(Shown(fixture.Get({"small_view:x"}, {{{"small_id", 8}}}), "x", 0) == "43 PRESENT");
}

TEST_CASE("a key outside its declared type is an error and never not found", "[conformance][B25]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  fixture.Push("smalls", {{{"small_id", 7}, {"x", 42}, {"at", At("2025-01-09T00:00:00Z")}}});
  const Value bad[] = {int64_t{1} << 32 | 7, "4294967303", 7.5, "7.5", "seven", true};
  for (const Value& key : bad) {
    INFO(larder::FormatValue(key));
    const auto online = fixture.TryGet({"small_view:x"}, {{{"small_id", 7}}, {{"small_id", key}}});
    CHECK(online.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(online.status()),
               ContainsSubstring("join key small_id, row 1") && ContainsSubstring("int32"));
  }
  const auto plan = fixture.store().Bind("small_service");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  double value = 0;
  const std::vector<larder::InputColumn> far = {
      larder::InputColumn::Broadcast(int64_t{1} << 32 | 7)};
  CHECK(session->Fill(far, At("2025-01-10T00:00:00Z"), larder::Tensor<double>{&value, 1, 0}).code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("one column that serves an int32 and an int64 key never wraps around",
          "[conformance][B25]") {
  StoreFixture fixture;
  fixture.Apply(R"({"project": "p",
 "entities": [{"name": "narrow", "join_keys": [{"name": "k", "type": "int32"}]},
              {"name": "wide", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "a", "kind": "push", "event_time": "at",
   "fields": [{"name": "k", "type": "int32"}, {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "b", "kind": "push", "event_time": "at",
   "fields": [{"name": "k", "type": "int64"}, {"name": "y", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "narrow_view", "entities": ["narrow"], "source": "a", "features": [{"name": "x"}]},
  {"name": "wide_view", "entities": ["wide"], "source": "b", "features": [{"name": "y"}]}],
 "feature_services": [{"name": "s", "features": ["narrow_view:x", "wide_view:y"]}]})");
  const larder::Timestamp at = At("2025-01-09T00:00:00Z");
  const int64_t far = int64_t{1} << 32 | 7;
  fixture.Push("a", {{{"k", 7}, {"x", 1}, {"at", at}}});
  fixture.Push("b", {{{"k", int64_t{7}}, {"y", 2}, {"at", at}}, {{"k", far}, {"y", 3}, {"at", at}}});
  larder::OnlineRequest request;
  request.what.service = "s";
  request.rows = {{{"k", int64_t{7}}}, {{"k", far}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  CHECK(Shown(*response, "x", 0) == "1 PRESENT");
  CHECK(Shown(*response, "y", 0) == "2 PRESENT");
  CHECK(Shown(*response, "x", 1) == "null NOT_FOUND");
  CHECK(Shown(*response, "y", 1) == "3 PRESENT");
  larder_test::CheckFill(fixture.store(), "s", request.rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("a response says what it was read from", "[conformance][B18]") {
  StoreFixture fixture;
  LoadDrivers(fixture);
  larder::OnlineRequest request;
  request.what.service = "mixed";
  request.rows = {{{"driver_id", 1}}};
  request.as_of = At("2024-05-06T07:08:09Z");
  const auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  const auto catalog = fixture.store().GetCatalog();
  REQUIRE(catalog.ok());
  CHECK(response->service == "mixed@1");
  CHECK(response->revision == catalog->revision());
  CHECK(response->as_of == *request.as_of);
  CHECK_THAT(response->receipt, ContainsSubstring("mixed@1") &&
                                    ContainsSubstring("2024-05-06T07:08:09Z") &&
                                    ContainsSubstring(Concat(response->commit_seq)));
}

TEST_CASE("an int pushed to a float field is that number", "[conformance][J14]") {
  StoreFixture fixture;
  fixture.Apply(R"({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [{"name": "a", "kind": "push", "event_time": "at",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "float64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "v", "entities": ["thing"], "source": "a", "features": [{"name": "x"}]}]})");
  fixture.Push("a", {{{"k", 1}, {"x", 123}, {"at", At("2025-01-09T00:00:00Z")}}});
  CHECK(Shown(fixture.Get({"v:x"}, {{{"k", 1}}}), "x", 0) == "123 PRESENT");
  const std::vector<Row> inexact = {
      {{"k", 1}, {"x", (int64_t{1} << 53) + 1}, {"at", At("2025-01-09T00:00:00Z")}}};
  CHECK(fixture.store().Push("a", inexact).status().code() == absl::StatusCode::kInvalidArgument);
}
