#include "cli/json_writer.h"

#include <cmath>
#include <optional>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

void AppendEscape(unsigned code, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  out->append("\\u00");
  out->push_back(kDigits[(code >> 4) & 0xF]);
  out->push_back(kDigits[code & 0xF]);
}

std::string QuotedJson(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      if (lead == '"' || lead == '\\') {
        out.push_back('\\');
        out.push_back(static_cast<char>(lead));
      } else if (lead == '\n') {
        out.append("\\n");
      } else if (lead == '\t') {
        out.append("\\t");
      } else if (lead < 0x20 || lead == 0x7F) {
        AppendEscape(lead, &out);
      } else {
        out.push_back(static_cast<char>(lead));
      }
      continue;
    }
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (i + size > text.size() || !IsValidUtf8(text.substr(i, size))) {
      out.append("\xEF\xBF\xBD");
      ++i;
      continue;
    }
    if (lead == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      AppendEscape(static_cast<unsigned char>(text[i + 1]), &out);
    } else {
      out.append(text.substr(i, size));
    }
    i += size;
  }
  out.push_back('"');
  return out;
}

}  // namespace

void JsonWriter::Key(std::string_view name) {
  BeforeValue();
  text_.append(QuotedJson(name)).append(": ");
  after_key_ = true;
}

void JsonWriter::Number(int64_t value) { Raw(Concat(value)); }
void JsonWriter::Number(uint64_t value) { Raw(Concat(value)); }
void JsonWriter::String(std::string_view text) { Raw(QuotedJson(text)); }

void JsonWriter::Time(std::optional<Timestamp> instant) {
  if (instant) {
    String(FormatTimestamp(*instant));
  } else {
    Null();
  }
}

void JsonWriter::Value(const larder::Value& value) {
  if (value.is_null()) return Null();
  if (const auto* text = value.As<std::string>()) return String(*text);
  const DataType type = value.type();
  const std::string text = FormatValue(value);
  const auto* wide = value.As<double>();
  const auto* narrow = value.As<float>();
  const bool finite =
      (wide == nullptr || std::isfinite(*wide)) && (narrow == nullptr || std::isfinite(*narrow));
  const bool is_json = type.is_nested() || type.is_numeric() || type.id() == TypeId::kBool;
  if (finite && is_json) return Raw(text);
  String(text);
}

void JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_.append(json);
}

void JsonWriter::Begin(char bracket, Layout layout) {
  if (!open_.empty() && open_.back().layout == Layout::kInline) layout = Layout::kInline;
  BeforeValue();
  text_.push_back(bracket);
  open_.push_back({layout});
}

void JsonWriter::End(char bracket) {
  const Container closed = open_.back();
  open_.pop_back();
  if (!closed.empty && closed.layout == Layout::kLines) NewLine();
  text_.push_back(bracket);
}

void JsonWriter::BeforeValue() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (open_.empty()) return;
  Container& inside = open_.back();
  if (!inside.empty) text_.append(inside.layout == Layout::kInline ? ", " : ",");
  inside.empty = false;
  if (inside.layout == Layout::kLines) NewLine();
}

void JsonWriter::NewLine() {
  text_.push_back('\n');
  text_.append(open_.size() * 2, ' ');
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
