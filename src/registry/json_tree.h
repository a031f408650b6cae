// A JSON text as a tree: what definitions are read from, printed to and compared as.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "registry/problems.h"

namespace larder::inline LARDER_ABI {

struct JsonNode {
  enum class Kind : unsigned char { kNull, kBool, kInteger, kFloat, kText, kArray, kObject };
  Kind kind = Kind::kNull;
  bool meaning = true;             // of an object's member that was printed from a definition
  std::string text;                // text; a number as written; `true` or `false`
  std::vector<JsonNode> items;     // of an array; an object's values
  std::vector<std::string> names;  // an object's keys, beside items

  [[nodiscard]] const JsonNode* Find(std::string_view name) const LARDER_LIFETIME_BOUND;
  void Add(std::string name, JsonNode value) {
    names.push_back(std::move(name));
    items.push_back(std::move(value));
  }
  [[nodiscard]] bool is_object() const { return kind == Kind::kObject; }
  [[nodiscard]] bool is_array() const { return kind == Kind::kArray; }
  [[nodiscard]] bool is_text() const { return kind == Kind::kText; }
  // `text "abc"`, `a number`, `an object`: for messages.
  [[nodiscard]] std::string Describe() const;
};

[[nodiscard]] JsonNode JsonText(std::string_view text);
[[nodiscard]] JsonNode JsonBool(bool value);
[[nodiscard]] JsonNode JsonNumber(std::string text);
[[nodiscard]] JsonNode JsonObject();
[[nodiscard]] JsonNode JsonArray();

inline constexpr std::size_t kJsonDepthMax = 64;
inline constexpr std::size_t kJsonSizeMax = std::size_t{16} << 20;

// Comments are skipped; repeated keys go to `problems`, the first counts. Errors: kInvalidArgument for text that is not
// JSON, with line and column; kind kTooLarge over the limits.
[[nodiscard]] absl::StatusOr<JsonNode> ParseJson(std::string_view text, Problems* problems);

// Lays the tree out: what fits into 100 columns stands on one line.
[[nodiscard]] std::string FormatJson(const JsonNode& node);
// All on one line.
void AppendJson(const JsonNode& node, std::string* out);
[[nodiscard]] std::string FormatJsonLine(const JsonNode& node);

// One step of a JSON pointer.
[[nodiscard]] std::string JsonPathStep(std::string_view name);

}  // namespace larder::inline LARDER_ABI
