#include "bar.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

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

// Runs the side for longer and longer, which also warms it up, until its speed is known well enough.
int64_t IterationsFor(const Side& side, double seconds) {
  int64_t iterations = 1;
  while (true) {
    const double spent = NsPerIteration(side, iterations) * static_cast<double>(iterations) * 1e-9;
    if (spent >= seconds / 4 || iterations > (int64_t{1} << 40)) {
      const double wanted = static_cast<double>(iterations) * seconds / spent;
      return std::max<int64_t>(1, static_cast<int64_t>(wanted));
    }
    iterations *= spent < seconds / 40 ? 10 : 4;
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

std::string Short(double number) {
  const double size = std::fabs(number);
  if (size == 0 || size >= 100) return Format("%.0f", number);
  return Format(size < 0.01 ? "%.2g" : "%.3g", number);
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

PairStats MeasurePairs(const Side& candidate, const Side& yardstick, Sense sense,
                       const PairOptions& options) {
  LARDER_DCHECK(options.pairs >= 15);
  const int64_t candidate_iterations = IterationsFor(candidate, options.side_seconds);
  const int64_t yardstick_iterations = IterationsFor(yardstick, options.side_seconds);
  std::vector<double> ratios;
  std::vector<double> candidates;
  std::vector<double> yardsticks;
  for (int pair = 0; pair < options.pairs; ++pair) {
    double c = 0;
    double y = 0;
    if (pair % 2 == 0) {
      c = NsPerIteration(candidate, candidate_iterations);
      y = NsPerIteration(yardstick, yardstick_iterations);
    } else {
      y = NsPerIteration(yardstick, yardstick_iterations);
      c = NsPerIteration(candidate, candidate_iterations);
    }
    candidates.push_back(c);
    yardsticks.push_back(y);
    ratios.push_back(sense == Sense::kAtMost ? c / y : y / c);
  }
  PairStats stats;
  stats.median = Median(ratios);
  stats.bound = MedianBound(ratios, sense);
  stats.candidate_ns = Median(candidates);
  stats.yardstick_ns = Median(yardsticks);
  stats.pairs = options.pairs;
  return stats;
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
