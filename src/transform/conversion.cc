// The analyzer's rules for types: what widens by itself, what a literal may become, what a cast may do.
#include "transform/conversion.h"

#include <algorithm>
#include <array>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/analyzer.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

struct TypeWord {
  std::string_view word;
  TypeId type;
};
constexpr std::array<TypeWord, 27> kTypeWords = {{
    {"bool", TypeId::kBool},
    {"boolean", TypeId::kBool},
    {"int32", TypeId::kInt32},
    {"int", TypeId::kInt32},
    {"integer", TypeId::kInt32},
    {"int4", TypeId::kInt32},
    {"int64", TypeId::kInt64},
    {"bigint", TypeId::kInt64},
    {"int8", TypeId::kInt64},
    {"uint64", TypeId::kUint64},
    {"ubigint", TypeId::kUint64},
    {"float32", TypeId::kFloat32},
    {"float", TypeId::kFloat32},
    {"real", TypeId::kFloat32},
    {"float4", TypeId::kFloat32},
    {"float64", TypeId::kFloat64},
    {"double", TypeId::kFloat64},
    {"float8", TypeId::kFloat64},
    {"string", TypeId::kString},
    {"varchar", TypeId::kString},
    {"text", TypeId::kString},
    {"bytes", TypeId::kBytes},
    {"blob", TypeId::kBytes},
    {"timestamp", TypeId::kTimestamp},
    {"timestamptz", TypeId::kTimestamp},
    {"date", TypeId::kDate},
    {"duration", TypeId::kDuration},
}};

bool IsText(const IrNode& node) {
  return node.op == IrOp::kConstant && node.literal && node.type == TypeId::kString;
}
bool IsTime(const DataType& type) {
  return type == TypeId::kDate || type == TypeId::kTimestamp || type == TypeId::kDuration;
}

}  // namespace

std::optional<TypeId> TypeNamed(std::string_view name) {
  for (const TypeWord& word : kTypeWords) {
    if (word.word == name) return word.type;
  }
  return std::nullopt;
}

std::optional<int> Analyzer::Distance(IrId id, const DataType& type) const {
  const IrNode& node = graph_[id];
  if (node.untyped_null) return type.is_nested() ? std::nullopt : std::optional<int>(0);
  if (node.type == type) return 0;
  if (type.is_nested()) {
    if (node.type.id() != type.id() || node.type.element() != type.element()) return std::nullopt;
    return 0;
  }
  const TypeId from = node.type.id();
  const bool literal = node.op == IrOp::kConstant && node.literal;
  switch (type.id()) {
    case TypeId::kInt32:
      if (literal && from == TypeId::kInt64 &&
          node.constant.i64 == static_cast<int32_t>(node.constant.i64))
        return 1;
      break;
    case TypeId::kInt64:
      if (from == TypeId::kInt32) return 1;
      if (from == TypeId::kUint64) return 4;
      break;
    case TypeId::kUint64:
      if (literal && from == TypeId::kInt64 && node.constant.i64 >= 0) return 1;
      break;
    case TypeId::kFloat32:
      if (literal && from == TypeId::kFloat64 &&
          static_cast<double>(static_cast<float>(node.constant.f64)) == node.constant.f64)
        return 1;
      if (literal && from == TypeId::kInt64 && node.constant.i64 >= -(1 << 24) &&
          node.constant.i64 <= 1 << 24)
        return 2;
      break;
    case TypeId::kFloat64:
      if (from == TypeId::kFloat32) return 1;
      if (literal && from == TypeId::kInt64) return 2;
      if (from == TypeId::kInt32 || from == TypeId::kInt64 || from == TypeId::kUint64) return 6;
      break;
    case TypeId::kTimestamp:
      if (from == TypeId::kDate) return 2;
      [[fallthrough]];
    case TypeId::kDate:
      // A text with a time of day is no date, where a timestamp would do.
      if (IsText(node) && (type == TypeId::kTimestamp || ParseDate(node.constant.text).ok() ||
                           !ParseTimestamp(node.constant.text).ok()))
        return 8;
      break;
    case TypeId::kDuration:
      if (IsText(node)) return 9;
      break;
    default:
      break;
  }
  return std::nullopt;
}

