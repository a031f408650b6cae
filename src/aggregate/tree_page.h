// The pages of an aggregate tree: events in a leaf, children with their sums above.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/event.h"
#include "larder/aggregate/node_store.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

inline constexpr uint32_t kHeightMax = 64;  // no tree of fewer than 2^64 events is as high

// What a node knows of a child. Lifetime: borrows as EventOrder does, and its state.
struct TreeChild {
  NodeId id = 0;
  uint64_t events = 0;  // below it
  uint64_t items = 0;   // events or children in its page
  int64_t last_us = 0;  // the time of its last event
  EventOrder first;     // of its first event
  std::string_view state;
};

// `height` of the node whose child it is.
[[nodiscard]] inline FoldedPart PartOf(const TreeChild& child, uint32_t height) {
  return {child.id, height - 1, child.events, child.first.time_us, child.last_us};
}

// A page, read. Only one of the two is used.
struct TreeNode {
  bool is_leaf = false;
  std::vector<AggregateEvent> events;  // in order
  std::vector<TreeChild> children;     // in order, at least one
  [[nodiscard]] std::size_t size() const { return is_leaf ? events.size() : children.size(); }
};

// A leaf whose inputs are words, none of them null, as it lies in its page. Lifetime: borrows from that.
struct LeafColumns {
  WordColumn times;  // int64, in order
  WordColumn inputs;

  [[nodiscard]] std::size_t size() const { return times.size(); }
  [[nodiscard]] int64_t TimeOf(std::size_t i) const { return static_cast<int64_t>(times[i]); }
};
// Absent where a page is anything else, which ReadPage then tells. Cost: none for an event.
[[nodiscard]] std::optional<LeafColumns> ReadLeafColumns(std::string_view page,
                                                         const DataType& input);

// The order of events in a tree: those with equal ids at one time and sequence are equal.
[[nodiscard]] std::strong_ordering CompareInTree(const EventOrder& a, const EventOrder& b);

// Items [begin, end) of `node`.
[[nodiscard]] std::string WritePage(const TreeNode& node, std::size_t begin, std::size_t end);

// Lifetime: borrows from the page.
// Errors: kDataLoss.
[[nodiscard]] absl::StatusOr<TreeNode> ReadPage(std::string_view page, bool is_leaf,
                                                const DataType& input);
// The same, into memory that is there.
absl::Status ReadPage(std::string_view page, bool is_leaf, const DataType& input, TreeNode* node);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
