#include <charconv>
#include <type_traits>

#include "larder/schema/reference.h"
#include "registry/definitions_tree.h"
#include "registry/describe.h"

namespace larder::inline LARDER_ABI {
namespace {

using Kind = JsonNode::Kind;

class Reader {
 public:
  explicit Reader(Problems* problems) : problems_(*problems) {}

  void Read(const JsonNode& node, const std::string& path, std::string& out) {
    if (!node.is_text()) return Expected(path, "text", node);
    out = node.text;
  }
  void Read(const JsonNode& node, const std::string& path, bool& out) {
    if (node.kind != Kind::kBool) return Expected(path, "true or false", node);
    out = node.text == "true";
  }
  void Read(const JsonNode& node, const std::string& path, int64_t& out) {
    const char* end = node.text.data() + node.text.size();
    if (node.kind != Kind::kInteger || std::from_chars(node.text.data(), end, out).ptr != end) {
      Expected(path, "a whole number", node);
    }
  }
  void Read(const JsonNode& node, const std::string& path, Duration& out) {
    // A bare 0 needs no unit.
    if (node.kind == Kind::kInteger && node.text == "0") {
      out = {};
      return;
    }
    if (!node.is_text()) return Expected(path, "a duration such as \"7d\"", node);
    Take(path, ParseDuration(node.text), out);
  }
  void Read(const JsonNode& node, const std::string& path, DataType& out) {
    if (!node.is_text()) return Expected(path, "a type such as \"float64\"", node);
    Take(path, DataType::Parse(node.text), out);
  }
  template <class E>
  requires(std::is_enum_v<E>) void Read(const JsonNode& node, const std::string& path, E& out) {
    std::vector<std::string> names;
    for (const auto& entry : EnumNames<E>::kAll) {
      if (node.is_text() && node.text == entry.name) {
        out = entry.value;
        return;
      }
      names.emplace_back(entry.name);
    }
    if (!node.is_text()) return Expected(path, EnumNames<E>::kWhat, node);
    problems_.Add(path, "unknown ",
                  std::string_view(EnumNames<E>::kWhat)
                      .substr(std::string_view(EnumNames<E>::kWhat).find(' ') + 1),
                  ": ", Quoted(node.text), DidYouMean(node.text, names), "; one of ",
                  Join(names, ", "));
  }
  template <class T>
  void Read(const JsonNode& node, const std::string& path, std::optional<T>& out) {
    T value{};
    const std::size_t before = problems_.size();
    Read(node, path, value);
    if (problems_.size() == before) out = std::move(value);
  }
  template <class T>
  void Read(const JsonNode& node, const std::string& path, std::vector<T>& out) {
    if (!node.is_array()) return Expected(path, "a list", node);
    out.clear();
    out.reserve(node.items.size());
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      Read(node.items[i], Concat(path, "/", i), out.emplace_back());
    }
  }
  void Read(const JsonNode& node, const std::string& path, std::map<std::string, std::string>& out) {
    if (!node.is_object()) return Expected(path, "an object of texts", node);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const JsonNode& item = node.items[i];
      if (item.kind == Kind::kText || item.kind == Kind::kInteger || item.kind == Kind::kFloat ||
          item.kind == Kind::kBool) {
        out[node.names[i]] = item.text;
      } else {
        Expected(path + JsonPathStep(node.names[i]), "text", item);
      }
    }
  }
  void Read(const JsonNode& node, const std::string& path, FeatureSelection& out) {
    if (!node.is_text()) return ReadObject(node, path, out);
    FeatureReference reference;
    const std::size_t before = problems_.size();
    Take(path, ParseFeatureReference(node.text), reference);
    if (problems_.size() != before) return;
    const std::size_t colon = node.text.find(':');
    out.view = std::string(TrimAscii(std::string_view(node.text).substr(0, colon)));
    out.features = {reference.feature};
  }
  template <Described T>
  void Read(const JsonNode& node, const std::string& path, T& out) {
    ReadObject(node, path, out);
  }

 private:
  // Visits one object's members.
  class Members {
   public:
    Members(Reader& reader, const JsonNode& node, const std::string& path)
        : reader_(reader), node_(node), path_(path) {}

