// A store in a temporary folder with a clock that only moves when told.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"
#include "support/catch.h"

namespace larder_test {

// `2025-01-01T00:00:00Z` and so on; fails the test when it is no instant.
inline larder::Timestamp At(std::string_view text) {
  const auto parsed = larder::ParseTimestamp(text);
  INFO(text);
  REQUIRE(parsed.ok());
  return parsed->value;
}

class TempFolder {
 public:
  // Never one that is there: what a killed test left behind, under a process id that came round again, is not ours.
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "larder_test_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string File(std::string_view name) const { return (path_ / name).string(); }
  void Write(std::string_view name, std::string_view text) const {
    std::ofstream(File(name), std::ios::binary) << text;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class StoreFixture {
 public:
  explicit StoreFixture(std::string_view now = "2025-01-10T00:00:00Z")
      : now_(std::make_shared<larder::Timestamp>(At(now))) {
    larder::StoreOptions options;
    options.clock = [now = now_] { return *now; };
    auto opened = larder::FeatureStore::Open(folder_.File("store"), options);
    INFO(opened.status().ToString());
    REQUIRE(opened.ok());
    store_ = std::make_unique<larder::FeatureStore>(*std::move(opened));
  }

  [[nodiscard]] larder::FeatureStore& store() { return *store_; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  void SetNow(std::string_view now) { *now_ = At(now); }
  void SetNow(larder::Timestamp now) { *now_ = now; }

  [[nodiscard]] larder::Definitions Parse(std::string_view json) const {
    auto definitions = larder::ParseDefinitions(json, "test.json");
    INFO(definitions.status().ToString());
    REQUIRE(definitions.ok());
    definitions->base_path = folder_.path().string();
    return *std::move(definitions);
  }
  larder::ApplyResult Apply(std::string_view json) {
    auto applied = store_->Apply(Parse(json));
    INFO(applied.status().ToString());
    REQUIRE(applied.ok());
    return *std::move(applied);
  }
  larder::MaterializeResult Materialize(larder::MaterializeOptions options = {}) {
    auto loaded = store_->Materialize(options);
    INFO(loaded.status().ToString());
    REQUIRE(loaded.ok());
    return *std::move(loaded);
  }
  larder::PushResult Push(std::string_view source, std::vector<larder::Row> rows) {
    auto pushed = store_->Push(source, rows);
    INFO(pushed.status().ToString());
    REQUIRE(pushed.ok());
    return *std::move(pushed);
  }
  absl::StatusOr<larder::OnlineResponse> TryGet(
      std::vector<std::string> features, std::vector<larder::Row> rows,
      std::optional<larder::Timestamp> as_of = std::nullopt) {
    larder::OnlineRequest request;
    request.what.features = std::move(features);
    request.rows = std::move(rows);
    request.as_of = as_of;
    return store_->GetOnlineFeatures(request);
  }
  larder::OnlineResponse Get(std::vector<std::string> features, std::vector<larder::Row> rows,
                             std::optional<larder::Timestamp> as_of = std::nullopt) {
    auto response = TryGet(std::move(features), std::move(rows), as_of);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return *std::move(response);
  }

 private:
  TempFolder folder_;
  std::shared_ptr<larder::Timestamp> now_;
  std::unique_ptr<larder::FeatureStore> store_;
};

// `name: value STATUS` of one output in one row, for tables: `lon: 1.0 PRESENT`.
inline std::string Shown(const larder::OnlineResponse& response, std::string_view feature,
                         std::size_t row) {
  const larder::FeatureValues* values = response.Find(feature);
  if (values == nullptr) return "no such output";
  return larder::FormatValue(values->values.ValueAt(row)) + " " +
         std::string(larder::FeatureStatusName(values->statuses[row]));
}

// The same of a training set.
inline std::string Shown(const larder::TrainingSet& set, std::string_view feature, std::size_t row) {
  const larder::TrainingFeature* found = set.Find(feature);
  const larder::Column* column = set.rows.Find(feature);
  if (found == nullptr || column == nullptr) return "no such output";
  return larder::FormatValue(column->ValueAt(row)) + " " +
         std::string(larder::FeatureStatusName(found->statuses[row]));
}

}  // namespace larder_test
