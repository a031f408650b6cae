#include "schema/json_text.h"

#include <cstdint>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

void AppendUtf8(uint32_t code, std::string* out) {
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) { SkipBlanks(); }

  [[nodiscard]] bool done() const { return rest_.empty(); }

  // Blanks after it go with it.
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    SkipBlanks();
    return true;
  }

  bool TakeToken(JsonToken* token) {
    token->text.clear();
    token->quoted = !rest_.empty() && rest_[0] == '"';
    if (token->quoted) return TakeString(&token->text);
    std::size_t size = 0;
    while (size < rest_.size() && !IsBlank(rest_[size]) &&
           std::string_view(",:[]{}\"").find(rest_[size]) == std::string_view::npos) {
      ++size;
    }
    token->text = std::string(rest_.substr(0, size));
    rest_.remove_prefix(size);
    SkipBlanks();
    return size > 0;
  }

  bool TakeString(std::string* out) {
    if (rest_.empty() || rest_[0] != '"') return false;
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const char c = Next();
      if (c == '"') {
        SkipBlanks();
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out->push_back(c);
      } else if (!TakeEscape(out)) {
        return false;
      }
    }
    return false;
  }

 private:
  static bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void SkipBlanks() {
    while (!rest_.empty() && IsBlank(rest_[0])) rest_.remove_prefix(1);
  }
  char Next() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  bool TakeEscape(std::string* out) {
    if (rest_.empty()) return false;
    const char c = Next();
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
      out->push_back(kMeanings[i]);
      return true;
    }
    uint32_t code = 0;
    if (c != 'u' || !TakeHex(&code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      uint32_t low = 0;
      if (rest_.substr(0, 2) != "\\u") return false;
      rest_.remove_prefix(2);
      if (!TakeHex(&low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    AppendUtf8(code, out);
    return true;
  }

  bool TakeHex(uint32_t* code) {
    if (rest_.size() < 4) return false;
    for (int i = 0; i < 4; ++i) {
      const char c = Next();
      uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<uint32_t>(c - 'A' + 10);
      } else {
        return false;
      }
      *code = (*code << 4U) | digit;
    }
    return true;
  }

  std::string_view rest_;
};

}  // namespace

bool SplitJsonArray(std::string_view text, std::vector<JsonToken>* tokens) {
  JsonScanner scan(text);
  if (!scan.Take('[')) return false;
  if (scan.Take(']')) return scan.done();
  do {
    if (!scan.TakeToken(&tokens->emplace_back())) return false;
  } while (scan.Take(','));
  return scan.Take(']') && scan.done();
}

bool SplitJsonObject(std::string_view text, std::vector<JsonMember>* members) {
  JsonScanner scan(text);
  if (!scan.Take('{')) return false;
  if (scan.Take('}')) return scan.done();
  do {
    JsonMember& member = members->emplace_back();
    if (!scan.TakeString(&member.key) || !scan.Take(':') || !scan.TakeToken(&member.value))
      return false;
  } while (scan.Take(','));
  return scan.Take('}') && scan.done();
}

std::string QuoteJson(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (byte < 0x20) {
      quoted.append("\\u00");
      quoted.push_back(kDigits[byte >> 4U]);
      quoted.push_back(kDigits[byte & 15U]);
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace larder::inline LARDER_ABI
