// The steps behind one output, out of what a read of it computed.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "feature_store/window_steps.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/explain.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

// What a read found of a key, told by the side that it read.
class ValueOrigins {
 public:
  ValueOrigins() = default;
  ValueOrigins(const ValueOrigins&) = delete;
  ValueOrigins& operator=(const ValueOrigins&) = delete;
  virtual ~ValueOrigins() = default;

  // The versions of a key's row, those that win first.
  struct Versions {
    std::vector<ExplanationStep> steps;
    // Which of `steps` counts for each of the columns asked for; one for all but in views with partial updates.
    std::vector<std::optional<std::size_t>> chosen;
    std::size_t left_out = 0;  // of those there are
  };
  // Of a view with aggregates.
  [[nodiscard]] virtual absl::StatusOr<WindowSteps> WindowOf(const BoundUse& use,
                                                             std::string_view key,
                                                             std::size_t feature) = 0;
  // `columns`: indexes into ViewVersion::stored.
  [[nodiscard]] virtual absl::StatusOr<Versions> VersionsOf(const BoundUse& use,
                                                            std::string_view key,
                                                            std::span<const int> columns) = 0;
};

// What a read of one row was made with, and gave. Borrows all of it.
struct ExplainedRead {
  const BoundService& service;
  const Batch& inputs;
  const ComputedService& computed;
  Timestamp as_of;
  const CompileOptions& compile;
};

// The last step is output number `output`. Errors: those of `origins`; kInternal when the steps give another value than
// the read did.
[[nodiscard]] absl::StatusOr<std::vector<ExplanationStep>> ExplainOutput(const ExplainedRead& read,
                                                                         std::size_t output,
                                                                         ValueOrigins& origins);

}  // namespace larder::inline LARDER_ABI
