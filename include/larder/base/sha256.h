// SHA-256 (FIPS 180-4): names content that must be the same on every machine and for ever.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

class Sha256 {
 public:
  void Add(std::string_view bytes);
  // 64 lower-case hex digits of everything added. Requires: nothing is added after it.
  [[nodiscard]] std::string Finish();

  // Where it stands, as hex digits that Restore goes on from.
  [[nodiscard]] std::string Save() const;
  // nullopt for what Save did not write.
  [[nodiscard]] static std::optional<Sha256> Restore(std::string_view saved);

 private:
  void AddBlock(const unsigned char* block);

  static constexpr std::size_t kBlockSize = 64;
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, kBlockSize> partial_ = {};
  std::size_t partial_size_ = 0;
  uint64_t size_ = 0;
};

}  // namespace larder::inline LARDER_ABI
