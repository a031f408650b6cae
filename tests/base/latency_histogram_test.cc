#include "larder/base/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::LatencyHistogram;

// What the histogram stands for: the sample at the quantile's rank, of all of them sorted.
int64_t Exact(std::vector<int64_t> samples, double quantile) {
  std::sort(samples.begin(), samples.end());
  const auto rank = static_cast<std::size_t>(
      std::max(1.0, std::ceil(quantile * static_cast<double>(samples.size()))));
  return samples[rank - 1];
}

constexpr double kQuantiles[] = {0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

TEST_CASE("percentiles are those of the sorted samples, or less than a 128th above",
          "[base][random]") {
  Random random;
  INFO(random.Describe());
  for (int round = 0; round < 60; ++round) {
    std::vector<int64_t> samples;
    const int64_t size = random.Between(1, round < 20 ? 10 : 20'000);
    const int64_t bits = random.Between(1, 41);
    for (int64_t i = 0; i < size; ++i) {
      samples.push_back(static_cast<int64_t>(random.Bits() >> 22 >> random.Between(0, bits)));
    }
    LatencyHistogram whole;
    LatencyHistogram parts[3];
    for (std::size_t i = 0; i < samples.size(); ++i) {
      whole.Record(samples[i]);
      parts[i % 3].Record(samples[i]);
    }
    LatencyHistogram sum;
    for (const LatencyHistogram& part : parts) sum.Add(part);
    CHECK(whole.count() == samples.size());
    CHECK(whole.min() == *std::min_element(samples.begin(), samples.end()));
    CHECK(whole.max() == *std::max_element(samples.begin(), samples.end()));
    CHECK(sum.mean() == whole.mean());
    for (const double quantile : kQuantiles) {
      INFO(quantile << " of " << samples.size());
      const int64_t exact = Exact(samples, quantile);
      CHECK(whole.ValueAt(quantile) >= exact);
      CHECK(whole.ValueAt(quantile) <= exact + exact / 128);
      CHECK(sum.ValueAt(quantile) == whole.ValueAt(quantile));
    }
    uint64_t counted = 0;
    int64_t low = -1;
    for (int64_t high = 1; low < whole.max(); low = high, high *= 3) {
      counted += whole.CountBetween(low, high);
    }
    CHECK(counted == whole.count());
  }
}

TEST_CASE("times below 256 ns are exact", "[base]") {
  for (int64_t ns = 0; ns < 256; ++ns) {
    LatencyHistogram histogram;
    histogram.Record(ns);
    histogram.Record(1'000'000);
    CHECK(histogram.ValueAt(0.5) == ns);
    CHECK(histogram.CountBetween(ns - 1, ns) == 1);
  }
}

TEST_CASE("no samples, negative times and hours are no special cases to a caller", "[base]") {
  LatencyHistogram histogram;
  CHECK(histogram.ValueAt(0.5) == 0);
  CHECK(histogram.max() == 0);
  CHECK(histogram.mean() == 0);
  histogram.Add(LatencyHistogram());
  CHECK(histogram.count() == 0);
  histogram.Record(-5);
  CHECK(histogram.ValueAt(1) == 0);
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000'000;
  histogram.Record(kDay);
  histogram.Record(kDay / 2);
  CHECK(histogram.max() == kDay);
  CHECK(histogram.ValueAt(0.6) == kDay);
  CHECK(histogram.CountBetween(0, kDay) == 2);
}

TEST_CASE("the picture has steps of 1, 2 and 5 that hold every sample once", "[base]") {
  LatencyHistogram latency;
  CHECK(latency.Steps().empty());
  for (const int64_t ns : {150, 900, 901, 4'900, 1'900'000}) latency.Record(ns);
  const auto steps = latency.Steps();
  REQUIRE(steps.size() == 13);
  CHECK(steps.front().high_ns == 200);
  CHECK(steps.front().count == 1);
  CHECK(steps[2].high_ns == 1000);
  CHECK(steps[2].count == 2);
  CHECK(steps[4].high_ns == 5000);
  CHECK(steps.back().high_ns == 2'000'000);
  uint64_t sum = 0;
  for (const auto& step : steps) sum += step.count;
  CHECK(sum == latency.count());
}

}  // namespace
}  // namespace larder_test
