#include "feature_store/widen.h"

#include <cstdint>

#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class From, class To>
Column CastAll(const Column& column, const DataType& type, To (*cast)(From)) {
  Column out(type);
  out.ResizeFixed(column.size());
  const std::span<const From> from = column.Values<From>();
  const std::span<To> to = out.MutableValues<To>();
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!column.IsValid(i)) continue;
    to[i] = cast(from[i]);
    out.mutable_validity().Set(i, true);
  }
  return out;
}

absl::StatusOr<Value> ConvertOne(const Value& value, const DataType& type, bool from_text) {
  if (type.id() == TypeId::kTimestamp) {
    if (const Date* date = value.As<Date>())
      return Value(Timestamp{int64_t{date->days} * kMicrosPerDay});
  }
  if (from_text && type.id() == TypeId::kString && !value.is_null() && value.type().is_integer()) {
    return Value(FormatValue(value));
  }
  return ConvertValue(value, type, from_text);
}

}  // namespace

absl::StatusOr<Column> WidenColumn(const Column& column, const DataType& type,
                                   std::string_view what, bool from_text) {
  const TypeId from = column.type().id();
  const TypeId to = type.id();
  if (column.type() == type) return column;
  if (from == TypeId::kInt32 && to == TypeId::kInt64) {
    return CastAll<int32_t, int64_t>(column, type, [](int32_t v) { return int64_t{v}; });
  }
  if (from == TypeId::kInt32 && to == TypeId::kFloat64) {
    return CastAll<int32_t, double>(column, type,
                                    [](int32_t v) { return double{static_cast<double>(v)}; });
  }
  if (from == TypeId::kFloat32 && to == TypeId::kFloat64) {
    return CastAll<float, double>(column, type, [](float v) { return static_cast<double>(v); });
  }
  Column out(type);
  out.Reserve(column.size());
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!column.IsValid(i)) {
      out.AppendNull();
      continue;
    }
    absl::StatusOr<Value> value = ConvertOne(column.ValueAt(i), type, from_text);
    if (!value.ok()) return Annotate(value.status(), Concat(what, ", row ", i));
    LARDER_RETURN_IF_ERROR(out.Append(*value));
  }
  return out;
}

}  // namespace larder::inline LARDER_ABI
