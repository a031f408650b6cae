// Counts of times, for percentiles.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Nanoseconds in buckets whose width is at most 1/128 of what they hold; times below 256 ns are exact. Holds as many
// samples as one likes in 37 kB, so that a rare slow one is never dropped.
//
// Threads: thread-compatible: one per thread, added up afterwards.
class LatencyHistogram {
 public:
  LatencyHistogram() : counts_(kBuckets) {}

  // Negative times count as 0, and those above an hour or so in the last bucket; max() is exact in any case.
  // Cost: a few nanoseconds; no allocation.
  void Record(int64_t ns);
  void Add(const LatencyHistogram& other);

  [[nodiscard]] uint64_t count() const { return count_; }
  // 0 when there are no samples.
  [[nodiscard]] int64_t min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] int64_t max() const { return max_; }
  [[nodiscard]] double mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  // A time that at least the share `quantile` of samples do not exceed: of the sample there if all were sorted, at most
  // 1/128 too high. 0.5 is the median, 1 the maximum; 0 when there are no samples. Requires: 0 <= quantile <= 1.
  [[nodiscard]] int64_t ValueAt(double quantile) const;
  // Samples in (low, high], as exact as the buckets are: a bucket counts where its highest value is.
  [[nodiscard]] uint64_t CountBetween(int64_t low, int64_t high) const;

  // For a picture: samples in (low_ns, high_ns].
  struct Step {
    int64_t low_ns = 0;
    int64_t high_ns = 0;
    uint64_t count = 0;
  };
  // In steps of 1, 2 and 5 times a power of ten, 100 ns the lowest; from the first with a sample to the last.
  [[nodiscard]] std::vector<Step> Steps() const;

 private:
  static constexpr int kSubBits = 7;
  static constexpr int kTopBits = 42;  // 2^42 ns: 73 minutes
  static constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  // Two rows of kSub exact values, then kSub buckets for each further power of two.
  static constexpr std::size_t kBuckets = kSub * (kTopBits - kSubBits + 1);
  static std::size_t BucketOf(uint64_t ns);
  static int64_t HighestIn(std::size_t bucket);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  int64_t min_ = 0;
  int64_t max_ = 0;
};

}  // namespace larder::inline LARDER_ABI
