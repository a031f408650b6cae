// Perfect hashes against what the word says: places are a permutation, and stay inside whatever the bytes are.
#include "online/perfect_hash.h"

#include <algorithm>
#include <random>

#include "store_fixture.h"

using larder::BuildPerfectHash;
using larder::BuiltPerfectHash;
using larder::PerfectHash;

namespace {

PerfectHash ViewOf(const BuiltPerfectHash& built, uint32_t depth) {
  PerfectHash hash;
  hash.pilots = reinterpret_cast<const char*>(built.pilots.data());
  hash.detours = reinterpret_cast<const char*>(built.detours.data());
  hash.seed = built.seed;
  hash.bucket_count = static_cast<uint32_t>(built.pilots.size());
  hash.key_count = static_cast<uint32_t>(built.places.size());
  hash.place_count = hash.key_count + static_cast<uint32_t>(built.detours.size());
  hash.depth = depth;
  return hash;
}

// In order, with `depth` leading bits in common.
std::vector<uint64_t> RandomHashes(std::mt19937_64& random, std::size_t count, uint32_t depth) {
  const uint64_t prefix = depth == 0 ? 0 : random() << (64 - depth);
  std::vector<uint64_t> hashes(count);
  for (uint64_t& hash : hashes) hash = prefix | (random() >> depth);
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

}  // namespace

TEST_CASE("a perfect hash gives every key a place of its own", "[online][perfect_hash][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const int rounds = larder_test::Rounds(200);
  int built_count = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::size_t count = round == 0 ? 20'000 : 1 + random() % 1'000;
    const auto depth = static_cast<uint32_t>(random() % 20);
    CAPTURE(round, count, depth);
    const std::vector<uint64_t> hashes = RandomHashes(random, count, depth);
    const auto built = BuildPerfectHash(hashes, depth);
    if (!built) continue;
    ++built_count;
    const PerfectHash hash = ViewOf(*built, depth);
    std::vector<bool> taken(count);
    for (std::size_t i = 0; i < count; ++i) {
      const uint32_t place = hash.PlaceOf(hashes[i]);
      REQUIRE(place < count);
      REQUIRE(place == built->places[i]);
      REQUIRE(!taken[place]);
      taken[place] = true;
    }
    // About three bits a key.
    if (count > 1'000)
      CHECK(built->pilots.size() * 8 + built->detours.size() * 32 < count * 33 / 10);
    // Of other keys too there is a place.
    for (int i = 0; i < 100; ++i) CHECK(hash.PlaceOf(random()) < count);
  }
  CHECK(built_count >= rounds - 1);
}

TEST_CASE("a damaged perfect hash names no place beyond the keys",
          "[online][perfect_hash][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const std::vector<uint64_t> hashes = RandomHashes(random, 500, 0);
  auto built = BuildPerfectHash(hashes, 0);
  REQUIRE(built.has_value());
  for (uint8_t& pilot : built->pilots) pilot = static_cast<uint8_t>(random());
  for (uint32_t& detour : built->detours) detour = static_cast<uint32_t>(random());
  const PerfectHash hash = ViewOf(*built, 0);
  for (const uint64_t key : hashes) CHECK(hash.PlaceOf(key) <= hash.key_count);
}

TEST_CASE("hashes that are equal or far from spread have no perfect hash",
          "[online][perfect_hash]") {
  CHECK_FALSE(BuildPerfectHash({}, 0));
  CHECK_FALSE(BuildPerfectHash(std::vector<uint64_t>{1, 5, 5, 9}, 0));
  std::vector<uint64_t> near(1'000);
  for (std::size_t i = 0; i < near.size(); ++i) near[i] = i;
  CHECK_FALSE(BuildPerfectHash(near, 0));
  // Hashes that do not share the bits they should.
  CHECK_FALSE(BuildPerfectHash(std::vector<uint64_t>{1, uint64_t{1} << 63}, 4));
}

TEST_CASE("a search that finds nothing gives up soon", "[online][perfect_hash]") {
  // Nine keys in every third bucket: each bucket may be random, all of them are not. Without a bound it took 19 s.
  constexpr uint64_t kKeys = 45'000;
  constexpr uint64_t kBuckets = kKeys / 3;
  std::mt19937_64 random(1);
  std::vector<uint64_t> hashes;
  for (uint64_t bucket = 0; bucket < kBuckets; bucket += 3) {
    const uint64_t begin = UINT64_MAX / kBuckets * bucket + kBuckets;
    for (int i = 0; i < 9; ++i) hashes.push_back(begin + random() % (UINT64_MAX / kBuckets / 2));
  }
  std::sort(hashes.begin(), hashes.end());
  REQUIRE(hashes.size() == kKeys);
  CHECK_FALSE(BuildPerfectHash(hashes, 0));
}

TEST_CASE("sets of every small size have a perfect hash, the same each time",
          "[online][perfect_hash]") {
  std::mt19937_64 random(7);
  int built_count = 0;
  for (std::size_t count = 1; count <= 200; ++count) {
    CAPTURE(count);
    const std::vector<uint64_t> hashes = RandomHashes(random, count, 0);
    const auto built = BuildPerfectHash(hashes, 0);
    if (!built) continue;
    ++built_count;
    const auto again = BuildPerfectHash(hashes, 0);
    REQUIRE(again.has_value());
    CHECK(built->seed == again->seed);
    CHECK(built->pilots == again->pilots);
    CHECK(built->detours == again->detours);
    std::vector<uint32_t> places = built->places;
    std::sort(places.begin(), places.end());
    for (uint32_t i = 0; i < count; ++i) CHECK(places[i] == i);
  }
  CHECK(built_count >= 199);
}
