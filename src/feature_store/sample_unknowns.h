// Which outputs of a service a plan's sample cannot tell, and why.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/sample_rows.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Follows request fields nobody gave and stored columns nobody has through on-demand views and keys.
class SampleUnknowns {
 public:
  explicit SampleUnknowns(const BoundService& service);

  // `input` is an index into BoundService::inputs.
  void AddRequest(std::size_t input, std::string why) { requests_[input] = std::move(why); }
  // In the service's order: keys may come from features of earlier uses.
  void AddUse(std::size_t u, const SampledRows& rows);
  // After every use was added.
  void AddOnDemand();
  // Empty: it can be told.
  [[nodiscard]] const std::string& ReasonOf(const ServiceOutput& output) const LARDER_LIFETIME_BOUND;

 private:
  const BoundService& service_;
  std::map<std::size_t, std::string> requests_;
  std::vector<std::vector<std::string>> uses_;  // per use, per feature
  std::vector<std::string> on_demand_;
};

}  // namespace larder::inline LARDER_ABI
