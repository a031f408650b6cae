// Values of the edges (command line, tests, tools) to and from the row driver's.
#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>

#include "larder/base/text.h"
#include "larder/column/column.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
T Load(const void* base, std::size_t i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + i * sizeof(T), sizeof(T));
  return value;
}

Value ItemOf(const ListRef& list, std::size_t i, TypeId element) {
  const std::size_t at = list.first + i;
  if (list.validity != nullptr && !TestBit(list.validity, at)) return Value();
  switch (element) {
    case TypeId::kBool:
      return Value(Load<uint8_t>(list.items, at) != 0);
    case TypeId::kInt32:
      return Value(Load<int32_t>(list.items, at));
    case TypeId::kDate:
      return Value(Date{Load<int32_t>(list.items, at)});
    case TypeId::kUint64:
      return Value(Load<uint64_t>(list.items, at));
    case TypeId::kFloat32:
      return Value(Load<float>(list.items, at));
    case TypeId::kFloat64:
      return Value(Load<double>(list.items, at));
    case TypeId::kTimestamp:
      return Value(Timestamp{Load<int64_t>(list.items, at)});
    case TypeId::kDuration:
      return Value(Duration{Load<int64_t>(list.items, at)});
    case TypeId::kString:
    case TypeId::kBytes: {
      std::string text;
      if (list.offsets != nullptr) {
        const auto begin = static_cast<std::size_t>(list.offsets[at]);
        text.assign(static_cast<const char*>(list.items) + begin,
                    static_cast<std::size_t>(list.offsets[at + 1]) - begin);
      } else {
        const auto item = Load<TextRef>(list.items, at);
        text.assign(item.data, item.size);
      }
      return element == TypeId::kString ? Value(std::move(text)) : Value(Bytes{std::move(text)});
    }
    default:
      return Value(Load<int64_t>(list.items, at));
  }
}

}  // namespace

Datum DatumOf(const Value& value) {
  if (value.is_null()) return Datum::Null();
  if (const auto* v = value.As<bool>()) return Datum::Bool(*v);
  if (const auto* v = value.As<int32_t>()) return Datum::Int32(*v);
  if (const auto* v = value.As<int64_t>()) return Datum::Int64(*v);
  if (const auto* v = value.As<uint64_t>()) return Datum::Uint64(*v);
  if (const auto* v = value.As<float>()) return Datum::Float32(*v);
  if (const auto* v = value.As<double>()) return Datum::Float64(*v);
  if (const auto* v = value.As<std::string>()) return Datum::Text(*v);
  if (const auto* v = value.As<Bytes>()) return Datum::Text(v->data);
  if (const auto* v = value.As<Timestamp>()) return Datum::Int64(v->us);
  if (const auto* v = value.As<Date>()) return Datum::Int32(v->days);
  if (const auto* v = value.As<Duration>()) return Datum::Int64(v->us);
  if (const auto* v = value.As<std::vector<float>>()) return Datum::Fixed(v->data());
  if (const auto* v = value.As<std::vector<int8_t>>()) return Datum::Fixed(v->data());
  return Datum::Null();
}

Value ValueOf(const Datum& datum, const DataType& type) {
  if (!datum.valid) return Value();
  switch (type.id()) {
    case TypeId::kBool:
      return Value(datum.b);
    case TypeId::kInt32:
      return Value(datum.i32);
    case TypeId::kInt64:
      return Value(datum.i64);
    case TypeId::kUint64:
      return Value(datum.u64);
    case TypeId::kFloat32:
      return Value(datum.f32);
    case TypeId::kFloat64:
      return Value(datum.f64);
    case TypeId::kString:
      return Value(datum.view());
    case TypeId::kBytes:
      return Value(Bytes{std::string(datum.view())});
    case TypeId::kTimestamp:
      return Value(Timestamp{datum.i64});
    case TypeId::kDate:
      return Value(Date{datum.i32});
    case TypeId::kDuration:
      return Value(Duration{datum.i64});
    case TypeId::kVector:
      if (type.element() == TypeId::kFloat32) {
        std::vector<float> items(type.length());
        if (!items.empty()) std::memcpy(items.data(), datum.fixed, items.size() * sizeof(float));
        return Value(std::move(items));
      } else {
        std::vector<int8_t> items(type.length());
        if (!items.empty()) std::memcpy(items.data(), datum.fixed, items.size());
        return Value(std::move(items));
      }
    case TypeId::kList: {
      ListValue list;
      list.element = type.element();
      for (std::size_t i = 0; i < datum.list.size; ++i)
        list.items.push_back(ItemOf(datum.list, i, type.element()));
      return Value(std::move(list));
    }
    default:
      return Value();
  }
}

absl::StatusOr<std::vector<Value>> EvaluateRow(const Program& program, const Row& row,
                                               Timestamp as_of, EvalCounts* counts) {
  std::vector<Column> columns;
  for (const Field& field : program.inputs()) {
    const auto at = std::find_if(row.begin(), row.end(),
                                 [&](const auto& cell) { return cell.first == field.name; });
    if (at == row.end()) {
      std::vector<std::string> names;
      for (const auto& cell : row) names.push_back(cell.first);
      return NotFoundError("missing input \"", field.name, "\"", DidYouMean(field.name, names));
    }
    const absl::StatusOr<Value> value = ConvertValue(at->second, field.type, true);
    if (!value.ok()) return Annotate(value.status(), Concat("input \"", field.name, "\""));
    columns.emplace_back(field.type);
    LARDER_RETURN_IF_ERROR(columns.back().Append(*value));
  }
  std::vector<const Column*> inputs;
  for (const Column& column : columns) inputs.push_back(&column);
  LARDER_ASSIGN_OR_RETURN(const std::vector<Column> outputs,
                          program.EvaluateBatch(inputs, 1, {&as_of, 1}, counts));
  std::vector<Value> values;
  for (const Column& output : outputs) values.push_back(output.ValueAt(0));
  return values;
}

}  // namespace larder::inline LARDER_ABI
