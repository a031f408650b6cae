#include "cli/bench_output.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "cli/console.h"
#include "cli/json_writer.h"
#include "cli/percent.h"
#include "cli/table.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

constexpr std::size_t kBarWidth = 50;

struct Percentile {
  const char* name;
  const char* key;
  double quantile;
};
constexpr Percentile kPercentiles[] = {
    {"p50", "p50_us", 0.5},       {"p90", "p90_us", 0.9},          {"p99", "p99_us", 0.99},
    {"p99.9", "p99_9_us", 0.999}, {"p99.99", "p99_99_us", 0.9999}, {"max", "max_us", 1},
};

std::string Rounded(double number, int decimals) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.*f", decimals, number);
  return buffer;
}

// 1234567 as 1,234,567.
std::string Grouped(double number) {
  std::string digits = Rounded(number, 0);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}
std::string Grouped(uint64_t number) { return Grouped(static_cast<double>(number)); }

double PerSecond(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string Picture(const LatencyHistogram& latency) {
  const std::vector<LatencyHistogram::Step> steps = latency.Steps();
  uint64_t highest = 1;
  for (const LatencyHistogram::Step& step : steps) highest = std::max(highest, step.count);
  Table table({"up to", "requests", "share", ""});
  for (const LatencyHistogram::Step& step : steps) {
    const double share = static_cast<double>(step.count) / static_cast<double>(latency.count());
    const double size =
        static_cast<double>(step.count) / static_cast<double>(highest) * double{kBarWidth};
    // What is there at all is seen.
    const auto marks = static_cast<std::size_t>(std::ceil(size));
    table.AddRow({LatencyText(static_cast<double>(step.high_ns)), Grouped(step.count),
                  Concat(Rounded(share * 100, share < 0.001 ? 4 : 1), "%"),
                  std::string(marks, '#')});
  }
  return table.ToText();
}

std::string StatusLine(const ServingCheck& check) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < check.statuses.size(); ++i) {
    if (check.statuses[i] == 0) continue;
    parts.push_back(Concat(FeatureStatusName(static_cast<FeatureStatus>(i)), " ",
                           PercentText(check.statuses[i], check.values)));
  }
  return Join(parts, ", ");
}

double Micros(int64_t ns) { return static_cast<double>(ns) / 1000; }

}  // namespace

