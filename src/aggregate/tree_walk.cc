#include <algorithm>

#include "aggregate/tree_page.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/tree_folder.h"

namespace larder::inline LARDER_ABI {

using aggregate::TreeChild;
using aggregate::TreeNode;

absl::StatusOr<std::vector<AccumulatorSet>> AggregateTree::Fold(
    std::span<const TimeRange> ranges, std::vector<FoldedPart>* parts) const {
  TreeFolder folder(scratch_);
  folder.SetRanges(ranges);
  LARDER_RETURN_IF_ERROR(folder.Fold(*store_, root_, {}, parts));
  std::vector<AccumulatorSet> results;
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    results.push_back(scratch_.NewEmpty());
    results.back().Merge(folder.sum(r));
  }
  return results;
}

absl::Status AggregateTree::Visit(
    const TimeRange& range, const std::function<void(const AggregateEvent& event)>& visit) const {
  if (root_.id == 0) return {};
  return VisitBelow(root_.id, root_.height, range, visit);
}

absl::Status AggregateTree::VisitBelow(
    NodeId id, uint32_t height, const TimeRange& range,
    const std::function<void(const AggregateEvent& event)>& visit) const {
  LARDER_ASSIGN_OR_RETURN(const TreeNode node, ReadNode(id, height));
  for (const AggregateEvent& event : node.events) {
    if (event.order.time_us >= range.from_us && event.order.time_us < range.to_us) visit(event);
  }
  for (const TreeChild& child : node.children) {
    if (child.last_us < range.from_us || child.first.time_us >= range.to_us) continue;
    LARDER_RETURN_IF_ERROR(VisitBelow(child.id, height - 1, range, visit));
  }
  return {};
}

absl::StatusOr<uint64_t> AggregateTree::CountBefore(int64_t to_us) const {
  uint64_t count = 0;
  NodeId id = root_.id;
  for (uint32_t height = root_.height; id != 0; --height) {
    LARDER_ASSIGN_OR_RETURN(const TreeNode node, ReadNode(id, height));
    for (const AggregateEvent& event : node.events) count += event.order.time_us < to_us ? 1 : 0;
    id = 0;
    for (const TreeChild& child : node.children) {
      if (child.last_us < to_us) {
        count += child.events;
      } else {
        if (child.first.time_us < to_us) id = child.id;
        break;
      }
    }
    if (height == 0) break;
  }
  return count;
}

absl::StatusOr<AccumulatorSet> AggregateTree::FoldLast(int64_t to_us, int64_t count,
                                                       std::vector<FoldedPart>* parts) const {
  AccumulatorSet result = scratch_.NewEmpty();
  LARDER_ASSIGN_OR_RETURN(const uint64_t end, CountBefore(to_us));
  const uint64_t wanted = count < 0 ? 0 : static_cast<uint64_t>(count);
  const uint64_t begin = end > wanted ? end - wanted : 0;
  if (begin == end) return result;
  LARDER_RETURN_IF_ERROR(FoldRanks(root_.id, root_.height, 0, begin, end, &result, parts));
  return result;
}

// Events number [begin, end) of those below `id`, whose first is number `first`.
absl::Status AggregateTree::FoldRanks(NodeId id, uint32_t height, uint64_t first, uint64_t begin,
                                      uint64_t end, AccumulatorSet* out,
                                      std::vector<FoldedPart>* parts) const {
  LARDER_ASSIGN_OR_RETURN(const TreeNode node, ReadNode(id, height));
  for (const AggregateEvent& event : node.events) {
    if (first >= begin && first < end) out->Add(event);
    ++first;
  }
  for (const TreeChild& child : node.children) {
    const uint64_t after = first + child.events;
    if (first >= begin && after <= end) {
      ByteReader state(child.state);
      LARDER_RETURN_IF_ERROR(out->MergeEncoded(&state));
      if (parts != nullptr) parts->push_back(PartOf(child, height));
    } else if (after > begin && first < end) {
      LARDER_RETURN_IF_ERROR(FoldRanks(child.id, height - 1, first, begin, end, out, parts));
    }
    first = after;
  }
  return {};
}

}  // namespace larder::inline LARDER_ABI
