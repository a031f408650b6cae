#include "larder/schema/data_type.h"

#include <vector>

#include "larder/schema/feature_status.h"
#include "support/catch.h"
#include "support/random_value.h"

namespace larder {
namespace {

const std::vector<TypeId> kScalars = {TypeId::kBool,   TypeId::kInt32,   TypeId::kInt64,
                                      TypeId::kUint64, TypeId::kFloat32, TypeId::kFloat64,
                                      TypeId::kString, TypeId::kBytes,   TypeId::kTimestamp,
                                      TypeId::kDate,   TypeId::kDuration};

TEST_CASE("every type reads back from its name", "[schema][type]") {
  for (const TypeId id : kScalars) {
    CHECK(DataType::Parse(TypeName(id)).value() == DataType(id));
    CHECK(DataType::Parse(DataType::List(id).ToString()).value() == DataType::List(id));
  }
  CHECK(DataType::Vector(TypeId::kFloat32, 768).ToString() == "vector<float32, 768>");
  CHECK(DataType::Parse("vector<float32,768>").value() == DataType::Vector(TypeId::kFloat32, 768));
  CHECK(DataType::Parse(" vector < int8 , 4 > ").value() == DataType::Vector(TypeId::kInt8, 4));
  CHECK(DataType::Parse("map<string, float64>").value() == DataType::Map(TypeId::kFloat64));
  CHECK(DataType::Map(TypeId::kInt64).ToString() == "map<string, int64>");
  CHECK(DataType::Parse("vector<float32, 65536>").ok());
}

TEST_CASE("what is not a type is refused with the one meant", "[schema][type]") {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"flot64", "did you mean \"float64\"?"},
      {"Int64", "did you mean \"int64\"?"},
      {"integer", "did you mean \"int64\"?"},
      {"double", "did you mean \"float64\"?"},
      {"str", "did you mean \"string\"?"},
      {"datetime", "did you mean \"timestamp\"?"},
      {"int8", "unknown type"},
      {"vector", "unknown type"},
      {"", "unknown type: \"\""},
      {"list<list<int64>>", "list<SCALAR>"},
      {"list<>", "list<SCALAR>"},
      {"list<int8>", "list<SCALAR>"},
      {"list<int64, 3>", "list<SCALAR>"},
      {"list<flot64>", "did you mean \"float64\"?"},
      {"vector<float32>", "vector<float32, LENGTH>"},
      {"vector<float64, 3>", "float32 or int8, not \"float64\""},
      {"vector<float32, 0>", "1 to 65536, not \"0\""},
      {"vector<float32, 65537>", "1 to 65536"},
      {"vector<float32, 99999999999>", "1 to 65536"},
      {"vector<float32, -1>", "1 to 65536"},
      {"vector<float32, 3, 4>", "1 to 65536"},
      {"map<int64, int64>", "map<string, int64>"},
      {"map<string, string>", "map<string, int64>"},
      {"set<int64>", "unknown type"},
      {"list<int64", "unknown type"},
      {"list<int64>x", "unknown type"},
  };
  for (const auto& [text, message] : cases) {
    INFO(text);
    const auto parsed = DataType::Parse(text);
    REQUIRE(parsed.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(MessageOf(parsed.status())),
               larder_test::ContainsSubstring(std::string(message)));
  }
}

TEST_CASE("widths are those of the stored bytes", "[schema][type]") {
  const std::vector<std::pair<DataType, std::size_t>> cases = {
      {TypeId::kBool, 1},
      {TypeId::kInt32, 4},
      {TypeId::kInt64, 8},
      {TypeId::kUint64, 8},
      {TypeId::kFloat32, 4},
      {TypeId::kFloat64, 8},
      {TypeId::kTimestamp, 8},
      {TypeId::kDate, 4},
      {TypeId::kDuration, 8},
      {TypeId::kString, 0},
      {TypeId::kBytes, 0},
      {DataType::List(TypeId::kBool), 0},
      {DataType::Map(TypeId::kInt64), 0},
      {DataType::Vector(TypeId::kFloat32, 3), 12},
      {DataType::Vector(TypeId::kInt8, 3), 3},
  };
  for (const auto& [type, width] : cases) {
    INFO(type.ToString());
    CHECK(type.byte_width() == width);
    CHECK(type.is_fixed_width() == (width > 0));
  }
}

TEST_CASE("keys are made of integers, text, days, instants and truth values", "[schema][type]") {
  for (const TypeId id : kScalars) {
    const bool is_key = id != TypeId::kFloat32 && id != TypeId::kFloat64 && id != TypeId::kDuration;
    CHECK(DataType(id).is_key_type() == is_key);
  }
  CHECK_FALSE(DataType::List(TypeId::kInt64).is_key_type());
  CHECK_FALSE(DataType::Vector(TypeId::kInt8, 2).is_key_type());
}

TEST_CASE("only lossless widenings widen", "[schema][type]") {
  int widenings = 0;
  for (const TypeId from : kScalars) {
    for (const TypeId to : kScalars) {
      if (from == to) CHECK(WidensTo(from, to));
      if (from != to && WidensTo(from, to)) ++widenings;
    }
  }
  CHECK(widenings == 3);
  CHECK(WidensTo(TypeId::kInt32, TypeId::kInt64));
  CHECK(WidensTo(TypeId::kInt32, TypeId::kFloat64));
  CHECK(WidensTo(TypeId::kFloat32, TypeId::kFloat64));
  CHECK_FALSE(WidensTo(DataType::Vector(TypeId::kInt8, 2), DataType::Vector(TypeId::kInt8, 3)));
}

TEST_CASE("random types read back from their names", "[schema][type][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 2'000; ++i) {
    const DataType type = larder_test::RandomType(random);
    CHECK(DataType::Parse(type.ToString()).value() == type);
  }
}

TEST_CASE("statuses go from best to worst and have the names users see", "[schema][status]") {
  CHECK(FeatureStatus::kPresent < FeatureStatus::kNullValue);
  CHECK(FeatureStatus::kNullValue < FeatureStatus::kPartialWindow);
  CHECK(FeatureStatus::kPartialWindow < FeatureStatus::kOutsideMaxAge);
  CHECK(FeatureStatus::kOutsideMaxAge < FeatureStatus::kNotFound);
  CHECK(FeatureStatusName(FeatureStatus::kOutsideMaxAge) == "OUTSIDE_MAX_AGE");
}

}  // namespace
}  // namespace larder
