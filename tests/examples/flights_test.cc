#include <filesystem>
#include <string>
#include <vector>

#include "examples/flights/check.h"
#include "examples/flights/spine.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"
#include "support/catch.h"

namespace {

using flights::AskAt;
using larder::FeatureStore;

const std::string kData = std::string(LARDER_SOURCE_DIR) + "/examples/data/flights";

FeatureStore OpenDemoStore(const std::string& name) {
  const std::string path = std::string(LARDER_BINARY_DIR) + "/tests/examples/" + name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  larder::StoreOptions options;
  options.durability = larder::Durability::kRelaxed;
  FeatureStore store = FeatureStore::Open(path, options).value();
  const auto definitions = larder::LoadDefinitions(std::string(LARDER_SOURCE_DIR) +
                                                   "/examples/flights/definitions.json");
  store.Apply(definitions.value()).value();
  return store;
}

larder::HistoricalRequest RequestFor(AskAt ask_at) {
  larder::HistoricalRequest request;
  request.what.service = "flight_delay";
  request.spine = flights::MakeSpine(kData, ask_at).value();
  request.time_column = "ask_at";
  request.audit = true;
  return request;
}

}  // namespace

TEST_CASE("asked two hours before departure, no flight contributes to its own features",
          "[examples][leak]") {
  const FeatureStore store = OpenDemoStore("leak_none");
  const larder::TrainingSet training =
      store.GetHistoricalFeatures(RequestFor(AskAt::kTwoHoursBefore)).value();
  CHECK(training.rows.row_count() == 38'666);
  CHECK(flights::CountOwnFlights(training) == 0);

  // The count can only be trusted if there was something to count.
  const larder::TrainingFeature& delay = *training.Find("last_dep_delay");
  CHECK(delay.event_ids.size() == 38'666);
  CHECK(delay.event_ids.CountNulls() < 5'000);
  CHECK(training.Find("last_arr_delay")->event_ids.CountNulls() < 5'000);
}

TEST_CASE("asked at arrival, flights do contribute to their own features, and the audit says so",
          "[examples][leak]") {
  const FeatureStore store = OpenDemoStore("leak_arrival");
  const larder::TrainingSet training =
      store.GetHistoricalFeatures(RequestFor(AskAt::kArrival)).value();
  CHECK(training.rows.row_count() == 38'470);
  // Whenever the flight is the last of its carrier to land: nearly always.
  CHECK(flights::CountOwnFlights(training) > 30'000);
}

TEST_CASE("a spine said to be drawn from a view's own source is refused without exclude_self",
          "[examples][leak]") {
  const FeatureStore store = OpenDemoStore("leak_refused");
  larder::HistoricalRequest request = RequestFor(AskAt::kArrival);
  request.spine_sources = {"arrivals"};
  const auto training = store.GetHistoricalFeatures(request);
  REQUIRE_FALSE(training.ok());
  CHECK(absl::IsInvalidArgument(training.status()));
  CHECK_THAT(std::string(training.status().message()),
             larder_test::ContainsSubstring("exclude_self"));
}

TEST_CASE("a training set's value that serving would not give is found", "[examples]") {
  FeatureStore store = OpenDemoStore("mismatch");
  larder::MaterializeOptions options;
  options.end = larder::ParseTimestamp("2014-11-27T00:30:00Z").value().value;
  store.Materialize(options).value();

  larder::HistoricalRequest request = RequestFor(AskAt::kTwoHoursBefore);
  const std::vector<std::size_t> first = {0, 1, 2, 3};
  const larder::Timestamp cut = *options.end;
  request.spine = flights::TakeRows(request.spine, first, &cut).value();
  larder::TrainingSet training = store.GetHistoricalFeatures(request).value();
  CHECK(flights::CompareWithServing(store, "flight_delay", training, first).value().mismatches == 0);

  for (std::size_t i = 0; i < training.rows.column_count(); ++i) {
    if (training.rows.name(i) == "last_arr_delay")
      training.rows.mutable_column(i).MutableValues<double>()[2] += 1e-9;
  }
  const flights::Comparison found =
      flights::CompareWithServing(store, "flight_delay", training, first).value();
  CHECK(found.mismatches >= 1);
  CHECK_THAT(found.first_mismatch, larder_test::ContainsSubstring("last_arr_delay"));
}
