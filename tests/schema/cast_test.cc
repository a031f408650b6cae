#include "larder/schema/cast.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

namespace {

using larder::CastValue;
using larder::DataType;
using larder::TypeId;
using larder::Value;

TEST_CASE(
    "a cast counts what its type counts, rounds half to even, and gives null for what does not fit",
    "[schema][cast]") {
  struct Case {
    Value from;
    TypeId to;
    Value expected;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Case cases[] = {
      {true, TypeId::kFloat32, 1.0F},
      {false, TypeId::kInt64, int64_t{0}},
      {larder::Date{19000}, TypeId::kInt32, int32_t{19000}},
      {larder::Timestamp{1'700'000'000'000'001}, TypeId::kInt64, int64_t{1'700'000'000'000'001}},
      {larder::Timestamp{1'700'000'000'000'001}, TypeId::kFloat32, 1.7e15F},
      {larder::Duration{-3}, TypeId::kFloat64, -3.0},
      {2.5, TypeId::kInt32, int32_t{2}},
      {3.5, TypeId::kInt32, int32_t{4}},
      {-0.5, TypeId::kUint64, uint64_t{0}},
      {-0.6, TypeId::kUint64, Value()},
      {2147483647.4, TypeId::kInt32, int32_t{2147483647}},
      {2147483647.5, TypeId::kInt32, Value()},
      {-2147483648.5, TypeId::kInt32, std::numeric_limits<int32_t>::min()},
      {9223372036854775808.0, TypeId::kInt64, Value()},
      {-9223372036854775808.0, TypeId::kInt64, std::numeric_limits<int64_t>::min()},
      {18446744073709551615.0, TypeId::kUint64, Value()},
      {std::nan(""), TypeId::kInt64, Value()},
      {std::nan(""), TypeId::kBool, Value()},
      {kInfinity, TypeId::kInt64, Value()},
      {kInfinity, TypeId::kFloat32, std::numeric_limits<float>::infinity()},
      {1e300, TypeId::kFloat32, Value()},
      {0.1F, TypeId::kFloat64, static_cast<double>(0.1F)},
      {int64_t{-1}, TypeId::kUint64, Value()},
      {std::numeric_limits<uint64_t>::max(), TypeId::kInt64, Value()},
      {int64_t{5'000'000'000}, TypeId::kInt32, Value()},
      // By way of a double this would be rounded twice, to 2^60.
      {(int64_t{1} << 60) + (int64_t{1} << 36) + 1, TypeId::kFloat32, 1152921642045800448.0F},
      {uint64_t{7}, TypeId::kBool, true},
      {0.0, TypeId::kBool, false},
      {Value(), TypeId::kFloat32, Value()},
  };
  for (const Case& c : cases) {
    INFO(larder::FormatValue(c.from) << " to " << larder::TypeName(c.to));
    CHECK(CastValue(c.from, c.to) == c.expected);
  }
}

TEST_CASE("only what counts something can be cast, and only to a number or bool",
          "[schema][cast]") {
  CHECK(larder::CanCast(TypeId::kTimestamp, TypeId::kFloat32));
  CHECK(larder::CanCast(TypeId::kString, TypeId::kString));
  CHECK_FALSE(larder::CanCast(TypeId::kInt64, TypeId::kTimestamp));
  CHECK_FALSE(larder::CanCast(TypeId::kString, TypeId::kFloat32));
  CHECK_FALSE(larder::CanCast(DataType::Vector(TypeId::kFloat32, 2), TypeId::kFloat32));
  CHECK_FALSE(larder::CanCast(TypeId::kFloat32, DataType::Vector(TypeId::kFloat32, 2)));
}

}  // namespace
