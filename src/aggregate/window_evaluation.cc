#include "larder/aggregate/window_evaluation.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "aggregate/tree_page.h"
#include "aggregate/window_columns.h"
#include "larder/aggregate/tree_folder.h"

namespace larder::inline LARDER_ABI {

using aggregate::AppendResults;
using aggregate::SpecPart;

namespace {

bool Precedes(const AggregateEvent& a, const AggregateEvent& b) {
  const auto order = aggregate::CompareInTree(a.order, b.order);
  return order != 0 ? order < 0 : a.order.row < b.order.row;
}
bool IsSameEvent(const AggregateEvent& a, const AggregateEvent& b) {
  return !a.order.event_id.empty() && aggregate::CompareInTree(a.order, b.order) == 0;
}

// Events [begin, end) of a window that only moves forward.
struct Passing {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  void MoveTo(const AggregateWindow& window, Timestamp as_of,
              std::span<const AggregateEvent> events) {
    const TimeRange range = window.RangeAt(as_of);
    while (end < events.size() && events[end].order.time_us < range.to_us) ++end;
    if (window.rows) {
      const auto rows = static_cast<std::size_t>(std::max<int64_t>(*window.rows, 0));
      begin = std::max(begin, end - std::min(end, rows));
    } else {
      while (begin < end && events[begin].order.time_us < range.from_us) ++begin;
    }
  }
};

}  // namespace

struct WindowEvaluator::State {
  std::vector<AggregateWindow> windows;
  std::vector<AggregateSpec> specs;
  aggregate::SpecParts parts;
  AccumulatorSet sliding;
  AccumulatorSet others;
  std::optional<TreeFolder> folder;  // once a window needs it

  // Of the key at hand.
  std::vector<AggregateEvent> ordered;
  std::vector<Passing> passing;  // by window
  std::vector<std::size_t> wide;

  [[nodiscard]] std::span<const AggregateEvent> InOrder(std::span<const AggregateEvent> events) {
    if (std::is_sorted(events.begin(), events.end(), Precedes) &&
        std::adjacent_find(events.begin(), events.end(), IsSameEvent) == events.end())
      return events;
    ordered.assign(events.begin(), events.end());
    std::sort(ordered.begin(), ordered.end(), Precedes);
    // Of equal events the last one, with the greatest row, stays.
    const auto first = std::unique(ordered.rbegin(), ordered.rend(), IsSameEvent).base();
    ordered.erase(ordered.begin(), first);
    return ordered;
  }

  absl::Status Slide(std::span<const AggregateEvent> events, std::span<const Timestamp> instants,
                     std::size_t window, WindowResults* out) {
    sliding.Clear();
    Passing in;  // the state
    for (const Timestamp as_of : instants) {
      Passing next = in;
      next.MoveTo(windows[window], as_of, events);
      // What leaves before it was ever asked for never goes in.
      if (next.begin >= in.end) {
        if (in.size() > 0) sliding.Clear();
        in.begin = in.end = next.begin;
      }
      for (; in.begin < next.begin; ++in.begin) sliding.Remove(events[in.begin]);
      for (; in.end < next.end; ++in.end) sliding.Add(events[in.end]);
      LARDER_RETURN_IF_ERROR(
          AppendResults(sliding, parts.sliding, window * specs.size(), as_of, out));
    }
    return {};
  }

  // For functions that events cannot be taken out of.
  absl::Status AddUp(std::span<const AggregateEvent> events, std::span<const Timestamp> instants,
                     WindowResults* out) {
    MemoryNodeStore store;
    std::optional<AggregateTree> tree;
    passing.assign(windows.size(), {});
    for (const Timestamp as_of : instants) {
      wide.clear();
      for (std::size_t w = 0; w < windows.size(); ++w) {
        passing[w].MoveTo(windows[w], as_of, events);
        if (passing[w].size() > kFoldedMax) {
          wide.push_back(w);
          continue;
        }
        others.Clear();
        others.AddAll(events.subspan(passing[w].begin, passing[w].size()));
        LARDER_RETURN_IF_ERROR(AppendResults(others, parts.others, w * specs.size(), as_of, out));
      }
      if (wide.empty()) continue;
      if (!tree) {
        tree.emplace(others, &store);
        LARDER_RETURN_IF_ERROR(tree->Insert(events).status());
        if (!folder) folder.emplace(others);
      }
      LARDER_RETURN_IF_ERROR(aggregate::AppendFromTree(
          {store, *tree, *folder, windows, specs.size()}, wide, parts.others, as_of, out));
    }
    return {};
  }

  // As many as a walk reads to find the two edges of a window.
  static constexpr std::size_t kFoldedMax = AggregateTree::kLeafEventsMax;
};

TimeRange AggregateWindow::RangeAt(Timestamp as_of) const {
  Timestamp to = as_of.Minus(delay);
  if (at) to = to.Plus(Duration{1});
  return {length ? to.Minus(*length).us : std::numeric_limits<int64_t>::min(), to.us};
}

WindowEvaluator::WindowEvaluator(std::unique_ptr<State> state) : state_(std::move(state)) {}
WindowEvaluator::WindowEvaluator(WindowEvaluator&&) noexcept = default;
WindowEvaluator& WindowEvaluator::operator=(WindowEvaluator&&) noexcept = default;
WindowEvaluator::~WindowEvaluator() = default;

absl::StatusOr<WindowEvaluator> WindowEvaluator::Make(std::span<const AggregateWindow> windows,
                                                      std::span<const AggregateSpec> specs) {
  auto state = std::make_unique<State>();
  state->windows.assign(windows.begin(), windows.end());
  state->specs.assign(specs.begin(), specs.end());
  LARDER_ASSIGN_OR_RETURN(state->parts, aggregate::SplitSpecs(specs));
  LARDER_ASSIGN_OR_RETURN(state->sliding, AccumulatorSet::Make(state->parts.sliding.specs));
  LARDER_ASSIGN_OR_RETURN(state->others, AccumulatorSet::Make(state->parts.others.specs));
  return WindowEvaluator(std::move(state));
}

absl::StatusOr<WindowResults> WindowEvaluator::NoResults(std::size_t instants) const {
  return aggregate::EmptyResults(state_->windows.size(), state_->specs, instants);
}

absl::Status WindowEvaluator::Append(std::span<const AggregateEvent> events,
                                     std::span<const Timestamp> instants, WindowResults* results) {
  if (!std::is_sorted(instants.begin(), instants.end()))
    return InvalidArgumentError("instants of windows must be in order");
  const std::span<const AggregateEvent> in_order = state_->InOrder(events);
  if (!state_->parts.sliding.specs.empty()) {
    for (std::size_t w = 0; w < state_->windows.size(); ++w)
      LARDER_RETURN_IF_ERROR(state_->Slide(in_order, instants, w, results));
  }
  if (state_->parts.others.specs.empty()) return absl::OkStatus();
  return state_->AddUp(in_order, instants, results);
}

absl::StatusOr<WindowResults> EvaluateWindows(std::span<const AggregateEvent> events,
                                              std::span<const Timestamp> instants,
                                              std::span<const AggregateWindow> windows,
                                              std::span<const AggregateSpec> specs) {
  LARDER_ASSIGN_OR_RETURN(WindowEvaluator evaluator, WindowEvaluator::Make(windows, specs));
  LARDER_ASSIGN_OR_RETURN(WindowResults results, evaluator.NoResults(instants.size()));
  LARDER_RETURN_IF_ERROR(evaluator.Append(events, instants, &results));
  return results;
}

}  // namespace larder::inline LARDER_ABI
