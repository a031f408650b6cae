// From the rows of each view to the outputs of a service: one computation for online reads and training sets, so that
// the two cannot differ but in where rows come from.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/online.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// The stored columns of one use, aligned with the rows asked for.
struct FetchedUse {
  JoinedView rows;
  std::vector<std::map<std::size_t, Value>> stale;  // per stored column; online reads only, else empty
};

// Finds the rows of `uses[use]` for keys of the declared types.
using FetchUse = std::function<absl::StatusOr<FetchedUse>(
    std::size_t use, std::span<const Column* const> key_columns)>;

struct ComputedService {
  std::vector<FeatureValues> outputs;  // in the service's order
  std::vector<FetchedUse> uses;
  // What outputs are made of: by use and feature of its view, by on-demand use and feature of its. Empty where not needed.
  std::vector<std::vector<FeatureValues>> features;
  std::vector<std::vector<FeatureValues>> on_demand;
};

// `inputs` has one column per BoundService::inputs, of its type; `as_of` one instant for all rows, or one each.
absl::StatusOr<ComputedService> ComputeService(const BoundService& service, const Batch& inputs,
                                               std::size_t row_count,
                                               std::span<const Timestamp> as_of,
                                               const FetchUse& fetch);

// The join keys of `uses[use]`, for which only uses before it are fetched, and only if a key is a feature of theirs.
absl::StatusOr<std::vector<Column>> ComputeKeys(const BoundService& service, std::size_t use,
                                                const Batch& inputs, std::size_t row_count,
                                                std::span<const Timestamp> as_of,
                                                const FetchUse& fetch);

}  // namespace larder::inline LARDER_ABI
