#include "transform/analyzer.h"

#include <algorithm>
#include <array>

#include "larder/base/text.h"
#include "transform/conversion.h"
#include "transform/diagnostics.h"
#include "transform/parser.h"
#include "transform/versioned_name.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

struct Alias {
  std::string_view alias;
  std::string_view name;
};
constexpr std::array<Alias, 22> kAliases = {{
    {"ceiling", "ceil"},
    {"power", "pow"},
    {"log", "log10"},
    {"char_length", "length"},
    {"len", "length"},
    {"strlen", "octet_length"},
    {"lcase", "lower"},
    {"ucase", "upper"},
    {"ifnull", "coalesce"},
    {"isnan", "is_nan"},
    {"isinf", "is_inf"},
    {"prefix", "starts_with"},
    {"suffix", "ends_with"},
    {"datetrunc", "date_trunc"},
    {"datediff", "date_diff"},
    {"datepart", "date_part"},
    {"datesub", "date_sub"},
    {"regexp_match", "regexp_matches"},
    {"array_inner_product", "dot"},
    {"array_cosine_similarity", "cosine"},
    {"array_distance", "l2_distance"},
    {"list_avg", "list_mean"},
}};

struct OperatorSign {
  std::string_view function;
  std::string_view sign;
};
constexpr std::array<OperatorSign, 19> kSigns = {{
    {"add", "+"},           {"sub", "-"},
    {"mul", "*"},           {"div", "/"},
    {"idiv", "//"},         {"mod", "%"},
    {"neg", "unary -"},     {"eq", "="},
    {"ne", "<>"},           {"lt", "<"},
    {"le", "<="},           {"gt", ">"},
    {"ge", ">="},           {"concat_op", "||"},
    {"is_true", "is true"}, {"is_false", "is false"},
    {"is_null", "is null"}, {"is_distinct", "is distinct from"},
    {"element", "[]"},
}};
std::string_view SignOf(std::string_view function) {
  for (const OperatorSign& sign : kSigns) {
    if (sign.function == function) return sign.sign;
  }
  return function;
}

}  // namespace

absl::Status Analyzer::Error(const Node& node, std::string_view message) const {
  return ErrorAt(ast_->source, node.begin, node.end, message);
}
absl::Status Analyzer::Missing(const Node& node, std::string_view message) const {
  return FailedPreconditionError(MessageOf(Error(node, message)));
}
std::string Analyzer::Describe(IrId id) const {
  return graph_[id].untyped_null ? "null" : graph_[id].type.ToString();
}
std::string Analyzer::DescribeAll(const Ids& ids) const {
  std::vector<std::string> types;
  for (const IrId id : ids) types.push_back(Describe(id));
  return larder::Join(types, ", ");
}

bool Analyzer::IsTaken(std::string_view name) {
  const std::vector<std::string> names = AllNames();
  return std::find(names.begin(), names.end(), name) != names.end() ||
         std::any_of(kAliases.begin(), kAliases.end(),
                     [name](const Alias& alias) { return alias.alias == name; }) ||
         SignOf(name) != name || !WrittenInstead(name).empty() || IsReservedWord(name) ||
         TypeNamed(name).has_value() || name == "current_timestamp" || name == "extract";
}

absl::StatusOr<IrId> Analyzer::Lower(const Ast& ast) {
  ast_ = &ast;
  lowered_.clear();
  notes_.assign(ast.nodes.size(), "");
  fitted_.clear();
  for (NodeId id = 0; id < ast.nodes.size(); ++id) {
    LARDER_ASSIGN_OR_RETURN(const IrId lowered, LowerNode(id));
    lowered_.push_back(lowered);
    if (graph_.over_limit()) {
      return WithKind(Error(ast[id], "the expressions compiled together are too large"),
                      ErrorKind::kTooLarge);
    }
  }
  const IrId root = lowered_[ast.root];
  if (root == kNoIr)
    return Error(ast[ast.root],
                 "fitted constants are not values; write zscore(x, name) or the like");
  if (graph_[root].untyped_null)
    return Error(ast[ast.root],
                 "null alone has no type; write cast(null as float64) or another type");
  return root;
}

