// A row of a written training set against what training and serving give now.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store/explain.h"
#include "larder/schema/feature_status.h"
#include "larder/schema/value.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {

class FeatureStore;

struct DatasetRowRequest {
  DatasetManifest manifest;
  Batch row;                   // one row, with the columns of the file
  std::string feature;         // as ExplainRequest's; empty: all of them
  std::size_t items_max = 20;  // as ExplainRequest's
};

struct DatasetCell {
  std::string feature;
  std::optional<Value> in_dataset;  // absent: the file has no such column
  Value trained;
  FeatureStatus trained_status = FeatureStatus::kNotFound;
  std::optional<Value> served;  // absent: why_not_served says why
  FeatureStatus served_status = FeatureStatus::kNotFound;

  // NaN equals NaN: files keep no payload of it.
  [[nodiscard]] bool is_stale() const;   // the file's is not what training gives now
  [[nodiscard]] bool is_parted() const;  // serving gives another value than training
};

struct DatasetRowExplanation {
  Timestamp as_of;
  std::optional<Timestamp> known_at;  // of both sides: as the set was made
  std::vector<DatasetCell> cells;
  std::string why_not_served;
  // What the set was made from that is otherwise now, a line each, as CompareManifests has it.
  std::vector<std::string> changes;
  // Of the feature asked for, else of the first cell that parted or is stale.
  std::optional<Explanation> trained;
  std::optional<Explanation> served;
  // The first step of each where the two part.
  std::optional<std::pair<std::size_t, std::size_t>> parting;
};

// The first steps of two explanations of one output that differ, whatever versions and events they list: in a key, the row
// that counts, a column, a window, a part of an expression or a feature. nullopt: none.
[[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> FirstDifference(
    const Explanation& a, const Explanation& b);

// Evaluates one row of a training set again, from its sources and from the store.
// Errors: kInvalidArgument when the file has not the columns that keys and request fields need; kNotFound for a service
//   version that was removed; as GetHistoricalFeatures.
[[nodiscard]] absl::StatusOr<DatasetRowExplanation> ExplainDatasetRow(
    const FeatureStore& store, const DatasetRowRequest& request);

}  // namespace larder::inline LARDER_ABI
