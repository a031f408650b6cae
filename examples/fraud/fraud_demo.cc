// Card transactions as a stream, each decided from windows that hold it already, and the alerts counted against what came
// to light later. Every step is one function below, in order; README.md says how to run it.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/fraud/alerts.h"
#include "examples/fraud/deciding.h"
#include "examples/fraud/transactions.h"
#include "examples/parts/latency_text.h"
#include "examples/parts/logistic_regression.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"

namespace fraud {
namespace {

using examples::Examples;
using examples::Model;
using larder::FeatureStore;
using larder::Timestamp;

struct Arguments {
  std::filesystem::path data = "examples/data/sparkov/sparkov_transactions.psv.gz";
  std::filesystem::path definitions = "examples/fraud/definitions.json";
  std::filesystem::path out = "build/fraud";
  // What was before is loaded and trained on; what comes after is the stream.
  std::string opening = "2024-07-01T00:00:00Z";
  DecidingOptions deciding;
};

// The stream's time, which stands still between transactions. A store that lives in 2024 must not drop its events for
// being years old.
using StreamClock = std::shared_ptr<Timestamp>;

absl::StatusOr<FeatureStore> OpenStore(const Arguments& arguments, const StreamClock& clock) {
  std::filesystem::create_directories(arguments.out);
  std::filesystem::remove_all(arguments.out / "store");  // a demo starts anew
  larder::StoreOptions options;
  options.clock = [clock] { return *clock; };
  LARDER_ASSIGN_OR_RETURN(FeatureStore store,
                          FeatureStore::Open((arguments.out / "store").string(), options));
  LARDER_ASSIGN_OR_RETURN(
      larder::Definitions definitions,
      larder::LoadDefinitions(std::filesystem::absolute(arguments.definitions).string()));
  LARDER_RETURN_IF_ERROR(larder::ExpandVariables(
      [&](std::string_view name) -> std::optional<std::string> {
        if (name == "DATA") return std::filesystem::absolute(arguments.data).string();
        return std::nullopt;
      },
      &definitions));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions, {}, {"demo", "fraud demo"}).status());
  larder::MaterializeOptions load;
  load.end = *clock;
  LARDER_ASSIGN_OR_RETURN(const larder::MaterializeResult loaded, store.Materialize(load));
  for (const larder::ViewLoad& view : loaded.views)
    std::printf("  %-22s %7zu transactions\n", view.view.c_str(), view.rows.written);
  return store;
}

// What the store would have said of each transaction when it came.
absl::StatusOr<Examples> ExamplesFrom(const FeatureStore& store,
                                      std::span<const Transaction> transactions) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  larder::HistoricalRequest request;
  request.what.service = kService;
  LARDER_ASSIGN_OR_RETURN(request.spine, SpineOf(transactions));
  request.time_column = "asked_at";
  LARDER_ASSIGN_OR_RETURN(const larder::TrainingSet set, store.GetHistoricalFeatures(request));
  return examples::ExamplesOf(plan, set, "is_fraud");
}

struct Trained {
  Model model;
  float threshold = 0;
};

// The model is made of the first three quarters of the history; the threshold, of the last.
absl::StatusOr<Trained> Train(const FeatureStore& store, std::span<const Transaction> history) {
  const std::size_t first = history.size() * 3 / 4;
  LARDER_ASSIGN_OR_RETURN(const Examples past, ExamplesFrom(store, history.first(first)));
  LARDER_ASSIGN_OR_RETURN(const Examples later, ExamplesFrom(store, history.subspan(first)));
  Trained trained;
  trained.model = Model::Train(past);
  std::vector<float> scores(later.rows());
  trained.model.Score(later.features, scores);
  trained.threshold = BestThreshold(scores, later.happened);
  const AlertCounts counts = CountAlerts(history.subspan(first), scores, trained.threshold);
  std::printf(
      "  %zu transactions of %zu features, %td of them fraud; on the %zu after them the area under "
      "the "
      "curve is %.3f,\n  and the best threshold %.2f has precision %.3f and recall %.3f\n",
      past.rows(), past.width, std::count(past.happened.begin(), past.happened.end(), true),
      later.rows(), examples::AreaUnderCurve(scores, later.happened),
      static_cast<double>(trained.threshold), counts.precision(), counts.recall());
  return trained;
}