absl::StatusOr<IrId> Analyzer::LowerNode(NodeId id) {
  const Node& node = (*ast_)[id];
  LARDER_RETURN_IF_ERROR(RefuseFitted(node));
  Constant value;
  value.valid = true;
  switch (node.kind) {
    case NodeKind::kNull:
      return graph_.UntypedNull();
    case NodeKind::kBool:
      value.i64 = node.integer;
      return graph_.MakeConstant(TypeId::kBool, std::move(value));
    case NodeKind::kInteger:
      if (node.unsigned_integer > static_cast<uint64_t>(INT64_MAX)) {
        value.u64 = node.unsigned_integer;
        return graph_.MakeConstant(TypeId::kUint64, std::move(value), true);
      }
      value.i64 = static_cast<int64_t>(node.unsigned_integer);
      return graph_.MakeConstant(TypeId::kInt64, std::move(value), true);
    case NodeKind::kDecimal:
      value.f64 = node.number;
      return graph_.MakeConstant(TypeId::kFloat64, std::move(value), true);
    case NodeKind::kString:
      value.text = node.text;
      return graph_.MakeConstant(TypeId::kString, std::move(value), true);
    case NodeKind::kDate:
    case NodeKind::kTimestamp:
    case NodeKind::kDuration:
      value.i64 = node.integer;
      return graph_.MakeConstant(node.kind == NodeKind::kDate        ? TypeId::kDate
                                 : node.kind == NodeKind::kTimestamp ? TypeId::kTimestamp
                                                                     : TypeId::kDuration,
                                 std::move(value));
    case NodeKind::kColumn:
      return LowerColumn(id, node);
    case NodeKind::kList:
      return LowerList(node);
    case NodeKind::kCase:
      return LowerCase(node);
    case NodeKind::kCast:
      return LowerCast(node, lowered_[ast_->Child(node, 0)], node.text, node.flag);
    case NodeKind::kCall:
      return LowerCall(id, node);
  }
  return Error(node, "unexpected part");
}

absl::StatusOr<IrId> Analyzer::LowerColumn(NodeId id, const Node& node) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].name == node.text) {
      if (inputs_[i].type.id() == TypeId::kMap)
        return Error(node,
                     Concat("\"", node.text, "\" is a map; maps cannot be used in expressions"));
      return graph_.Input(static_cast<uint32_t>(i), inputs_[i].type);
    }
    names.push_back(inputs_[i].name);
  }
  const std::optional<VersionedName> reference = ReadVersionedName(node.text);
  if (reference.has_value() && options_.fitted != nullptr) {
    LARDER_ASSIGN_OR_RETURN(std::shared_ptr<const FittedEntry> entry,
                            options_.fitted->Find(reference->name, reference->version));
    if (entry != nullptr) {
      const std::string identity = entry->Identity();
      if (!reference->identity.empty() && reference->identity != identity) {
        return Missing(node, Concat("fitted constants ", reference->reference,
                                    " are not those this was defined with"));
      }
      notes_[id] = identity;
      fitted_[id] = std::move(entry);
      return kNoIr;
    }
    for (std::string& known : options_.fitted->Names()) names.push_back(std::move(known));
  }
  if (reference.has_value() && !reference->identity.empty())
    return Missing(node,
                   Concat("fitted constants ", reference->reference, " are not in this store"));
  std::string advice = DidYouMean(node.text, names);
  if (advice.empty() && !names.empty() && names.size() <= 12)
    advice = Concat("; known are ", larder::Join(names, ", "));
  return Error(node, Concat("unknown name \"", node.text, "\"", advice));
}

