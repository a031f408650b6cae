#include "transform/random_program.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "larder/base/text.h"
#include "larder/base/time.h"

namespace larder_test {

using larder::Concat;
using larder::Value;

namespace {

struct Operation {
  const char* name;
  Kind result;
  std::vector<Kind> arguments;
};

const std::vector<Operation>& Operations() {
  constexpr Kind B = Kind::kBool;
  constexpr Kind I = Kind::kInt;
  constexpr Kind F = Kind::kFloat;
  constexpr Kind T = Kind::kText;
  constexpr Kind D = Kind::kDate;
  static const auto* const kOperations = new std::vector<Operation>{
      {"+", I, {I, I}},
      {"-", I, {I, I}},
      {"*", I, {I, I}},
      {"//", I, {I, I}},
      {"%", I, {I, I}},
      {"neg", I, {I}},
      {"abs", I, {I}},
      {"sign", I, {I}},
      {"length", I, {T}},
      {"toint", I, {F}},
      {"parse", I, {T}},
      {"if", I, {B, I, I}},
      {"coalesce", I, {I, I}},
      {"nullif", I, {I, I}},
      {"greatest", I, {I, I}},
      {"datediff", I, {D, D}},
      {"year", I, {D}},
      {"dow", I, {D}},
      {"years_between", I, {D, D}},
      {"strpos", I, {T, T}},
      {"boolint", I, {B}},
      {"+", F, {F, F}},
      {"-", F, {F, F}},
      {"*", F, {F, F}},
      {"/", F, {F, F}},
      {"%", F, {F, F}},
      {"neg", F, {F}},
      {"abs", F, {F}},
      {"floor", F, {F}},
      {"ceil", F, {F}},
      {"trunc", F, {F}},
      {"round", F, {F}},
      {"round_even", F, {F}},
      {"sqrt", F, {F}},
      {"tofloat", F, {I}},
      {"if", F, {B, F, F}},
      {"coalesce", F, {F, F}},
      {"least", F, {F, F}},
      {"nan_to_null", F, {F}},
      {"clamp", F, {F, F, F}},
      {"=", B, {I, I}},
      {"<", B, {I, I}},
      {">=", B, {I, I}},
      {"<>", B, {F, F}},
      {"<", B, {F, F}},
      {"<=", B, {F, F}},
      {">", B, {F, F}},
      {"=", B, {T, T}},
      {"<", B, {T, T}},
      {"<", B, {D, D}},
      {"=", B, {B, B}},
      {"and", B, {B, B}},
      {"or", B, {B, B}},
      {"not", B, {B}},
      {"isnull", B, {F}},
      {"isnull", B, {T}},
      {"istrue", B, {B}},
      {"if", B, {B, B, B}},
      {"distinct", B, {I, I}},
      {"starts_with", B, {T, T}},
      {"contains", B, {T, T}},
      {"is_nan", B, {F}},
      {"in3", B, {I}},
      {"if", T, {B, T, T}},
      {"||", T, {T, T}},
      {"concat", T, {T, T}},
      {"coalesce", T, {T, T}},
      {"trim", T, {T}},
      {"reverse", T, {T}},
      {"totext", T, {I}},
      {"left", T, {T, I}},
      {"greatest", T, {T, T}},
      {"if", D, {B, D, D}},
      {"addday", D, {D, I}},
      {"coalesce", D, {D, D}},
      {"month_start", D, {D}},
  };
  return *kOperations;
}

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

std::string Quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

std::string PrintConstant(const Tree& tree) {
  static const char* const kTypes[] = {"bool", "int64", "float64", "string", "date"};
  const char* type = kTypes[static_cast<int>(tree.kind)];
  if (!tree.constant.has_value()) return Concat("cast(null as ", type, ")");
  switch (tree.kind) {
    case Kind::kBool:
      return std::get<bool>(*tree.constant) ? "true" : "false";
    case Kind::kInt:
      return Concat("(", std::get<int64_t>(*tree.constant), ")");
    case Kind::kFloat: {
      const double x = std::get<double>(*tree.constant);
      if (!std::isfinite(x))
        return Concat("cast('", std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf", "' as float64)");
      return Concat("cast('", x, "' as float64)");
    }
    case Kind::kText:
      return Quote(std::get<std::string>(*tree.constant));
    case Kind::kDate:
      return Concat("date '",
                    larder::FormatDate({static_cast<int32_t>(std::get<int64_t>(*tree.constant))}),
                    "'");
  }
  return "";
}

}  // namespace

const std::vector<larder::Field>& RandomPrograms::Fields() {
  static const auto* const kFields = [] {
    auto* fields = new std::vector<larder::Field>;
    const std::pair<const char*, larder::TypeId> names[] = {{"b", larder::TypeId::kBool},
                                                            {"i", larder::TypeId::kInt64},
                                                            {"f", larder::TypeId::kFloat64},
                                                            {"t", larder::TypeId::kString},
                                                            {"d", larder::TypeId::kDate}};
    for (const auto& [name, type] : names) {
      for (const char* suffix : {"1", "2"}) {
        larder::Field field;
        field.name = Concat(name, suffix);
        field.type = type;
        fields->push_back(field);
      }
    }
    return fields;
  }();
  return *kFields;
}

Maybe RandomPrograms::RandomValue(Kind kind) {
  if (Below(6) == 0) return std::nullopt;
  switch (kind) {
    case Kind::kBool:
      return Scalar(Below(2) == 0);
    case Kind::kInt: {
      static constexpr int64_t kOdd[] = {
          0, 1, -1, kMin, kMin + 1, std::numeric_limits<int64_t>::max(), 1 << 20, 4503599627370497};
      if (Below(3) == 0) return Scalar(kOdd[Below(8)]);
      return Scalar(static_cast<int64_t>(Below(41)) - 20);
    }
    case Kind::kFloat: {
      const double nan = std::bit_cast<double>(uint64_t{0x7ff8000000000123} |
                                               (static_cast<uint64_t>(Below(2)) << 63U));
      const double odd[] = {0.0,
                            -0.0,
                            0.5,
                            -0.5,
                            1.5,
                            2.5,
                            nan,
                            std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity(),
                            5e-324,
                            1.7976931348623157e308,
                            4503599627370495.5,
                            9223372036854775808.0,
                            -9223372036854775808.0,
                            0.49999999999999994,
                            1e-300};
      if (Below(2) == 0) return Scalar(odd[Below(16)]);
      return Scalar((static_cast<double>(Below(2001)) - 1000.0) / 8.0);
    }
    case Kind::kText: {
      static const std::string kOdd[] = {"",
                                         " ",
                                         "a",
                                         "A b ",
                                         "  x",
                                         "12",
                                         "-7",
                                         "é",
                                         "日本語",
                                         "12.0",
                                         "ab",
                                         "b",
                                         std::string(300, 'z')};
      return Scalar(kOdd[Below(13)]);
    }
    case Kind::kDate:
      if (Below(8) == 0)
        return Scalar(static_cast<int64_t>(Below(2) == 0 ? std::numeric_limits<int32_t>::max()
                                                         : std::numeric_limits<int32_t>::min()));
      return Scalar(static_cast<int64_t>(Below(40000)) - 5000);
  }
  return std::nullopt;
}

std::vector<Maybe> RandomPrograms::MakeRow() {
  std::vector<Maybe> row;
  for (std::size_t i = 0; i < 10; ++i) row.push_back(RandomValue(static_cast<Kind>(i / 2)));
  return row;
}

std::unique_ptr<Tree> RandomPrograms::MakeTree(Kind kind, int depth) {
  auto tree = std::make_unique<Tree>();
  tree->kind = kind;
  if (depth == 0 || Below(8) == 0) {
    if (Below(4) == 0) {
      tree->op = "constant";
      tree->constant = RandomValue(kind);
      if (kind == Kind::kDate && tree->constant.has_value())
        tree->constant = Scalar(static_cast<int64_t>(Below(20000)));
    } else {
      tree->op = "input";
      tree->input = static_cast<std::size_t>(kind) * 2 + Below(2);
    }
    return tree;
  }
  const std::vector<Operation>& all = Operations();
  const Operation* operation = nullptr;
  do {
    operation = &all[Below(all.size())];
  } while (operation->result != kind);
  tree->op = operation->name;
  for (const Kind argument : operation->arguments)
    tree->children.push_back(MakeTree(argument, depth - 1));
  return tree;
}

std::string Print(const Tree& tree) {
  if (tree.op == "constant") return PrintConstant(tree);
  if (tree.op == "input") return RandomPrograms::Fields()[tree.input].name;
  std::vector<std::string> a;
  for (const auto& child : tree.children) a.push_back(Print(*child));
  const std::string& op = tree.op;
  if (op == "neg") return Concat("(- ", a[0], ")");
  if (op == "not") return Concat("(not ", a[0], ")");
  if (op == "toint") return Concat("cast(", a[0], " as int64)");
  if (op == "parse") return Concat("try_cast(", a[0], " as int64)");
  if (op == "tofloat") return Concat("cast(", a[0], " as float64)");
  if (op == "boolint") return Concat("cast(", a[0], " as int64)");
  if (op == "totext") return Concat("cast(", a[0], " as string)");
  if (op == "datediff") return Concat("(", a[0], " - ", a[1], ")");
  if (op == "addday") return Concat("(", a[0], " + ", a[1], ")");
  if (op == "isnull") return Concat("(", a[0], " is null)");
  if (op == "istrue") return Concat("(", a[0], " is true)");
  if (op == "distinct") return Concat("(", a[0], " is distinct from ", a[1], ")");
  if (op == "in3") return Concat("(", a[0], " in (1, null, -7))");
  if (op == "month_start") return Concat("date_trunc('month', ", a[0], ")");
  if (op.size() <= 2 && op != "if" && op != "or") return Concat("(", a[0], " ", op, " ", a[1], ")");
  if (op == "and" || op == "or") return Concat("(", a[0], " ", op, " ", a[1], ")");
  return Concat(op, "(", larder::Join(a, ", "), ")");
}

Value ToValue(const Maybe& value, Kind kind) {
  if (!value.has_value()) return Value();
  switch (kind) {
    case Kind::kBool:
      return Value(std::get<bool>(*value));
    case Kind::kInt:
      return Value(std::get<int64_t>(*value));
    case Kind::kFloat:
      return Value(std::get<double>(*value));
    case Kind::kText:
      return Value(std::get<std::string>(*value));
    case Kind::kDate:
      return Value(larder::Date{static_cast<int32_t>(std::get<int64_t>(*value))});
  }
  return Value();
}

uint64_t SeedFromEnvironment(uint64_t fallback) {
  const char* text = std::getenv("LARDER_SEED");
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

}  // namespace larder_test
