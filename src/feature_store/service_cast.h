// The casts of a service, where its outputs are columns and where they are the values of one row.
#pragma once

#include <optional>

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "larder/schema/cast.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

// Requires: CanCast. What does not fit becomes null.
[[nodiscard]] Column CastColumn(const Column& column, const DataType& to);

[[nodiscard]] inline Datum CastDatum(const Datum& value, const DataType& from, const DataType& to) {
  if (!value.valid || from == to) return value;
  std::optional<Number> number;
  switch (from.id()) {
    case TypeId::kBool:
      number = Number::Signed(value.b ? 1 : 0);
      break;
    case TypeId::kInt32:
    case TypeId::kDate:
      number = Number::Signed(value.i32);
      break;
    case TypeId::kUint64:
      number = Number::Unsigned(value.u64);
      break;
    case TypeId::kFloat32:
      number = Number::Float(static_cast<double>(value.f32));
      break;
    case TypeId::kFloat64:
      number = Number::Float(value.f64);
      break;
    default:
      number = Number::Signed(value.i64);
  }
  number = CastNumber(*number, to.id());
  if (!number) return Datum::Null();
  switch (to.id()) {
    case TypeId::kBool:
      return Datum::Bool(number->i != 0);
    case TypeId::kInt32:
      return Datum::Int32(static_cast<int32_t>(number->i));
    case TypeId::kInt64:
      return Datum::Int64(number->i);
    case TypeId::kUint64:
      return Datum::Uint64(number->u);
    case TypeId::kFloat32:
      return Datum::Float32(static_cast<float>(number->f));
    default:
      return Datum::Float64(number->f);
  }
}

}  // namespace larder::inline LARDER_ABI