absl::StatusOr<IrId> Analyzer::LowerList(const Node& node) {
  Ids items;
  for (std::size_t i = 0; i < node.child_count; ++i) {
    const NodeId child = ast_->Child(node, i);
    items.push_back(lowered_[child]);
    if (graph_[items.back()].op != IrOp::kConstant) {
      return Error((*ast_)[child], "a list in brackets holds constants only");
    }
  }
  DataType element = TypeId::kInt64;
  if (!items.empty()) {
    LARDER_ASSIGN_OR_RETURN(element, CommonType(node, items, "list items"));
    if (element.is_nested()) return Error(node, "lists hold scalars only");
  }
  Constant list;
  list.valid = true;
  for (const IrId item : items) {
    LARDER_ASSIGN_OR_RETURN(const IrId converted, Convert(item, element, node));
    if (graph_[converted].op != IrOp::kConstant) {
      return Error(node, Concat("an item has no value as ", element.ToString()));
    }
    list.items.push_back(graph_[converted].constant);
  }
  return graph_.MakeConstant(DataType::List(element.id()), std::move(list), true);
}

absl::StatusOr<IrId> Analyzer::LowerCase(const Node& node) {
  Ids values;
  for (std::size_t i = 1; i < node.child_count; i += 2)
    values.push_back(lowered_[ast_->Child(node, i)]);
  values.push_back(lowered_[ast_->Child(node, node.child_count - 1)]);
  LARDER_ASSIGN_OR_RETURN(const DataType type, CommonType(node, values, "the branches"));
  LARDER_ASSIGN_OR_RETURN(IrId result, Convert(values.back(), type, node));
  for (std::size_t i = node.child_count - 1; i >= 2; i -= 2) {
    const NodeId condition_node = ast_->Child(node, i - 2);
    const IrId condition = lowered_[condition_node];
    if (graph_[condition].type != TypeId::kBool) {
      return Error((*ast_)[condition_node],
                   Concat("a condition must be bool, this is ", Describe(condition)));
    }
    LARDER_ASSIGN_OR_RETURN(const IrId when, Convert(condition, TypeId::kBool, node));
    LARDER_ASSIGN_OR_RETURN(const IrId value,
                            Convert(lowered_[ast_->Child(node, i - 1)], type, node));
    result = graph_.Add({.name = "select",
                         .type = type,
                         .kernel = SelectKernel(StorageOf(type)),
                         .arguments = {when, value, result},
                         .branching = Branching::kSelect});
  }
  return result;
}

absl::StatusOr<IrId> Analyzer::LowerCall(NodeId id, const Node& node) {
  Ids arguments;
  for (std::size_t i = 0; i < node.child_count; ++i)
    arguments.push_back(lowered_[ast_->Child(node, i)]);
  std::string_view name = node.text;
  for (const Alias& alias : kAliases) {
    if (alias.alias == name) name = alias.name;
  }
  if (arguments.size() == 2 && arguments[1] == kNoIr) return LowerFitted(name, node);
  if (name == "neg") return LowerNegation(node, arguments[0]);
  if (name == "in") return LowerIn(node, arguments);
  if (name == "coalesce") return LowerCoalesce(node, std::move(arguments));
  if (name == "nullif") return LowerNullIf(node, arguments);
  if (name == "greatest" || name == "least")
    return LowerExtreme(node, std::move(arguments), name == "greatest");
  if (name == "is_distinct") return LowerDistinct(node, arguments);
  if (name == "is_null") {
    IrId operand = arguments[0];
    if (graph_[operand].untyped_null) operand = graph_.Null(TypeId::kBool);
    return graph_.Add(
        {.name = name, .type = TypeId::kBool, .kernel = IsNullKernel(), .arguments = {operand}});
  }
  if (name == "date_part" && arguments.size() == 2) {
    const IrNode& part = graph_[arguments[0]];
    if (part.op == IrOp::kConstant && part.type == TypeId::kString &&
        EqualsIgnoreCase(part.constant.text, "epoch"))
      return Resolve("epoch", node, {arguments[1]});
  }
  if (name == "current_date" || name == "now" || name == "current_timestamp")
    return LowerClock(node, arguments, name == "current_date");
  if (IsComposite(name)) return LowerComposite(name, node, arguments);
  if (!BuiltinTable::Get().Find(name).empty()) return Resolve(name, node, arguments);
  if (arguments.size() == 1 && TypeNamed(name).has_value())
    return LowerCast(node, arguments[0], name, false);
  return LowerUserCall(id, node, arguments);
}

