#include "larder/registry/service_terms.h"

#include <algorithm>
#include <set>
#include <utility>

#include "larder/base/text.h"
#include "larder/schema/reference.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr char kFormat[] = "1";

std::string_view NameOf(MissingPolicy policy) {
  switch (policy) {
    case MissingPolicy::kNull:
      return "null";
    case MissingPolicy::kDefault:
      return "default";
    case MissingPolicy::kError:
      return "error";
  }
  return "unknown";
}

std::string ViewTerms(const ViewUse& use, const ViewVersion& view) {
  const Duration ttl = view.definition.ttl.value_or(Duration{});
  return Concat(use.alias, use.alias == view.name ? "" : Concat(" (", view.name, ")"), ": ttl ",
                ttl.us == 0 ? std::string("none") : FormatDuration(ttl), ", boundary ",
                view.boundary == Boundary::kAt ? "at" : "before");
}

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// What a pinned expression names exactly: every `name@version#hash` in it. Texts in quotes hold none.
void AddFunctions(std::string_view expr, std::set<std::string>* functions) {
  char quote = 0;
  for (std::size_t i = 0; i < expr.size(); ++i) {
    if (quote != 0) {
      if (expr[i] == quote) quote = 0;
      continue;
    }
    if (expr[i] == '\'' || expr[i] == '"') {
      quote = expr[i];
    } else if (expr[i] == '@') {
      std::size_t begin = i;
      while (begin > 0 && IsWord(expr[begin - 1])) --begin;
      std::size_t end = i + 1;
      while (end < expr.size() && expr[end] >= '0' && expr[end] <= '9') ++end;
      if (end == expr.size() || expr[end] != '#') continue;
      ++end;
      while (end < expr.size() && IsHex(expr[end])) ++end;
      functions->emplace(expr.substr(begin, end - begin));
      i = end - 1;
    }
  }
}

std::vector<std::string> FunctionsOf(const Catalog& catalog, const ServiceVersion& service) {
  std::set<std::string> functions;
  for (const ViewUse& use : service.views) {
    const ViewVersion& view = *catalog.FindView(use.view_id);
    for (const StoredColumn& column : view.stored) AddFunctions(column.expr, &functions);
    for (const FeatureColumn& feature : view.features) {
      AddFunctions(feature.expr, &functions);
      if (!feature.aggregate) continue;
      AddFunctions(feature.aggregate->input, &functions);
      AddFunctions(feature.aggregate->where, &functions);
    }
  }
  for (const OnDemandUse& use : service.on_demand) {
    for (const FeatureColumn& feature : catalog.FindOnDemandView(use.view_id)->features)
      AddFunctions(feature.expr, &functions);
  }
  return {functions.begin(), functions.end()};
}

std::vector<NamedType> TypesOf(const std::vector<Field>& fields) {
  std::vector<NamedType> types;
  for (const Field& field : fields) types.push_back({field.name, field.type.ToString()});
  return types;
}

std::vector<std::string> Lines(const std::vector<NamedType>& columns) {
  std::vector<std::string> lines;
  for (const NamedType& column : columns) lines.push_back(Concat(column.name, ": ", column.type));
  return lines;
}

// Lines that say how `found` differs from `expected`.
void Compare(std::string_view what, const std::vector<std::string>& expected,
             const std::vector<std::string>& found, std::vector<std::string>* lines) {
  if (expected == found) return;
  const std::size_t before = lines->size();
  const auto missing = [&](const std::vector<std::string>& from, const std::vector<std::string>& in,
                           const char* mark) {
    for (const std::string& line : from) {
      if (std::find(in.begin(), in.end(), line) == in.end())
        lines->push_back(Concat(mark, " ", what, " ", line));
    }
  };
  missing(expected, found, "-");
  missing(found, expected, "+");
  if (lines->size() == before) lines->push_back(Concat("~ ", what, "s stand in another order"));
}

void Compare(std::string_view what, const std::string& expected, const std::string& found,
             std::vector<std::string>* lines) {
  if (expected == found) return;
  lines->push_back(Concat("- ", what, ": ", expected));
  lines->push_back(Concat("+ ", what, ": ", found));
}

JsonNode Texts(const std::vector<std::string>& texts) {
  JsonNode array = JsonArray();
  for (const std::string& text : texts) array.items.push_back(JsonText(text));
  return array;
}

JsonNode Columns(const std::vector<NamedType>& columns) {
  JsonNode array = JsonArray();
  for (const NamedType& column : columns) {
    JsonNode node = JsonObject();
    node.Add("name", JsonText(column.name));
    node.Add("type", JsonText(column.type));
    array.items.push_back(std::move(node));
  }
  return array;
}

// Reads the members of one object; every one must be there, and be of its kind.
class Reader {
 public:
  explicit Reader(const JsonNode& object) : object_(object) {}

  void Read(std::string_view name, std::string* out) {
    const JsonNode* node = Member(name);
    if (node == nullptr) return;
    if (!node->is_text()) return problems_.Add(Concat("/", name), "expected text");
    *out = node->text;
  }
  void Read(std::string_view name, std::vector<std::string>* out) {
    for (const JsonNode& item : Items(name)) {
      if (!item.is_text()) return problems_.Add(Concat("/", name), "expected texts");
      out->push_back(item.text);
    }
  }
  void Read(std::string_view name, std::vector<NamedType>* out) {
    for (const JsonNode& item : Items(name)) {
      const JsonNode* column = item.Find("name");
      const JsonNode* type = item.Find("type");
      if (column == nullptr || type == nullptr || !column->is_text() || !type->is_text())
        return problems_.Add(Concat("/", name), "expected objects of a name and a type");
      out->push_back({column->text, type->text});
    }
  }
  void RefuseOthers() {
    for (const std::string& name : object_.names) {
      if (known_.count(name) == 0) problems_.Add(JsonPathStep(name), "unknown key");
    }
  }
  [[nodiscard]] absl::Status Finish(std::string_view origin) {
    RefuseOthers();
    return problems_.ToStatus(origin);
  }

