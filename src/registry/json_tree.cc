#include "registry/json_tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace larder::inline LARDER_ABI {
namespace {

using Kind = JsonNode::Kind;

// Builds the tree from events, because the library's own tree keeps only the last of repeated keys.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(JsonNode* root, Problems* problems) : root_(root), problems_(problems) {}

  bool null() override { return Put({}); }
  bool boolean(bool value) override { return Put(JsonBool(value)); }
  bool number_integer(number_integer_t value) override { return Integer(Concat(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Integer(Concat(value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    JsonNode node;
    node.kind = Kind::kFloat;
    node.text = text;
    return Put(std::move(node));
  }
  bool string(string_t& text) override { return Put(JsonText(text)); }
  bool binary(binary_t& /*bytes*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return Begin(Kind::kObject); }
  bool key(string_t& name) override {
    JsonNode& object = *open_.back();
    // The node of a repeated key has to be built somewhere; it is dropped when the object ends.
    if (object.Find(name) != nullptr) {
      problems_->Add(Path() + JsonPathStep(name), "repeated key");
      object.names.push_back(Concat(kRepeated, name));
    } else {
      object.names.push_back(name);
    }
    return true;
  }
  bool end_object() override {
    JsonNode& object = *open_.back();
    for (std::size_t i = object.names.size(); i-- > 0;) {
      if (object.names[i].compare(0, kRepeated.size(), kRepeated) != 0) continue;
      object.names.erase(object.names.begin() + static_cast<std::ptrdiff_t>(i));
      object.items.erase(object.items.begin() + static_cast<std::ptrdiff_t>(i));
    }
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t /*size*/) override { return Begin(Kind::kArray); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    std::string_view message = error.what();
    const std::size_t end = message.find("] ");
    if (message.substr(0, 1) == "[" && end != std::string_view::npos) {
      message.remove_prefix(end + 2);
    }
    error_ = InvalidArgumentError("not JSON: ", message);
    return false;
  }

  [[nodiscard]] const absl::Status& error() const { return error_; }

 private:
  static constexpr std::string_view kRepeated{"\0repeated\0", 10};

  bool Integer(std::string text) {
    JsonNode node;
    node.kind = Kind::kInteger;
    node.text = std::move(text);
    return Put(std::move(node));
  }
  bool Put(JsonNode node) {
    if (open_.empty()) {
      *root_ = std::move(node);
    } else {
      open_.back()->items.push_back(std::move(node));
    }
    return true;
  }
  bool Begin(Kind kind) {
    if (open_.size() >= kJsonDepthMax) {
      error_ = WithKind(InvalidArgumentError("nested deeper than ", kJsonDepthMax, " levels"),
                        ErrorKind::kTooLarge);
      return false;
    }
    JsonNode node;
    node.kind = kind;
    Put(std::move(node));
    // Pointers stay good: only the innermost open node grows.
    open_.push_back(open_.empty() ? root_ : &open_.back()->items.back());
    return true;
  }
  std::string Path() const {
    std::string path;
    for (std::size_t i = 1; i < open_.size(); ++i) {
      const JsonNode& parent = *open_[i - 1];
      path += parent.is_object() ? JsonPathStep(parent.names.back())
                                 : Concat("/", parent.items.size() - 1);
    }
    return path;
  }

  JsonNode* root_;
  Problems* problems_;
  std::vector<JsonNode*> open_;
  absl::Status error_;
};

void AppendQuotedJson(std::string_view text, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\t':
        out->append("\\t");
        break;
      case '\r':
        out->append("\\r");
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out->append("\\u00");
          out->push_back(kHex[byte >> 4]);
          out->push_back(kHex[byte & 15]);
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

constexpr std::size_t kLineWidth = 100;

// The text of `node` on one line, or false as soon as it would pass `room`.
bool FitsLine(const JsonNode& node, std::size_t room, std::string* out) {
  AppendJson(node, out);
  return out->size() <= room;
}

void AppendLaidOut(const JsonNode& node, std::size_t indent, std::size_t lead, std::string* out) {
  const bool nested = node.is_object() || node.is_array();
  // The outermost objects always break: a file reads as a list of objects.
  if (!nested || node.items.empty() || indent > 0) {
    std::string line;
    if (!nested || FitsLine(node, kLineWidth - std::min(kLineWidth, indent + lead + 1), &line)) {
      if (!nested) AppendJson(node, &line);
      out->append(line);
      return;
    }
  }
  out->push_back(node.is_object() ? '{' : '[');
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    out->append(i == 0 ? "\n" : ",\n").append(indent + 2, ' ');
    std::size_t name_size = 0;
    if (node.is_object()) {
      const std::size_t before = out->size();
      AppendQuotedJson(node.names[i], out);
      out->append(": ");
      name_size = out->size() - before;
    }
    AppendLaidOut(node.items[i], indent + 2, name_size, out);
  }
  out->append("\n").append(indent, ' ').push_back(node.is_object() ? '}' : ']');
}

}  // namespace

const JsonNode* JsonNode::Find(std::string_view name) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i < items.size() ? &items[i] : this;
  }
  return nullptr;
}

std::string JsonNode::Describe() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return text;
    case Kind::kInteger:
    case Kind::kFloat:
      return Concat("the number ", text);
    case Kind::kText:
      return Concat("the text ", Quoted(text));
    case Kind::kArray:
      return "a list";
    case Kind::kObject:
      return "an object";
  }
  return "nothing";
}