    template <class T>
    void Member(const Key& key, T& member) {
      if (const JsonNode* value = Take(key)) reader_.Read(*value, PathOf(key), member);
    }
    void Default(const Key& key, std::optional<Value>& member, const std::optional<DataType>& type) {
      if (const JsonNode* value = Take(key)) reader_.ReadDefault(*value, PathOf(key), type, member);
    }
    void OneOrMany(const Key& one, const Key& many, std::vector<std::string>& member) {
      const JsonNode* single = Take(one);
      const JsonNode* several = Take(many);
      if (single != nullptr && several != nullptr) {
        reader_.problems_.Add(PathOf(one), "give either ", one.name, " or ", many.name);
      } else if (single != nullptr) {
        reader_.Read(*single, PathOf(one), member.emplace_back());
      } else if (several != nullptr) {
        reader_.Read(*several, PathOf(many), member);
      }
    }
    void AlsoKnown(const char* name) { known_.emplace_back(name); }
    void Finish() const {
      for (const std::string& name : node_.names) {
        bool found = false;
        for (const std::string& known : known_) found = found || known == name;
        if (found) continue;
        reader_.problems_.Add(path_ + JsonPathStep(name), "unknown key", DidYouMean(name, known_));
      }
    }

   private:
    const JsonNode* Take(const Key& key) {
      known_.emplace_back(key.name);
      const JsonNode* value = node_.Find(key.name);
      if (value == nullptr && key.required) {
        reader_.problems_.Add(path_.empty() ? "/" : path_, "missing key ", Quoted(key.name));
      }
      return value;
    }
    std::string PathOf(const Key& key) const { return Concat(path_, "/", key.name); }

    Reader& reader_;
    const JsonNode& node_;
    const std::string& path_;
    std::vector<std::string> known_;
  };

  template <class T>
  void ReadObject(const JsonNode& node, const std::string& path, T& out) {
    if (!node.is_object()) return Expected(path, "an object", node);
    Members members(*this, node, path);
    Describe(members, out);
    if constexpr (Is<T, Definitions>) {
      members.AlsoKnown("larder");
      members.AlsoKnown("$schema");
      CheckFormat(node, path);
    }
    members.Finish();
  }

  void CheckFormat(const JsonNode& node, const std::string& path) {
    const JsonNode* format = node.Find("larder");
    if (format == nullptr) return;
    if (format->kind != Kind::kInteger || format->text != "1") {
      problems_.Add(Concat(path, "/larder"), "this build reads definitions of format 1, found ",
                    format->Describe());
    }
  }

  void ReadDefault(const JsonNode& node, const std::string& path,
                   const std::optional<DataType>& type, std::optional<Value>& out) {
    if (node.kind == Kind::kNull) {
      problems_.Add(path, "a default replaces null and cannot be null");
      return;
    }
    if (type) {
      if (type->id() == TypeId::kString && !node.is_text()) {
        return Expected(path, "text", node);
      }
      Value value;
      const std::size_t before = problems_.size();
      Take(path, ParseValue(node.is_text() ? node.text : FormatJsonLine(node), *type), value);
      if (problems_.size() == before) out = std::move(value);
      return;
    }
    switch (node.kind) {
      case Kind::kBool:
        out = Value(node.text == "true");
        return;
      case Kind::kText:
        out = Value(node.text);
        return;
      case Kind::kFloat:
        return TakeValue(path, node.text, TypeId::kFloat64, out);
      case Kind::kInteger:
        return TakeValue(path, node.text, TypeId::kInt64, out);
      default:
        problems_.Add(path, "a default of this form needs the feature's type beside it");
    }
  }
  void TakeValue(const std::string& path, const std::string& text, TypeId type,
                 std::optional<Value>& out) {
    auto value = ParseValue(text, type);
    if (value.ok()) {
      out = *std::move(value);
    } else {
      problems_.AddStatus(path, value.status());
    }
  }

  template <class T>
  void Take(const std::string& path, absl::StatusOr<T> result, T& out) {
    if (result.ok()) {
      out = *std::move(result);
    } else {
      problems_.AddStatus(path, result.status());
    }
  }
  void Expected(const std::string& path, std::string_view what, const JsonNode& node) {
    problems_.Add(path.empty() ? "/" : path, "expected ", what, ", found ", node.Describe());
  }

  Problems& problems_;
};

}  // namespace

Definitions DefinitionsFromTree(const JsonNode& node, const std::string& path, Problems* problems) {
  Definitions out;
  Reader(problems).Read(node, path, out);
  return out;
}

Feature FeatureFromTree(const JsonNode& node, const std::string& path, Problems* problems) {
  Feature out;
  Reader(problems).Read(node, path, out);
  return out;
}

}  // namespace larder::inline LARDER_ABI
