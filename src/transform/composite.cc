// Functions that are formulas over other functions, fitted or not: one set of kernels stays enough.
#include <algorithm>
#include <array>

#include "larder/base/text.h"
#include "transform/analyzer.h"
#include "transform/parser.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr std::array<std::string_view, 8> kComposites = {
    "clamp", "zscore", "minmax", "log_scale", "sigmoid", "hash_bucket", "cross", "impute"};
constexpr std::array<std::string_view, 6> kFittedForms = {
    "zscore", "minmax", "impute", "bucketize", "one_hot", "vocabulary_index"};
constexpr std::array<std::string_view, 9> kSpecial = {
    "coalesce", "nullif", "greatest", "least", "if", "current_date", "now", "cast", "try_cast"};

}  // namespace

bool Analyzer::IsComposite(std::string_view name) {
  return std::find(kComposites.begin(), kComposites.end(), name) != kComposites.end();
}
bool Analyzer::TakesFitted(std::string_view name) {
  return std::find(kFittedForms.begin(), kFittedForms.end(), name) != kFittedForms.end();
}

std::vector<std::string> Analyzer::AllNames() {
  std::vector<std::string> names = BuiltinTable::Get().names();
  std::erase_if(names, [](const std::string& name) { return !WrittenInstead(name).empty(); });
  names.insert(names.end(), kComposites.begin(), kComposites.end());
  names.insert(names.end(), kSpecial.begin(), kSpecial.end());
  return names;
}

IrId Analyzer::Number(double value) {
  Constant constant;
  constant.valid = true;
  constant.f64 = value;
  return graph_.MakeConstant(TypeId::kFloat64, std::move(constant));
}

absl::StatusOr<IrId> Analyzer::LowerComposite(std::string_view name, const Node& node,
                                              const Ids& arguments) {
  const auto expect = [&](std::size_t count, std::string_view form) -> absl::Status {
    if (arguments.size() == count) return absl::OkStatus();
    return Error(node, Concat(name, " is written ", form));
  };
  if (name == "hash_bucket" || name == "cross") return LowerHashBucket(node, arguments);
  if (name == "clamp") {
    LARDER_RETURN_IF_ERROR(expect(3, "clamp(x, low, high)"));
    LARDER_ASSIGN_OR_RETURN(const DataType type, CommonType(node, arguments, name));
    Ids values;
    for (const IrId id : arguments) {
      LARDER_ASSIGN_OR_RETURN(const IrId value, Convert(id, type, node));
      values.push_back(value);
    }
    const auto select = [&](IrId condition, IrId a, IrId b) {
      return graph_.Add({.name = "select",
                         .type = type,
                         .kernel = SelectKernel(StorageOf(type)),
                         .arguments = {condition, a, b},
                         .branching = Branching::kSelect});
    };
    LARDER_ASSIGN_OR_RETURN(const IrId above, Resolve("gt", node, {values[0], values[2]}));
    LARDER_ASSIGN_OR_RETURN(const IrId below, Resolve("lt", node, {values[0], values[1]}));
    return select(below, values[1], select(above, values[2], values[0]));
  }
  if (name == "zscore") {
    LARDER_RETURN_IF_ERROR(expect(3, "zscore(x, mean, deviation) or zscore(x, fitted)"));
    LARDER_ASSIGN_OR_RETURN(const IrId centred, Resolve("sub", node, {arguments[0], arguments[1]}));
    return Resolve("div", node, {centred, arguments[2]});
  }
  if (name == "minmax") {
    LARDER_RETURN_IF_ERROR(expect(3, "minmax(x, low, high) or minmax(x, fitted)"));
    LARDER_ASSIGN_OR_RETURN(const IrId offset, Resolve("sub", node, {arguments[0], arguments[1]}));
    LARDER_ASSIGN_OR_RETURN(const IrId range, Resolve("sub", node, {arguments[2], arguments[1]}));
    return Resolve("div", node, {offset, range});
  }
  if (name == "log_scale") {
    LARDER_RETURN_IF_ERROR(expect(1, "log_scale(x): sign(x) * log1p(abs(x))"));
    LARDER_ASSIGN_OR_RETURN(const IrId x, Convert(arguments[0], TypeId::kFloat64, node));
    LARDER_ASSIGN_OR_RETURN(const IrId magnitude, Resolve("abs", node, {x}));
    LARDER_ASSIGN_OR_RETURN(const IrId scaled, Resolve("log1p", node, {magnitude}));
    LARDER_ASSIGN_OR_RETURN(const IrId sign, Resolve("sign", node, {x}));
    return Resolve("mul", node, {sign, scaled});
  }
  if (name == "sigmoid") {
    LARDER_RETURN_IF_ERROR(expect(1, "sigmoid(x): 1 / (1 + exp(-x))"));
    LARDER_ASSIGN_OR_RETURN(const IrId x, Convert(arguments[0], TypeId::kFloat64, node));
    LARDER_ASSIGN_OR_RETURN(const IrId negative, Resolve("neg", node, {x}));
    LARDER_ASSIGN_OR_RETURN(const IrId power, Resolve("exp", node, {negative}));
    LARDER_ASSIGN_OR_RETURN(const IrId below, Resolve("add", node, {Number(1), power}));
    return Resolve("div", node, {Number(1), below});
  }
  return Error(node, Concat(name, " is written ", name, "(x, fitted)"));
}

