// The events of one key in time order, with what they add up to at every level: any window in logarithmic time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/event.h"
#include "larder/aggregate/node_store.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

namespace aggregate {
struct TreeChild;
struct TreeNode;
}  // namespace aggregate

// Events of [from_us, to_us).
struct TimeRange {
  int64_t from_us = 0;
  int64_t to_us = 0;
};

// All that is kept of a tree outside its pages.
struct TreeRoot {
  NodeId id = 0;        // 0: no events
  uint32_t height = 0;  // levels above the leaves
  uint64_t event_count = 0;
  friend bool operator==(const TreeRoot&, const TreeRoot&) = default;
};

// A part of a tree that a fold took as one, by its sums.
struct FoldedPart {
  NodeId page = 0;
  uint32_t height = 0;  // levels above the leaves; 0: a leaf
  uint64_t events = 0;
  int64_t first_us = 0;  // the times of its first event and its last
  int64_t last_us = 0;
};

// A B-tree whose leaves hold at most kLeafEventsMax events and whose nodes hold, for each child, the accumulators of
// the events below it. A late event or a retraction rewrites one path; so does a batch, once for each node it touches.
//
// Two events with an id are one event when time, sequence and id are equal; of two rows the greater stays, whichever came
// first. Events without an id may be alike; any of them that are count. Requires: equal orders have equal inputs.
//
// A failed change may have written pages: whoever owns the store must throw them away (as a transaction does).
// Threads: thread-bound.
class AggregateTree {
 public:
  static constexpr std::size_t kLeafEventsMax = 64;
  static constexpr std::size_t kFanOutMax = 32;

  // `set` says what is kept of events; it must be the same whenever the tree is opened. `store` outlives the tree.
  AggregateTree(const AccumulatorSet& set, NodeStore* store LARDER_LIFETIME_BOUND,
                TreeRoot root = {});

  [[nodiscard]] const TreeRoot& root() const LARDER_LIFETIME_BOUND { return root_; }

  // In any order. Gives how many were new.
  absl::StatusOr<int64_t> Insert(std::span<const AggregateEvent> events);
  // One for each of those given. Gives how many were there.
  absl::StatusOr<int64_t> Remove(std::span<const AggregateEvent> events);

  // What each range adds up to, in one walk.
  // Errors: kDataLoss for damaged pages; what the store says.
  // Cost: two paths of pages for each different bound.
  // `parts`, if given, takes what was folded as one, in order; all other events of the ranges were added one by one.
  [[nodiscard]] absl::StatusOr<std::vector<AccumulatorSet>> Fold(
      std::span<const TimeRange> ranges, std::vector<FoldedPart>* parts = nullptr) const;
  // Calls `visit` for each event of the range, in order. Lifetime: an event is good during its call.
  absl::Status Visit(const TimeRange& range,
                     const std::function<void(const AggregateEvent& event)>& visit) const;
  // The last `count` events before `to_us`.
  [[nodiscard]] absl::StatusOr<AccumulatorSet> FoldLast(
      int64_t to_us, int64_t count, std::vector<FoldedPart>* parts = nullptr) const;

 private:
  struct Edit;

  absl::StatusOr<int64_t> Change(std::span<const AggregateEvent> events, bool remove);
  absl::Status Apply(const aggregate::TreeChild& self, uint32_t height,
                     std::span<const AggregateEvent> events, Edit* edit,
                     std::vector<aggregate::TreeChild>* out);
  absl::Status ApplyToLeaf(const aggregate::TreeChild& self, std::span<const AggregateEvent> events,
                           Edit* edit, std::vector<aggregate::TreeChild>* out);
  absl::Status ApplyToInner(const aggregate::TreeChild& self, uint32_t height,
                            std::span<const AggregateEvent> events, Edit* edit,
                            std::vector<aggregate::TreeChild>* out);
  absl::Status JoinSmall(uint32_t height, Edit* edit, std::vector<aggregate::TreeChild>* children);
  // Cuts a node into pages, the first of which is `id` (0: a new one).
  absl::Status WritePages(NodeId id, const aggregate::TreeNode& node, bool appended, Edit* edit,
                          std::vector<aggregate::TreeChild>* out);
  absl::StatusOr<aggregate::TreeNode> ReadForEdit(NodeId id, uint32_t height, Edit* edit) const;
  absl::StatusOr<aggregate::TreeNode> ReadNode(NodeId id, uint32_t height) const;

  absl::Status VisitBelow(NodeId id, uint32_t height, const TimeRange& range,
                          const std::function<void(const AggregateEvent& event)>& visit) const;
  absl::StatusOr<uint64_t> CountBefore(int64_t to_us) const;
  absl::Status FoldRanks(NodeId id, uint32_t height, uint64_t first, uint64_t begin, uint64_t end,
                         AccumulatorSet* out, std::vector<FoldedPart>* parts) const;

  AccumulatorSet scratch_;
  bool has_input_ = false;  // without one only events and their times are kept
  DataType input_;
  NodeStore* store_;
  TreeRoot root_;
};

}  // namespace larder::inline LARDER_ABI
