// Texts of up to eight ASCII bytes as one number: trimmed, lowered and compared without a branch on what is in them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// Byte i of the text in bits 8 i, zeros past its end.
struct ShortText {
  uint64_t bytes = 0;
  std::size_t size = 0;
  friend bool operator==(const ShortText&, const ShortText&) = default;
};

inline constexpr std::size_t kShortText = 8;
inline constexpr uint64_t kEachByte = 0x0101010101010101;

// Requires: size <= kShortText. Reads nothing outside the text.
inline ShortText LoadShort(const char* text, std::size_t size) {
  const auto byte = [text](std::size_t i) -> uint64_t {
    return static_cast<unsigned char>(text[i]);
  };
  const auto four = [text](std::size_t i) -> uint64_t {
    uint32_t value;
    std::memcpy(&value, text + i, 4);
    return value;
  };
  if constexpr (std::endian::native == std::endian::little) {
    // Two loads that overlap: both write the same bytes where they meet.
    if (size >= 4) return {four(0) | four(size - 4) << (8 * (size - 4)), size};
    if (size == 0) return {};
    return {byte(0) | byte(size / 2) << (8 * (size / 2)) | byte(size - 1) << (8 * (size - 1)), size};
  } else {
    ShortText out = {0, size};
    for (std::size_t i = 0; i < size; ++i) out.bytes |= byte(i) << (8 * i);
    return out;
  }
}

inline bool IsAscii(ShortText text) { return (text.bytes & (kEachByte * 0x80)) == 0; }

inline constexpr uint64_t kSpaces = kEachByte * ' ';

// A byte that is no space is not 0 after the xor; those past the end are none.
inline std::size_t LeadingSpaces(ShortText text) {
  return static_cast<std::size_t>(std::countr_zero(text.bytes ^ kSpaces)) / 8;
}

// Without the spaces at both ends.
inline ShortText Trimmed(ShortText text) {
  const std::size_t front = LeadingSpaces(text);
  if (front >= text.size) return {};
  text.bytes >>= 8 * front;
  text.size -= front;
  const std::size_t unused = 8 * (kShortText - text.size);
  const uint64_t at_top = text.bytes << unused;
  const std::size_t back = static_cast<std::size_t>(std::countl_zero(at_top ^ kSpaces)) / 8;
  text.size -= back;
  text.bytes &= ~uint64_t{0} >> (unused + 8 * back);
  return text;
}

// Requires: IsAscii.
inline ShortText Lowered(ShortText text) {
  const uint64_t from_a = text.bytes + kEachByte * (0x80 - 'A');
  const uint64_t past_z = text.bytes + kEachByte * (0x7F - 'Z');
  text.bytes |= (from_a & ~past_z & (kEachByte * 0x80)) >> 2U;
  return text;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
