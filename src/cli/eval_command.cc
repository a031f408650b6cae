// eval and infer: trying things out without a store.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
#include "larder/io/infer.h"
#include "larder/registry/definitions_json.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// `a=1,b:vector<float32, 2>=[1,2],c=x,y` holds a, b and c: commas inside brackets or quotes part nothing, and neither
// does one before a piece without `=`.
std::vector<std::string> SplitPairs(std::string_view text) {
  std::vector<std::string> pairs;
  std::size_t begin = 0;
  int depth = 0;
  bool quoted = false;
  const auto take = [&](std::size_t end) {
    const std::string_view piece = text.substr(begin, end - begin);
    if (!pairs.empty() && piece.find('=') == std::string_view::npos) {
      pairs.back().append(",").append(piece);
    } else {
      pairs.emplace_back(piece);
    }
    begin = end + 1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{' || c == '<') ++depth;
    if ((c == ']' || c == '}' || c == '>') && depth > 0) --depth;
    if (c == ',' && depth == 0) take(i);
  }
  take(text.size());
  return pairs;
}

Value GuessValue(const std::string& text) {
  constexpr TypeId kInOrder[] = {TypeId::kInt64, TypeId::kFloat64, TypeId::kBool, TypeId::kDate,
                                 TypeId::kTimestamp};
  const bool is_bool = EqualsIgnoreCase(text, "true") || EqualsIgnoreCase(text, "false");
  const bool has_dot = text.find('.') != std::string::npos;
  for (const TypeId type : kInOrder) {
    // `yes`, `t` and `1` are booleans only where one is asked for, and `2.0` is no integer.
    if ((type == TypeId::kBool) != is_bool || (type == TypeId::kInt64 && has_dot)) continue;
    if (absl::StatusOr<Value> value = ParseValue(text, type); value.ok()) return *std::move(value);
  }
  return Value(text);
}

absl::Status AddPair(const std::string& pair, std::vector<Field>* fields, Row* row) {
  // A type may hold `=` no more than a name may, so the first one ends both.
  LARDER_ASSIGN_OR_RETURN(const auto assignment, SplitAssignment(pair, "--row"));
  const auto& [left, text] = assignment;
  const std::size_t colon = left.find(':');
  Field field;
  field.name = std::string(TrimAscii(std::string_view(left).substr(0, colon)));
  Value value;
  if (colon != std::string::npos) {
    absl::StatusOr<DataType> type = DataType::Parse(std::string_view(left).substr(colon + 1));
    if (!type.ok()) return Annotate(type.status(), Concat("--row ", field.name));
    field.type = *type;
    if (text != "null") {
      absl::StatusOr<Value> parsed = ParseValue(text, field.type);
      if (!parsed.ok()) return Annotate(parsed.status(), Concat("--row ", field.name));
      value = *std::move(parsed);
    }
  } else if (text == "null") {
    return UsageError("--row ", field.name, ": a null needs a type, as in ", field.name,
                      ":float64=null");
  } else {
    value = GuessValue(text);
    field.type = value.type();
  }
  for (const Field& other : *fields) {
    if (other.name == field.name) return UsageError("--row: ", field.name, " is given twice");
  }
  row->emplace_back(field.name, std::move(value));
  fields->push_back(std::move(field));
  return absl::OkStatus();
}

// Why a null may have come out; empty when no rule made one.
std::string CountsText(const EvalCounts& counts) {
  std::vector<std::string> parts;
  const auto add = [&](int64_t count, std::string_view what) {
    if (count > 0) parts.emplace_back(what);
  };
  add(counts.division_by_zero, "division by zero");
  add(counts.overflow, "overflow");
  add(counts.domain, "outside the function's domain");
  add(counts.bad_cast, "a cast that does not fit");
  add(counts.other, "a C++ function's own rule");
  return Join(parts, ", ");
}

}  // namespace

absl::Status Eval(const EvalArguments& arguments, Console& console) {
  std::vector<Field> fields;
  Row row;
  for (const std::string& text : arguments.row) {
    for (const std::string& pair : SplitPairs(text))
      LARDER_RETURN_IF_ERROR(AddPair(pair, &fields, &row));
  }
  LARDER_ASSIGN_OR_RETURN(const std::optional<Timestamp> as_of,
                          ParseInstant(arguments.as_of, "--as-of"));

  CompileOptions options;
  options.functions = console.functions;
  const NamedExpression expressions[] = {{"", arguments.expression}};
  LARDER_ASSIGN_OR_RETURN(const Program program, Program::Compile(expressions, fields, options));
  EvalCounts counts;
  LARDER_ASSIGN_OR_RETURN(const std::vector<Value> values,
                          EvaluateRow(program, row, as_of ? *as_of : console.clock(), &counts));
  const std::string type = program.outputs()[0].type.ToString();
  const std::string why = CountsText(counts);
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("value", values[0]);
    json.Member("type", type);
    if (!why.empty()) json.Member("nulled_by", why);
    json.EndObject();
    console.out << std::move(json).Finish();
    return absl::OkStatus();
  }
  console.out << Printable(FormatValue(values[0])) << "  " << type;
  if (!why.empty()) console.out << "  (null by " << why << ')';
  console.out << '\n';
  return absl::OkStatus();
}

absl::Status Infer(const InferArguments& arguments, Console& console) {
  InferOptions options;
  options.rows_max = arguments.rows;
  LARDER_ASSIGN_OR_RETURN(const Source source, InferSource(arguments.file, options));
  console.out << Printable(TrimAscii(ToJson(source)), true) << '\n';
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
