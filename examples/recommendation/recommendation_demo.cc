// An inference service that ranks products for the households of a shop, while the shop's till sells in a process of its
// own. Every step is one function below, in order; README.md says how to run it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "examples/parts/latency_text.h"
#include "examples/parts/logistic_regression.h"
#include "examples/recommendation/baskets.h"
#include "examples/recommendation/serving.h"
#include "examples/recommendation/till.h"
#include "examples/recommendation/training.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"

namespace recommendation {
namespace {

using larder::FeatureStore;
using larder::Timestamp;

// What was sold before is loaded; what comes after is pushed as it is sold.
constexpr char kOpening[] = "2017-10-01T00:00:00Z";
constexpr char kYearEnd[] = "2018-01-02T00:00:00Z";
constexpr std::size_t kCandidates = 1'000;
constexpr std::size_t kComparedPairs = 2'000;

struct Arguments {
  std::filesystem::path data = "examples/data/complete_journey";
  std::filesystem::path definitions = "examples/recommendation/definitions.json";
  std::filesystem::path out = "build/recommendation";
  Load load;
  double baskets_per_second = 200;
  TillArguments till;  // of the process that is one
};

Timestamp At(const char* text) { return larder::ParseTimestamp(text).value().value; }

absl::StatusOr<FeatureStore> OpenStore(const Arguments& arguments) {
  std::filesystem::remove_all(arguments.out / "store");  // a demo starts anew
  LARDER_ASSIGN_OR_RETURN(FeatureStore store,
                          FeatureStore::Open((arguments.out / "store").string()));
  LARDER_ASSIGN_OR_RETURN(
      larder::Definitions definitions,
      larder::LoadDefinitions(std::filesystem::absolute(arguments.definitions).string()));
  LARDER_RETURN_IF_ERROR(larder::ExpandVariables(
      [&](std::string_view name) -> std::optional<std::string> {
        if (name == "OUT") return std::filesystem::absolute(arguments.out).string();
        if (name == "DATA") return std::filesystem::absolute(arguments.data).string();
        return std::nullopt;
      },
      &definitions));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions, {}, {"demo", "recommendation demo"}).status());
  LARDER_ASSIGN_OR_RETURN(const larder::MaterializeResult loaded, store.Materialize());
  for (const larder::ViewLoad& view : loaded.views)
    std::printf("  %-20s %6zu rows\n", view.view.c_str(), view.rows.written);
  return store;
}

// Trained on August and the first half of September, tested on the rest of September.
absl::StatusOr<Model> TrainModel(const FeatureStore& store, const std::vector<Basket>& baskets,
                                 const std::vector<std::string>& popular) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  const auto between = [&](const char* from, const char* to) -> absl::StatusOr<examples::Examples> {
    LARDER_ASSIGN_OR_RETURN(larder::Batch spine, SpineOf(baskets, popular, At(from), At(to)));
    LARDER_ASSIGN_OR_RETURN(const larder::TrainingSet set, MakeTrainingSet(store, std::move(spine)));
    return examples::ExamplesOf(plan, set, "bought");
  };
  LARDER_ASSIGN_OR_RETURN(const examples::Examples past,
                          between("2017-08-01T00:00:00Z", "2017-09-15T00:00:00Z"));
  LARDER_ASSIGN_OR_RETURN(const examples::Examples later, between("2017-09-15T00:00:00Z", kOpening));
  Model model = Model::Train(past);
  std::vector<float> scores(later.rows());
  model.Score(later.features, scores);
  std::printf(
      "  %zu rows of %zu features; on the %zu rows after them the area under the curve is %.3f\n",
      past.rows(), plan.width(), later.rows(), examples::AreaUnderCurve(scores, later.happened));
  return model;
}

absl::Status Compare(const FeatureStore& store, const std::vector<Basket>& baskets,
                     const std::vector<std::string>& popular, Timestamp instant) {
  LARDER_ASSIGN_OR_RETURN(larder::Batch pairs, PairsAt(baskets, popular, kComparedPairs, instant));
  LARDER_ASSIGN_OR_RETURN(const larder::TrainingSet set, MakeTrainingSet(store, std::move(pairs)));
  LARDER_ASSIGN_OR_RETURN(const Agreement result, CompareWithServing(store, set, instant));
  std::printf("  at %s: %zu values, %zu of them present, %zu differ\n",
              FormatTimestamp(instant).c_str(), result.values, result.present, result.mismatches);
  if (result.mismatches > 0)
    return larder::InternalError("served and trained differ: ", result.first_mismatch);
  return absl::OkStatus();
}

void PrintServed(const Served& served, const Load& load, std::size_t candidates) {
  const larder::LatencyHistogram& latency = served.latency;
  std::printf(
      "  %llu requests of %zu candidates in %zu threads, %.0f a second, commits %llu to %llu\n",
      static_cast<unsigned long long>(latency.count()), candidates, load.threads,
      static_cast<double>(latency.count()) / served.seconds,
      static_cast<unsigned long long>(served.commits_first),
      static_cast<unsigned long long>(served.commits_last));
  const std::string what = larder::Concat("snapshot, features, scores and the best ", kRecommended);
  std::printf("%s", examples::LatencyText(latency, what).c_str());
}

