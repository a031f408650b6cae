// A plan's sample, for people and for machines.
#pragma once

#include <string>

#include "larder/base/config.h"
#include "larder/feature_store/plan_sample.h"
#include "larder/registry/plan.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// A table for each object, ready for a terminal.
[[nodiscard]] std::string SampleText(const PlanSample& sample);
// {"plan": ..., "sample": ...}
[[nodiscard]] std::string PlanJson(const ChangePlan& plan, const PlanSample& sample);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
