// JSON text for machines: what commands print under --format json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// Builds one document, indented by two blanks. Requires: calls that make sense in JSON; a key before every value
// inside an object.
class JsonWriter {
 public:
  enum class Layout { kLines, kInline };  // one member a line, or all on one line

  void BeginObject(Layout layout = Layout::kLines) { Begin('{', layout); }
  void EndObject() { End('}'); }
  void BeginArray(Layout layout = Layout::kLines) { Begin('[', layout); }
  void EndArray() { End(']'); }
  void Key(std::string_view name);

  void Null() { Raw("null"); }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Number(int64_t value);
  void Number(uint64_t value);
  void Number(int value) { Number(int64_t{value}); }
  // Not finite: the strings "NaN", "Infinity", "-Infinity".
  void Number(double value) { Value(larder::Value(value)); }
  // What is not UTF-8 becomes U+FFFD; control characters are escaped, C1 ones too.
  void String(std::string_view text);
  void Time(std::optional<Timestamp> instant);  // ISO 8601, or null
  // NaN and the infinities are strings, bytes base64, times ISO 8601, durations as definitions write them.
  void Value(const larder::Value& value);
  // `json` is a value of its own already.
  void Raw(std::string_view json);

  template <class T>
  void Member(std::string_view name, const T& value) {
    Key(name);
    Put(value);
  }

  // The document and a line end.
  [[nodiscard]] std::string Finish() && { return std::move(text_) + "\n"; }

 private:
  void Put(bool value) { Bool(value); }
  void Put(int value) { Number(value); }
  void Put(int64_t value) { Number(value); }
  void Put(uint64_t value) { Number(value); }
  void Put(double value) { Number(value); }
  void Put(std::string_view value) { String(value); }
  void Put(const std::string& value) { String(value); }
  void Put(const char* value) { String(value); }
  void Put(Timestamp value) { Time(value); }
  void Put(const std::optional<Timestamp>& value) { Time(value); }
  void Put(const larder::Value& value) { Value(value); }

  void Begin(char bracket, Layout layout);
  void End(char bracket);
  void BeforeValue();
  void NewLine();

  struct Container {
    Layout layout;
    bool empty = true;
  };
  std::string text_;
  std::vector<Container> open_;
  bool after_key_ = false;
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
