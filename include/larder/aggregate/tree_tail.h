// Events that wait beside a tree, in the form of one of its leaves: taking in several later costs little more than one now.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/event.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// In order. Empty bytes: none. Lifetime: borrows from the bytes.
// Errors: kDataLoss.
[[nodiscard]] absl::StatusOr<std::vector<AggregateEvent>> EventsOfTail(
    const AccumulatorSet& set, std::string_view tail LARDER_LIFETIME_BOUND);

// A tail of these events, which come in any order; empty bytes for none.
[[nodiscard]] std::string MakeTail(const AccumulatorSet& set, std::vector<AggregateEvent> events);

}  // namespace larder::inline LARDER_ABI
