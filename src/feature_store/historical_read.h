// One point-in-time join of a service, with all that it was made of: the twin of online_read.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "feature_store/source_batches.h"
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
  std::optional<uint64_t> commit_seq;       // TrainingSet::commit_seq
};

// Errors: as FeatureStore::GetHistoricalFeatures.
[[nodiscard]] absl::StatusOr<HistoricalRead> ReadHistorical(const FeatureStore::Impl& store,
                                                            const BoundService& service,
                                                            const HistoricalRequest& request);

// All but the manifest, and TrainingSet::revision.
[[nodiscard]] absl::StatusOr<TrainingSet> ToTrainingSet(const BoundService& service,
                                                        HistoricalRead read, bool audit);
// Where the request has its views' sources read. Borrows the request.
[[nodiscard]] SourcePlaces PlacesOf(const BoundService& service, const ViewVersion& view,
                                    const HistoricalRequest& request);

// Errors: kInvalidArgument for HistoricalRequest::sources that the service does not read, or that are not well-formed; for a
//   view that is read from the store (IsFromStore) where a memory_budget or LeakageAudit::kFail is asked for.
absl::Status CheckSources(const BoundService& service, const HistoricalRequest& request);

// By which a view's events count, where `asked` may leave it open.
[[nodiscard]] KnownAt KnownAtOf(const ViewVersion& view, std::optional<KnownAt> asked);

// How a use is joined: what a request asks for decides known_at and what is excluded.
[[nodiscard]] absl::StatusOr<JoinView> MakeHistoricalJoin(
    const BoundUse& use, const HistoricalRequest& request, const Spine& spine,
    std::span<const Column* const> key_columns);

}  // namespace larder::inline LARDER_ABI
