#include "io/duckdb_projection.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

namespace duck = duckdb_abi;

struct NamedType {
  int type;
  std::string_view name;
};
constexpr NamedType kNames[] = {
    {duck::kBoolean, "BOOLEAN"},
    {duck::kTinyint, "TINYINT"},
    {duck::kSmallint, "SMALLINT"},
    {duck::kInteger, "INTEGER"},
    {duck::kBigint, "BIGINT"},
    {duck::kUtinyint, "UTINYINT"},
    {duck::kUsmallint, "USMALLINT"},
    {duck::kUinteger, "UINTEGER"},
    {duck::kUbigint, "UBIGINT"},
    {duck::kFloat, "FLOAT"},
    {duck::kDouble, "DOUBLE"},
    {duck::kTimestamp, "TIMESTAMP"},
    {duck::kDate, "DATE"},
    {duck::kInterval, "INTERVAL"},
    {duck::kHugeint, "HUGEINT"},
    {duck::kVarchar, "VARCHAR"},
    {duck::kBlob, "BLOB"},
    {duck::kDecimal, "DECIMAL"},
    {duck::kTimestampS, "TIMESTAMP_S"},
    {duck::kTimestampMs, "TIMESTAMP_MS"},
    {duck::kTimestampNs, "TIMESTAMP_NS"},
    {duck::kEnum, "ENUM"},
    {duck::kList, "LIST"},
    {duck::kStruct, "STRUCT"},
    {duck::kMap, "MAP"},
    {duck::kUuid, "UUID"},
    {duck::kTimestampTz, "TIMESTAMP WITH TIME ZONE"},
    {duck::kUhugeint, "UHUGEINT"},
    {duck::kArray, "ARRAY"},
};

std::string NameOf(int type) {
  for (const NamedType& known : kNames) {
    if (known.type == type) return std::string(known.name);
  }
  return Concat("type ", type);
}

bool IsOneOf(int type, std::initializer_list<int> types) {
  for (const int one : types) {
    if (one == type) return true;
  }
  return false;
}

// Integers of at most 32 bits, all values of which are int64 and float64.
bool IsSmallInteger(int type) {
  return IsOneOf(type, {duck::kTinyint, duck::kSmallint, duck::kInteger, duck::kUtinyint,
                        duck::kUsmallint, duck::kUinteger});
}
bool IsInteger(int type) {
  return IsSmallInteger(type) ||
         IsOneOf(type, {duck::kBigint, duck::kUbigint, duck::kHugeint, duck::kUhugeint});
}
bool IsNumber(int type) {
  return IsInteger(type) || IsOneOf(type, {duck::kFloat, duck::kDouble, duck::kDecimal});
}
bool IsTime(int type) {
  return IsOneOf(type, {duck::kTimestamp, duck::kTimestampS, duck::kTimestampMs, duck::kDate});
}

// The SQL type that holds every value of the column and all of whose values are the scalar's; empty when there is none.
std::string_view WiderType(int type, TypeId to) {
  switch (to) {
    case TypeId::kBool:
      return type == duck::kBoolean ? "BOOLEAN" : "";
    case TypeId::kInt8:
      return type == duck::kTinyint ? "TINYINT" : "";
    case TypeId::kInt32:
      return IsSmallInteger(type) && type != duck::kUinteger ? "INTEGER" : "";
    case TypeId::kInt64:
      return IsSmallInteger(type) || type == duck::kBigint ? "BIGINT" : "";
    case TypeId::kUint64:
      return IsOneOf(type, {duck::kUtinyint, duck::kUsmallint, duck::kUinteger, duck::kUbigint})
                 ? "UBIGINT"
                 : "";
    case TypeId::kFloat32:
      return type == duck::kFloat ? "FLOAT" : "";
    case TypeId::kFloat64:
      return IsSmallInteger(type) || IsOneOf(type, {duck::kFloat, duck::kDouble}) ? "DOUBLE" : "";
    case TypeId::kString:
      return IsOneOf(type, {duck::kVarchar, duck::kEnum, duck::kUuid}) ? "VARCHAR" : "";
    case TypeId::kBytes:
      return type == duck::kBlob ? "BLOB" : "";
    case TypeId::kTimestamp:
      return IsTime(type) ? "TIMESTAMP" : "";
    case TypeId::kDate:
      return type == duck::kDate ? "DATE" : "";
    case TypeId::kDuration:
      return type == duck::kInterval ? "INTERVAL" : "";
    default:
      return "";
  }
}

