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
  explicit State(const AccumulatorSet& of)
      : set(of.NewEmpty()),
        is_time_ordered(of.algebra().time_ordered),
        takes_words(of.algebra().word_only) {
    if (!set.specs().empty() && set.specs()[0].input) input = *set.specs()[0].input;
  }

  AccumulatorSet set;  // to make others of
  const bool is_time_ordered;
  const bool takes_words;
  DataType input;
  std::vector<TimeRange> ranges;
  std::vector<int64_t> bounds;  // in order, all different
  std::vector<char> wanted;     // by segment: in any range
  bool has_one_end = false;     // of all ranges that are not empty
  // More than are in use, when more were asked for before.
  std::vector<AccumulatorSet> sums;           // of [bounds[i], bounds[i + 1])
  std::vector<AccumulatorSet> results;        // of ranges, where not of one end
  std::vector<const AccumulatorSet*> sum_of;  // by range: one of those, or `set`
  std::deque<TreeNode> nodes;                 // read at each height
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

  absl::Status MakeNodes(uint32_t height) {
    if (height > aggregate::kHeightMax)
      return DataLossError("a tree of ", height, " levels: no tree is as high");
    while (nodes.size() <= height) nodes.emplace_back();
    return absl::OkStatus();
  }
  void Grow(std::vector<AccumulatorSet>* sets, std::size_t count) const {
    while (sets->size() < count) sets->push_back(set.NewEmpty());
  }

  // Calls `fold(segment, child)` or `descend(child)` for the children of a page that some range has part of.
  template <class FoldChild, class Descend>
  absl::Status ForEachChild(std::string_view page, uint32_t height, const FoldChild& fold,
                            const Descend& descend) {
    TreeNode& node = nodes[height];
    LARDER_RETURN_IF_ERROR(aggregate::ReadPage(page, false, input, &node));
    for (const TreeChild& child : node.children) {
      if (child.last_us < bounds.front()) continue;
      if (child.first.time_us >= bounds.back()) break;
      const std::size_t at = Find(child.first.time_us);
      if (at == segment_count() || child.last_us >= bounds[at + 1]) {
        LARDER_RETURN_IF_ERROR(descend(child));
      } else if (wanted[at] != 0) {
        LARDER_RETURN_IF_ERROR(fold(at, child));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Walk(const NodeStore& store, NodeId id, uint32_t height) {
    LARDER_ASSIGN_OR_RETURN(const std::string_view page, store.Read(id));
    if (height == 0) return AddLeaf(page);
    return ForEachChild(
        page, height,
        [&](std::size_t at, const TreeChild& child) -> absl::Status {
          ByteReader state(child.state);
          LARDER_RETURN_IF_ERROR(sums[at].MergeEncoded(&state));
          if (parts != nullptr) parts->push_back(aggregate::PartOf(child, height));
          return absl::OkStatus();
        },
        [&](const TreeChild& child) { return Walk(store, child.id, height - 1); });
  }

  // A leaf, or a tail.
  absl::Status AddLeaf(std::string_view page) {
    if (takes_words) {
      if (const auto leaf = aggregate::ReadLeafColumns(page, input)) {
        ForEachSegment(
            leaf->size(), [&](std::size_t i) { return leaf->TimeOf(i); },
            [&](std::size_t at, std::size_t begin, std::size_t end) {
              sums[at].AddWords(leaf->inputs.Between(begin, end));
            });
        return absl::OkStatus();
      }
    }
    TreeNode& node = nodes[0];
    LARDER_RETURN_IF_ERROR(aggregate::ReadPage(page, true, input, &node));
    const std::span<const AggregateEvent> events = node.events;
    ForEachSegment(
        events.size(), [&](std::size_t i) { return events[i].order.time_us; },
        [&](std::size_t at, std::size_t begin, std::size_t end) {
          sums[at].AddAll(events.subspan(begin, end - begin));
        });
    return absl::OkStatus();
  }

  // Calls `add(segment, begin, end)` for the runs of events that are in a segment that is wanted. `time_of`: of the events,
  // in order.
  template <class TimeOf, class AddRun>
  void ForEachSegment(std::size_t count, const TimeOf& time_of, const AddRun& add) const {
    const auto first_at = [&](std::size_t from, int64_t bound) {
      std::size_t to = count;
      while (from < to) {
        const std::size_t middle = from + (to - from) / 2;
        if (time_of(middle) < bound) {
          from = middle + 1;
        } else {
          to = middle;
        }
      }
      return from;
    };
    std::size_t begin = first_at(0, bounds.front());
    if (begin == count) return;
    for (std::size_t at = Find(time_of(begin)); at < segment_count() && begin < count; ++at) {
      const std::size_t end = first_at(begin, bounds[at + 1]);
      if (wanted[at] != 0 && end > begin) add(at, begin, end);
      begin = end;
    }
  }

  // Brings the segments together. Ranges that end together are sums of the last segments, each one of the next.
  void SumRanges() {
    if (has_one_end) {
      for (std::size_t i = segment_count(); i-- > 1;) sums[i - 1].Merge(sums[i]);
      return;
    }
    for (std::size_t r = 0; r < ranges.size(); ++r) {
      if (ranges[r].from_us >= ranges[r].to_us) continue;
      results[r].Clear();
      const std::size_t end = IndexOf(ranges[r].to_us);
      for (std::size_t i = IndexOf(ranges[r].from_us); i < end; ++i) results[r].Merge(sums[i]);
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
  state.has_one_end = !state.is_time_ordered &&
                      std::all_of(ranges.begin(), ranges.end(), [&](const TimeRange& range) {
                        return range.from_us >= range.to_us || range.to_us == state.bounds.back();
                      });
  state.Grow(&state.sums, state.segment_count());
  state.Grow(&state.results, state.has_one_end ? 0 : ranges.size());
  state.sum_of.clear();
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    const bool is_empty = ranges[r].from_us >= ranges[r].to_us;
    state.sum_of.push_back(is_empty            ? &state.set
                           : state.has_one_end ? &state.sums[state.IndexOf(ranges[r].from_us)]
                                               : &state.results[r]);
  }
}

std::span<const TimeRange> TreeFolder::ranges() const { return state_->ranges; }

const AccumulatorSet& TreeFolder::sum(std::size_t range) const { return *state_->sum_of[range]; }

absl::Status TreeFolder::PagesBelow(std::string_view page, uint32_t height,
                                    std::vector<NodeId>* ids) {
  State& state = *state_;
  if (height == 0 || state.segment_count() == 0) return absl::OkStatus();
  LARDER_RETURN_IF_ERROR(state.MakeNodes(height));
  return state.ForEachChild(
      page, height, [](std::size_t, const TreeChild&) { return absl::OkStatus(); },
      [&](const TreeChild& child) {
        ids->push_back(child.id);
        return absl::OkStatus();
      });
}

absl::Status TreeFolder::Fold(const NodeStore& store, const TreeRoot& root, std::string_view tail,
                              std::vector<FoldedPart>* parts) {
  State& state = *state_;
  state.parts = parts;
  for (std::size_t i = 0; i < state.segment_count(); ++i) state.sums[i].Clear();
  if (state.segment_count() == 0) return absl::OkStatus();
  LARDER_RETURN_IF_ERROR(state.MakeNodes(root.height));
  if (root.id != 0) LARDER_RETURN_IF_ERROR(state.Walk(store, root.id, root.height));
  if (!tail.empty()) LARDER_RETURN_IF_ERROR(state.AddLeaf(tail));
  state.SumRanges();
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
