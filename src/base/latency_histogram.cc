#include "larder/base/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace larder::inline LARDER_ABI {

std::size_t LatencyHistogram::BucketOf(uint64_t ns) {
  if (ns < 2 * kSub) return static_cast<std::size_t>(ns);
  const int shift = static_cast<int>(std::bit_width(ns)) - (kSubBits + 1);
  // ns >> shift has its top bit at kSubBits, so rows follow one another without a gap.
  const std::size_t bucket =
      static_cast<std::size_t>(shift) * kSub + static_cast<std::size_t>(ns >> shift);
  return std::min(bucket, kBuckets - 1);
}

int64_t LatencyHistogram::HighestIn(std::size_t bucket) {
  if (bucket < 2 * kSub) return static_cast<int64_t>(bucket);
  const std::size_t shift = bucket / kSub - 1;
  const uint64_t lowest = static_cast<uint64_t>(bucket - shift * kSub) << shift;
  return static_cast<int64_t>(lowest + (uint64_t{1} << shift) - 1);
}

void LatencyHistogram::Record(int64_t ns) {
  ns = std::max<int64_t>(ns, 0);
  ++counts_[BucketOf(static_cast<uint64_t>(ns))];
  min_ = count_ == 0 ? ns : std::min(min_, ns);
  max_ = std::max(max_, ns);
  sum_ += static_cast<uint64_t>(ns);
  ++count_;
}

void LatencyHistogram::Add(const LatencyHistogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

int64_t LatencyHistogram::ValueAt(double quantile) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  const uint64_t rank = std::clamp<uint64_t>(wanted, 1, std::max<uint64_t>(count_, 1));
  if (rank == count_) return max_;
  uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return i + 1 == kBuckets ? max_ : std::min(HighestIn(i), max_);
  }
  return max_;
}

uint64_t LatencyHistogram::CountBetween(int64_t low, int64_t high) const {
  uint64_t found = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] == 0) continue;
    // The last bucket has no end of its own.
    const int64_t at = i + 1 == kBuckets ? max_ : std::min(HighestIn(i), max_);
    if (at > low && at <= high) found += counts_[i];
  }
  return found;
}

std::vector<LatencyHistogram::Step> LatencyHistogram::Steps() const {
  std::vector<Step> steps;
  int64_t low = -1;
  int64_t high = 100;
  for (int i = 0; count_ > 0 && low < max_; ++i) {
    const uint64_t count = CountBetween(low, high);
    if (count > 0 || !steps.empty()) steps.push_back({low, high, count});
    low = high;
    high = i % 3 == 1 ? high / 2 * 5 : high * 2;  // 1, 2, 5, 10
  }
  return steps;
}

}  // namespace larder::inline LARDER_ABI
