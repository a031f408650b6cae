// larder on real flights: from a definitions file to a training set and to served features, and the proof that the two
// are the same. Run it with ./dev demo; every step is one function below, in order.
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "examples/flights/check.h"
#include "examples/flights/latency.h"
#include "examples/flights/report.h"
#include "examples/flights/spine.h"
#include "larder/feature_store.h"
#include "larder/io/csv_writer.h"
#include "larder/registry/definitions_json.h"

namespace flights {
namespace {

using larder::Batch;
using larder::FeatureStore;
using larder::Timestamp;

constexpr char kService[] = "flight_delay";
// Instants at which data is loaded and every served value is checked: a quiet autumn evening, the day before
// Thanksgiving, two days before Christmas.
constexpr const char* kCuts[] = {"2014-10-16T02:00:00Z", "2014-11-27T00:30:00Z",
                                 "2014-12-23T20:10:00Z"};
constexpr std::size_t kNextFlights = 1'000;

struct Arguments {
  std::filesystem::path data = "examples/data/flights";
  std::filesystem::path definitions = "examples/flights/definitions.json";
  std::filesystem::path out = "build/demo";
};

absl::StatusOr<FeatureStore> OpenStore(const Arguments& arguments) {
  std::filesystem::create_directories(arguments.out);
  std::filesystem::remove_all(arguments.out / "store");  // a demo starts anew
  return FeatureStore::Open((arguments.out / "store").string());
}

absl::Status PlanAndApply(const Arguments& arguments, FeatureStore& store) {
  LARDER_ASSIGN_OR_RETURN(
      const larder::Definitions definitions,
      larder::LoadDefinitions(std::filesystem::absolute(arguments.definitions).string()));
  LARDER_ASSIGN_OR_RETURN(const larder::ChangePlan plan, store.Plan(definitions));
  std::printf("%s", Indented(plan.ToText()).c_str());
  LARDER_ASSIGN_OR_RETURN(const larder::ApplyResult applied,
                          store.Apply(plan, {"demo", "flights demo"}));
  Say("applied as revision %llu", static_cast<unsigned long long>(applied.revision));
  return absl::OkStatus();
}

absl::StatusOr<larder::TrainingSet> MakeTrainingSet(const FeatureStore& store, Batch spine) {
  larder::HistoricalRequest request;
  request.what.service = kService;
  request.spine = std::move(spine);
  request.time_column = "ask_at";
  request.audit = true;  // says which event every value came from
  return store.GetHistoricalFeatures(request);
}

absl::Status WriteCsv(const Batch& rows, const std::filesystem::path& path) {
  std::vector<larder::Field> fields;
  for (std::size_t i = 0; i < rows.column_count(); ++i)
    fields.push_back({rows.name(i), rows.column(i).type(), "", ""});
  larder::CsvWriteOptions options;
  options.durable = false;
  LARDER_ASSIGN_OR_RETURN(const auto writer, larder::CreateCsv(path.string(), fields, options));
  LARDER_RETURN_IF_ERROR(writer->Write(rows));
  return writer->Finish();
}

absl::Status MaterializeTo(FeatureStore& store, Timestamp cut) {
  larder::MaterializeOptions options;
  options.end = cut;
  LARDER_ASSIGN_OR_RETURN(const larder::MaterializeResult loaded, store.Materialize(options));
  PrintLoads(loaded);
  return absl::OkStatus();
}

// The flights asked for in the day before the cut, each at its own instant: rows of the training set itself.
std::vector<std::size_t> AskedInTheDayBefore(const Batch& spine, Timestamp cut) {
  const std::span<const int64_t> times = AskTimes(spine);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (times[row] <= cut.us && times[row] > cut.us - larder::kMicrosPerDay) rows.push_back(row);
  }
  return rows;
}

// The flights that leave next, all asked for at the cut: what a server would score now.
absl::StatusOr<Batch> NextFlightsAskedAt(const Batch& spine, Timestamp cut) {
  const std::span<const int64_t> scheduled = spine.Find("sched_dep_utc")->Values<int64_t>();
  std::multimap<int64_t, std::size_t> next;
  for (std::size_t row = 0; row < scheduled.size(); ++row) {
    if (scheduled[row] > cut.us) next.emplace(scheduled[row], row);
  }
  std::vector<std::size_t> rows;
  for (const auto& [time, row] : next) {
    if (rows.size() == kNextFlights) break;
    rows.push_back(row);
  }
  return TakeRows(spine, rows, &cut);
}

absl::StatusOr<Comparison> LoadAndCompare(FeatureStore& store, const larder::TrainingSet& training,
                                          Batch spine, Timestamp cut) {
  LARDER_RETURN_IF_ERROR(MaterializeTo(store, cut));
  const std::vector<std::size_t> day = AskedInTheDayBefore(spine, cut);
  LARDER_ASSIGN_OR_RETURN(Comparison result, CompareWithServing(store, kService, training, day));

  LARDER_ASSIGN_OR_RETURN(Batch next, NextFlightsAskedAt(spine, cut));
  LARDER_ASSIGN_OR_RETURN(const larder::TrainingSet now, MakeTrainingSet(store, std::move(next)));
  std::vector<std::size_t> all(now.rows.row_count());
  std::iota(all.begin(), all.end(), std::size_t{0});
  LARDER_ASSIGN_OR_RETURN(const Comparison at_cut, CompareWithServing(store, kService, now, all));
  result += at_cut;
  Say("%zu flights asked for in the day before, each at its own instant, and the next %zu flights "
      "at the cut: "
      "%zu values, %zu differ",
      day.size(), all.size(), result.values + result.tensor_values, result.mismatches);
  return result;
}

absl::Status Run(const Arguments& arguments) {
  Step("open a store");
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments));
  Say("%s", (arguments.out / "store").c_str());

  Step("plan and apply the definitions");
  LARDER_RETURN_IF_ERROR(PlanAndApply(arguments, store));

  Step("build a training set: every flight, asked for two hours before it should leave");
  LARDER_ASSIGN_OR_RETURN(const Batch spine,
                          MakeSpine(arguments.data.string(), AskAt::kTwoHoursBefore));
  LARDER_ASSIGN_OR_RETURN(const larder::TrainingSet training, MakeTrainingSet(store, spine));
  PrintTrainingSet(training);
  const std::size_t own_flights = CountOwnFlights(training);
  Say("values that came from the row's own flight (a leak): %zu", own_flights);
  LARDER_RETURN_IF_ERROR(WriteCsv(spine, arguments.out / "spine.csv"));
  LARDER_RETURN_IF_ERROR(WriteCsv(training.rows, arguments.out / "training_set.csv"));

  Comparison compared;
  Timestamp cut;
  for (const char* text : kCuts) {
    Step(larder::Concat("load what was known at ", text, ", serve, compare with training"));
    LARDER_ASSIGN_OR_RETURN(const larder::ParsedTimestamp parsed, larder::ParseTimestamp(text));
    cut = parsed.value;
    LARDER_ASSIGN_OR_RETURN(const Comparison at_cut, LoadAndCompare(store, training, spine, cut));
    compared += at_cut;
  }

  Step("measure serving");
  LARDER_ASSIGN_OR_RETURN(const Latency latency, MeasureLatency(store, kService, spine, cut));

  PrintSummary(
      {training, compared, own_flights, latency, arguments.out, arguments.definitions, kCuts[2]});
  if (compared.mismatches > 0)
    return larder::InternalError("served and trained differ: ", compared.first_mismatch);
  if (own_flights > 0)
    return larder::InternalError(own_flights, " values came from the row's own flight");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--data") arguments.data = argv[i + 1];
    if (flag == "--definitions") arguments.definitions = argv[i + 1];
    if (flag == "--out") arguments.out = argv[i + 1];
  }
  const absl::Status status = Run(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "flights_demo: %s\n", std::string(larder::MessageOf(status)).c_str());
  return 1;
}

}  // namespace
}  // namespace flights

int main(int argc, char** argv) { return flights::Main(argc, argv); }