// What can be read as text of the field's type, cell by cell, where a cell that does not fit makes a bad row.
bool ReadsAsText(int type, const Field& field) {
  if (type == duck::kVarchar) return true;
  if (!field.unit.empty()) return IsNumber(type);
  return field.type.is_numeric() && IsNumber(type);
}

std::string NestedType(const DuckDbColumn& column, const DataType& to) {
  const bool sequence = IsOneOf(column.type, {duck::kList, duck::kArray});
  if (to.id() == TypeId::kMap) {
    const std::string_view value = WiderType(column.element, to.element());
    return column.type == duck::kMap && column.key == duck::kVarchar && !value.empty()
               ? Concat("MAP(VARCHAR, ", value, ")")
               : "";
  }
  if (!sequence || to.element() == TypeId::kDuration) return "";
  if (to.element() == TypeId::kTimestamp && column.element == duck::kTimestampTz)
    return "TIMESTAMPTZ[]";
  // Elements of embeddings are rounded to float32, as everywhere.
  std::string_view element = WiderType(column.element, to.element());
  if (to.id() == TypeId::kVector && to.element() == TypeId::kFloat32 && IsNumber(column.element))
    element = "FLOAT";
  return element.empty() ? "" : Concat(element, "[]");
}

}  // namespace

std::string DuckDbTypeName(const DuckDbColumn& column) {
  const std::string name = NameOf(column.type);
  if (column.type == duck::kMap)
    return Concat(name, "(", NameOf(column.key), ", ", NameOf(column.element), ")");
  return column.element == 0 ? name : Concat(name, " of ", NameOf(column.element));
}

absl::StatusOr<DuckDbProjection> ProjectColumn(const DuckDbColumn& column, const Field& field,
                                               bool has_zone) {
  const std::string name = SqlName(column.name);
  DuckDbProjection projection;
  projection.field = field;
  const auto direct = [&](std::string_view type) {
    projection.sql = Concat("CAST(", name, " AS ", type, ")");
    return projection;
  };
  const auto text = [&](std::string_view sql) {
    projection.sql = Concat("CAST(", sql, " AS VARCHAR)");
    projection.as_text = true;
    return projection;
  };
  const bool is_timestamp = field.type.id() == TypeId::kTimestamp;
  if (is_timestamp && field.unit.empty()) {
    if (column.type == duck::kTimestampTz) {
      projection.sql = name;
      return projection;
    }
    if (column.type == duck::kTimestampNs && !has_zone) {
      projection.field.unit = "ns";
      return text(Concat("epoch_ns(", name, ")"));
    }
    if (has_zone && (IsTime(column.type) || column.type == duck::kTimestampNs)) return text(name);
  }
  if (field.type.is_nested()) {
    if (const std::string type = NestedType(column, field.type); !type.empty()) return direct(type);
  } else if (field.unit.empty()) {
    const std::string_view type = WiderType(column.type, field.type.id());
    // Text goes through the cells' own check of UTF-8.
    if (type == "VARCHAR") return text(name);
    if (!type.empty()) return direct(type);
  }
  if (ReadsAsText(column.type, field)) return text(name);
  return InvalidArgumentError("column ", column.name, " is ", DuckDbTypeName(column),
                              ", which cannot be read as ", field.type.ToString(), " of field ",
                              field.name, "; an sql source can convert it");
}

absl::StatusOr<DataType> NaturalType(const DuckDbColumn& column) {
  for (const TypeId type : {TypeId::kBool, TypeId::kInt32, TypeId::kInt64, TypeId::kUint64,
                            TypeId::kFloat32, TypeId::kFloat64, TypeId::kString, TypeId::kBytes,
                            TypeId::kDate, TypeId::kTimestamp, TypeId::kDuration}) {
    if (!WiderType(column.type, type).empty()) return DataType(type);
    if (!NestedType(column, DataType::List(type)).empty()) return DataType::List(type);
  }
  if (IsOneOf(column.type, {duck::kTimestampTz, duck::kTimestampNs}))
    return DataType(TypeId::kTimestamp);
  if (column.type == duck::kDecimal) return DataType(TypeId::kFloat64);
  if (column.type == duck::kMap && column.key == duck::kVarchar) {
    for (const TypeId type : {TypeId::kInt64, TypeId::kFloat64}) {
      if (!WiderType(column.element, type).empty()) return DataType::Map(type);
    }
  }
  return InvalidArgumentError("column ", column.name, " is ", DuckDbTypeName(column),
                              ", which is none of larder's types; an sql source can convert it");
}

}  // namespace larder::inline LARDER_ABI
