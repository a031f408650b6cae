// What ranges of one tree after another add up to, with memory and states that are made once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/node_store.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Threads: thread-bound.
class TreeFolder {
 public:
  // `set` as of the trees.
  explicit TreeFolder(const AccumulatorSet& set);
  TreeFolder(TreeFolder&&) noexcept;
  TreeFolder& operator=(TreeFolder&&) noexcept;
  ~TreeFolder();

  // Of every Fold until the next call.
  void SetRanges(std::span<const TimeRange> ranges);
  [[nodiscard]] std::span<const TimeRange> ranges() const LARDER_LIFETIME_BOUND;

  // As AggregateTree::Fold; sum() has the results. Cost: allocates nothing once its memory has grown, but what the states
  // do.
  // `tail`: of events beside the tree (tree_tail.h), which count too. Requires: none where states are time-ordered.
  absl::Status Fold(const NodeStore& store, const TreeRoot& root, std::string_view tail = {},
                    std::vector<FoldedPart>* parts = nullptr);
  // The pages that a Fold will read beside `page`, one of a tree's inner ones at `height`: so that they can be looked up
  // before. Errors: kDataLoss.
  absl::Status PagesBelow(std::string_view page, uint32_t height, std::vector<NodeId>* ids);
  // Of ranges()[range], by the last Fold. Lifetime: until the next one.
  [[nodiscard]] const AccumulatorSet& sum(std::size_t range) const LARDER_LIFETIME_BOUND;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder::inline LARDER_ABI