// hash_bucket(x, n); cross(x, y, ..., n): the bucket of all of them together.
absl::StatusOr<IrId> Analyzer::LowerHashBucket(const Node& node, const Ids& arguments) {
  const bool cross = node.text == "cross";
  if (cross ? arguments.size() < 3 : arguments.size() != 2) {
    return Error(node, cross ? "cross is written cross(x, y, ..., buckets)"
                             : "hash_bucket is written hash_bucket(x, buckets)");
  }
  IrId hash = kNoIr;
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (graph_[arguments[i]].untyped_null) return Error(node, "null has no type to hash; cast it");
    LARDER_ASSIGN_OR_RETURN(const IrId one, Resolve("hash64", node, {arguments[i]}));
    if (hash == kNoIr) {
      hash = one;
    } else {
      LARDER_ASSIGN_OR_RETURN(hash, Resolve("hash_combine", node, {hash, one}));
    }
  }
  return Resolve("bucket_of_hash", node, {hash, arguments.back()});
}

absl::Status Analyzer::RefuseFitted(const Node& node) const {
  for (std::size_t i = 0; i < node.child_count; ++i) {
    const NodeId child = ast_->Child(node, i);
    if (lowered_[child] != kNoIr) continue;
    if (node.kind == NodeKind::kCall && TakesFitted(node.text) && i == 1 && node.child_count == 2)
      continue;
    return Error((*ast_)[child], Concat("fitted constants can only stand as in ",
                                        larder::Join(kFittedForms, "(x, name), "), "(x, name)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<IrId> Analyzer::LowerFitted(std::string_view name, const Node& node) {
  const Node& reference = (*ast_)[ast_->Child(node, 1)];
  const FittedValues& values = fitted_.find(ast_->Child(node, 1))->second->values;
  const IrId x = lowered_[ast_->Child(node, 0)];
  if (name == "zscore")
    return LowerComposite(name, node, {x, Number(values.mean), Number(values.deviation)});
  if (name == "minmax")
    return LowerComposite(name, node, {x, Number(values.minimum), Number(values.maximum)});
  if (name == "impute") return LowerCoalesce(node, {x, Number(values.mean)});

  Constant list;
  list.valid = true;
  const bool texts = name != "bucketize";
  if (texts ? values.vocabulary.empty() : values.boundaries.empty()) {
    return Error(reference,
                 Concat("\"", reference.text, "\" has no ", texts ? "vocabulary" : "boundaries"));
  }
  for (const std::string& word : values.vocabulary) {
    if (!texts) break;
    list.items.push_back({});
    list.items.back().valid = true;
    list.items.back().text = word;
  }
  for (const double boundary : values.boundaries) {
    if (texts) break;
    list.items.push_back({});
    list.items.back().valid = true;
    list.items.back().f64 = boundary;
  }
  const DataType type = DataType::List(texts ? TypeId::kString : TypeId::kFloat64);
  return Resolve(name, node, {x, graph_.MakeConstant(type, std::move(list))});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
