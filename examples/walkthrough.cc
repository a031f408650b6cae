// The whole of larder in three calls: create features, train on them, serve them. Run it from the repository's root.
#include <cstdio>
#include <filesystem>
#include <string>

#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"

using namespace larder;  // NOLINT(google-build-using-namespace): a page to read, not a header

namespace {

void Print(const Batch& rows) {
  for (std::size_t i = 0; i < rows.column_count(); ++i) {
    std::printf(i + 1 < rows.column_count() ? "%-22s" : "%s\n", rows.name(i).c_str());
  }
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    for (std::size_t i = 0; i < rows.column_count(); ++i) {
      const std::string text = FormatValue(rows.column(i).ValueAt(row));
      std::printf(i + 1 < rows.column_count() ? "%-22s" : "%s\n", text.c_str());
    }
  }
}

absl::Status WalkThrough(const std::string& data, const StoreOptions& options) {
  const std::string path = std::filesystem::temp_directory_path() / "larder-walkthrough";
  std::filesystem::remove_all(path);
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, FeatureStore::Open(path, options));

  // 1. Create the features that features.json defines, and load their data.
  LARDER_ASSIGN_OR_RETURN(Definitions definitions, LoadDefinitions(data + "/features.json"));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
  LARDER_RETURN_IF_ERROR(store.Materialize().status());

  // 2. Train: for every row of training_dataset what was known of the user at that moment.
  HistoricalRequest training;
  training.what.features = {"users:user_age", "users:user_age_years", "purchases:purchase_history"};
  LARDER_RETURN_IF_ERROR(store.LoadSpine(data + "/training_dataset.csv", &training));
  LARDER_ASSIGN_OR_RETURN(TrainingSet training_set, store.GetHistoricalFeatures(training));
  Print(training_set.rows);

  // 3. Serve: the same feature, now.
  OnlineRequest request;
  request.what.features = {"users:user_age"};
  request.rows = {{{"user_id", 12345}}};
  LARDER_ASSIGN_OR_RETURN(OnlineResponse response, store.GetOnlineFeatures(request));
  const FeatureValues& age = *response.Find("user_age");
  std::printf("\nuser 12345 at %s: user_age %s %s\n", FormatTimestamp(response.as_of).c_str(),
              FormatValue(age.values.ValueAt(0)).c_str(),
              std::string(FeatureStatusName(age.statuses[0])).c_str());
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  StoreOptions options;
  options.clock = [] {
    return Timestamp{1'740'830'400'000'000};
  };  // always noon of 2025-03-01, so that output is stable
  const absl::Status status = WalkThrough(argc > 1 ? argv[1] : "examples/walkthrough", options);
  if (!status.ok())
    std::fprintf(stderr, "walkthrough: %s\n", std::string(MessageOf(status)).c_str());
  return status.ok() ? 0 : 1;
}
