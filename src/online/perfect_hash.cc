#include "online/perfect_hash.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kKeysPerBucket = 3;
constexpr std::size_t kSlack = 64;  // one place more per so many keys
constexpr int kSeeds = 8;
constexpr std::size_t kBucketSizeMax = 24;  // larger ones are not random: of 3e14 buckets about one
constexpr std::size_t kBudgetPerKey = 8'000;
constexpr std::size_t kBudgetLeast = 10'000'000;
constexpr uint32_t kNobody = UINT32_MAX;
constexpr uint32_t kPilots = 256;

// One attempt with one seed. `budget` is what all attempts together may cost, in places computed: random hashes need a
// small part of it, and those that are not shall not keep a writer busy.
class Search {
 public:
  Search(std::span<const uint64_t> hashes, std::span<const uint32_t> begins, uint32_t place_count,
         uint64_t seed, std::size_t* budget)
      : budget_(*budget),
        hashes_(hashes),
        begins_(begins),
        place_count_(place_count),
        seed_(seed),
        free_((std::size_t{place_count} + 63) / 64, ~uint64_t{0}),
        owners_(place_count, kNobody),
        pilots_(begins.size() - 1) {}

  bool Run(std::span<const uint32_t> order) {
    // Buckets that lost their places come before those that never had any.
    for (const uint32_t first : order) {
      waiting_.push_back(first);
      while (!waiting_.empty()) {
        const uint32_t bucket = waiting_.back();
        waiting_.pop_back();
        if (TakeFree(bucket)) continue;
        if (budget_ == 0 || !TakeFromOthers(bucket)) return false;
      }
    }
    return true;
  }
  [[nodiscard]] std::vector<uint8_t>& pilots() { return pilots_; }
  [[nodiscard]] const std::vector<uint32_t>& owners() const { return owners_; }

 private:
  [[nodiscard]] std::span<const uint64_t> KeysOf(uint32_t bucket) const {
    return hashes_.subspan(begins_[bucket], begins_[bucket + 1] - begins_[bucket]);
  }
  void Spend(std::size_t places) { budget_ -= std::min(budget_, places); }
  // The places of the bucket's keys; false when two of them meet.
  bool Place(std::span<const uint64_t> keys, uint8_t pilot) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      places_[i] = PerfectHash::PlaceOf(keys[i], seed_, pilot, place_count_);
      for (std::size_t j = 0; j < i; ++j) {
        if (places_[j] == places_[i]) return false;
      }
    }
    return true;
  }
  void Own(uint32_t place, uint32_t bucket) {
    owners_[place] = bucket;
    const uint64_t bit = uint64_t{1} << (place % 64);
    free_[place / 64] = bucket == kNobody ? free_[place / 64] | bit : free_[place / 64] & ~bit;
  }
  void Take(uint32_t bucket, std::size_t size, uint8_t pilot) {
    for (std::size_t i = 0; i < size; ++i) Own(places_[i], bucket);
    pilots_[bucket] = pilot;
  }
  // The first pilot from `pilot` on with which all of `size` keys come to free places, which may meet; kPilots: none.
  // Without a branch per key: which of them fails is anybody's guess.
  template <std::size_t kSize>
  uint32_t FindFree(const uint64_t* keys, std::size_t size, uint32_t pilot) const {
    for (; pilot < kPilots; ++pilot) {
      uint64_t all = 1;
      for (std::size_t i = 0; i < (kSize == 0 ? size : kSize); ++i) {
        const uint32_t place =
            PerfectHash::PlaceOf(keys[i], seed_, static_cast<uint8_t>(pilot), place_count_);
        all &= free_[place / 64] >> (place % 64);
      }
      if ((all & 1) != 0) return pilot;
    }
    return kPilots;
  }
  [[nodiscard]] uint32_t FindFree(std::span<const uint64_t> keys, uint32_t pilot) const {
    switch (keys.size()) {
      case 1:
        return FindFree<1>(keys.data(), 1, pilot);
      case 2:
        return FindFree<2>(keys.data(), 2, pilot);
      case 3:
        return FindFree<3>(keys.data(), 3, pilot);
      default:
        return FindFree<0>(keys.data(), keys.size(), pilot);
    }
  }
  bool TakeFree(uint32_t bucket) {
    const std::span<const uint64_t> keys = KeysOf(bucket);
    Spend(kPilots * keys.size());
    for (uint32_t pilot = 0; (pilot = FindFree(keys, pilot)) < kPilots; ++pilot) {
      const auto byte = static_cast<uint8_t>(pilot);
      if (!Place(keys, byte)) continue;
      Take(bucket, keys.size(), byte);
      return true;
    }
    return false;
  }
  // Sends away those that are cheapest to place again, none of the last ones that came so.
  bool TakeFromOthers(uint32_t bucket) {
    const std::span<const uint64_t> keys = KeysOf(bucket);
    Spend(kPilots * keys.size() * keys.size());
    std::size_t best_cost = SIZE_MAX;
    uint8_t best = 0;
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    const auto start = static_cast<uint32_t>(random_ >> 56);
    for (uint32_t i = 0; i < kPilots && best_cost > 1; ++i) {
      const auto pilot = static_cast<uint8_t>(start + i);
      if (!Place(keys, pilot)) continue;
      std::size_t cost = 0;
      for (std::size_t k = 0; k < keys.size() && cost < best_cost; ++k) {
        const uint32_t owner = owners_[places_[k]];
        if (owner == kNobody) continue;
        const std::size_t size = KeysOf(owner).size();
        const bool recent = std::find(recent_.begin(), recent_.end(), owner) != recent_.end();
        cost += recent ? SIZE_MAX / kBucketSizeMax : size * size;
      }
      if (cost >= best_cost) continue;
      best_cost = cost;
      best = pilot;
    }
    if (best_cost >= SIZE_MAX / kBucketSizeMax) return false;
    Place(keys, best);
    const std::array<uint32_t, kBucketSizeMax> wanted = places_;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const uint32_t owner = owners_[wanted[i]];
      if (owner == kNobody) continue;
      for (const uint64_t key : KeysOf(owner))
        Own(PerfectHash::PlaceOf(key, seed_, pilots_[owner], place_count_), kNobody);
      waiting_.push_back(owner);
    }
    places_ = wanted;
    Take(bucket, keys.size(), best);
    recent_[recent_at_++ % recent_.size()] = bucket;
    return true;
  }

  std::size_t& budget_;
  std::span<const uint64_t> hashes_;
  std::span<const uint32_t> begins_;
  uint32_t place_count_;
  uint64_t seed_;
  std::vector<uint64_t> free_;    // a bit per place: stays in the nearest cache
  std::vector<uint32_t> owners_;  // the bucket that has a place
  std::vector<uint8_t> pilots_;
  std::vector<uint32_t> waiting_;
  std::array<uint32_t, kBucketSizeMax> places_{};
  std::array<uint32_t, 8> recent_{kNobody, kNobody, kNobody, kNobody,
                                  kNobody, kNobody, kNobody, kNobody};
  std::size_t recent_at_ = 0;
  uint64_t random_ = 1;
};

}  // namespace

