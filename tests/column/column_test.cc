#include "larder/column/column.h"

#include <algorithm>
#include <limits>

#include "support/catch.h"
#include "support/random_value.h"

namespace larder {
namespace {

std::vector<Value> RandomColumnValues(larder_test::Random& random, const DataType& type,
                                      std::size_t count) {
  std::vector<Value> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(random.OneIn(4) ? Value() : larder_test::RandomValue(random, type));
  }
  return values;
}

Column Filled(const DataType& type, const std::vector<Value>& values) {
  Column column(type);
  for (const Value& value : values) {
    const absl::Status status = column.Append(value);
    if (!status.ok()) FAIL(status);
  }
  return column;
}

const std::vector<DataType>& EveryType() {
  static const std::vector<DataType> kTypes = [] {
    std::vector<DataType> types = {DataType::Vector(TypeId::kFloat32, 3),
                                   DataType::Vector(TypeId::kInt8, 5),
                                   DataType::Map(TypeId::kInt64), DataType::Map(TypeId::kFloat64)};
    for (int id = 1; id <= 11; ++id) {
      types.emplace_back(static_cast<TypeId>(id));
      types.push_back(DataType::List(static_cast<TypeId>(id)));
    }
    return types;
  }();
  return kTypes;
}

TEST_CASE("a column of every type gives back what was appended, nulls as nulls",
          "[column][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (const DataType& type : EveryType()) {
    INFO(type.ToString());
    const std::vector<Value> values = RandomColumnValues(random, type, 200);
    const Column column = Filled(type, values);
    REQUIRE(column.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      REQUIRE(column.IsValid(i) == !values[i].is_null());
      REQUIRE(column.ValueAt(i) == values[i]);
    }
    REQUIRE(column.CountNulls() ==
            static_cast<std::size_t>(std::count(values.begin(), values.end(), Value())));
  }
}

TEST_CASE("entries under a null hold zeros or nothing", "[column]") {
  Column numbers(TypeId::kInt64);
  numbers.AppendFixed(int64_t{-1});
  numbers.AppendNull();
  numbers.AppendFixed(int64_t{-1});
  REQUIRE(numbers.Values<int64_t>().size() == 3);
  CHECK(numbers.Values<int64_t>()[1] == 0);

  Column vectors(DataType::Vector(TypeId::kFloat32, 2));
  vectors.AppendNull();
  CHECK(vectors.Values<float>().size() == 2);
  CHECK(vectors.Values<float>()[1] == 0);

  Column texts(TypeId::kString);
  texts.AppendText("ab");
  texts.AppendNull();
  texts.AppendText("");
  CHECK(texts.Text(1).empty());
  CHECK(std::vector<int64_t>(texts.offsets().begin(), texts.offsets().end()) ==
        std::vector<int64_t>{0, 2, 2, 2});
  CHECK_FALSE(texts.IsValid(1));
  CHECK(texts.IsValid(2));
}

TEST_CASE("the layout is Arrow's: offsets into children, one byte for a truth value",
          "[column][format]") {
  const Column lists = Filled(DataType::List(TypeId::kInt32), {ListValue{TypeId::kInt32, {1, {}}},
                                                               {},
                                                               ListValue{TypeId::kInt32, {}},
                                                               ListValue{TypeId::kInt32, {2}}});
  CHECK(std::vector<int64_t>(lists.offsets().begin(), lists.offsets().end()) ==
        std::vector<int64_t>{0, 2, 2, 2, 3});
  REQUIRE(lists.child() != nullptr);
  CHECK(lists.keys() == nullptr);
  CHECK(lists.child()->Values<int32_t>()[2] == 2);
  CHECK_FALSE(lists.child()->IsValid(1));

  const Column maps =
      Filled(DataType::Map(TypeId::kInt64), {MapValue{TypeId::kInt64, {{"a", int64_t{7}}}}});
  REQUIRE(maps.keys() != nullptr);
  CHECK(maps.keys()->Text(0) == "a");
  CHECK(maps.child()->Values<int64_t>()[0] == 7);

  const Column flags = Filled(TypeId::kBool, {true, false, {}});
  CHECK(flags.data().size() == 3);
  CHECK(flags.Values<uint8_t>()[0] == 1);
}