absl::StatusOr<IrId> Analyzer::LowerNegation(const Node& node, IrId operand) {
  const IrNode& inner = graph_[operand];
  if (inner.op == IrOp::kConstant && inner.literal) {
    Constant value = inner.constant;
    if (inner.type == TypeId::kUint64 && value.u64 == uint64_t{1} << 63U) {
      value.i64 = INT64_MIN;
      value.u64 = 0;
      return graph_.MakeConstant(TypeId::kInt64, std::move(value), true);
    }
    if (inner.type == TypeId::kInt64 && value.i64 != INT64_MIN) {
      value.i64 = -value.i64;
      return graph_.MakeConstant(TypeId::kInt64, std::move(value), true);
    }
    if (inner.type == TypeId::kFloat64) {
      value.f64 = -value.f64;
      return graph_.MakeConstant(TypeId::kFloat64, std::move(value), true);
    }
  }
  return Resolve("neg", node, {operand});
}

absl::StatusOr<IrId> Analyzer::LowerIn(const Node& node, const Ids& arguments) {
  absl::StatusOr<DataType> common = CommonType(node, arguments, "in");
  const bool whole = std::all_of(arguments.begin(), arguments.end(), [&](IrId id) {
    return graph_[id].untyped_null || graph_[id].type.is_integer();
  });
  // Integers of either signedness have no common type; they are equal by value.
  if (!common.ok() && whole)
    return AnyEqual(node, arguments[0], {arguments.begin() + 1, arguments.end()});
  if (!common.ok()) return common.status();
  const DataType type = *common;
  LARDER_ASSIGN_OR_RETURN(const IrId subject, Convert(arguments[0], type, node));
  std::vector<Constant> items;
  bool has_null = false;
  bool all_constant = true;
  Ids others;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    LARDER_ASSIGN_OR_RETURN(const IrId item, Convert(arguments[i], type, node));
    others.push_back(item);
    all_constant = all_constant && graph_[item].op == IrOp::kConstant;
    if (!all_constant) continue;
    if (graph_[item].constant.valid) items.push_back(graph_[item].constant);
    has_null = has_null || !graph_[item].constant.valid;
  }
  if (all_constant && type != TypeId::kBool) {
    InSet set = MakeInSet(type, items, has_null);
    if (set.kernel == nullptr) return Error(node, Concat("in does not take ", type.ToString()));
    return graph_.Add({.name = "in",
                       .type = TypeId::kBool,
                       .kernel = set.kernel,
                       .arguments = {subject},
                       .worth_guarding = type.is_text(),
                       .aux = std::move(set.aux),
                       .aux_key = std::move(set.key)});
  }
  return AnyEqual(node, subject, others);
}

absl::StatusOr<IrId> Analyzer::AnyEqual(const Node& node, IrId subject, const Ids& items) {
  IrId result = kNoIr;
  for (const IrId item : items) {
    LARDER_ASSIGN_OR_RETURN(const IrId equal, Resolve("eq", node, {subject, item}));
    if (result == kNoIr) {
      result = equal;
    } else {
      LARDER_ASSIGN_OR_RETURN(result, Resolve("or", node, {result, equal}));
    }
  }
  return result;
}

absl::StatusOr<IrId> Analyzer::LowerCoalesce(const Node& node, Ids arguments) {
  if (arguments.empty()) return Error(node, "coalesce needs at least one value");
  LARDER_ASSIGN_OR_RETURN(const DataType type, CommonType(node, arguments, "coalesce"));
  IrId result = kNoIr;
  for (std::size_t i = arguments.size(); i-- > 0;) {
    LARDER_ASSIGN_OR_RETURN(const IrId value, Convert(arguments[i], type, node));
    result = result == kNoIr ? value
                             : graph_.Add({.name = "coalesce",
                                           .type = type,
                                           .kernel = CoalesceKernel(StorageOf(type)),
                                           .arguments = {value, result},
                                           .branching = Branching::kCoalesce});
  }
  return result;
}

