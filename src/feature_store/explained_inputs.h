// What an explained output reads: the stored columns, and the inputs of on-demand expressions.
#pragma once

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/transform/expression_steps.h"

namespace larder::inline LARDER_ABI {

// The expressions of a service's on-demand features, each taken apart once. Borrows both.
class OnDemandExpressions {
 public:
  OnDemandExpressions(const BoundService& service LARDER_LIFETIME_BOUND,
                      const CompileOptions& options LARDER_LIFETIME_BOUND)
      : service_(service), options_(options) {}

  [[nodiscard]] absl::StatusOr<const ExpressionSteps*> Of(int use,
                                                          int feature) LARDER_LIFETIME_BOUND;
  // Where an input comes from. Requires: the view's program reads it.
  [[nodiscard]] const BoundOnDemand::Input& InputOf(int use, std::string_view name) const
      LARDER_LIFETIME_BOUND;

 private:
  const BoundService& service_;
  const CompileOptions& options_;
  std::map<std::pair<int, int>, ExpressionSteps> steps_;
};

// By use: indexes into ViewVersion::stored.
using ReadColumns = std::map<int, std::set<int>>;

// Those that an output is computed from, or finds its rows with.
[[nodiscard]] absl::StatusOr<ReadColumns> StoredColumnsOf(const BoundService& service,
                                                          const ServiceOutput& output,
                                                          OnDemandExpressions& expressions);

}  // namespace larder::inline LARDER_ABI
