// The JSON Schema of a definitions file, from the same table that reads and writes it.
#include <type_traits>

#include "larder/registry/definitions_json.h"
#include "registry/describe.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
inline constexpr const char* kDefinitionName = "";
template <>
inline constexpr const char* kDefinitionName<Field> = "field";
template <>
inline constexpr const char* kDefinitionName<Entity> = "entity";
template <>
inline constexpr const char* kDefinitionName<TextFormat> = "format";
template <>
inline constexpr const char* kDefinitionName<Source> = "source";
template <>
inline constexpr const char* kDefinitionName<Feature> = "feature";
template <>
inline constexpr const char* kDefinitionName<Aggregate> = "aggregate";
template <>
inline constexpr const char* kDefinitionName<FeatureView> = "feature_view";
template <>
inline constexpr const char* kDefinitionName<OnDemandView> = "on_demand_view";
template <>
inline constexpr const char* kDefinitionName<Label> = "label";
template <>
inline constexpr const char* kDefinitionName<FeatureSelection> = "selection";
template <>
inline constexpr const char* kDefinitionName<FeatureService> = "feature_service";

JsonNode OfType(const char* type) {
  JsonNode node = JsonObject();
  node.Add("type", JsonText(type));
  return node;
}

template <class T>
JsonNode Schema(const T* /*tag*/);

JsonNode SchemaOf(const std::string* /*tag*/) { return OfType("string"); }
JsonNode SchemaOf(const bool* /*tag*/) { return OfType("boolean"); }
JsonNode SchemaOf(const int64_t* /*tag*/) { return OfType("integer"); }
JsonNode SchemaOf(const Duration* /*tag*/) {
  JsonNode text = OfType("string");
  text.Add("pattern", JsonText("^-?([0-9]+(us|ms|s|m|h|d|w))+$|^0$"));
  JsonNode zero = JsonObject();
  zero.Add("const", JsonNumber("0"));
  JsonNode either = JsonArray();
  either.items.push_back(std::move(text));
  either.items.push_back(std::move(zero));
  JsonNode node = JsonObject();
  node.Add("anyOf", std::move(either));
  return node;
}
JsonNode SchemaOf(const DataType* /*tag*/) {
  JsonNode node = OfType("string");
  node.Add(
      "pattern",
      JsonText("^(bool|int32|int64|uint64|float32|float64|string|bytes|timestamp|date|duration|"
               "vector<(float32|int8), *[0-9]+>|list<[a-z0-9]+>|map<string, *[a-z0-9]+>)$"));
  return node;
}
template <class E>
requires(std::is_enum_v<E>) JsonNode SchemaOf(const E* /*tag*/) {
  JsonNode names = JsonArray();
  for (const auto& entry : EnumNames<E>::kAll) names.items.push_back(JsonText(entry.name));
  JsonNode node = JsonObject();
  node.Add("enum", std::move(names));
  return node;
}
JsonNode SchemaOf(const std::map<std::string, std::string>* /*tag*/) {
  JsonNode types = JsonArray();
  for (const char* type : {"string", "number", "boolean"}) types.items.push_back(JsonText(type));
  JsonNode value = JsonObject();
  value.Add("type", std::move(types));
  JsonNode node = OfType("object");
  node.Add("additionalProperties", std::move(value));
  return node;
}
template <class T>
JsonNode SchemaOf(const std::optional<T>* /*tag*/) {
  return Schema(static_cast<const T*>(nullptr));
}
template <class T>
JsonNode SchemaOf(const std::vector<T>* /*tag*/) {
  JsonNode node = OfType("array");
  node.Add("items", Schema(static_cast<const T*>(nullptr)));
  return node;
}
template <Described T>
JsonNode SchemaOf(const T* /*tag*/) {
  JsonNode node = JsonObject();
  node.Add("$ref", JsonText(Concat("#/$defs/", kDefinitionName<T>)));
  return node;
}
template <class T>
JsonNode Schema(const T* tag) {
  return SchemaOf(tag);
}

class SchemaVisitor {
 public:
  template <class T>
  void Member(const Key& key, const T& member) {
    AddProperty(key, SchemaOf(&member));
  }
  void Default(const Key& key, const std::optional<Value>& /*member*/,
               const std::optional<DataType>& /*type*/) {
    AddProperty(key, JsonObject());
  }
  void OneOrMany(const Key& one, const Key& many, const std::vector<std::string>& member) {
    AddProperty(one, SchemaOf(static_cast<const std::string*>(nullptr)));
    AddProperty(many, SchemaOf(&member));
  }
  void Add(const char* name, JsonNode schema) { properties_.Add(name, std::move(schema)); }

  JsonNode Take() {
    JsonNode node = OfType("object");
    node.Add("properties", std::move(properties_));
    if (!required_.items.empty()) node.Add("required", std::move(required_));
    node.Add("additionalProperties", JsonBool(false));
    return node;
  }

 private:
  void AddProperty(const Key& key, JsonNode schema) {
    schema.Add("description", JsonText(key.text));
    properties_.Add(key.name, std::move(schema));
    if (key.required) required_.items.push_back(JsonText(key.name));
  }
  JsonNode properties_ = JsonObject();
  JsonNode required_ = JsonArray();
};

template <class T>
void AddDefinition(JsonNode* definitions) {
  SchemaVisitor visitor;
  T value;
  Describe(visitor, value);
  JsonNode node = visitor.Take();
  if constexpr (std::is_same_v<T, FeatureSelection>) {
    JsonNode text = OfType("string");
    text.Add("pattern", JsonText("^[^:]+:[^:]+$"));
    JsonNode either = JsonArray();
    either.items.push_back(std::move(text));
    either.items.push_back(std::move(node));
    node = JsonObject();
    node.Add("anyOf", std::move(either));
  }
  definitions->Add(kDefinitionName<T>, std::move(node));
}

}  // namespace

std::string DefinitionsJsonSchema() {
  SchemaVisitor visitor;
  visitor.Add("$schema", OfType("string"));
  JsonNode format = JsonObject();
  format.Add("const", JsonNumber("1"));
  format.Add("description", JsonText("The format of this file"));
  visitor.Add("larder", std::move(format));
  Definitions definitions;
  Describe(visitor, definitions);
  JsonNode defs = JsonObject();
  AddDefinition<Field>(&defs);
  AddDefinition<Entity>(&defs);
  AddDefinition<TextFormat>(&defs);
  AddDefinition<Source>(&defs);
  AddDefinition<Feature>(&defs);
  AddDefinition<Aggregate>(&defs);
  AddDefinition<FeatureView>(&defs);
  AddDefinition<OnDemandView>(&defs);
  AddDefinition<Label>(&defs);
  AddDefinition<FeatureSelection>(&defs);
  AddDefinition<FeatureService>(&defs);
  JsonNode root = JsonObject();
  root.Add("$schema", JsonText("https://json-schema.org/draft/2020-12/schema"));
  root.Add("title", JsonText("larder definitions"));
  JsonNode body = visitor.Take();
  for (std::size_t i = 0; i < body.names.size(); ++i) {
    root.Add(body.names[i], std::move(body.items[i]));
  }
  root.Add("$defs", std::move(defs));
  return FormatJson(root);
}

}  // namespace larder::inline LARDER_ABI