absl::StatusOr<IrId> Analyzer::LowerNullIf(const Node& node, const Ids& arguments) {
  if (arguments.size() != 2) return Error(node, "nullif takes two values");
  if (graph_[arguments[0]].untyped_null) return arguments[0];
  LARDER_ASSIGN_OR_RETURN(const IrId equal, Resolve("eq", node, arguments));
  const DataType type = graph_[arguments[0]].type;
  return graph_.Add({.name = "nullif",
                     .type = type,
                     .kernel = NullIfKernel(StorageOf(type)),
                     .arguments = {arguments[0], equal}});
}

absl::StatusOr<IrId> Analyzer::LowerExtreme(const Node& node, Ids arguments, bool greatest) {
  if (arguments.empty()) return Error(node, Concat(node.text, " needs at least one value"));
  LARDER_ASSIGN_OR_RETURN(const DataType type, CommonType(node, arguments, node.text));
  const Kernel kernel = ExtremeKernel(type, greatest);
  if (kernel == nullptr) return Error(node, Concat(node.text, " does not take ", type.ToString()));
  LARDER_ASSIGN_OR_RETURN(IrId result, Convert(arguments[0], type, node));
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    LARDER_ASSIGN_OR_RETURN(const IrId value, Convert(arguments[i], type, node));
    result = graph_.Add({.name = greatest ? "greatest" : "least",
                         .type = type,
                         .kernel = kernel,
                         .arguments = {result, value}});
  }
  return result;
}

absl::StatusOr<IrId> Analyzer::LowerDistinct(const Node& node, const Ids& arguments) {
  LARDER_ASSIGN_OR_RETURN(const DataType type, CommonType(node, arguments, "is distinct from"));
  LARDER_ASSIGN_OR_RETURN(const IrId a, Convert(arguments[0], type, node));
  LARDER_ASSIGN_OR_RETURN(const IrId b, Convert(arguments[1], type, node));
  LARDER_ASSIGN_OR_RETURN(const IrId equal, Resolve("eq", node, {a, b}));
  return graph_.Add({.name = "is_distinct",
                     .type = TypeId::kBool,
                     .kernel = IsDistinctKernel(),
                     .arguments = {a, b, equal}});
}

absl::StatusOr<IrId> Analyzer::LowerClock(const Node& node, const Ids& arguments, bool date) {
  if (options_.refuse_clock) {
    return Error(node,
                 Concat(date ? "current_date" : "now()",
                        " is not allowed here: the result would depend on when it is computed"));
  }
  if (!date) {
    if (!arguments.empty())
      return Error(node, "now() takes nothing; a local date is current_date('Zone')");
    return graph_.AsOf();
  }
  if (arguments.size() > 1) return Error(node, "current_date takes one time zone or nothing");
  if (arguments.empty())
    return CastTo(graph_.AsOf(), TypeId::kDate, FindCast(TypeId::kTimestamp, TypeId::kDate, false));
  return Resolve("local_date", node, {graph_.AsOf(), arguments[0]});
}

