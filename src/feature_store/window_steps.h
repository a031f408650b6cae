// What a window feature is made of, as steps of an explanation.
#pragma once

#include <cstddef>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/window_trace.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/explain.h"

namespace larder::inline LARDER_ABI {

struct WindowSteps {
  std::vector<ExplanationStep> parts;  // events, newest first, then tiles
  ExplanationStep window;              // what they add up to, without its inputs
};

// `offline`: the events are of what loads and training read. Events beyond `items_max` are only counted.
[[nodiscard]] absl::StatusOr<WindowSteps> StepsOfWindow(const BoundUse& use, std::size_t feature,
                                                        const WindowTrace& trace, bool offline,
                                                        std::size_t items_max);

}  // namespace larder::inline LARDER_ABI
