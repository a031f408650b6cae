#include "larder/aggregate/tree_folder.h"

#include <algorithm>
#include <deque>

#include "aggregate/tree_page.h"

namespace larder::inline LARDER_ABI {

using aggregate::TreeChild;
using aggregate::TreeNode;

// Time between two neighbouring bounds of the asked ranges is a segment: every range is a run of them, and every event is
// in one.
struct TreeFolder::State {
  explicit State(const AccumulatorSet& of) : set(of.NewEmpty()) {
    if (!set.specs().empty() && set.specs()[0].input) input = *set.specs()[0].input;
  }

  AccumulatorSet set;  // to make others of
  DataType input;
  std::vector<TimeRange> ranges;
  std::vector<int64_t> bounds;  // in order, all different
  std::vector<char> wanted;     // by segment: in any range
  // More than are in use, when more were asked for before.
  std::vector<AccumulatorSet> sums;     // of [bounds[i], bounds[i + 1])
  std::vector<AccumulatorSet> results;  // of ranges
  std::deque<TreeNode> nodes;           // read at each height
  std::vector<FoldedPart>* parts = nullptr;

  [[nodiscard]] std::size_t segment_count() const { return wanted.size(); }
  // The one an instant is in; or the number of segments.
  [[nodiscard]] std::size_t Find(int64_t time_us) const {
    const auto above = std::upper_bound(bounds.begin(), bounds.end(), time_us);
    if (above == bounds.begin()) return segment_count();
    return static_cast<std::size_t>(above - bounds.begin()) - 1;
  }
  [[nodiscard]] std::size_t IndexOf(int64_t bound) const {
    return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), bound) -
                                    bounds.begin());
  }

  void Grow(std::vector<AccumulatorSet>* sets, std::size_t count) const {
    while (sets->size() < count) sets->push_back(set.NewEmpty());
  }

  absl::Status Walk(const NodeStore& store, NodeId id, uint32_t height) {
    LARDER_ASSIGN_OR_RETURN(const std::string_view page, store.Read(id));
    TreeNode& node = nodes[height];
    LARDER_RETURN_IF_ERROR(aggregate::ReadPage(page, height == 0, input, &node));
    if (node.is_leaf) {
      AddEvents(node.events);
      return absl::OkStatus();
    }
    for (const TreeChild& child : node.children) {
      if (child.last_us < bounds.front()) continue;
      if (child.first.time_us >= bounds.back()) break;
      const std::size_t at = Find(child.first.time_us);
      if (at < segment_count() && at == Find(child.last_us)) {
        if (wanted[at] == 0) continue;
        ByteReader state(child.state);
        LARDER_RETURN_IF_ERROR(sums[at].MergeEncoded(&state));
        if (parts != nullptr) parts->push_back(aggregate::PartOf(child, height));
      } else {
        LARDER_RETURN_IF_ERROR(Walk(store, child.id, height - 1));
      }
    }
    return absl::OkStatus();
  }

  void AddEvents(std::span<const AggregateEvent> events) {
    const auto is_before = [](const AggregateEvent& event, int64_t bound) {
      return event.order.time_us < bound;
    };
    auto begin = std::lower_bound(events.begin(), events.end(), bounds.front(), is_before);
    for (std::size_t at = begin == events.end() ? segment_count() : Find(begin->order.time_us);
         at < segment_count() && begin != events.end(); ++at) {
      auto end = begin;
      while (end != events.end() && end->order.time_us < bounds[at + 1]) ++end;
      if (wanted[at] != 0) sums[at].AddAll({begin, end});
      begin = end;
    }
  }
};

TreeFolder::TreeFolder(const AccumulatorSet& set) : state_(std::make_unique<State>(set)) {}
TreeFolder::TreeFolder(TreeFolder&&) noexcept = default;
TreeFolder& TreeFolder::operator=(TreeFolder&&) noexcept = default;
TreeFolder::~TreeFolder() = default;

void TreeFolder::SetRanges(std::span<const TimeRange> ranges) {
  State& state = *state_;
  state.ranges.assign(ranges.begin(), ranges.end());
  state.bounds.clear();
  for (const TimeRange& range : ranges) {
    if (range.from_us >= range.to_us) continue;
    state.bounds.push_back(range.from_us);
    state.bounds.push_back(range.to_us);
  }
  std::sort(state.bounds.begin(), state.bounds.end());
  state.bounds.erase(std::unique(state.bounds.begin(), state.bounds.end()), state.bounds.end());
  state.wanted.clear();
  for (std::size_t i = 0; i + 1 < state.bounds.size(); ++i) {
    const int64_t begin = state.bounds[i];
    const bool is_wanted = std::any_of(ranges.begin(), ranges.end(), [&](const TimeRange& range) {
      return range.from_us <= begin && begin < range.to_us;
    });
    state.wanted.push_back(is_wanted ? 1 : 0);
  }
  state.Grow(&state.sums, state.segment_count());
  state.Grow(&state.results, ranges.size());
}

std::span<const TimeRange> TreeFolder::ranges() const { return state_->ranges; }

absl::StatusOr<std::span<const AccumulatorSet>> TreeFolder::Fold(const NodeStore& store,
                                                                 const TreeRoot& root,
                                                                 std::string_view tail,
                                                                 std::vector<FoldedPart>* parts) {
  State& state = *state_;
  state.parts = parts;
  for (std::size_t i = 0; i < state.segment_count(); ++i) state.sums[i].Clear();
  if (root.id != 0 && state.segment_count() > 0) {
    if (root.height > aggregate::kHeightMax)
      return DataLossError("a tree of ", root.height, " levels: no tree is as high");
    while (state.nodes.size() <= root.height) state.nodes.emplace_back();
    LARDER_RETURN_IF_ERROR(state.Walk(store, root.id, root.height));
  }
  if (!tail.empty() && state.segment_count() > 0) {
    if (state.nodes.empty()) state.nodes.emplace_back();
    LARDER_RETURN_IF_ERROR(aggregate::ReadPage(tail, true, state.input, &state.nodes[0]));
    state.AddEvents(state.nodes[0].events);
  }
  for (std::size_t r = 0; r < state.ranges.size(); ++r) {
    const TimeRange& range = state.ranges[r];
    AccumulatorSet& result = state.results[r];
    result.Clear();
    if (range.from_us >= range.to_us) continue;
    const std::size_t end = state.IndexOf(range.to_us);
    for (std::size_t i = state.IndexOf(range.from_us); i < end; ++i) result.Merge(state.sums[i]);
  }
  return std::span<const AccumulatorSet>(state.results.data(), state.ranges.size());
}

}  // namespace larder::inline LARDER_ABI