JsonNode JsonText(std::string_view text) {
  JsonNode node;
  node.kind = Kind::kText;
  node.text = std::string(text);
  return node;
}

JsonNode JsonBool(bool value) {
  JsonNode node;
  node.kind = Kind::kBool;
  node.text = value ? "true" : "false";
  return node;
}

JsonNode JsonNumber(std::string text) {
  JsonNode node;
  node.kind = text.find_first_of(".eE") == std::string::npos ? Kind::kInteger : Kind::kFloat;
  node.text = std::move(text);
  return node;
}

JsonNode JsonObject() {
  JsonNode node;
  node.kind = Kind::kObject;
  return node;
}

JsonNode JsonArray() {
  JsonNode node;
  node.kind = Kind::kArray;
  return node;
}

absl::StatusOr<JsonNode> ParseJson(std::string_view text, Problems* problems) {
  if (text.size() > kJsonSizeMax) {
    return WithKind(
        InvalidArgumentError("larger than ", kJsonSizeMax >> 20, " MiB: ", text.size(), " bytes"),
        ErrorKind::kTooLarge);
  }
  JsonNode root;
  TreeBuilder builder(&root, problems);
  const bool parsed = nlohmann::json::sax_parse(text.begin(), text.end(), &builder,
                                                nlohmann::json::input_format_t::json,
                                                /*strict=*/true, /*ignore_comments=*/true);
  if (!builder.error().ok()) return builder.error();
  if (!parsed) return InvalidArgumentError("not JSON");
  return root;
}

void AppendJson(const JsonNode& node, std::string* out) {
  switch (node.kind) {
    case Kind::kNull:
      out->append("null");
      return;
    case Kind::kText:
      AppendQuotedJson(node.text, out);
      return;
    case Kind::kArray:
    case Kind::kObject:
      out->push_back(node.is_object() ? '{' : '[');
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) out->append(", ");
        if (node.is_object()) {
          AppendQuotedJson(node.names[i], out);
          out->append(": ");
        }
        AppendJson(node.items[i], out);
      }
      out->push_back(node.is_object() ? '}' : ']');
      return;
    default:
      out->append(node.text);
  }
}

std::string FormatJsonLine(const JsonNode& node) {
  std::string out;
  AppendJson(node, &out);
  return out;
}

std::string FormatJson(const JsonNode& node) {
  std::string out;
  AppendLaidOut(node, 0, 0, &out);
  out.push_back('\n');
  return out;
}

std::string JsonPathStep(std::string_view name) {
  std::string out = "/";
  for (const char c : name) {
    if (c == '~') {
      out.append("~0");
    } else if (c == '/') {
      out.append("~1");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace larder::inline LARDER_ABI
