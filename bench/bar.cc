#include "bar.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <random>

#include "larder/base/text.h"

namespace larder_bench {
namespace {

// Google Benchmark hands its measurement to a reporter; this one keeps it and prints nothing.
class LastRun : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) ns_per_iteration_ = run.GetAdjustedRealTime();
  }
  [[nodiscard]] double ns_per_iteration() const { return ns_per_iteration_; }

 private:
  double ns_per_iteration_ = 0;
};

double NsPerIteration(const Side& side, int64_t iterations) {
  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark("side", side)
      ->Iterations(iterations)
      ->UseRealTime()
      ->Unit(benchmark::kNanosecond);
  LastRun reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter, "all");
  benchmark::ClearRegisteredBenchmarks();
  return reporter.ns_per_iteration();
}

// Runs the side for longer and longer, which also warms it up, until its speed is known well enough: a run that had to
// wait for the processor says too little, so the fastest counts and a long one must confirm it.
int64_t IterationsFor(const Side& side, double seconds) {
  constexpr int64_t kIterationsMax = int64_t{1} << 40;
  int64_t iterations = 1;
  double fastest_ns = std::numeric_limits<double>::infinity();
  while (true) {
    fastest_ns = std::min(fastest_ns, NsPerIteration(side, iterations));
    const auto wanted = static_cast<int64_t>(seconds * 1e9 / std::max(fastest_ns, 0.01));
    if (iterations >= wanted / 4 || iterations >= kIterationsMax) {
      return std::clamp<int64_t>(wanted, 1, kIterationsMax);
    }
    iterations = std::min(wanted / 2 + 1, iterations * 10);
  }
}

const BarSpec* FindSpec(std::string_view id) {
  for (const BarSpec& spec : AllBars()) {
    if (spec.id == id) return &spec;
  }
  return nullptr;
}

BarResult Empty(const BarSpec& spec) {
  BarResult result;
  result.id = std::string(spec.id);
  result.bar = spec.bar;
  result.goal = spec.goal;
  result.unit = std::string(spec.unit);
  return result;
}

