#include <cmath>
#include <limits>
#include <vector>

#include "larder/schema/value.h"
#include "support/catch.h"

namespace larder {
namespace {

struct Case {
  Value from;
  DataType type;
  Value to;  // null: refused
};

void CheckConversions(const std::vector<Case>& cases, bool from_text) {
  for (const Case& c : cases) {
    INFO(FormatValue(c.from) << " of " << c.from.type().ToString() << " to " << c.type.ToString());
    const auto converted = ConvertValue(c.from, c.type, from_text);
    if (c.to.is_null()) {
      CHECK(converted.status().code() == absl::StatusCode::kInvalidArgument);
    } else {
      if (!converted.ok()) FAIL(converted.status());
      CHECK(*converted == c.to);
    }
  }
}

constexpr int64_t kTwoTo53 = int64_t{1} << 53;
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr uint64_t kUint64Max = std::numeric_limits<uint64_t>::max();

TEST_CASE("a C++ caller's values convert without loss or not at all", "[schema][convert]") {
  CheckConversions(
      {
          {5, TypeId::kInt64, int64_t{5}},
          {int64_t{5}, TypeId::kInt32, 5},
          {int64_t{-2147483648}, TypeId::kInt32, -2147483647 - 1},
          {int64_t{2147483648}, TypeId::kInt32, {}},
          {-5, TypeId::kUint64, {}},
          {0, TypeId::kUint64, uint64_t{0}},
          {kUint64Max, TypeId::kInt64, {}},
          {uint64_t{kInt64Max}, TypeId::kInt64, kInt64Max},
          {5, TypeId::kFloat64, 5.0},
          {-5, TypeId::kFloat32, -5.0F},
          {kTwoTo53, TypeId::kFloat64, 9007199254740992.0},
          {kTwoTo53 + 1, TypeId::kFloat64, {}},
          {-kTwoTo53 - 1, TypeId::kFloat64, {}},
          {kInt64Max, TypeId::kFloat64, {}},
          {std::numeric_limits<int64_t>::min(), TypeId::kFloat64, -9223372036854775808.0},
          {kUint64Max, TypeId::kFloat64, {}},
          {kUint64Max, TypeId::kFloat32, {}},
          {16777217, TypeId::kFloat32, {}},
          {16777216, TypeId::kFloat32, 16777216.0F},
          {0.1F, TypeId::kFloat64, static_cast<double>(0.1F)},
          {0.5, TypeId::kFloat32, {}},
          {5.0, TypeId::kInt64, {}},
          {5.0, TypeId::kFloat64, 5.0},
          {true, TypeId::kBool, true},
          {true, TypeId::kInt64, {}},
          {1, TypeId::kBool, {}},
          {1, TypeId::kString, {}},
          {"5", TypeId::kInt64, {}},
          {"x", TypeId::kString, "x"},
          {"\xFF", TypeId::kString, {}},
          {"x", TypeId::kBytes, {}},
          {Bytes{"\xFF"}, TypeId::kBytes, Bytes{"\xFF"}},
          {Bytes{"x"}, TypeId::kString, {}},
          {int64_t{5}, TypeId::kTimestamp, {}},
          {Timestamp{5}, TypeId::kTimestamp, Timestamp{5}},
          {Date{5}, TypeId::kTimestamp, {}},
          {Timestamp{5}, TypeId::kInt64, {}},
          {Duration{5}, TypeId::kInt64, {}},
          {std::vector<float>{1, 2}, DataType::Vector(TypeId::kFloat32, 2), std::vector<float>{1, 2}},
          {std::vector<float>{1, 2}, DataType::Vector(TypeId::kFloat32, 3), {}},
          {std::vector<int8_t>{1, 2}, DataType::Vector(TypeId::kFloat32, 2), {}},
          {std::vector<float>{1, 2}, DataType::List(TypeId::kFloat32), {}},
          {ListValue{TypeId::kInt32, {5, {}}}, DataType::List(TypeId::kInt64),
           ListValue{TypeId::kInt64, {int64_t{5}, {}}}},
          {ListValue{TypeId::kInt64, {}}, DataType::List(TypeId::kString),
           ListValue{TypeId::kString, {}}},
          {ListValue{TypeId::kInt64, {int64_t{5}}}, DataType::List(TypeId::kString), {}},
          {ListValue{TypeId::kFloat32, {1.0F}}, DataType::Vector(TypeId::kFloat32, 1), {}},
          {ListValue{TypeId::kInt64, {}}, TypeId::kInt64, {}},
          {MapValue{TypeId::kInt64, {{"b", 2}, {"a", 1}}}, DataType::Map(TypeId::kFloat64),
           MapValue{TypeId::kFloat64, {{"a", 1.0}, {"b", 2.0}}}},
          {MapValue{TypeId::kInt64, {{"a", 2}, {"a", 1}}}, DataType::Map(TypeId::kInt64), {}},
          {MapValue{TypeId::kInt64, {{"\xFF", 2}}}, DataType::Map(TypeId::kInt64), {}},
      },
      /*from_text=*/false);
}

TEST_CASE("an edge's values may come from text", "[schema][convert]") {
  CheckConversions(
      {
          {"5", TypeId::kInt64, int64_t{5}},
          {"5", TypeId::kString, "5"},
          {"Zm9v", TypeId::kBytes, Bytes{"foo"}},
          {"1970-01-01", TypeId::kDate, Date{0}},
          {"x", TypeId::kInt64, {}},
          {"[1]", DataType::List(TypeId::kInt64), ListValue{TypeId::kInt64, {int64_t{1}}}},
          {12345.0, TypeId::kInt64, int64_t{12345}},
          {-12345.0, TypeId::kInt32, -12345},
          {-0.0, TypeId::kUint64, uint64_t{0}},
          {12345.5, TypeId::kInt64, {}},
          {18446744073709551616.0, TypeId::kUint64, {}},
          {9223372036854775808.0, TypeId::kInt64, {}},
          {9223372036854775808.0, TypeId::kUint64, uint64_t{1} << 63U},
          {std::nan(""), TypeId::kInt64, {}},
          {std::numeric_limits<double>::infinity(), TypeId::kInt64, {}},
          {0.1, TypeId::kFloat32, 0.1F},
          {1e39, TypeId::kFloat32, {}},
          {-std::numeric_limits<double>::infinity(), TypeId::kFloat32,
           -std::numeric_limits<float>::infinity()},
          {5, TypeId::kString, {}},
          {ListValue{TypeId::kFloat64, {0.1, 2.0}}, DataType::Vector(TypeId::kFloat32, 2),
           std::vector<float>{0.1F, 2}},
          {ListValue{TypeId::kInt64, {int64_t{-128}}}, DataType::Vector(TypeId::kInt8, 1),
           std::vector<int8_t>{-128}},
          {ListValue{TypeId::kInt64, {int64_t{128}}}, DataType::Vector(TypeId::kInt8, 1), {}},
          {ListValue{TypeId::kFloat64, {0.1}}, DataType::Vector(TypeId::kFloat32, 2), {}},
          {ListValue{TypeId::kFloat64, {0.1, {}}}, DataType::Vector(TypeId::kFloat32, 2), {}},
          {ListValue{TypeId::kString, {"7"}}, DataType::List(TypeId::kInt64),
           ListValue{TypeId::kInt64, {int64_t{7}}}},
      },
      /*from_text=*/true);
}

TEST_CASE("null converts to null of any type", "[schema][convert]") {
  for (const DataType& type :
       {DataType(TypeId::kInt64), DataType(TypeId::kString), DataType::List(TypeId::kDate)}) {
    CHECK(ConvertValue({}, type)->is_null());
    CHECK(ConvertValue({}, type, true)->is_null());
  }
}

TEST_CASE("a refused conversion names the types, and the number when it is one",
          "[schema][convert]") {
  const auto message = [](const Value& value, const DataType& type) {
    return std::string(MessageOf(ConvertValue(value, type).status()));
  };
  CHECK(message(int64_t{3'000'000'000}, TypeId::kInt32) ==
        "cannot convert int64 3000000000 to int32: out of range [-2147483648, 2147483647]");
  CHECK(message("secret", TypeId::kInt64) == "cannot convert string to int64");
  CHECK(message(kTwoTo53 + 1, TypeId::kFloat64) ==
        "cannot convert int64 9007199254740993 to float64: not exact");
  CHECK(message(ListValue{TypeId::kString, {"a"}}, DataType::List(TypeId::kInt64)) ==
        "cannot convert to list<int64>, element 0: cannot convert string to int64");
}

}  // namespace
}  // namespace larder
