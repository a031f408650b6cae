// Alerts, counted against what came to light later.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "examples/fraud/transactions.h"

namespace fraud {

struct AlertCounts {
  std::size_t transactions = 0;
  std::size_t frauds = 0;
  std::size_t alerts = 0;
  std::size_t caught = 0;  // alerts that were frauds
  // 0 without alerts, or frauds.
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
};

// A score at or above the threshold is an alert.
[[nodiscard]] AlertCounts CountAlerts(std::span<const Transaction> transactions,
                                      std::span<const float> scores, float threshold);

// The threshold with the best F1, the harmonic mean of precision and recall. Never when nothing was fraud: an alert then
// needs a score above all.
[[nodiscard]] float BestThreshold(std::span<const float> scores, const std::vector<bool>& is_fraud);

// A line per month and one for all, with a heading.
[[nodiscard]] std::string AlertTable(std::span<const Transaction> transactions,
                                     std::span<const float> scores, float threshold);

}  // namespace fraud
