#include "larder/schema/value.h"

#include <cmath>
#include <limits>

#include "larder/schema/definitions.h"
#include "support/catch.h"

namespace larder {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("a value knows its own type", "[schema][value]") {
  CHECK(Value().is_null());
  CHECK(Value(true).type() == DataType(TypeId::kBool));
  CHECK(Value(1).type() == DataType(TypeId::kInt32));
  CHECK(Value(int64_t{1}).type() == DataType(TypeId::kInt64));
  CHECK(Value(uint64_t{1}).type() == DataType(TypeId::kUint64));
  CHECK(Value(1.0F).type() == DataType(TypeId::kFloat32));
  CHECK(Value(1.0).type() == DataType(TypeId::kFloat64));
  CHECK(Value("x").type() == DataType(TypeId::kString));
  CHECK(Value(Bytes{"x"}).type() == DataType(TypeId::kBytes));
  CHECK(Value(Timestamp{1}).type() == DataType(TypeId::kTimestamp));
  CHECK(Value(Date{1}).type() == DataType(TypeId::kDate));
  CHECK(Value(Duration{1}).type() == DataType(TypeId::kDuration));
  CHECK(Value(std::vector<float>{1, 2}).type() == DataType::Vector(TypeId::kFloat32, 2));
  CHECK(Value(std::vector<int8_t>{1}).type() == DataType::Vector(TypeId::kInt8, 1));
  CHECK(Value(ListValue{TypeId::kDate, {}}).type() == DataType::List(TypeId::kDate));
  CHECK(Value(MapValue{TypeId::kFloat64, {}}).type() == DataType::Map(TypeId::kFloat64));
}

TEST_CASE("a text literal is a string, never a truth value", "[schema][value]") {
  const Value value = "true";
  REQUIRE(value.As<std::string>() != nullptr);
  CHECK(value.As<bool>() == nullptr);
}

TEST_CASE("equality is bit for bit and typed", "[schema][value]") {
  CHECK(Value() == Value());
  CHECK_FALSE(Value() == Value(0));
  CHECK(Value(kNan) == Value(kNan));
  CHECK_FALSE(Value(kNan) == Value(std::nan("7")));
  CHECK_FALSE(Value(0.0) == Value(-0.0));
  CHECK_FALSE(Value(5) == Value(int64_t{5}));
  CHECK_FALSE(Value("x") == Value(Bytes{"x"}));
  CHECK_FALSE(Value(Timestamp{5}) == Value(Duration{5}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(Value(std::vector<float>{nan}) == Value(std::vector<float>{nan}));
  CHECK_FALSE(Value(std::vector<float>{0.0F}) == Value(std::vector<float>{-0.0F}));
  CHECK_FALSE(Value(std::vector<float>{0.0F}) == Value(std::vector<float>{0.0F, 0.0F}));
  CHECK(Value(std::vector<float>{}) == Value(std::vector<float>{}));
  CHECK(Value(ListValue{TypeId::kFloat64, {kNan, {}}}) ==
        Value(ListValue{TypeId::kFloat64, {kNan, {}}}));
}

TEST_CASE("an empty list, a null and a list of one null are three values", "[schema][value]") {
  const Value empty = ListValue{TypeId::kInt64, {}};
  const Value one_null = ListValue{TypeId::kInt64, {Value()}};
  CHECK_FALSE(empty == one_null);
  CHECK_FALSE(empty == Value());
  CHECK_FALSE(one_null == Value());
  CHECK_FALSE(empty == Value(ListValue{TypeId::kString, {}}));
}

TEST_CASE("definitions compare by value, defaults included", "[schema][value]") {
  Feature a;
  a.name = "trips";
  a.default_value = Value(0);
  Feature b = a;
  CHECK(a == b);
  b.default_value = Value(0.0);
  CHECK_FALSE(a == b);
  b.default_value.reset();
  CHECK_FALSE(a == b);
}

}  // namespace
}  // namespace larder
