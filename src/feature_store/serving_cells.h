// Single values on the serving path: out of requests and rows, into tensors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/feature_store/serving.h"
#include "larder/online/read_session.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

inline std::size_t Index(int i) { return static_cast<std::size_t>(i); }

// Requires: the column is of the kind that serves the type.
inline Datum DatumOfInput(const InputColumn& input, const DataType& type, std::size_t row) {
  switch (type.id()) {
    case TypeId::kBool:
      return Datum::Bool(input.integer(row) != 0);
    case TypeId::kInt32:
    case TypeId::kDate:
      return Datum::Int32(static_cast<int32_t>(input.integer(row)));
    case TypeId::kUint64:
      return Datum::Uint64(static_cast<uint64_t>(input.integer(row)));
    case TypeId::kFloat32:
      return Datum::Float32(static_cast<float>(input.number(row)));
    case TypeId::kFloat64:
      return Datum::Float64(input.number(row));
    case TypeId::kString:
    case TypeId::kBytes:
      return Datum::Text(input.text(row));
    default:
      return Datum::Int64(input.integer(row));
  }
}

// Requires: value `i` is not null.
inline Datum DatumOfFound(const FoundRow& row, const RowLayout& layout, std::size_t i) {
  const DataType& type = layout.type(i);
  const char* from = row.payload + layout.offset(i);
  switch (type.id()) {
    case TypeId::kBool:
      return Datum::Bool(LoadAs<uint8_t>(from) != 0);
    case TypeId::kInt32:
    case TypeId::kDate:
      return Datum::Int32(LoadAs<int32_t>(from));
    case TypeId::kUint64:
      return Datum::Uint64(LoadAs<uint64_t>(from));
    case TypeId::kFloat32:
      return Datum::Float32(LoadAs<float>(from));
    case TypeId::kFloat64:
      return Datum::Float64(LoadAs<double>(from));
    case TypeId::kString:
    case TypeId::kBytes: {
      const auto offset = LoadAs<uint32_t>(from);
      const auto size = LoadAs<uint32_t>(from + 4);
      const auto available = static_cast<std::size_t>(row.end - row.payload);
      if (offset > available || size > available - offset) return Datum::Text({});
      return Datum::Text({row.payload + offset, size});
    }
    case TypeId::kVector:
      return Datum::Fixed(from);
    case TypeId::kList:
    case TypeId::kMap:
      return Datum::Null();  // not in a tensor, and Bind refuses expressions over stored lists
    default:
      return Datum::Int64(LoadAs<int64_t>(from));
  }
}

inline bool IsValid(const FoundRow& row, std::size_t i) {
  return ((static_cast<unsigned char>(row.validity[i / 8]) >> (i % 8)) & 1U) != 0;
}

// The declared type of a computed feature may be wider than its expression's: as WidenColumn has it.
inline Datum WidenDatum(const Datum& value, const DataType& from, const DataType& to) {
  if (from == to || !value.valid) return value;
  if (from.id() == TypeId::kInt32) {
    if (to.id() == TypeId::kFloat64) return Datum::Float64(static_cast<double>(value.i32));
    if (to.id() == TypeId::kInt64) return Datum::Int64(value.i32);
  }
  if (from.id() == TypeId::kFloat32 && to.id() == TypeId::kFloat64) {
    return Datum::Float64(static_cast<double>(value.f32));
  }
  return value;
}

template <class T>
T NumberOf(const Datum& value, const DataType& type) {
  switch (type.id()) {
    case TypeId::kBool:
      return value.b ? T{1} : T{0};
    case TypeId::kInt32:
    case TypeId::kDate:
      return static_cast<T>(value.i32);
    case TypeId::kUint64:
      return static_cast<T>(value.u64);
    case TypeId::kFloat32:
      return static_cast<T>(value.f32);
    case TypeId::kFloat64:
      return static_cast<T>(value.f64);
    default:
      return static_cast<T>(value.i64);
  }
}

template <class T>
void WriteCell(const Datum& value, const DataType& type, T* out) {
  const std::size_t width = type.id() == TypeId::kVector ? type.length() : 1;
  if (!value.valid) {
    std::fill_n(out, width, std::numeric_limits<T>::quiet_NaN());
  } else if (type.id() != TypeId::kVector) {
    *out = NumberOf<T>(value, type);
  } else if (type.element() == TypeId::kInt8) {
    const auto* elements = static_cast<const int8_t*>(value.fixed);
    for (std::size_t i = 0; i < width; ++i) out[i] = static_cast<T>(elements[i]);
  } else {
    const auto* elements = static_cast<const char*>(value.fixed);
    for (std::size_t i = 0; i < width; ++i)
      out[i] = static_cast<T>(LoadAs<float>(elements + 4 * i));
  }
}

}  // namespace larder::inline LARDER_ABI
