#include <algorithm>

#include "aggregate/tree_page.h"
#include "larder/aggregate/aggregate_tree.h"

namespace larder::inline LARDER_ABI {

using aggregate::TreeChild;
using aggregate::TreeNode;

namespace {

// `height` of the node whose child it is.
FoldedPart PartOf(const TreeChild& child, uint32_t height) {
  return {child.id, height - 1, child.events, child.first.time_us, child.last_us};
}

}  // namespace

// Time between two neighbouring bounds of the asked ranges: every range is a run of them, and every event is in one.
struct AggregateTree::Segments {
  std::vector<int64_t> bounds;               // in order, all different
  std::vector<AccumulatorSet> sums;          // of [bounds[i], bounds[i + 1])
  std::vector<bool> wanted;                  // in any range
  std::vector<FoldedPart>* parts = nullptr;  // takes what is folded as one

  // The one an instant is in; or the number of segments.
  [[nodiscard]] std::size_t Find(int64_t time_us) const {
    const auto above = std::upper_bound(bounds.begin(), bounds.end(), time_us);
    if (above == bounds.begin()) return sums.size();
    return static_cast<std::size_t>(above - bounds.begin()) - 1;
  }
  [[nodiscard]] std::size_t IndexOf(int64_t bound) const {
    return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), bound) -
                                    bounds.begin());
  }
  [[nodiscard]] bool IsWanted(std::size_t i) const { return i < sums.size() && wanted[i]; }
};

absl::StatusOr<std::vector<AccumulatorSet>> AggregateTree::Fold(
    std::span<const TimeRange> ranges, std::vector<FoldedPart>* parts) const {
  Segments segments;
  segments.parts = parts;
  for (const TimeRange& range : ranges) {
    if (range.from_us >= range.to_us) continue;
    segments.bounds.push_back(range.from_us);
    segments.bounds.push_back(range.to_us);
  }
  auto& bounds = segments.bounds;
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    segments.sums.push_back(scratch_.NewEmpty());
    const int64_t begin = bounds[i];
    segments.wanted.push_back(std::any_of(ranges.begin(), ranges.end(), [&](const TimeRange& r) {
      return r.from_us <= begin && begin < r.to_us;
    }));
  }
  if (root_.id != 0 && !segments.sums.empty()) {
    LARDER_RETURN_IF_ERROR(Walk(root_.id, root_.height, &segments));
  }
  std::vector<AccumulatorSet> results;
  for (const TimeRange& range : ranges) {
    AccumulatorSet& result = results.emplace_back(scratch_.NewEmpty());
    if (range.from_us >= range.to_us) continue;
    const std::size_t end = segments.IndexOf(range.to_us);
    for (std::size_t i = segments.IndexOf(range.from_us); i < end; ++i) {
      result.Merge(segments.sums[i]);
    }
  }
  return results;
}

absl::Status AggregateTree::Walk(NodeId id, uint32_t height, Segments* segments) const {
  LARDER_ASSIGN_OR_RETURN(const TreeNode node, ReadNode(id, height));
  for (const AggregateEvent& event : node.events) {
    const std::size_t at = segments->Find(event.order.time_us);
    if (segments->IsWanted(at)) segments->sums[at].Add(event);
  }
  for (const TreeChild& child : node.children) {
    if (child.last_us < segments->bounds.front()) continue;
    if (child.first.time_us >= segments->bounds.back()) break;
    const std::size_t at = segments->Find(child.first.time_us);
    if (at < segments->sums.size() && at == segments->Find(child.last_us)) {
      if (!segments->wanted[at]) continue;
      ByteReader state(child.state);
      LARDER_RETURN_IF_ERROR(segments->sums[at].MergeEncoded(&state));
      if (segments->parts != nullptr) segments->parts->push_back(PartOf(child, height));
    } else {
      LARDER_RETURN_IF_ERROR(Walk(child.id, height - 1, segments));
    }
  }
  return {};
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
