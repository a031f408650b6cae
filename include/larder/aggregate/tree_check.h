// Whether a tree is what its events make of it.
#pragma once

#include <cstdint>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/node_store.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Reads every page of the tree: events in order and none twice, and what each node says of its children (first event, last
// time, number of events, bytes of their states) as the events below them give it anew. Gives the number of pages.
//
// Errors: kDataLoss with the page and what is wrong about it; what the store says.
// Cost: every event is added once, every state of a node merged once.
absl::StatusOr<uint64_t> CheckTree(const AccumulatorSet& set, const NodeStore& store,
                                   const TreeRoot& root);

}  // namespace larder::inline LARDER_ABI
