#include <cmath>
#include <limits>
#include <vector>

#include "larder/schema/value.h"
#include "support/catch.h"

namespace larder {
namespace {

struct Accepted {
  std::string_view text;
  DataType type;
  Value value;
};

struct Refused {
  std::string_view text;
  DataType type;
  std::string_view message;
};

void CheckAccepted(const std::vector<Accepted>& cases) {
  for (const Accepted& c : cases) {
    INFO(c.text << " as " << c.type.ToString());
    const auto parsed = ParseValue(c.text, c.type);
    if (!parsed.ok()) FAIL(parsed.status());
    CHECK(FormatValue(*parsed) == FormatValue(c.value));
    CHECK(*parsed == c.value);
  }
}

void CheckRefused(const std::vector<Refused>& cases) {
  for (const Refused& c : cases) {
    INFO(c.text << " as " << c.type.ToString());
    const auto parsed = ParseValue(c.text, c.type);
    REQUIRE(parsed.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(MessageOf(parsed.status())),
               larder_test::ContainsSubstring(std::string(c.message)));
  }
}

constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr uint64_t kUint64Max = std::numeric_limits<uint64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("integers are read to the last digit", "[schema][text]") {
  CheckAccepted({
      {"0", TypeId::kInt64, int64_t{0}},
      {"-0", TypeId::kInt64, int64_t{0}},
      {"+5", TypeId::kInt64, int64_t{5}},
      {" 42\t", TypeId::kInt64, int64_t{42}},
      {"007", TypeId::kInt64, int64_t{7}},
      {"00000000000000000000000000000000001", TypeId::kInt64, int64_t{1}},
      {"-9223372036854775808", TypeId::kInt64, kInt64Min},
      {"9223372036854775807", TypeId::kInt64, kInt64Max},
      {"2147483647", TypeId::kInt32, 2147483647},
      {"-2147483648", TypeId::kInt32, -2147483647 - 1},
      {"18446744073709551615", TypeId::kUint64, kUint64Max},
      {"-0", TypeId::kUint64, uint64_t{0}},
  });
}

TEST_CASE("whole decimals are integers, decided without rounding", "[schema][text]") {
  CheckAccepted({
      {"12345.0", TypeId::kInt64, int64_t{12345}},
      {"12345.", TypeId::kInt64, int64_t{12345}},
      {".0", TypeId::kInt64, int64_t{0}},
      {"-0.0", TypeId::kInt64, int64_t{0}},
      {"-7.000", TypeId::kInt32, -7},
      {"1e3", TypeId::kInt64, int64_t{1000}},
      {"1.5E+1", TypeId::kInt64, int64_t{15}},
      {"1200e-2", TypeId::kInt64, int64_t{12}},
      {"0e999999999999999999999", TypeId::kInt64, int64_t{0}},
      {"9007199254740993.0", TypeId::kInt64, int64_t{9007199254740993}},
      {"9223372036854775807.000", TypeId::kInt64, kInt64Max},
      {"-9.223372036854775808e18", TypeId::kInt64, kInt64Min},
      {"18446744073709551615.0", TypeId::kUint64, kUint64Max},
      {"0.00000000000000000001e20", TypeId::kInt64, int64_t{1}},
  });
}

TEST_CASE("whole decimals are counted, plain integers are not", "[schema][text]") {
  TextNotes notes;
  for (const std::string_view text : {"5", "-5", "+5", " 5 "}) {
    REQUIRE(ParseValue(text, TypeId::kInt64, {}, &notes).ok());
  }
  CHECK(notes.integral_decimals == 0);
  for (const std::string_view text : {"5.0", "5e0", "5."})
    REQUIRE(ParseValue(text, TypeId::kInt32, {}, &notes).ok());
  CHECK(notes.integral_decimals == 3);
  REQUIRE(ParseValue("[1, 2.0]", DataType::List(TypeId::kInt64), {}, &notes).ok());
  CHECK(notes.integral_decimals == 4);
  REQUIRE_FALSE(ParseValue("5.5", TypeId::kInt64, {}, &notes).ok());
  REQUIRE_FALSE(ParseValue("3e9", TypeId::kInt32, {}, &notes).ok());
  CHECK(notes.integral_decimals == 4);
}

TEST_CASE("integers out of range name value, type and range", "[schema][text]") {
  CheckRefused({
      {"2147483648", TypeId::kInt32,
       "cannot read \"2147483648\" as int32: out of range [-2147483648, 2147483647]"},
      {"-2147483649", TypeId::kInt32, "out of range"},
      {"9223372036854775808", TypeId::kInt64, "out of range"},
      {"-9223372036854775809", TypeId::kInt64, "out of range"},
      {"18446744073709551616", TypeId::kUint64, "out of range [0, 18446744073709551615]"},
      {"-1", TypeId::kUint64, "out of range"},
      {"99999999999999999999999999", TypeId::kInt64, "out of range"},
      {"1e19", TypeId::kInt64, "out of range"},
      {"1e999999999999999999999", TypeId::kInt64, "out of range"},
      {"9223372036854775808.0", TypeId::kInt64, "out of range"},
  });
}

TEST_CASE("what is not an integer is refused", "[schema][text]") {
  CheckRefused({
      {"abc", TypeId::kInt64, "cannot read \"abc\" as int64"},
      {"", TypeId::kInt64, "cannot read \"\" as int64"},
      {" ", TypeId::kInt64, "cannot read"},
      {"-", TypeId::kInt64, "cannot read"},
      {"+-5", TypeId::kInt64, "cannot read"},
      {"--5", TypeId::kInt64, "cannot read"},
      {"- 5", TypeId::kInt64, "cannot read"},
      {"5 6", TypeId::kInt64, "cannot read"},
      {"1,000", TypeId::kInt64, "cannot read"},
      {"1_000", TypeId::kInt64, "cannot read"},
      {"0x10", TypeId::kInt64, "cannot read"},
      {"5L", TypeId::kInt64, "cannot read"},
      {".", TypeId::kInt64, "cannot read"},
      {"e5", TypeId::kInt64, "cannot read"},
      {"1e", TypeId::kInt64, "cannot read"},
      {"1e+", TypeId::kInt64, "cannot read"},
      {"1e5.0", TypeId::kInt64, "cannot read"},
      {"nan", TypeId::kInt64, "cannot read"},
      {"inf", TypeId::kInt64, "cannot read"},
      {"true", TypeId::kInt64, "cannot read"},
      {"12.5", TypeId::kInt64, "cannot read \"12.5\" as int64: not a whole number"},
      {"1e-1", TypeId::kInt64, "not a whole number"},
      {"1e-999999999999999999999", TypeId::kInt64, "not a whole number"},
      {"0.0000000000000000000000001", TypeId::kInt64, "not a whole number"},
      {"9007199254740993.00000001", TypeId::kInt64, "not a whole number"},
      {"\xEF\xBC\x95", TypeId::kInt64, "cannot read"},
  });
}

TEST_CASE("floats are the nearest value of their own width", "[schema][text]") {
  CheckAccepted({
      {"0.1", TypeId::kFloat64, 0.1},
      {"0.1", TypeId::kFloat32, 0.1F},
      {"+2.5", TypeId::kFloat64, 2.5},
      {" -1e-3 ", TypeId::kFloat64, -0.001},
      {"5", TypeId::kFloat64, 5.0},
      {"5.", TypeId::kFloat64, 5.0},
      {".5", TypeId::kFloat64, 0.5},
      {"-0", TypeId::kFloat64, -0.0},
      {"-0.0", TypeId::kFloat32, -0.0F},
      {"1.7976931348623157e308", TypeId::kFloat64, std::numeric_limits<double>::max()},
      {"5e-324", TypeId::kFloat64, std::numeric_limits<double>::denorm_min()},
      {"1e-400", TypeId::kFloat64, 0.0},
      {"-1e-400", TypeId::kFloat64, -0.0},
      {"0.000000000000000000000000000000000000000000000001e-400", TypeId::kFloat64, 0.0},
      {"1e-50", TypeId::kFloat32, 0.0F},
      {"0e400", TypeId::kFloat64, 0.0},
      // Through a double this would round twice, to the neighbour below.
      {"1.00000017881393432617187499", TypeId::kFloat32, 1.00000011920928955078125F},
      {"1.00000017881393432617187501", TypeId::kFloat32, 1.0000002384185791015625F},
  });
}

TEST_CASE("not-a-number and infinity have the spellings people use", "[schema][text]") {
  for (const std::string_view text : {"NaN", "nan", "NAN", "-nan", "+NaN", " nan "}) {
    INFO(text);
    const auto parsed = ParseValue(text, TypeId::kFloat64);
    REQUIRE(parsed.ok());
    CHECK(*parsed == Value(std::numeric_limits<double>::quiet_NaN()));
  }
  CheckAccepted({
      {"Infinity", TypeId::kFloat64, kInfinity},
      {"inf", TypeId::kFloat64, kInfinity},
      {"+Inf", TypeId::kFloat64, kInfinity},
      {"-Infinity", TypeId::kFloat64, -kInfinity},
      {"-INF", TypeId::kFloat32, -std::numeric_limits<float>::infinity()},
  });
}

TEST_CASE("what is not a float, or too large for one, is refused", "[schema][text]") {
  CheckRefused({
      {"1e400", TypeId::kFloat64, "cannot read \"1e400\" as float64: out of range"},
      {"-1e400", TypeId::kFloat64, "out of range"},
      {"1.7976931348623159e308", TypeId::kFloat64, "out of range"},
      {"1e39", TypeId::kFloat32, "as float32: out of range"},
      {"0.001e405", TypeId::kFloat64, "out of range"},
      {"1e99999999999999999999", TypeId::kFloat64, "out of range"},
      {"", TypeId::kFloat64, "cannot read"},
      {"abc", TypeId::kFloat64, "cannot read"},
      {"1e", TypeId::kFloat64, "cannot read"},
      {"--1", TypeId::kFloat64, "cannot read"},
      {"+-1", TypeId::kFloat64, "cannot read"},
      {"0x1p3", TypeId::kFloat64, "cannot read"},
      {"1,5", TypeId::kFloat64, "cannot read"},
      {"1.5.2", TypeId::kFloat64, "cannot read"},
      {"nan(7)", TypeId::kFloat64, "cannot read"},
      {"infinit", TypeId::kFloat64, "cannot read"},
      {"1f", TypeId::kFloat32, "cannot read"},
      {".", TypeId::kFloat64, "cannot read"},
  });
}

TEST_CASE("truth values are words in any case, or a digit", "[schema][text]") {
  for (const std::string_view text :
       {"true", "True", "TRUE", "t", "T", "yes", "YES", "1", " true "}) {
    CheckAccepted({{text, TypeId::kBool, true}});
  }
  for (const std::string_view text : {"false", "False", "f", "no", "No", "0"}) {
    CheckAccepted({{text, TypeId::kBool, false}});
  }
  for (const std::string_view text : {"", "2", "tru", "on", "y", "-1", "1.0", "null"}) {
    CheckRefused({{text, TypeId::kBool, "as bool"}});
  }
}

TEST_CASE("strings are taken as they are, if they are UTF-8", "[schema][text]") {
  CheckAccepted({
      {"", TypeId::kString, ""},
      {"  padded ", TypeId::kString, "  padded "},
      {"5", TypeId::kString, "5"},
      {"null", TypeId::kString, "null"},
      {std::string_view("a\0b", 3), TypeId::kString, std::string_view("a\0b", 3)},
      {"\xE2\x82\xAC", TypeId::kString, "\xE2\x82\xAC"},
  });
  CheckRefused({{"caf\xE9", TypeId::kString, "cannot read \"caf\\xe9\" as string: not UTF-8"}});
}

TEST_CASE("bytes are padded base64", "[schema][text]") {
  CheckAccepted({
      {"", TypeId::kBytes, Bytes{""}},
      {"Zg==", TypeId::kBytes, Bytes{"f"}},
      {"Zm8=", TypeId::kBytes, Bytes{"fo"}},
      {"Zm9v", TypeId::kBytes, Bytes{"foo"}},
      {"Zm9vYmFy", TypeId::kBytes, Bytes{"foobar"}},
      {"AP/+", TypeId::kBytes, Bytes{std::string("\0\xFF\xFE", 3)}},
  });
  for (const std::string_view text :
       {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\xFF", "_-==", "=Zg="}) {
    CheckRefused({{text, TypeId::kBytes, "as bytes: expected padded base64"}});
  }
}

TEST_CASE("times are read by the time readers, in the zone given", "[schema][text]") {
  CheckAccepted({
      {" 2025-01-01T00:00:00Z ", TypeId::kTimestamp, Timestamp{1'735'689'600'000'000}},
      {"1970-01-02", TypeId::kDate, Date{1}},
      {"1h30m", TypeId::kDuration, Duration::Minutes(90)},
  });
  CheckRefused({
      {"1735689600", TypeId::kTimestamp, "as timestamp"},
      {"tomorrow", TypeId::kDate, "as date"},
      {"90", TypeId::kDuration, "as duration"},
  });
  const auto berlin = TimeZone::Load("Europe/Berlin");
  REQUIRE(berlin.ok());
  CHECK(*ParseValue("1970-01-01 01:00:00", TypeId::kTimestamp, *berlin) == Value(Timestamp{0}));
  TextNotes notes;
  REQUIRE(ParseValue("1970-01-01T00:00:00.0000001Z", TypeId::kTimestamp, {}, &notes).ok());
  REQUIRE(ParseValue("1970-01-01T00:00:00.0000000Z", TypeId::kTimestamp, {}, &notes).ok());
  CHECK(notes.floored_timestamps == 1);
}

TEST_CASE("vectors are JSON arrays of exactly their length", "[schema][text]") {
  const DataType floats = DataType::Vector(TypeId::kFloat32, 3);
  const DataType bytes = DataType::Vector(TypeId::kInt8, 2);
  CheckAccepted({
      {"[1, 2.5,-3e2]", floats, std::vector<float>{1, 2.5F, -300}},
      {" [ 0.1 , 0.2,0.3 ] ", floats, std::vector<float>{0.1F, 0.2F, 0.3F}},
      {"[\"NaN\", -Infinity, \"1\"]", floats,
       std::vector<float>{std::numeric_limits<float>::quiet_NaN(),
                          -std::numeric_limits<float>::infinity(), 1}},
      {"[-128, 127]", bytes, std::vector<int8_t>{-128, 127}},
  });
  CheckRefused({
      {"[1,2]", floats, "as vector<float32, 3>: found 2 elements"},
      {"[1,2,3,4]", floats, "found 4 elements"},
      {"[1,null,3]", floats, "no nulls"},
      {"[1,x,3]", floats, "cannot read vector<float32, 3>, element 1: cannot read \"x\" as float32"},
      {"[1,[2],3]", floats, "expected a JSON array of scalars"},
      {"1,2,3", floats, "expected a JSON array"},
      {"[1,2,3", floats, "expected a JSON array"},
      {"[1,2,3]]", floats, "expected a JSON array"},
      {"[1,2,3,]", floats, "expected a JSON array"},
      {"[,]", floats, "expected a JSON array"},
      {"", floats, "expected a JSON array"},
      {"[128, 0]", bytes, "out of range [-128, 127]"},
      {"[1e39,1,1]", floats, "out of range"},
  });
}

TEST_CASE("lists keep empty, null and a null inside apart", "[schema][text]") {
  const auto list = [](TypeId id, std::vector<Value> items) {
    return Value(ListValue{id, std::move(items)});
  };
  CheckAccepted({
      {"[]", DataType::List(TypeId::kInt64), list(TypeId::kInt64, {})},
      {" [ ] ", DataType::List(TypeId::kString), list(TypeId::kString, {})},
      {"[null]", DataType::List(TypeId::kInt64), list(TypeId::kInt64, {{}})},
      {"[9007199254740993,null]", DataType::List(TypeId::kInt64),
       list(TypeId::kInt64, {int64_t{9007199254740993}, {}})},
      {R"(["a","null",null,"\u20ac\ud83d\ude00\n\"\\\/"])", DataType::List(TypeId::kString),
       list(TypeId::kString, {"a", "null", {}, "\xE2\x82\xAC\xF0\x9F\x98\x80\n\"\\/"})},
      {"[true,false]", DataType::List(TypeId::kBool), list(TypeId::kBool, {true, false})},
      {R"(["2025-01-01"])", DataType::List(TypeId::kDate), list(TypeId::kDate, {Date{20089}})},
  });
  CheckRefused({
      {"[1]", DataType::List(TypeId::kString), "expected a quoted string"},
      {R"(["a)", DataType::List(TypeId::kString), "expected a JSON array"},
      {R"(["\x"])", DataType::List(TypeId::kString), "expected a JSON array"},
      {R"(["\ud800"])", DataType::List(TypeId::kString), "expected a JSON array"},
      {R"(["\udc00"])", DataType::List(TypeId::kString), "expected a JSON array"},
      {R"(["\u12g4"])", DataType::List(TypeId::kString), "expected a JSON array"},
      {R"(["\u12)", DataType::List(TypeId::kString), "expected a JSON array"},
      {R"(["\)", DataType::List(TypeId::kString), "expected a JSON array"},
      {"[\"a\nb\"]", DataType::List(TypeId::kString), "expected a JSON array"},
      {"[\"\xFF\"]", DataType::List(TypeId::kString), "not UTF-8"},
      {"[1.5]", DataType::List(TypeId::kInt64),
       "element 0: cannot read \"1.5\" as int64: not a whole number"},
      {"null", DataType::List(TypeId::kInt64), "expected a JSON array"},
      {"{\"a\":1}", DataType::List(TypeId::kInt64), "expected a JSON array"},
  });
}

TEST_CASE("maps are JSON objects, sorted by key", "[schema][text]") {
  const DataType type = DataType::Map(TypeId::kInt64);
  CheckAccepted({
      {"{}", type, MapValue{TypeId::kInt64, {}}},
      {R"({"b": 2, "a" :1})", type, MapValue{TypeId::kInt64, {{"a", int64_t{1}}, {"b", int64_t{2}}}}},
      {R"({"": null})", type, MapValue{TypeId::kInt64, {{"", {}}}}},
  });
  CheckRefused({
      {R"({"a":1,"a":2})", type, "key \"a\" appears twice"},
      {R"({"a":x})", type, "key \"a\": cannot read \"x\" as int64"},
      {"{a:1}", type, "expected a JSON object"},
      {R"({"a"})", type, "expected a JSON object"},
      {R"({"a":{}})", type, "expected a JSON object"},
      {"[1]", type, "expected a JSON object"},
      {"{", type, "expected a JSON object"},
  });
}

TEST_CASE("values are written in the one form that reads back", "[schema][text]") {
  CHECK(FormatValue({}) == "null");
  CHECK(FormatValue(true) == "true");
  CHECK(FormatValue(kInt64Min) == "-9223372036854775808");
  CHECK(FormatValue(0.1F) == "0.1");
  CHECK(FormatValue(0.1) == "0.1");
  CHECK(FormatValue(100.0) == "100");
  CHECK(FormatValue(1e300) == "1e+300");
  CHECK(FormatValue(-0.0) == "-0");
  CHECK(FormatValue(std::nan("")) == "NaN");
  CHECK(FormatValue(-std::nan("")) == "NaN");
  CHECK(FormatValue(-kInfinity) == "-Infinity");
  CHECK(FormatValue("a\"b") == "a\"b");
  CHECK(FormatValue(Bytes{"foo"}) == "Zm9v");
  CHECK(FormatValue(Timestamp{0}) == "1970-01-01T00:00:00Z");
  CHECK(FormatValue(std::vector<float>{0.1F, static_cast<float>(-kInfinity)}) ==
        "[0.1,\"-Infinity\"]");
  CHECK(FormatValue(std::vector<int8_t>{-1, 65}) == "[-1,65]");
  CHECK(FormatValue(ListValue{TypeId::kString, {"a\"\n", {}}}) == "[\"a\\\"\\u000a\",null]");
  CHECK(FormatValue(ListValue{TypeId::kFloat64, {1e300, std::nan("")}}) == "[1e+300,\"NaN\"]");
  CHECK(FormatValue(ListValue{TypeId::kDate, {Date{0}}}) == "[\"1970-01-01\"]");
  CHECK(FormatValue(MapValue{TypeId::kInt64, {{"a", int64_t{1}}, {"b", {}}}}) ==
        "{\"a\":1,\"b\":null}");
}

}  // namespace
}  // namespace larder
