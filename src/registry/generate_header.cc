#include "larder/registry/generate_header.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

std::string CppType(const DataType& type) {
  switch (type.id()) {
    case TypeId::kBool:
      return "bool";
    case TypeId::kInt8:
      return "std::int8_t";
    case TypeId::kInt32:
    case TypeId::kDate:
      return "std::int32_t";
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return "std::int64_t";
    case TypeId::kUint64:
      return "std::uint64_t";
    case TypeId::kFloat32:
      return "float";
    case TypeId::kFloat64:
      return "double";
    case TypeId::kString:
    case TypeId::kBytes:
      return "std::string";
    case TypeId::kVector:
      return Concat("std::array<", CppType(type.element()), ", ", type.length(), ">");
    case TypeId::kList:
      return Concat("std::vector<std::optional<", CppType(type.element()), ">>");
    case TypeId::kMap:
      return Concat("std::map<std::string, ", CppType(type.element()), ">");
  }
  return "std::string";
}

// What the unit of a plain number is.
const char* UnitComment(const DataType& type) {
  switch (type.id()) {
    case TypeId::kTimestamp:
      return "  // microseconds since 1970-01-01T00:00:00Z";
    case TypeId::kDuration:
      return "  // microseconds";
    case TypeId::kDate:
      return "  // days since 1970-01-01";
    default:
      return "";
  }
}

bool IsReserved(const std::string& name) {
  static const auto* const words = new std::set<std::string, std::less<>>{
      "alignas",   "alignof",   "and",      "asm",      "auto",      "bool",      "break",
      "case",      "catch",     "char",     "class",    "concept",   "const",     "consteval",
      "constexpr", "constinit", "continue", "co_await", "co_return", "co_yield",  "decltype",
      "default",   "delete",    "do",       "double",   "else",      "enum",      "explicit",
      "export",    "extern",    "false",    "float",    "for",       "friend",    "goto",
      "if",        "inline",    "int",      "long",     "mutable",   "namespace", "new",
      "noexcept",  "not",       "nullptr",  "operator", "or",        "private",   "protected",
      "public",    "register",  "requires", "return",   "short",     "signed",    "sizeof",
      "static",    "struct",    "switch",   "template", "this",      "throw",     "true",
      "try",       "typedef",   "typeid",   "typename", "union",     "unsigned",  "using",
      "virtual",   "void",      "volatile", "while",    "xor"};
  return words->count(name) > 0;
}

// `taken` keeps members apart from the struct's own names.
std::string MemberName(const std::string& name, const std::set<std::string>& taken) {
  std::string out = name;
  // Names of the implementation: those beginning with _ and a capital, and those with __.
  for (std::size_t i = out.find("__"); i != std::string::npos; i = out.find("__")) {
    out.replace(i, 2, "_");
  }
  if (out.size() > 1 && out[0] == '_' && out[1] >= 'A' && out[1] <= 'Z') out = "x" + out;
  while (IsReserved(out) || taken.count(out) > 0) out += "_";
  return out;
}

// fraud_model -> FraudModel.
std::string StructName(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    const bool lower = c >= 'a' && c <= 'z';
    out.push_back(upper && lower ? static_cast<char>(c - 'a' + 'A') : c);
    upper = false;
  }
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out = "Service" + out;
  return out;
}

void AppendTable(const char* name, const std::vector<Field>& columns, std::string* out) {
  out->append(Concat("  static constexpr std::array<Column, ", columns.size(), "> ", name, " = {"));
  if (!columns.empty()) {
    out->append("{\n");
    for (const Field& column : columns) {
      out->append(Concat("      {\"", column.name, "\", \"", column.type.ToString(), "\"},\n"));
    }
    out->append("  }");
  }
  out->append("};\n");
}

void AppendMembers(const std::vector<Field>& columns, bool nullable, const char* indent,
                   std::set<std::string> taken, std::string* out) {
  for (const Field& column : columns) {
    const std::string name = MemberName(column.name, taken);
    taken.insert(name);
    const std::string type = CppType(column.type);
    out->append(Concat(indent, nullable ? Concat("std::optional<", type, ">") : type, " ", name,
                       nullable ? "" : "{}", ";", UnitComment(column.type), "\n"));
  }
}

