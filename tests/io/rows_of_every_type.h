// A batch with a column of every type, edge values and nulls.
#pragma once

#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "larder/column/batch.h"

namespace larder_test {

// Not Catch's REQUIRE: libraries without tests use these rows too.
inline void Must(const absl::Status& status) {
  if (!status.ok()) std::abort();
}

inline larder::Batch MakeRows(
    const std::vector<std::pair<std::string, std::vector<larder::Value>>>& columns,
    const std::vector<larder::DataType>& types) {
  larder::Batch batch;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    larder::Column column(types[c]);
    for (const larder::Value& value : columns[c].second) Must(column.Append(value));
    Must(batch.AddColumn(columns[c].first, std::move(column)));
  }
  return batch;
}

inline larder::Batch RowsOfEveryType() {
  using larder::DataType;
  using larder::TypeId;
  using larder::Value;
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  larder::ListValue list{TypeId::kInt64, {Value(int64_t{1}), Value(), Value(int64_t{-3})}};
  larder::ListValue words{TypeId::kString, {Value("a\"b"), Value()}};
  larder::MapValue map{TypeId::kFloat64, {{"a\"b", Value(0.5)}, {"c", Value(2.0)}}};
  return MakeRows(
      {
          {"bool", {true, false, Value()}},
          {"int32", {int32_t{-1}, std::numeric_limits<int32_t>::min(), Value()}},
          {"int64", {Value(), std::numeric_limits<int64_t>::min(), int64_t{7}}},
          {"uint64", {std::numeric_limits<uint64_t>::max(), Value(), uint64_t{0}}},
          {"float32", {0.1F, -0.0F, Value()}},
          {"float64", {nan, Value(), -inf}},
          {"string", {"", Value(), "l\xC3\xA9\"\n\t\x01, \xF0\x9F\x98\x80"}},
          {"bytes", {larder::Bytes{std::string("\0\xFF\n", 3)}, Value(), larder::Bytes{}}},
          {"timestamp", {larder::Timestamp{-1}, larder::Timestamp{1672531481'000'001}, Value()}},
          {"date", {larder::Date{-1}, larder::Date{20000}, Value()}},
          {"duration", {larder::Duration{90'000'000}, Value(), larder::Duration{-1}}},
          {"vector", {std::vector<float>{1.5F, -0.1F}, Value(), std::vector<float>{0.0F, 2.0F}}},
          {"bytevector", {std::vector<int8_t>{1, -128, 127}, Value(), std::vector<int8_t>{0, 0, 1}}},
          {"list", {list, Value(), larder::ListValue{TypeId::kInt64, {}}}},
          {"words", {words, Value(), larder::ListValue{TypeId::kString, {}}}},
          {"map", {map, Value(), larder::MapValue{TypeId::kFloat64, {}}}},
      },
      {TypeId::kBool, TypeId::kInt32, TypeId::kInt64, TypeId::kUint64, TypeId::kFloat32,
       TypeId::kFloat64, TypeId::kString, TypeId::kBytes, TypeId::kTimestamp, TypeId::kDate,
       TypeId::kDuration, DataType::Vector(TypeId::kFloat32, 2), DataType::Vector(TypeId::kInt8, 3),
       DataType::List(TypeId::kInt64), DataType::List(TypeId::kString),
       DataType::Map(TypeId::kFloat64)});
}

}  // namespace larder_test