 private:
  const JsonNode* Member(std::string_view name) {
    known_.emplace(name);
    const JsonNode* node = object_.Find(name);
    if (node == nullptr) problems_.Add(Concat("/", name), "is missing");
    return node;
  }
  std::vector<JsonNode> Items(std::string_view name) {
    const JsonNode* node = Member(name);
    if (node == nullptr) return {};
    if (!node->is_array()) {
      problems_.Add(Concat("/", name), "expected an array");
      return {};
    }
    return node->items;
  }

  const JsonNode& object_;
  std::set<std::string> known_ = {"larder_contract"};
  Problems problems_;
};

}  // namespace

ServiceTerms TermsOf(const Catalog& catalog, const ServiceVersion& service) {
  ServiceTerms terms;
  terms.project = service.project;
  terms.service = service.ToString();
  terms.schema_hash = ToHex(service.schema_hash());
  terms.meaning_hash = ToHex(service.meaning_hash);
  terms.dtype = DataType(service.definition.dtype.value_or(TypeId::kFloat64)).ToString();
  terms.missing = NameOf(service.definition.missing);
  terms.partial = service.definition.partial == PartialPolicy::kValue ? "value" : "null";
  for (const ViewUse& use : service.views)
    terms.views.push_back(ViewTerms(use, *catalog.FindView(use.view_id)));
  terms.functions = FunctionsOf(catalog, service);
  for (const ServiceOutput& output : service.outputs)
    terms.outputs.push_back({output.name, output.served_type().ToString()});
  terms.keys = TypesOf(service.keys);
  terms.request = TypesOf(service.request);
  return terms;
}

absl::Status CheckTerms(const Catalog& catalog, const ServiceVersion& service,
                        const ServiceTerms& terms) {
  const ServiceTerms found = TermsOf(catalog, service);
  std::vector<std::string> lines;
  Compare("output", Lines(terms.outputs), Lines(found.outputs), &lines);
  Compare("key", Lines(terms.keys), Lines(found.keys), &lines);
  Compare("request field", Lines(terms.request), Lines(found.request), &lines);
  Compare("dtype", terms.dtype, found.dtype, &lines);
  Compare("missing", terms.missing, found.missing, &lines);
  Compare("partial", terms.partial, found.partial, &lines);
  Compare("view", terms.views, found.views, &lines);
  Compare("function", terms.functions, found.functions, &lines);
  // The hashes are of what stands above and more; alone they say only that something differs.
  if (lines.empty()) Compare("schema", terms.schema_hash, found.schema_hash, &lines);
  if (lines.empty()) Compare("meaning", terms.meaning_hash, found.meaning_hash, &lines);
  if (lines.empty()) return absl::OkStatus();
  return FailedPreconditionError("feature service ", service.ToString(),
                                 " does not keep the contract of ", terms.service, ":\n  ",
                                 Join(lines, "\n  "));
}

std::string ToJson(const ServiceTerms& terms) {
  JsonNode root = JsonObject();
  root.Add("larder_contract", JsonNumber(kFormat));
  root.Add("project", JsonText(terms.project));
  root.Add("service", JsonText(terms.service));
  root.Add("schema_hash", JsonText(terms.schema_hash));
  root.Add("meaning_hash", JsonText(terms.meaning_hash));
  root.Add("dtype", JsonText(terms.dtype));
  root.Add("missing", JsonText(terms.missing));
  root.Add("partial", JsonText(terms.partial));
  root.Add("views", Texts(terms.views));
  root.Add("functions", Texts(terms.functions));
  root.Add("outputs", Columns(terms.outputs));
  root.Add("keys", Columns(terms.keys));
  root.Add("request", Columns(terms.request));
  return FormatJson(root);
}

absl::StatusOr<ServiceTerms> ParseServiceTerms(std::string_view json, std::string_view origin) {
  Problems problems;
  const absl::StatusOr<JsonNode> root = ParseJson(json, &problems);
  if (!root.ok()) return Annotate(root.status(), origin);
  const JsonNode* format = root->Find("larder_contract");
  if (format == nullptr || format->kind != JsonNode::Kind::kInteger)
    return InvalidArgumentError(origin, ": not a contract file");
  if (format->text != kFormat) {
    return WithKind(FailedPreconditionError(origin, ": a contract of format ", format->text,
                                            "; this version of larder knows format ", kFormat),
                    ErrorKind::kVersion);
  }
  LARDER_RETURN_IF_ERROR(problems.ToStatus(origin));
  ServiceTerms terms;
  Reader reader(*root);
  reader.Read("project", &terms.project);
  reader.Read("service", &terms.service);
  reader.Read("schema_hash", &terms.schema_hash);
  reader.Read("meaning_hash", &terms.meaning_hash);
  reader.Read("dtype", &terms.dtype);
  reader.Read("missing", &terms.missing);
  reader.Read("partial", &terms.partial);
  reader.Read("views", &terms.views);
  reader.Read("functions", &terms.functions);
  reader.Read("outputs", &terms.outputs);
  reader.Read("keys", &terms.keys);
  reader.Read("request", &terms.request);
  LARDER_RETURN_IF_ERROR(reader.Finish(origin));
  const absl::StatusOr<VersionedName> name = ParseVersionedName(terms.service);
  if (!name.ok()) return Annotate(name.status(), Concat(origin, ": /service"));
  return terms;
}

}  // namespace larder::inline LARDER_ABI
