// How long serving takes.
#pragma once

#include <cstddef>
#include <string>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"

namespace flights {

struct Percentiles {
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  std::size_t samples = 0;
};

struct Latency {
  Percentiles request;   // Refresh, then one row
  Percentiles thousand;  // Refresh, then 1,000 rows at once
  std::size_t features = 0;
};

// Serves rows of `rows`, over and over, at `as_of`. Takes about a second.
[[nodiscard]] absl::StatusOr<Latency> MeasureLatency(const larder::FeatureStore& store,
                                                     const std::string& service,
                                                     const larder::Batch& rows,
                                                     larder::Timestamp as_of);

}  // namespace flights