std::optional<BuiltPerfectHash> BuildPerfectHash(std::span<const uint64_t> hashes, uint32_t depth) {
  if (hashes.empty() || hashes.size() > UINT32_MAX / 2) return std::nullopt;
  if (depth > 0 && (hashes.front() ^ hashes.back()) >> (64 - depth) != 0) return std::nullopt;
  if (std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end()) return std::nullopt;
  const auto keys = static_cast<uint32_t>(hashes.size());
  const auto buckets = static_cast<uint32_t>((hashes.size() + kKeysPerBucket - 1) / kKeysPerBucket);
  const auto place_count = static_cast<uint32_t>(keys + keys / kSlack + 1);

  // Hashes are in order, and so are their buckets.
  std::vector<uint32_t> begins(buckets + 1, 0);
  for (const uint64_t hash : hashes) ++begins[PerfectHash::Scale(hash << depth, buckets) + 1];
  const uint32_t largest = *std::max_element(begins.begin(), begins.end());
  if (largest > kBucketSizeMax) return std::nullopt;
  // The large ones first, while there is room.
  std::array<uint32_t, kBucketSizeMax + 2> starts{};
  for (uint32_t b = 0; b < buckets; ++b) ++starts[largest - begins[b + 1] + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<uint32_t> order(buckets);
  for (uint32_t b = 0; b < buckets; ++b) order[starts[largest - begins[b + 1]]++] = b;
  std::partial_sum(begins.begin(), begins.end(), begins.begin());

  std::size_t budget = kBudgetPerKey * hashes.size() + kBudgetLeast;
  for (int attempt = 0; attempt < kSeeds; ++attempt) {
    const uint64_t seed = static_cast<uint64_t>(attempt) * 0xA0761D6478BD642F;
    Search search(hashes, begins, place_count, seed, &budget);
    if (!search.Run(order)) continue;
    BuiltPerfectHash built;
    built.seed = seed;
    built.pilots = std::move(search.pilots());
    built.detours.assign(place_count - keys, 0);
    uint32_t free = 0;
    for (uint32_t place = keys; place < place_count; ++place) {
      if (search.owners()[place] == kNobody) continue;
      while (search.owners()[free] != kNobody) ++free;
      built.detours[place - keys] = free++;
    }
    built.places.resize(keys);
    for (uint32_t b = 0; b < buckets; ++b) {
      for (uint32_t i = begins[b]; i < begins[b + 1]; ++i) {
        const uint32_t place = PerfectHash::PlaceOf(hashes[i], seed, built.pilots[b], place_count);
        built.places[i] = place < keys ? place : built.detours[place - keys];
      }
    }
    return built;
  }
  return std::nullopt;
}

}  // namespace larder::inline LARDER_ABI
