// Whether the serving path gives what an online read gives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cli/bench_requests.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/feature_store.h"
#include "larder/schema/feature_status.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct ServingCheck {
  uint64_t values = 0;  // numbers of the tensor compared bit for bit, each with its status
  uint64_t mismatches = 0;
  std::string first_mismatch;
  std::array<uint64_t, 8> statuses{};  // how many values have which FeatureStatus

  ServingCheck& operator+=(const ServingCheck& more);
};

// Serves up to `rows_max` rows of the table, spread evenly over it, through a session and through GetOnlineFeatures, of
// one commit and at one instant. Errors: what either answers; kUnavailable when commits never pause.
[[nodiscard]] absl::StatusOr<ServingCheck> CheckServing(const FeatureStore& store,
                                                        const ServingPlan& plan,
                                                        std::string_view project,
                                                        const RequestTable& table,
                                                        std::size_t rows_max, Timestamp as_of);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
