// Training sets, and whether serving gives what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "examples/recommendation/baskets.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"

namespace recommendation {

inline constexpr char kService[] = "ranking";

// Of every basket in [from, to): what was bought, and as many popular products that were not, asked a second before. The
// column `bought` says which.
[[nodiscard]] absl::StatusOr<larder::Batch> SpineOf(std::span<const Basket> baskets,
                                                    std::span<const std::string> popular,
                                                    larder::Timestamp from, larder::Timestamp to);
// Pairs of the baskets' households and of products they bought or might buy, all asked at one instant.
[[nodiscard]] absl::StatusOr<larder::Batch> PairsAt(std::span<const Basket> baskets,
                                                    std::span<const std::string> popular,
                                                    std::size_t count, larder::Timestamp instant);

[[nodiscard]] absl::StatusOr<larder::TrainingSet> MakeTrainingSet(const larder::FeatureStore& store,
                                                                  larder::Batch spine);
struct Agreement {
  std::size_t values = 0;
  std::size_t present = 0;  // of them
  std::size_t mismatches = 0;
  std::string first_mismatch;
};
// Serves every row of a training set that was made for one instant through the tensor, and compares bit for bit.
[[nodiscard]] absl::StatusOr<Agreement> CompareWithServing(const larder::FeatureStore& store,
                                                           const larder::TrainingSet& set,
                                                           larder::Timestamp instant);

}  // namespace recommendation