absl::StatusOr<IrId> Analyzer::Resolve(std::string_view name, const Node& node,
                                       const Ids& arguments) {
  const std::span<const Builtin> overloads = BuiltinTable::Get().Find(name);
  const Builtin* best = nullptr;
  int best_distance = 0;
  for (const Builtin& candidate : overloads) {
    const std::size_t count = candidate.parameters.size();
    if (candidate.variadic ? arguments.size() < count : arguments.size() != count) continue;
    int distance = 0;
    for (std::size_t i = 0; i < arguments.size() && distance >= 0; ++i) {
      const std::optional<int> one =
          Distance(arguments[i], candidate.parameters[std::min(i, count - 1)]);
      distance = one.has_value() ? distance + *one : -1;
    }
    if (distance < 0 || (best != nullptr && distance >= best_distance)) continue;
    best = &candidate;
    best_distance = distance;
  }
  if (best != nullptr) return Apply(*best, node, arguments);

  const std::string_view sign = SignOf(name);
  if (sign != name && name != "element") {
    const std::string_view hint =
        name == "add" && arguments.size() == 2 && graph_[arguments[0]].type == TypeId::kString
            ? "; texts are joined by ||"
            : "";
    return Error(node, Concat(sign, " does not take ", DescribeAll(arguments), hint));
  }
  std::vector<std::string> forms;
  for (const Builtin& candidate : overloads) {
    std::vector<std::string> types;
    for (const DataType& type : candidate.parameters) {
      types.push_back(type.id() == TypeId::kVector ? Concat("vector<", TypeName(type.element()), ">")
                                                   : type.ToString());
    }
    if (candidate.variadic) types.back() += "...";
    forms.push_back(Concat(name, "(", larder::Join(types, ", "), ")"));
  }
  return Error(node, Concat(node.text, " does not take (", DescribeAll(arguments), "); it takes ",
                            larder::Join(forms, " or ")));
}

absl::StatusOr<IrId> Analyzer::Apply(const Builtin& builtin, const Node& node,
                                     const Ids& arguments) {
  Ids converted;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const DataType& parameter = builtin.parameters[std::min(i, builtin.parameters.size() - 1)];
    if (parameter.is_nested() && !graph_[arguments[i]].untyped_null) {
      converted.push_back(arguments[i]);
      continue;
    }
    LARDER_ASSIGN_OR_RETURN(const IrId value, Convert(arguments[i], parameter, node));
    converted.push_back(value);
  }
  const IrId fused = Fused(builtin, converted);
  if (fused != kNoIr) return fused;
  IrGraph::KernelNode kernel = {.name = builtin.name,
                                .type = builtin.result,
                                .kernel = builtin.kernel,
                                .branching = builtin.branching,
                                .worth_guarding = builtin.flags != kPlain};
  uint32_t run_arguments = 0xffffffffU;
  if (builtin.prepare != nullptr) {
    PrepareContext context;
    context.limits = &options_.limits;
    for (const IrId id : converted) {
      context.arguments.push_back(
          {graph_[id].type, graph_[id].op == IrOp::kConstant ? &graph_[id].constant : nullptr});
    }
    absl::StatusOr<Prepared> prepared = builtin.prepare(context);
    if (!prepared.ok()) return Error(node, MessageOf(prepared.status()));
    kernel.aux = std::move(prepared->aux);
    kernel.aux_key = std::move(prepared->aux_key);
    if (prepared->result.has_value()) kernel.type = *prepared->result;
    run_arguments = prepared->run_arguments;
  }
  for (std::size_t i = 0; i < converted.size(); ++i) {
    if (i >= 32 || ((run_arguments >> i) & 1U) != 0) kernel.arguments.push_back(converted[i]);
  }
  return graph_.Add(std::move(kernel));
}

IrId Analyzer::Fused(const Builtin& builtin, const Ids& arguments) {
  const bool equal = builtin.name == "eq";
  if ((!equal && builtin.name != "ne") || builtin.parameters[0] != TypeId::kString) return kNoIr;
  for (std::size_t i = 0; i < 2; ++i) {
    const IrNode& lowered = graph_[arguments[i]];
    const IrNode& wanted = graph_[arguments[1 - i]];
    if (lowered.op != IrOp::kKernel || lowered.name != "lower" || wanted.op != IrOp::kConstant ||
        !wanted.constant.valid)
      continue;
    const IrNode& inner = graph_[lowered.arguments[0]];
    const bool trimmed = inner.op == IrOp::kKernel && inner.name == "trim";
    InSet form = MakeLoweredComparison(wanted.constant, equal, trimmed);
    return graph_.Add({.name = equal ? "lower_eq" : "lower_ne",
                       .type = TypeId::kBool,
                       .kernel = form.kernel,
                       .arguments = {trimmed ? inner.arguments[0] : lowered.arguments[0]},
                       .worth_guarding = true,
                       .aux = std::move(form.aux),
                       .aux_key = std::move(form.key)});
  }
  return kNoIr;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
