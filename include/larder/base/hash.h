// Hashes that are the same on every machine and in every process (XXH3). Not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

[[nodiscard]] uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};
[[nodiscard]] Hash128 HashWide(std::string_view bytes);
// 32 lower-case hex digits.
[[nodiscard]] std::string ToHex(const Hash128& hash);

}  // namespace larder::inline LARDER_ABI
