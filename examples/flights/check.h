// Two questions the demo answers about every value it made: is it what serving gives, and did the flight itself leak
// into it?
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"

namespace flights {

struct Comparison {
  std::size_t requests = 0;
  std::size_t rows = 0;
  std::size_t values = 0;         // compared bit for bit, with status and event time
  std::size_t tensor_values = 0;  // compared bit for bit
  std::size_t mismatches = 0;
  std::string first_mismatch;

  Comparison& operator+=(const Comparison& more);
};

// Serves the training set's rows at `indices`, each at its own instant, through GetOnlineFeatures and through the
// bound plan's tensor, and compares both with the training set.
[[nodiscard]] absl::StatusOr<Comparison> CompareWithServing(const larder::FeatureStore& store,
                                                            const std::string& service,
                                                            const larder::TrainingSet& training,
                                                            std::span<const std::size_t> indices);

// How many of the training set's values came from the row's own flight. The set must have been made with audit.
[[nodiscard]] std::size_t CountOwnFlights(const larder::TrainingSet& training);

// The columns that a bound plan asks for, taken from rows of a batch. Keeps what the columns borrow alive.
class RequestColumns {
 public:
  static absl::StatusOr<RequestColumns> Make(const larder::ServingPlan& plan,
                                             const larder::Batch& rows,
                                             std::span<const std::size_t> indices);
  [[nodiscard]] std::span<const larder::InputColumn> columns() const { return columns_; }
  // One row of them.
  [[nodiscard]] std::vector<larder::InputColumn> Row(std::size_t row) const;

 private:
  struct Storage {
    std::vector<int64_t> integers;
    std::vector<double> doubles;
    std::vector<std::string_view> texts;
  };
  std::vector<Storage> storage_;
  std::vector<larder::InputColumn> columns_;
};

}  // namespace flights