std::string LatencyText(double ns) {
  constexpr struct {
    double size;
    const char* name;
  } kUnits[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
  for (const auto& unit : kUnits) {
    const double number = ns / unit.size;
    if (number < 0.9995 && unit.size > 1) continue;
    const int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    return Concat(Rounded(number, unit.size == 1 ? 0 : decimals), " ", unit.name);
  }
  return "0 ns";
}

std::string BenchText(const BenchReport& report) {
  const LoadResult& load = report.load;
  const LatencyHistogram& latency = load.latency;
  std::string out = Concat(
      Printable(report.service), ": ", report.features, " features, ", report.shape.batch,
      report.shape.batch == 1 ? " entity" : " entities", " a request, ", report.shape.threads,
      report.shape.threads == 1 ? " thread" : " threads",
      report.shape.rate > 0 ? Concat(", ", Grouped(report.shape.rate), " requests/s asked for")
                            : std::string(),
      ", ", Rounded(load.seconds, 1), " s\n");
  out += Concat("keys: ", Grouped(report.keys), " stored ones, ",
                report.skew == 0 ? std::string("uniform") : Concat("zipf ", report.skew), ", seed ",
                report.shape.seed, "\n\n");
  Table table({"latency", ""});
  for (const Percentile& p : kPercentiles)
    table.AddRow({p.name, LatencyText(static_cast<double>(latency.ValueAt(p.quantile)))});
  out += table.ToText();
  out.push_back('\n');
  if (latency.count() > 0) {
    out += Picture(latency);
    out.push_back('\n');
  }

  Table rest({});
  rest.AddRow(
      {"throughput", Concat(Grouped(PerSecond(latency.count(), load.seconds)), " requests/s, ",
                            Grouped(PerSecond(latency.count() * report.shape.batch, load.seconds)),
                            " entities/s")});
  rest.AddRow(
      {"processor", Concat(Rounded(load.cpu_seconds, 2), " s of ",
                           Rounded(load.seconds * static_cast<double>(report.shape.threads), 2),
                           " s, taken away ", Grouped(load.switches), " times")});
  rest.AddRow({"page faults", Concat(Grouped(load.minor_faults), " minor, ",
                                     Grouped(load.major_faults), " read from disk")});
  rest.AddRow({"commits served", load.commits_first == load.commits_last
                                     ? Concat(load.commits_last)
                                     : Concat(load.commits_first, " to ", load.commits_last)});
  if (report.shape.rate > 0) rest.AddRow({"begun late", Concat(Grouped(load.late), " requests")});
  if (report.writer.has_value()) {
    const WriterResult& writer = *report.writer;
    rest.AddRow(
        {"writer", Concat("a ", report.writer_kind, ", source ", writer.source, ": ",
                          Grouped(PerSecond(writer.rows, writer.seconds)), " rows/s of ",
                          Grouped(report.writes), " asked for, ", Grouped(writer.pushes),
                          " pushes, each ", LatencyText(static_cast<double>(writer.push_p50_ns)),
                          " (p99 ", LatencyText(static_cast<double>(writer.push_p99_ns)), ", max ",
                          LatencyText(static_cast<double>(writer.push_max_ns)), ")")});
  }
  rest.AddRow({"checked", Concat(Grouped(report.check.values), " values against online reads: ",
                                 report.check.mismatches == 0
                                     ? std::string("all equal")
                                     : Concat(Grouped(report.check.mismatches), " differ"))});
  rest.AddRow({"of them", StatusLine(report.check)});
  out += rest.ToText();
  return out;
}

std::string BenchJson(const BenchReport& report) {
  const LoadResult& load = report.load;
  const LatencyHistogram& latency = load.latency;
  JsonWriter json;
  json.BeginObject();
  json.Member("service", report.service);
  json.Member("features", report.features);
  json.Member("keys", report.keys);
  json.Member("zipf", report.skew);
  json.Member("seed", report.shape.seed);
  json.Member("threads", report.shape.threads);
  json.Member("batch", report.shape.batch);
  json.Member("rate", report.shape.rate);
  json.Member("seconds", load.seconds);
  json.Member("requests", latency.count());
  json.Member("requests_per_second", PerSecond(latency.count(), load.seconds));
  json.Member("entities_per_second", PerSecond(latency.count() * report.shape.batch, load.seconds));
  json.Key("latency");
  json.BeginObject();
  json.Member("min_us", Micros(latency.min()));
  json.Member("mean_us", latency.mean() / 1000);
  for (const Percentile& p : kPercentiles) json.Member(p.key, Micros(latency.ValueAt(p.quantile)));
  json.EndObject();
  json.Key("histogram");
  json.BeginArray();
  for (const LatencyHistogram::Step& step : latency.Steps()) {
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("up_to_us", Micros(step.high_ns));
    json.Member("requests", step.count);
    json.EndObject();
  }
  json.EndArray();
  json.Member("errors", load.errors);
  json.Member("late", load.late);
  json.Member("cpu_seconds", load.cpu_seconds);
  json.Member("involuntary_switches", load.switches);
  json.Member("minor_faults", load.minor_faults);
  json.Member("major_faults", load.major_faults);
  json.Member("commits_first", load.commits_first);
  json.Member("commits_last", load.commits_last);
  if (report.writer.has_value()) {
    const WriterResult& writer = *report.writer;
    json.Key("writer");
    json.BeginObject();
    json.Member("kind", report.writer_kind);
    json.Member("source", writer.source);
    json.Member("rows_per_second_asked", report.writes);
    json.Member("rows_per_second", PerSecond(writer.rows, writer.seconds));
    json.Member("rows", writer.rows);
    json.Member("pushes", writer.pushes);
    json.Member("written", writer.written);
    json.Member("not_newer", writer.not_newer);
    json.Member("push_p50_us", Micros(writer.push_p50_ns));
    json.Member("push_p99_us", Micros(writer.push_p99_ns));
    json.Member("push_max_us", Micros(writer.push_max_ns));
    json.EndObject();
  }
  json.Key("check");
  json.BeginObject();
  json.Member("values", report.check.values);
  json.Member("mismatches", report.check.mismatches);
  for (std::size_t i = 0; i < report.check.statuses.size(); ++i) {
    if (report.check.statuses[i] > 0)
      json.Member(FeatureStatusName(static_cast<FeatureStatus>(i)), report.check.statuses[i]);
  }
  json.EndObject();
  json.EndObject();
  return std::move(json).Finish();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
