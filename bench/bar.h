// Bars: how fast larder must be, each a ratio against a yardstick measured in the same run.
//
// A bar is decided like this: candidate and yardstick run alternately in at least 15 pairs, the value is the median of
// the pairs' ratios, and the bar holds when the 90 % bound of that median does. README.md says how to read the result.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/status.h"

namespace larder_bench {

enum class Sense : uint8_t { kAtMost, kAtLeast };

// One row of the table of bars, as agreed: numbers here are never loosened to make one pass.
struct BarSpec {
  std::string_view id;
  std::string_view what;
  std::string_view yardstick;
  Sense sense = Sense::kAtMost;
  double bar = 0;
  std::optional<double> goal = std::nullopt;
  std::string_view unit = "x";
  bool in_quick = true;        // --quick runs it too
  std::string_view peer = {};  // the program it is compared with, if not larder's own yardstick
};

// Every bar there is, in the order they are printed.
[[nodiscard]] std::span<const BarSpec> AllBars();

struct BarResult {
  std::string id;
  std::optional<double> value;  // absent: not run, and `detail` says why
  double bar = 0;
  std::optional<double> goal;
  std::string unit;
  bool pass = false;
  std::string detail;
};

struct BenchOptions {
  bool quick = false;  // fewer repetitions, no peers; never a smaller size than the bar names
  bool peers = false;
  std::vector<std::string> only;  // ids; empty: all
  std::string scratch;            // an empty folder that the run may fill
};

// One side of a pair: `for (auto _ : state) ...`, one operation per iteration. Setting up belongs outside the loop.
using Side = std::function<void(benchmark::State&)>;

struct PairOptions {
  int pairs = 15;  // at least 15
  double side_seconds =
      0.25;  // how long a side runs in each pair; iterations are chosen once, before the pairs
};

struct PairStats {
  double median = 0;        // of candidate / yardstick, or of yardstick / candidate under kAtLeast
  double bound = 0;         // the 90 % bound of the median on the bar's side
  double candidate_ns = 0;  // medians per operation
  double yardstick_ns = 0;
  int pairs = 0;
};

// A side and how many of its operations take about `seconds`; finding that out warms it up.
class TimedSide {
 public:
  TimedSide(Side side, double seconds);
  // Runs it once more. Nanoseconds per operation.
  [[nodiscard]] double Run() const;

 private:
  Side side_;
  int64_t iterations_ = 1;
};

// Requires: pairs >= 15.
[[nodiscard]] PairStats MeasurePairs(const Side& candidate, const Side& yardstick, Sense sense,
                                     const PairOptions& options);

// The 90 % bound of the median of `ratios`, free of assumptions about their distribution: the order statistic that
// lies beyond the true median in at least 90 of 100 samples.
[[nodiscard]] double MedianBound(std::vector<double> ratios, Sense sense);
[[nodiscard]] double Median(std::vector<double> values);
// For ratios that a group took itself.
[[nodiscard]] PairStats StatsOf(std::span<const double> candidate_ns,
                                std::span<const double> yardstick_ns, Sense sense);
// The same for work whose cost comes in lumps, such as compaction: the ratio of the totals. The two sides' parts stand in
// the order they were run; the bound is found by drawing runs of ten parts again and again.
[[nodiscard]] PairStats StatsOfTotals(std::span<const double> candidate_ns,
                                      std::span<const double> yardstick_ns, Sense sense);
// Three significant digits.
[[nodiscard]] std::string Short(double number);

// What a group of bars works with: which are wanted, and where results go.
class BarRun {
 public:
  explicit BarRun(BenchOptions options) : options_(std::move(options)) {}

  [[nodiscard]] const BenchOptions& options() const { return options_; }
  [[nodiscard]] bool Wants(std::string_view id) const;
  [[nodiscard]] PairOptions pair_options() const;

  // Measures bar `id` and records it. `compare` runs before the pairs and must find both sides' results equal; an error
  // of it fails the whole run. `detail` is added to what the harness itself says.
  absl::Status Measure(std::string_view id, const Side& candidate, const Side& yardstick,
                       const std::function<absl::Status()>& compare, std::string_view detail = {});
  // The same for a bar that a group measured in its own way. `bound` decides.
  void Record(std::string_view id, double value, double bound, std::string detail);
  void RecordNotRun(std::string_view id, std::string reason);

  // One result per bar of AllBars(), those nobody recorded as not run.
  [[nodiscard]] std::vector<BarResult> Results() const;

 private:
  BenchOptions options_;
  std::vector<BarResult> recorded_;
};

// Groups: each makes its data once and measures the bars it knows, if wanted.
absl::Status RunScaleBars(BarRun& run);

// bars.json and the printed table.
[[nodiscard]] std::string BarsToJson(std::span<const BarResult> results);
[[nodiscard]] std::string BarsToTable(std::span<const BarResult> results);

}  // namespace larder_bench