void Compare(const char* what, std::span<const SchemaColumn> expected,
             const std::vector<Field>& found, std::vector<std::string>* lines) {
  std::vector<std::string> old_lines, new_lines;
  for (const SchemaColumn& column : expected) {
    old_lines.push_back(Concat(column.name, ": ", column.type));
  }
  for (const Field& column : found) {
    new_lines.push_back(Concat(column.name, ": ", column.type.ToString()));
  }
  if (old_lines == new_lines) return;
  const auto missing = [&](const std::vector<std::string>& from, const std::vector<std::string>& in,
                           const char* mark) {
    for (const std::string& line : from) {
      if (std::find(in.begin(), in.end(), line) == in.end()) {
        lines->push_back(Concat(mark, " ", what, " ", line));
      }
    }
  };
  const std::size_t before = lines->size();
  missing(old_lines, new_lines, "-");
  missing(new_lines, old_lines, "+");
  if (lines->size() == before) lines->push_back(Concat("~ ", what, "s stand in another order"));
}

std::vector<Field> OutputFields(const ServiceVersion& service) {
  std::vector<Field> out;
  for (const ServiceOutput& output : service.outputs) {
    Field field;
    field.name = output.name;
    field.type = output.served_type();
    out.push_back(std::move(field));
  }
  return out;
}

}  // namespace

std::string GenerateHeader(const ServiceVersion& service, std::string_view name_space,
                           bool any_version) {
  const std::string service_name = any_version ? service.name : service.ToString();
  const std::string name = StructName(service.name);
  const std::vector<Field> outputs = OutputFields(service);
  std::string out =
      Concat("// Feature service ", service_name, " of project ", service.project,
             ". Generated by larder generate-header; do not edit.\n", "#pragma once\n\n");
  std::set<std::string> includes = {"array", "cstdint", "optional", "string_view"};
  const auto note = [&](const DataType& type) {
    if (type.is_text()) includes.insert("string");
    if (type.id() == TypeId::kList) includes.insert("vector");
    if (type.id() == TypeId::kMap) includes.insert({"map", "string"});
    if (type.id() == TypeId::kList && DataType(type.element()).is_text()) includes.insert("string");
  };
  for (const auto* columns : {&outputs, &service.keys, &service.request}) {
    for (const Field& column : *columns) note(column.type);
  }
  for (const std::string& include : includes) out += Concat("#include <", include, ">\n");
  out += Concat("\nnamespace ", name_space, " {\n\nstruct ", name, " {\n");
  out += "  struct Column {\n    std::string_view name;\n    std::string_view type;\n  };\n";
  out += Concat("  static constexpr std::string_view kProject = \"", service.project, "\";\n");
  out += Concat("  static constexpr std::string_view kService = \"", service_name, "\";\n");
  out += Concat("  static constexpr std::string_view kSchemaHash = \"",
                ToHex(service.schema_hash()), "\";\n");
  AppendTable("kOutputs", outputs, &out);
  AppendTable("kKeys", service.keys, &out);
  AppendTable("kRequest", service.request, &out);
  const std::set<std::string> taken = {"Column",   "Keys",  "Request",  "kProject",    "kService",
                                       "kOutputs", "kKeys", "kRequest", "kSchemaHash", name};
  out += "\n  struct Keys {\n";
  AppendMembers(service.keys, false, "    ", {"Keys"}, &out);
  out += "  };\n  struct Request {\n";
  AppendMembers(service.request, true, "    ", {"Request"}, &out);
  out += "  };\n\n";
  AppendMembers(outputs, true, "  ", taken, &out);
  out += Concat("};\n\n}  // namespace ", name_space, "\n");
  return out;
}

absl::Status CheckSchema(const ServiceVersion& service, std::span<const SchemaColumn> outputs,
                         std::span<const SchemaColumn> keys, std::span<const SchemaColumn> request) {
  std::vector<std::string> lines;
  Compare("output", outputs, OutputFields(service), &lines);
  Compare("key", keys, service.keys, &lines);
  Compare("request field", request, service.request, &lines);
  if (lines.empty()) return absl::OkStatus();
  return FailedPreconditionError("feature service ", service.ToString(),
                                 " is not what this program was built for:\n  ",
                                 Join(lines, "\n  "));
}

}  // namespace larder::inline LARDER_ABI
