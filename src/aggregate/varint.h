// Unsigned integers in as many bytes as they need: seven bits each, least significant first.
#pragma once

#include <cstdint>

#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

inline void PutVarint(uint64_t value, ByteWriter* out) {
  while (value >= 0x80) {
    out->Put(static_cast<uint8_t>(value | 0x80));
    value >>= 7U;
  }
  out->Put(static_cast<uint8_t>(value));
}

// False at the end of the bytes, for more than 64 bits, and for a form longer than need be.
inline bool GetVarint(ByteReader* in, uint64_t* value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = in->Get<uint8_t>();
    if (!in->ok()) return false;
    *value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return (byte != 0 || shift == 0) && (shift != 63 || byte <= 1);
  }
  return false;
}

// Signed ones: small magnitudes take few bytes.
inline void PutSignedVarint(int64_t value, ByteWriter* out) {
  PutVarint((static_cast<uint64_t>(value) << 1U) ^ static_cast<uint64_t>(value >> 63U), out);
}
inline bool GetSignedVarint(ByteReader* in, int64_t* value) {
  uint64_t raw = 0;
  if (!GetVarint(in, &raw)) return false;
  *value = static_cast<int64_t>((raw >> 1U) ^ (~(raw & 1U) + 1));
  return true;
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
