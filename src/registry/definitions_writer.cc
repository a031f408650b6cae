#include <cmath>
#include <type_traits>

#include "registry/definitions_tree.h"
#include "registry/describe.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
JsonNode ObjectTree(const T& value);

JsonNode Tree(const std::string& value) { return JsonText(value); }
JsonNode Tree(bool value) { return JsonBool(value); }
JsonNode Tree(int64_t value) { return JsonNumber(Concat(value)); }
JsonNode Tree(const Duration& value) { return JsonText(FormatDuration(value)); }
JsonNode Tree(const DataType& value) { return JsonText(value.ToString()); }
template <class E>
requires(std::is_enum_v<E>) JsonNode Tree(E value) { return JsonText(NameOfEnum(value)); }
template <Described T>
JsonNode Tree(const T& value) {
  if constexpr (Is<T, FeatureSelection>) {
    if (value.alias.empty() && value.join_keys.empty() && value.features.size() == 1) {
      return JsonText(Concat(value.view, ":", value.features.front()));
    }
  }
  return ObjectTree(value);
}
template <class T>
JsonNode Tree(const std::optional<T>& value) {
  return Tree(*value);
}
template <class T>
JsonNode Tree(const std::vector<T>& value) {
  JsonNode node = JsonArray();
  node.items.reserve(value.size());
  for (const T& item : value) node.items.push_back(Tree(item));
  return node;
}
JsonNode Tree(const std::map<std::string, std::string>& value) {
  JsonNode node = JsonObject();
  for (const auto& [name, text] : value) node.Add(name, JsonText(text));
  return node;
}

// A JSON literal where the value has one, else the text ParseValue reads.
JsonNode ValueTree(const Value& value) {
  const std::string text = FormatValue(value);
  switch (value.type().id()) {
    case TypeId::kBool:
      return JsonBool(text == "true");
    case TypeId::kFloat32:
    case TypeId::kFloat64: {
      const double number = value.As<float>() != nullptr ? static_cast<double>(*value.As<float>())
                                                         : *value.As<double>();
      if (!std::isfinite(number)) return JsonText(text);
      // Without a point it would be read back as an integer where no type is declared.
      return JsonNumber(text.find_first_of(".eE") == std::string::npos ? text + ".0" : text);
    }
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint64:
      return JsonNumber(text);
    case TypeId::kVector:
    case TypeId::kList:
    case TypeId::kMap: {
      JsonNode node;  // printed as it is: FormatValue's text for these is JSON
      node.kind = JsonNode::Kind::kFloat;
      node.text = text;
      return node;
    }
    default:
      return JsonText(text);
  }
}

// Adds what differs from a default-made struct, in the table's order.
class MemberWriter {
 public:
  explicit MemberWriter(JsonNode* out) : out_(*out) {}

  template <class T>
  void Member(const Key& key, const T& member) {
    if (key.required || Differs(member)) Add(key, Tree(member));
  }
  void Member(const Key& key, const TextFormat& member) {
    if (!(member == TextFormat{})) Add(key, Tree(member));
  }
  void Default(const Key& key, const std::optional<Value>& member,
               const std::optional<DataType>& /*type*/) {
    if (member && !member->is_null()) Add(key, ValueTree(*member));
  }
  void OneOrMany(const Key& one, const Key& many, const std::vector<std::string>& member) {
    if (member.size() == 1) {
      Add(one, JsonText(member.front()));
    } else if (!member.empty()) {
      Add(many, Tree(member));
    }
  }

 private:
  template <class T>
  static bool Differs(const T& member) {
    return !(member == T{});
  }
  void Add(const Key& key, JsonNode node) {
    node.meaning = key.meaning;
    out_.Add(key.name, std::move(node));
  }
  JsonNode& out_;
};

// TextFormat's defaults are not the empty values, so its members are compared with a default-made one.
class FormatWriter {
 public:
  explicit FormatWriter(JsonNode* out) : out_(*out) {}
  template <class T>
  void Member(const Key& key, const T& member) {
    const TextFormat defaults;
    bool same = false;
    if constexpr (std::is_same_v<T, bool>) same = member == defaults.strict;
    if constexpr (std::is_same_v<T, std::vector<std::string>>)
      same = member == defaults.null_values;
    if constexpr (std::is_same_v<T, std::string>) {
      same = member == (std::string_view(key.name) == "delimiter" ? defaults.delimiter
                                                                  : defaults.compression);
    }
    if (same) return;
    JsonNode node = Tree(member);
    node.meaning = key.meaning;
    out_.Add(key.name, std::move(node));
  }

 private:
  JsonNode& out_;
};

template <class T>
JsonNode ObjectTree(const T& value) {
  JsonNode node = JsonObject();
  if constexpr (Is<T, TextFormat>) {
    FormatWriter writer(&node);
    Describe(writer, value);
  } else {
    MemberWriter writer(&node);
    Describe(writer, value);
  }
  return node;
}

}  // namespace

JsonNode ToTree(const Entity& value) { return ObjectTree(value); }
JsonNode ToTree(const Source& value) { return ObjectTree(value); }
JsonNode ToTree(const FeatureView& value) { return ObjectTree(value); }
JsonNode ToTree(const OnDemandView& value) { return ObjectTree(value); }
JsonNode ToTree(const Label& value) { return ObjectTree(value); }
JsonNode ToTree(const FeatureService& value) { return ObjectTree(value); }
JsonNode ToTree(const Definitions& value) {
  JsonNode node = JsonObject();
  node.Add("larder", JsonNumber("1"));
  MemberWriter writer(&node);
  Describe(writer, value);
  return node;
}

}  // namespace larder::inline LARDER_ABI
