// What trim takes off: space separators of Unicode, as in DuckDB; tabs and line ends stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/base/config.h"
#include "transform/utf8.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// Bytes of the blank that a text, which is not empty, starts with; 0 when it starts with none.
inline std::size_t LeadingBlank(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead == ' ') return 1;
  if (lead < 0xC2) return 0;
  const char* at = text.data();
  const uint32_t code = NextCodePoint(&at, text.data() + text.size());
  const bool blank = code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
                     code == 0x202F || code == 0x205F || code == 0x3000;
  return blank ? static_cast<std::size_t>(at - text.data()) : 0;
}

inline std::string_view TrimLeft(std::string_view text) {
  while (!text.empty()) {
    const std::size_t blank = LeadingBlank(text);
    if (blank == 0) break;
    text.remove_prefix(blank);
  }
  return text;
}

inline std::string_view TrimRight(std::string_view text) {
  while (!text.empty()) {
    if (text.back() == ' ') {
      text.remove_suffix(1);
      continue;
    }
    if (static_cast<unsigned char>(text.back()) < 0x80) break;
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
    if (LeadingBlank(text.substr(start)) == 0) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
