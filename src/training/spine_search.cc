// Places of many rows in the spine at once, with few branches that nothing predicts.
#include <array>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "training/spine_index.h"

namespace larder::inline LARDER_ABI {
namespace {

// Instants compared at once: as many as most keys have, or more.
constexpr uint32_t kCounted = PartitionIndex::kTimesPadding;

#if defined(__x86_64__)

bool HasWideVectors() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("popcnt") != 0;
}

// slots[i] becomes begins[i] plus how many of the counts[i] times from there on are below limits[i]. Only right where
// counts[i] is at most kCounted.
__attribute__((target("avx2,popcnt"))) void CountBelow(const int64_t* times, const uint32_t* begins,
                                                       const uint32_t* counts, const int64_t* limits,
                                                       std::size_t rows, uint32_t* slots) {
  static_assert(kCounted == 16);
  for (std::size_t i = 0; i < rows; ++i) {
    const __m256i limit = _mm256_set1_epi64x(limits[i]);
    const auto* const four = reinterpret_cast<const __m256i*>(times + begins[i]);
    uint64_t below = 0;
    for (int n = 0; n < 4; ++n) {
      const __m256i is_below = _mm256_cmpgt_epi64(limit, _mm256_loadu_si256(four + n));
      const int bits = _mm256_movemask_pd(_mm256_castsi256_pd(is_below));
      below |= static_cast<uint64_t>(bits) << (4 * n);
    }
    const uint64_t own = (uint64_t{1} << (counts[i] & 31U)) - 1;
    slots[i] = begins[i] + static_cast<uint32_t>(__builtin_popcountll(below & own));
  }
}

#else

bool HasWideVectors() { return false; }
void CountBelow(const int64_t*, const uint32_t*, const uint32_t*, const int64_t*, std::size_t,
                uint32_t*) {}

#endif

}  // namespace

void PartitionIndex::FindSlots(std::span<const KeyedRow> rows, bool after, uint32_t* slots) const {
  static const bool wide = HasWideVectors();
  std::array<uint64_t, kRowsTogether> hashes;
  std::array<uint32_t, kRowsTogether> groups;
  std::array<uint32_t, kRowsTogether> begins{};
  std::array<uint32_t, kRowsTogether> counts{};
  std::array<int64_t, kRowsTogether> limits{};
  const std::size_t row_count = rows.size();
  for (std::size_t i = 0; i < row_count; ++i) hashes[i] = rows[i].hash;
  keys_.FindHashes(std::span(hashes).first(row_count), groups.data());
  for (std::size_t i = 0; i < row_count; ++i) {
    const uint32_t group = groups[i] == 0 ? 0 : groups[i] - 1;
    begins[i] = group_begin_[group];
    counts[i] = groups[i] == 0 ? 0 : group_begin_[group + 1] - begins[i];
    limits[i] = rows[i].time;
    if (after && limits[i] == std::numeric_limits<int64_t>::max()) {
      counts[i] = 0;
    } else if (after) {
      ++limits[i];  // what is not after a time is before the next one
    }
    __builtin_prefetch(slot_times_.data() + begins[i]);
  }
  if (wide) {
    CountBelow(slot_times_.data(), begins.data(), counts.data(), limits.data(), row_count, slots);
  }
  for (std::size_t i = 0; i < row_count; ++i) {
    const uint32_t end = begins[i] + counts[i];
    if (!wide || counts[i] > kCounted)
      slots[i] = static_cast<uint32_t>(FirstSlot(begins[i], end, limits[i], false));
    if (slots[i] == end) slots[i] = kNoSlot;
  }
}

}  // namespace larder::inline LARDER_ABI
