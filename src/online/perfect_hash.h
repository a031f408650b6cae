// A minimal perfect hash: every key of a set has a place of its own below the number of keys.
//
// After PtrHash (R. Groot Koerkamp, "PtrHash: Minimal Perfect Hashing at RAM Throughput", SEA 2025), one part of it: keys
// fall into buckets of about three; a bucket has a pilot, one byte, chosen so that its keys meet nobody. A bucket that
// finds no such pilot takes the places of others, which look for new ones. Places are a few more than keys, so that the
// search ends; keys beyond the last are sent to those that stayed free. About three bits per key, which stay in cache.
//
// Hashes outside the set have a place too: who asks compares keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Borrows the bytes of pilots and detours. They may be damaged: no answer is then beyond `key_count`.
struct PerfectHash {
  const char* pilots = nullptr;   // a byte per bucket
  const char* detours = nullptr;  // u32 per place beyond the keys: the place instead
  uint64_t seed = 0;
  uint32_t bucket_count = 0;
  uint32_t place_count = 0;  // at least key_count
  uint32_t key_count = 0;
  uint32_t depth = 0;  // leading bits that all hashes share

  [[nodiscard]] static uint32_t Scale(uint64_t bits, uint32_t count) {
    return static_cast<uint32_t>(((bits >> 32) * count) >> 32);
  }
  [[nodiscard]] const char* PilotOf(uint64_t hash) const {
    return pilots + Scale(hash << depth, bucket_count);
  }
  [[nodiscard]] static uint32_t PlaceOf(uint64_t hash, uint64_t seed, uint8_t pilot,
                                        uint32_t place_count) {
    constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;
    constexpr uint64_t kMix = 0xD6E8FEB86659FD93;
    return Scale((hash ^ (seed + pilot * kSpread)) * kMix, place_count);
  }
  // Below key_count; of damaged bytes perhaps key_count. Requires: key_count > 0.
  [[nodiscard]] uint32_t PlaceOf(uint64_t hash) const {
    const uint32_t place = PlaceOf(hash, seed, static_cast<uint8_t>(*PilotOf(hash)), place_count);
    return place < key_count ? place : Detour(place);
  }

 private:
  [[nodiscard]] uint32_t Detour(uint32_t place) const {
    const auto instead = LoadAs<uint32_t>(detours + std::size_t{4} * (place - key_count));
    return instead < key_count ? instead : key_count;
  }
};

struct BuiltPerfectHash {
  uint64_t seed = 0;
  std::vector<uint8_t> pilots;
  std::vector<uint32_t> detours;
  std::vector<uint32_t> places;  // per hash given
};

// nullopt where none is found: hashes that are equal, or sets made to be awkward. Requires: the hashes are in order.
// Cost: about 50 ns per key.
std::optional<BuiltPerfectHash> BuildPerfectHash(std::span<const uint64_t> hashes, uint32_t depth);

}  // namespace larder::inline LARDER_ABI