std::string Format(const char* format, double a, double b = 0, double c = 0) {
  char text[160];
  std::snprintf(text, sizeof(text), format, a, b, c);
  return text;
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string Short(double number) {
  const double size = std::fabs(number);
  if (size == 0 || size >= 100) return Format("%.0f", number);
  return Format(size < 0.01 ? "%.2g" : "%.3g", number);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  if (n == 0) return 0;
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double MedianBound(std::vector<double> ratios, Sense sense) {
  std::sort(ratios.begin(), ratios.end());
  // The k-th smallest of n is above the median unless fewer than k lie below it: P(Binomial(n, 1/2) < k) >= 0.9.
  const std::size_t n = ratios.size();
  double term = std::pow(0.5, static_cast<double>(n));
  double sum = 0;
  std::size_t k = 0;
  while (k < n && sum < 0.9) {
    sum += term;
    term *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    ++k;
  }
  return sense == Sense::kAtMost ? ratios[k - 1] : ratios[n - k];
}

TimedSide::TimedSide(Side side, double seconds)
    : side_(std::move(side)), iterations_(IterationsFor(side_, seconds)) {}

double TimedSide::Run() const { return NsPerIteration(side_, iterations_); }

PairStats StatsOf(std::span<const double> candidate_ns, std::span<const double> yardstick_ns,
                  Sense sense) {
  LARDER_DCHECK(candidate_ns.size() == yardstick_ns.size());
  std::vector<double> ratios;
  for (std::size_t i = 0; i < candidate_ns.size(); ++i) {
    const double ratio = candidate_ns[i] / yardstick_ns[i];
    ratios.push_back(sense == Sense::kAtMost ? ratio : 1 / ratio);
  }
  PairStats stats;
  stats.median = Median(ratios);
  stats.bound = MedianBound(ratios, sense);
  stats.candidate_ns = Median({candidate_ns.begin(), candidate_ns.end()});
  stats.yardstick_ns = Median({yardstick_ns.begin(), yardstick_ns.end()});
  stats.pairs = static_cast<int>(ratios.size());
  return stats;
}

PairStats StatsOfTotals(std::span<const double> candidate_ns, std::span<const double> yardstick_ns,
                        Sense sense) {
  LARDER_DCHECK(candidate_ns.size() == yardstick_ns.size());
  constexpr std::size_t kRun = 10;
  constexpr int kDraws = 2'000;
  std::vector<double> candidates;  // by run
  std::vector<double> yardsticks;
  for (std::size_t i = 0; i < candidate_ns.size(); ++i) {
    if (i % kRun == 0) {
      candidates.push_back(0);
      yardsticks.push_back(0);
    }
    candidates.back() += candidate_ns[i];
    yardsticks.back() += yardstick_ns[i];
  }
  const auto ratio = [sense](double c, double y) { return sense == Sense::kAtMost ? c / y : y / c; };
  std::mt19937_64 random(90);
  std::uniform_int_distribution<std::size_t> any(0, candidates.size() - 1);
  std::vector<double> drawn;
  for (int draw = 0; draw < kDraws; ++draw) {
    double c = 0;
    double y = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::size_t run = any(random);
      c += candidates[run];
      y += yardsticks[run];
    }
    drawn.push_back(ratio(c, y));
  }
  std::sort(drawn.begin(), drawn.end());
  const double total = std::accumulate(candidates.begin(), candidates.end(), 0.0);
  const double yardstick_total = std::accumulate(yardsticks.begin(), yardsticks.end(), 0.0);
  const auto parts = static_cast<double>(candidate_ns.size());
  PairStats stats;
  stats.median = ratio(total, yardstick_total);
  stats.bound = drawn[static_cast<std::size_t>(kDraws * (sense == Sense::kAtMost ? 0.9 : 0.1))];
  stats.candidate_ns = total / parts;
  stats.yardstick_ns = yardstick_total / parts;
  stats.pairs = static_cast<int>(candidate_ns.size());
  return stats;
}

PairStats MeasurePairs(const Side& candidate, const Side& yardstick, Sense sense,
                       const PairOptions& options) {
  LARDER_DCHECK(options.pairs >= 15);
  const TimedSide timed_candidate(candidate, options.side_seconds);
  const TimedSide timed_yardstick(yardstick, options.side_seconds);
  std::vector<double> candidates;
  std::vector<double> yardsticks;
  for (int pair = 0; pair < options.pairs; ++pair) {
    if (pair % 2 == 0) {
      candidates.push_back(timed_candidate.Run());
      yardsticks.push_back(timed_yardstick.Run());
    } else {
      yardsticks.push_back(timed_yardstick.Run());
      candidates.push_back(timed_candidate.Run());
    }
  }
  return StatsOf(candidates, yardsticks, sense);
}

bool BarRun::Wants(std::string_view id) const {
  const BarSpec* spec = FindSpec(id);
  if (spec == nullptr) return false;
  if (!options_.only.empty() &&
      std::find(options_.only.begin(), options_.only.end(), id) == options_.only.end()) {
    return false;
  }
  if (options_.quick && !spec->in_quick) return false;
  return spec->peer.empty() || options_.peers;
}

PairOptions BarRun::pair_options() const {
  PairOptions options;
  options.pairs = options_.quick ? 15 : 31;
  options.side_seconds = options_.quick ? 0.1 : 0.3;
  return options;
}

absl::Status BarRun::Measure(std::string_view id, const Side& candidate, const Side& yardstick,
                             const std::function<absl::Status()>& compare, std::string_view detail) {
  const BarSpec* spec = FindSpec(id);
  if (spec == nullptr) return larder::InternalError("no such bar: ", id);
  if (compare != nullptr) {
    const absl::Status equal = compare();
    if (!equal.ok()) return larder::Annotate(equal, larder::Concat(id, ": the results differ"));
  }
  const PairStats stats = MeasurePairs(candidate, yardstick, spec->sense, pair_options());
  std::string text = Format("%.0f ns against %.0f ns, %.0f pairs", stats.candidate_ns,
                            stats.yardstick_ns, static_cast<double>(stats.pairs));
  if (!detail.empty()) text += larder::Concat("; ", detail);
  Record(id, stats.median, stats.bound, std::move(text));
  return absl::OkStatus();
}

void BarRun::Record(std::string_view id, double value, double bound, std::string detail) {
  const BarSpec* spec = FindSpec(id);
  if (spec == nullptr) return;
  BarResult result = Empty(*spec);
  result.value = value;
  result.pass = spec->sense == Sense::kAtMost ? bound <= spec->bar : bound >= spec->bar;
  result.detail = larder::Concat("90 % bound ", Short(bound), "; ", detail);
  recorded_.push_back(std::move(result));
}

void BarRun::RecordNotRun(std::string_view id, std::string reason) {
  const BarSpec* spec = FindSpec(id);
  if (spec == nullptr) return;
  BarResult result = Empty(*spec);
  result.detail = larder::Concat("not run: ", reason);
  recorded_.push_back(std::move(result));
}

std::vector<BarResult> BarRun::Results() const {
  std::vector<BarResult> results;
  for (const BarSpec& spec : AllBars()) {
    const auto found =
        std::find_if(recorded_.begin(), recorded_.end(),
                     [&spec](const BarResult& result) { return result.id == spec.id; });
    if (found != recorded_.end()) {
      results.push_back(*found);
      continue;
    }
    BarResult result = Empty(spec);
    const bool chosen =
        options_.only.empty() ||
        std::find(options_.only.begin(), options_.only.end(), spec.id) != options_.only.end();
    if (!chosen) {
      result.detail = "not run: not among --only";
    } else if (options_.quick && !spec.in_quick) {
      result.detail = "not run: left out of --quick";
    } else if (!spec.peer.empty() && !options_.peers) {
      result.detail = larder::Concat("not run: needs --peers (", spec.peer, ")");
    } else {
      result.detail = "not run: no benchmark yet";
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::string BarsToJson(std::span<const BarResult> results) {
  std::string out = "[";
  for (const BarResult& result : results) {
    out += out.size() == 1 ? "\n" : ",\n";
    out += larder::Concat(" {\"id\": ", JsonText(result.id),
                          ", \"value\": ", result.value ? larder::Concat(*result.value) : "null",
                          ", \"bar\": ", result.bar,
                          ", \"goal\": ", result.goal ? larder::Concat(*result.goal) : "null",
                          ", \"unit\": ", JsonText(result.unit),
                          ", \"pass\": ", result.value ? (result.pass ? "true" : "false") : "null",
                          ", \"detail\": ", JsonText(result.detail), "}");
  }
  return out + "\n]\n";
}

std::string BarsToTable(std::span<const BarResult> results) {
  std::string out = "id    value     bar        goal    unit    result   detail\n";
  for (const BarResult& result : results) {
    const BarSpec* spec = FindSpec(result.id);
    const char* sign = spec->sense == Sense::kAtMost ? "<=" : ">=";
    char line[160];
    std::snprintf(line, sizeof(line), "%-5s %-9s %s %-7s %-7s %-7s %-8s ", result.id.c_str(),
                  result.value ? Short(*result.value).c_str() : "-", sign, Short(result.bar).c_str(),
                  result.goal ? Short(*result.goal).c_str() : "", result.unit.c_str(),
                  !result.value ? "not run" : (result.pass ? "pass" : "MISSED"));
    out += line;
    std::string_view detail = result.detail;
    if (detail.substr(0, 9) == "not run: ") detail.remove_prefix(9);
    out += larder::Concat(detail, "\n");
  }
  return out;
}

}  // namespace larder_bench