TEST_CASE("a value of another type is refused and leaves the column as it was", "[column]") {
  struct Case {
    DataType type;
    Value value;
  };
  const std::vector<Case> cases = {
      {TypeId::kInt64, 5},
      {TypeId::kFloat64, 5.0F},
      {TypeId::kString, Bytes{"x"}},
      {TypeId::kTimestamp, int64_t{5}},
      {DataType::Vector(TypeId::kFloat32, 3), std::vector<float>{1, 2}},
      {DataType::Vector(TypeId::kFloat32, 2), std::vector<int8_t>{1, 2}},
      {DataType::List(TypeId::kInt64), ListValue{TypeId::kInt32, {}}},
      {DataType::List(TypeId::kInt64), ListValue{TypeId::kInt64, {int64_t{1}, 2}}},
      {DataType::Map(TypeId::kInt64), MapValue{TypeId::kInt64, {{"a", int64_t{1}}, {"b", 1.0}}}},
  };
  for (const Case& c : cases) {
    INFO(c.type.ToString());
    Column column(c.type);
    column.AppendNull();
    const Column before = column;
    CHECK(column.Append(c.value).code() == absl::StatusCode::kInvalidArgument);
    CHECK(column == before);
    CHECK(column.size() == 1);
  }
  Column column(TypeId::kInt64);
  CHECK(MessageOf(column.Append("x")) == "found string, expected int64");
}

TEST_CASE("entries copied from another column are the same bytes", "[column][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (const DataType& type : EveryType()) {
    INFO(type.ToString());
    const std::vector<Value> values = RandomColumnValues(random, type, 60);
    const Column source = Filled(type, values);
    Column target(type);
    std::vector<Value> picked;
    for (int i = 0; i < 100; ++i) {
      const auto at = static_cast<std::size_t>(random.Between(0, 59));
      target.AppendFrom(source, at);
      picked.push_back(values[at]);
    }
    REQUIRE(target == Filled(type, picked));
  }
}

TEST_CASE("a column can copy its own entries", "[column][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (const DataType& type : EveryType()) {
    INFO(type.ToString());
    std::vector<Value> values = RandomColumnValues(random, type, 5);
    Column column = Filled(type, values);
    for (std::size_t i = 0; i < 100; ++i) {
      column.AppendFrom(column, i);
      values.push_back(values[i]);
    }
    REQUIRE(column == Filled(type, values));
  }
}

TEST_CASE("copies are deep, and equality is bit for bit", "[column][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (const DataType& type : EveryType()) {
    INFO(type.ToString());
    Column column = Filled(type, RandomColumnValues(random, type, 20));
    Column copy = column;
    REQUIRE(copy == column);
    copy.AppendNull();
    REQUIRE_FALSE(copy == column);
    column.AppendNull();
    REQUIRE(copy == column);
    Column assigned(TypeId::kBool);
    assigned = column;
    REQUIRE(assigned == column);
    const Column moved = std::move(assigned);
    REQUIRE(moved == column);
  }
  CHECK_FALSE(Filled(TypeId::kFloat64, {0.0}) == Filled(TypeId::kFloat64, {-0.0}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(Filled(TypeId::kFloat64, {nan}) == Filled(TypeId::kFloat64, {nan}));
  CHECK_FALSE(Filled(TypeId::kInt64, {int64_t{0}}) == Filled(TypeId::kInt64, {Value()}));
  CHECK_FALSE(Filled(TypeId::kInt64, {}) == Filled(TypeId::kTimestamp, {}));
  CHECK_FALSE(Filled(TypeId::kString, {"ab", "c"}) == Filled(TypeId::kString, {"a", "bc"}));
}

TEST_CASE("a fixed-width column can be sized first and filled later", "[column]") {
  Column column(TypeId::kFloat64);
  column.AppendFixed(1.5);
  column.ResizeFixed(70);
  CHECK(column.size() == 70);
  CHECK(column.CountNulls() == 69);
  column.MutableValues<double>()[69] = 2.5;
  column.mutable_validity().Set(69, true);
  CHECK(column.ValueAt(0) == Value(1.5));
  CHECK(column.ValueAt(1).is_null());
  CHECK(column.ValueAt(69) == Value(2.5));
}

TEST_CASE("reserving changes nothing but the cost", "[column]") {
  for (const DataType& type : EveryType()) {
    Column column(type);
    column.Reserve(1'000);
    CHECK(column.size() == 0);
    CHECK(column == Column(type));
  }
}

}  // namespace
}  // namespace larder