absl::StatusOr<IrId> Analyzer::Convert(IrId id, const DataType& type, const Node& node) {
  const IrNode& from = graph_[id];
  if (from.untyped_null) return graph_.Null(type);
  if (from.type == type) return id;
  const CastKernel cast = FindCast(from.type.id(), type.id(), false);
  if (!cast.possible)
    return Error(node, Concat("cannot use ", from.type.ToString(), " as ", type.ToString()));
  const IrId result = CastTo(id, type, cast);
  if (IsText(from) && IsTime(type) && graph_[result].op != IrOp::kConstant) {
    return Error(node, Concat("cannot read '", graph_[id].constant.text, "' as ", type.ToString()));
  }
  return result;
}

IrId Analyzer::CastTo(IrId id, const DataType& type, const CastKernel& cast) {
  if (cast.kernel == nullptr) return graph_.Alias(id, type);
  return graph_.Add({.name = "cast",
                     .type = type,
                     .kernel = cast.kernel,
                     .arguments = {id},
                     .worth_guarding = cast.fallible || cast.costly});
}

std::optional<DataType> Analyzer::Join(const DataType& a, bool a_literal, const DataType& b,
                                       bool b_literal) const {
  if (a == b) return a;
  if (a.is_numeric() && b.is_numeric()) {
    if (a.is_float() || b.is_float()) return DataType(TypeId::kFloat64);
    if (a == TypeId::kUint64 || b == TypeId::kUint64) return std::nullopt;
    return DataType(TypeId::kInt64);
  }
  if ((a == TypeId::kDate && b == TypeId::kTimestamp) ||
      (a == TypeId::kTimestamp && b == TypeId::kDate))
    return DataType(TypeId::kTimestamp);
  if (a_literal && a == TypeId::kString && IsTime(b)) return b;
  if (b_literal && b == TypeId::kString && IsTime(a)) return a;
  return std::nullopt;
}

absl::StatusOr<DataType> Analyzer::CommonType(const Node& node, const Ids& ids,
                                              std::string_view what) {
  std::optional<DataType> type;
  bool literal = true;
  // First what is not a literal, so that literals adapt to it whatever the order.
  for (const bool literals : {false, true}) {
    for (const IrId id : ids) {
      const IrNode& candidate = graph_[id];
      const bool is_literal = candidate.op == IrOp::kConstant && candidate.literal;
      if (candidate.untyped_null || is_literal != literals) continue;
      if (!type.has_value()) {
        type = candidate.type;
        literal = is_literal;
        continue;
      }
      if (!literal && is_literal && Distance(id, *type).has_value()) continue;
      std::optional<DataType> joined = Join(*type, literal, candidate.type, is_literal);
      // Numbers as written that all fit uint64, some of them only that.
      if (!joined.has_value() && literal && is_literal &&
          std::all_of(ids.begin(), ids.end(),
                      [&](IrId one) { return Distance(one, TypeId::kUint64).has_value(); }))
        joined = TypeId::kUint64;
      if (!joined.has_value()) {
        return Error(node, Concat(what, " must have one type; found ", type->ToString(), " and ",
                                  candidate.type.ToString(), "; cast one"));
      }
      type = joined;
      literal = literal && is_literal;
    }
  }
  if (!type.has_value()) {
    return Error(node, Concat(what, " has only nulls and so no type; cast one of them"));
  }
  return *type;
}

absl::StatusOr<IrId> Analyzer::LowerCast(const Node& node, IrId operand, std::string_view type_name,
                                         bool lenient) {
  const std::optional<TypeId> type = TypeNamed(type_name);
  if (!type.has_value()) {
    std::vector<std::string> known;
    for (const TypeWord& word : kTypeWords) known.emplace_back(word.word);
    return Error(node, Concat("unknown type \"", type_name, "\"", DidYouMean(type_name, known)));
  }
  const IrNode& from = graph_[operand];
  if (from.untyped_null) return graph_.Null(*type);
  if (from.type == *type) {
    return from.literal ? graph_.MakeConstant(*type, from.constant) : operand;
  }
  const CastKernel cast = FindCast(from.type.id(), *type, lenient);
  if (!cast.possible)
    return Error(node, Concat("cannot cast ", from.type.ToString(), " to ", TypeName(*type)));
  return CastTo(operand, *type, cast);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
