// The common road of apply, rollback and single-feature edits: from what a project shall be to a plan.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/registry/plan.h"

namespace larder::inline LARDER_ABI {

struct TargetOptions {
  PlanOptions plan;
  // The input is all the project shall hold: what it lacks is removed, whoever made it.
  bool exact = false;
  // Whether an object belongs to the API. Absent: an object keeps its owner with by_api, and becomes the files' without.
  std::function<bool(ObjectKind kind, std::string_view name)> owner;
};

[[nodiscard]] absl::StatusOr<ChangePlan> PlanTarget(const Catalog& current, const Definitions& next,
                                                    const ExpressionChecker& checker,
                                                    const TargetOptions& options);

}  // namespace larder::inline LARDER_ABI
