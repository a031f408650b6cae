// Code points of valid UTF-8. Input that is not valid (impossible past the edges) is stepped over byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

inline std::size_t CodePointBytes(unsigned char lead) {
  return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Reads one code point at `at` (at < end) and moves past it.
inline uint32_t NextCodePoint(const char** at, const char* end) {
  const auto lead = static_cast<unsigned char>(**at);
  const std::size_t size = CodePointBytes(lead);
  if (size == 1 || static_cast<std::size_t>(end - *at) < size) {
    ++*at;
    return lead;
  }
  uint32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i)
    code = (code << 6U) | (static_cast<unsigned char>((*at)[i]) & 0x3FU);
  *at += size;
  return code;
}

// Writes 1 to 4 bytes and gives the end.
inline char* PutCodePoint(uint32_t code, char* out) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0U | (code >> 6U));
    *out++ = static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0U | (code >> 12U));
    *out++ = static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    *out++ = static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    *out++ = static_cast<char>(0xF0U | (code >> 18U));
    *out++ = static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    *out++ = static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    *out++ = static_cast<char>(0x80U | (code & 0x3FU));
  }
  return out;
}

inline int64_t CountCodePoints(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return count;
}

// The byte where code point number `index` starts, or text.size().
inline std::size_t ByteOfCodePoint(std::string_view text, int64_t index) {
  std::size_t at = 0;
  while (index > 0 && at < text.size()) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
    --index;
  }
  return at;
}

uint32_t LowerCodePoint(uint32_t code);
uint32_t UpperCodePoint(uint32_t code);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
