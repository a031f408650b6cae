// One feature at a time, from C++: each call gives a plan to show and apply like any other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/catalog.h"
#include "larder/registry/plan.h"
#include "larder/schema/definitions.h"
#include "larder/schema/expression_checker.h"

namespace larder::inline LARDER_ABI {

struct NewFeature {
  std::string project = "default";
  std::string view;  // empty: a view named like the feature
  Feature feature;
  // Only for a view that does not exist yet:
  std::string source;
  std::vector<std::string> entities;  // empty: the only entity whose join keys the source has
  std::optional<Duration> ttl;
};

// Adds a feature to a view (feature or on-demand), or makes the view. What is new belongs to the API, so that a later
// apply of files leaves it alone, even with prune.
// Errors: kAlreadyExists; kNotFound for a view that is not there when no source is given; else as MakePlan.
[[nodiscard]] absl::StatusOr<ChangePlan> PlanCreateFeature(const Catalog& current,
                                                           const NewFeature& feature,
                                                           const ExpressionChecker& checker);

// Replaces the feature of that name.
// Errors: kNotFound with a suggestion; else as MakePlan.
[[nodiscard]] absl::StatusOr<ChangePlan> PlanUpdateFeature(const Catalog& current,
                                                           std::string_view project,
                                                           std::string_view view,
                                                           const Feature& feature,
                                                           const ExpressionChecker& checker);

// Takes the feature out; a view left without features goes with it. With `force`, so do its users: selections and keys
// of services, on-demand views that read it, labels made from it.
// Errors: kNotFound; kFailedPrecondition listing who still uses it.
[[nodiscard]] absl::StatusOr<ChangePlan> PlanDeleteFeature(
    const Catalog& current, std::string_view project, std::string_view view,
    std::string_view feature, const ExpressionChecker& checker, bool force = false);

}  // namespace larder::inline LARDER_ABI