// The features that decisions were made from, against a training set of the same requests, bit for bit.
absl::Status Compare(const FeatureStore& store, std::span<const Transaction> stream,
                     const Decisions& decisions) {
  LARDER_ASSIGN_OR_RETURN(const Examples trained, ExamplesFrom(store, stream));
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  std::size_t differ = 0;
  std::size_t present = 0;
  std::string first;
  for (std::size_t i = 0; i < trained.features.size(); ++i) {
    const float served = decisions.features[i];
    const float expected = trained.features[i];
    if (!std::isnan(expected)) ++present;
    if (std::bit_cast<uint32_t>(served) == std::bit_cast<uint32_t>(expected)) continue;
    if (std::isnan(served) && std::isnan(expected)) continue;
    if (differ++ > 0) continue;
    first = larder::Concat(plan.outputs()[i % decisions.width], " of transaction ",
                           stream[i / decisions.width].id, ": decided from ", served, ", trained ",
                           expected);
  }
  std::printf("  %zu values that decisions were made from, %zu of them present, %zu differ\n",
              trained.features.size(), present, differ);
  if (differ > 0) return larder::InternalError("served and trained differ: ", first);
  return absl::OkStatus();
}

absl::Status Run(const Arguments& arguments) {
  std::printf("[1] read the transactions\n");
  LARDER_ASSIGN_OR_RETURN(const larder::ParsedTimestamp opening,
                          larder::ParseTimestamp(arguments.opening));
  LARDER_ASSIGN_OR_RETURN(const std::vector<Transaction> transactions,
                          ReadTransactions(arguments.data.string()));
  const auto first = static_cast<std::size_t>(
      std::partition_point(transactions.begin(), transactions.end(),
                           [&](const Transaction& one) { return one.at < opening.value; }) -
      transactions.begin());
  const std::span<const Transaction> history = std::span(transactions).first(first);
  const std::span<const Transaction> stream = std::span(transactions).subspan(first);
  if (history.empty() || stream.empty())
    return larder::InvalidArgumentError("--opening: no transactions on one side of ",
                                        arguments.opening);
  std::printf("  %zu before %s, %zu to come\n", history.size(), arguments.opening.c_str(),
              stream.size());

  std::printf("[2] define features and load what was before\n");
  const auto clock = std::make_shared<Timestamp>(opening.value);
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments, clock));

  std::printf("[3] train a model on it, by the same definitions\n");
  LARDER_ASSIGN_OR_RETURN(const Trained trained, Train(store, history));

  std::printf("[4] decide on the stream, each transaction from windows that hold it already\n");
  LARDER_ASSIGN_OR_RETURN(const Decisions decisions,
                          Decide(store, trained.model, stream, arguments.deciding,
                                 [clock](Timestamp now) { *clock = now; }));
  if (decisions.pushed.count() > 0)
    std::printf("%s", examples::LatencyText(decisions.pushed, "durable push and decision").c_str());
  if (decisions.staged.count() > 0)
    std::printf("%s", examples::LatencyText(decisions.staged, "staged event and decision").c_str());
  if (decisions.committed.count() > 0) {
    const std::string what =
        larder::Concat("durable commit of ", arguments.deciding.commit_every, " staged events");
    std::printf("%s", examples::LatencyText(decisions.committed, what).c_str());
  }

  std::printf("[5] count the alerts against what came to light later\n");
  std::printf("%s", AlertTable(stream, decisions.scores, trained.threshold).c_str());

  std::printf("[6] compare what decisions were made from with a training set\n");
  return Compare(store, stream, decisions);
}

int Main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--data") arguments.data = value;
    if (flag == "--definitions") arguments.definitions = value;
    if (flag == "--out") arguments.out = value;
    if (flag == "--opening") arguments.opening = value;
    if (flag == "--pushed") arguments.deciding.pushed = std::strtoull(value, nullptr, 10);
    if (flag == "--commit-every")
      arguments.deciding.commit_every = std::strtoull(value, nullptr, 10);
  }
  const absl::Status status = Run(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "fraud_demo: %s\n", std::string(larder::MessageOf(status)).c_str());
  return 1;
}

}  // namespace
}  // namespace fraud

int main(int argc, char** argv) { return fraud::Main(argc, argv); }
