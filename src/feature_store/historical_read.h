// One point-in-time join of a service, with all that it was made of: the twin of online_read.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/training_set.h"
#include "larder/training/spine.h"

namespace larder::inline LARDER_ABI {

// Rows of a spine as a service is asked for them.
struct AskedRows {
  Spine spine;
  Batch inputs;  // one column per BoundService::inputs
  std::vector<Timestamp> as_of;

  // Errors: kInvalidArgument for columns that are missing, of other types, or named as a feature; for null instants.
  static absl::StatusOr<AskedRows> Make(const BoundService& service, Batch rows,
                                        const std::string& time_column);
};

struct HistoricalRead : AskedRows {
  ComputedService computed;
  std::vector<TrainingViewReport> reports;  // by use
};

// Errors: as FeatureStore::GetHistoricalFeatures.
[[nodiscard]] absl::StatusOr<HistoricalRead> ReadHistorical(const FeatureStore::Impl& store,
                                                            const BoundService& service,
                                                            const HistoricalRequest& request);

// All but the manifest, and TrainingSet::revision.
[[nodiscard]] absl::StatusOr<TrainingSet> ToTrainingSet(const BoundService& service,
                                                        HistoricalRead read, bool audit);

// How a use is joined: what a request asks for decides known_at and what is excluded.
[[nodiscard]] absl::StatusOr<JoinView> MakeHistoricalJoin(
    const BoundUse& use, const HistoricalRequest& request, const Spine& spine,
    std::span<const Column* const> key_columns);

}  // namespace larder::inline LARDER_ABI
