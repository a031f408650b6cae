#include "examples/flights/report.h"

#include <array>
#include <chrono>
#include <cstdarg>
#include <cstdio>

#include "larder/base/text.h"

namespace flights {
namespace {

using larder::FeatureStatus;

double SecondsSinceStart() {
  static const auto started = std::chrono::steady_clock::now();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
  return spent.count();
}

// 38666 as 38,666.
std::string Grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

double SizeOnDisk(const std::filesystem::path& folder) {
  double bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  }
  return bytes;
}

void PrintPercentiles(const char* what, const Percentiles& p) {
  std::printf("  %-22s p50 %8.2f us   p99 %8.2f us   p99.9 %8.2f us   (%s times)\n", what, p.p50_us,
              p.p99_us, p.p999_us, Grouped(p.samples).c_str());
}

}  // namespace

void Step(std::string_view what) {
  static int number = 0;
  std::printf("\n[%d] %s  (%.1f s)\n", ++number, std::string(what).c_str(), SecondsSinceStart());
  std::fflush(stdout);
}

void Say(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::fputs("  ", stdout);
  std::vprintf(format, arguments);
  std::fputs("\n", stdout);
  va_end(arguments);
}

std::string Indented(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && c != '\n') out += "  ";
    out += c;
    line_start = c == '\n';
  }
  if (!line_start) out += '\n';
  return out;
}

void PrintLoads(const larder::MaterializeResult& loaded) {
  for (const larder::ViewLoad& view : loaded.views) {
    const auto skipped = view.rows.rejected_count() + static_cast<std::size_t>(view.rows_bad);
    Say("%-22s %6s rows: %6s written, %6s older or known, %6s after the cut, %3s without event "
        "time",
        view.view.c_str(), Grouped(static_cast<std::size_t>(view.rows_read)).c_str(),
        Grouped(view.rows.written).c_str(), Grouped(view.rows.older + view.rows.duplicate).c_str(),
        Grouped(static_cast<std::size_t>(view.rows_outside)).c_str(), Grouped(skipped).c_str());
  }
}

void PrintTrainingSet(const larder::TrainingSet& training) {
  Say("%s rows, %zu features from %zu views", Grouped(training.rows.row_count()).c_str(),
      training.features.size(), training.views.size());
  std::printf("  %-22s %9s %11s %16s %10s\n", "", "PRESENT", "NULL_VALUE", "OUTSIDE_MAX_AGE",
              "NOT_FOUND");
  for (const larder::TrainingFeature& feature : training.features) {
    std::array<std::size_t, 5> counts{};
    for (const FeatureStatus status : feature.statuses) ++counts[static_cast<std::size_t>(status)];
    const auto count = [&counts](FeatureStatus status) {
      return Grouped(counts[static_cast<std::size_t>(status)]);
    };
    std::printf("  %-22s %9s %11s %16s %10s\n", feature.name.c_str(),
                count(FeatureStatus::kPresent).c_str(), count(FeatureStatus::kNullValue).c_str(),
                count(FeatureStatus::kOutsideMaxAge).c_str(),
                count(FeatureStatus::kNotFound).c_str());
  }
}

void PrintSummary(const Summary& summary) {
  const std::string out = summary.out.string();
  const std::string store = (summary.out / "store").string();
  std::printf("\n---- summary  (%.1f s)\n", SecondsSinceStart());
  std::printf("  training set           %s rows x %zu features; own-flight values: %zu\n",
              Grouped(summary.training.rows.row_count()).c_str(), summary.training.features.size(),
              summary.own_flights);
  std::printf(
      "  served = trained       %s values and %s tensor cells in %s requests; different: %zu\n",
      Grouped(summary.compared.values).c_str(), Grouped(summary.compared.tensor_values).c_str(),
      Grouped(summary.compared.requests).c_str(), summary.compared.mismatches);
  PrintPercentiles("serving one flight", summary.latency.request);
  PrintPercentiles("serving 1,000 flights", summary.latency.thousand);
  std::printf("  store                  %.1f MB in %s\n", SizeOnDisk(summary.out / "store") / 1e6,
              store.c_str());

  std::printf("\n---- look at\n");
  const auto file = [](const std::string& path, const char* what) {
    std::printf("  %-40s %s\n", path.c_str(), what);
  };
  file(summary.definitions.string(), "the definitions: sources, expressions, the service");
  file(out + "/training_set.csv", "the training set");
  file("examples/flights/flights_demo.cc", "this program");

  std::printf(
      "\n---- try next\n"
      "  export LARDER_STORE=%s PATH=$PWD/build/release/bin:$PATH\n"
      "  larder list\n"
      "  larder describe flight_delay\n"
      "  larder get-online-features --service flight_delay --key origin=SEA --key carrier=AS --key "
      "dest=ORD \\\n"
      "      --request distance=1721 --request sched_dep_utc=2014-12-23T22:00:00Z --as-of %s\n"
      "  larder get-historical-features --service flight_delay --spine %s/spine.csv --time ask_at "
      "\\\n"
      "      --output %s/again.csv && cmp %s/again.csv %s/training_set.csv\n",
      store.c_str(), std::string(summary.last_cut).c_str(), out.c_str(), out.c_str(), out.c_str(),
      out.c_str());
}

}  // namespace flights