absl::Status ShowShelf(const FeatureStore& store, const Model& model, int64_t household,
                       const std::vector<std::string>& candidates, Timestamp as_of) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  LARDER_ASSIGN_OR_RETURN(Ranker ranker, Ranker::Make(store, plan, model, candidates));
  LARDER_ASSIGN_OR_RETURN(const auto best, ranker.Rank(household, as_of));
  larder::OnlineRequest request;
  request.what.service = "shelf";
  request.as_of = as_of;
  for (const std::size_t i : best) request.rows.push_back({{"product_id", candidates[i]}});
  LARDER_ASSIGN_OR_RETURN(const larder::OnlineResponse shelf, store.GetOnlineFeatures(request));
  std::printf("  for household %lld:\n", static_cast<long long>(household));
  for (std::size_t row = 0; row < shelf.row_count; ++row) {
    const auto text = [&](const char* name) {
      return FormatValue(shelf.Find(name)->values.ValueAt(row));
    };
    std::printf("  %2zu. %-30s %-14s %s\n", row + 1, text("product_type").c_str(),
                text("department").c_str(), text("price").c_str());
  }
  return absl::OkStatus();
}

absl::Status Run(const Arguments& arguments) {
  const std::string transactions = (arguments.data / "cj_transactions_sample.csv.gz").string();
  const Timestamp opening = At(kOpening);
  const Timestamp year_end = At(kYearEnd);
  std::filesystem::create_directories(arguments.out);
  const std::string lines = (arguments.out / "lines.csv").string();

  std::printf("[1] count what was sold before %s\n", kOpening);
  LARDER_ASSIGN_OR_RETURN(const std::vector<Basket> baskets, ReadBaskets(transactions));
  const auto first = static_cast<std::size_t>(
      std::partition_point(baskets.begin(), baskets.end(),
                           [&](const Basket& basket) { return basket.bought_at < opening; }) -
      baskets.begin());
  const std::span<const Basket> before = std::span<const Basket>(baskets).first(first);
  if (before.empty()) return larder::InvalidArgumentError("no baskets before ", kOpening);
  LARDER_RETURN_IF_ERROR(WriteLines(before, lines));
  const std::vector<std::string> candidates = MostSold(before, kCandidates);
  std::set<int64_t> known;
  for (const Basket& basket : before) known.insert(basket.household);
  const std::vector<int64_t> households(known.begin(), known.end());
  std::printf("  %zu baskets of %zu households, and %zu to come\n", first, households.size(),
              baskets.size() - first);

  std::printf("[2] define features and load them\n");
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(arguments));

  std::printf("[3] train a model on what was known before each basket\n");
  LARDER_ASSIGN_OR_RETURN(const Model model, TrainModel(store, baskets, candidates));

  std::printf("[4] compare what is served with a training set of the same instant\n");
  LARDER_RETURN_IF_ERROR(Compare(store, baskets, candidates, opening));

  std::printf("[5] serve, while another process sells %.0f baskets a second\n",
              arguments.baskets_per_second);
  Load load = arguments.load;
  load.as_of = year_end;
  LARDER_ASSIGN_OR_RETURN(
      TillProcess till, TillProcess::Start({(arguments.out / "store").string(), transactions, first,
                                            arguments.baskets_per_second}));
  LARDER_ASSIGN_OR_RETURN(const Served served, Serve(store, model, households, candidates, load));
  LARDER_ASSIGN_OR_RETURN(const std::size_t sold, till.Stop());
  std::printf("  the till sold %zu baskets\n", sold);
  PrintServed(served, load, candidates.size());

  std::printf("[6] write down what was sold, and compare again\n");
  LARDER_RETURN_IF_ERROR(WriteLines(std::span<const Basket>(baskets).first(first + sold), lines));
  LARDER_RETURN_IF_ERROR(Compare(store, baskets, candidates, year_end));
  LARDER_RETURN_IF_ERROR(ShowShelf(store, model, baskets[first].household, candidates, year_end));
  if (sold == 0) return larder::InternalError("the till sold nothing");
  if (served.commits_last == served.commits_first)
    return larder::InternalError("no request saw what the till sold");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--data") arguments.data = value;
    if (flag == "--definitions") arguments.definitions = value;
    if (flag == "--out") arguments.out = value;
    if (flag == "--threads") arguments.load.threads = std::strtoull(value, nullptr, 10);
    if (flag == "--seconds") arguments.load.seconds = std::strtod(value, nullptr);
    if (flag == "--baskets") arguments.baskets_per_second = std::strtod(value, nullptr);
    if (flag == "--till") arguments.till.store = value;
    if (flag == "--file") arguments.till.data = value;
    if (flag == "--first") arguments.till.first = std::strtoull(value, nullptr, 10);
    if (flag == "--rate") arguments.till.rate = std::strtod(value, nullptr);
  }
  const absl::Status status =
      arguments.till.store.empty() ? Run(arguments) : RunTill(arguments.till);
  if (status.ok()) return 0;
  std::fprintf(stderr, "recommendation_demo: %s\n", std::string(larder::MessageOf(status)).c_str());
  return 1;
}

}  // namespace
}  // namespace recommendation

int main(int argc, char** argv) { return recommendation::Main(argc, argv); }
