#include "larder/aggregate/window_evaluation.h"

#include <algorithm>
#include <limits>

#include "aggregate/tree_page.h"
#include "aggregate/window_columns.h"

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
absl::Status Slide(std::span<const AggregateEvent> events, std::span<const Timestamp> instants,
                   const AggregateWindow& window, const SpecPart& part, std::size_t first_column,
                   WindowResults* out) {
  LARDER_ASSIGN_OR_RETURN(AccumulatorSet sums, AccumulatorSet::Make(part.specs));
  std::size_t begin = 0;
  std::size_t end = 0;
  for (const Timestamp as_of : instants) {
    const TimeRange range = window.RangeAt(as_of);
    std::size_t next_end = end;
    while (next_end < events.size() && events[next_end].order.time_us < range.to_us) ++next_end;
    std::size_t next_begin = begin;
    if (window.rows) {
      const auto rows = static_cast<std::size_t>(std::max<int64_t>(*window.rows, 0));
      next_begin = std::max(begin, next_end - std::min(next_end, rows));
    } else {
      while (next_begin < next_end && events[next_begin].order.time_us < range.from_us) {
        ++next_begin;
      }
    }
    // What leaves before it was ever asked for never goes in.
    if (next_begin >= end) {
      sums.Clear();
      begin = end = next_begin;
    }
    for (; begin < next_begin; ++begin) sums.Remove(events[begin]);
    for (; end < next_end; ++end) sums.Add(events[end]);
    LARDER_RETURN_IF_ERROR(AppendResults(sums, part, first_column, as_of, out));
  }
  return {};
}

absl::Status WalkTree(std::span<const AggregateEvent> events, std::span<const Timestamp> instants,
                      std::span<const AggregateWindow> windows, const SpecPart& part,
                      std::size_t spec_count, WindowResults* out) {
  LARDER_ASSIGN_OR_RETURN(const AccumulatorSet set, AccumulatorSet::Make(part.specs));
  MemoryNodeStore store;
  AggregateTree tree(set, &store);
  if (const auto inserted = tree.Insert(events); !inserted.ok()) return inserted.status();
  std::vector<TimeRange> ranges(windows.size());
  for (const Timestamp as_of : instants) {
    for (std::size_t w = 0; w < windows.size(); ++w) {
      ranges[w] = windows[w].rows ? TimeRange{} : windows[w].RangeAt(as_of);
    }
    LARDER_ASSIGN_OR_RETURN(std::vector<AccumulatorSet> sums, tree.Fold(ranges));
    for (std::size_t w = 0; w < windows.size(); ++w) {
      if (windows[w].rows) {
        LARDER_ASSIGN_OR_RETURN(sums[w],
                                tree.FoldLast(windows[w].RangeAt(as_of).to_us, *windows[w].rows));
      }
      LARDER_RETURN_IF_ERROR(AppendResults(sums[w], part, w * spec_count, as_of, out));
    }
  }
  return {};
}

}  // namespace

TimeRange AggregateWindow::RangeAt(Timestamp as_of) const {
  Timestamp to = as_of.Minus(delay);
  if (at) to = to.Plus(Duration{1});
  return {length ? to.Minus(*length).us : std::numeric_limits<int64_t>::min(), to.us};
}

absl::StatusOr<WindowResults> EvaluateWindows(std::span<const AggregateEvent> events,
                                              std::span<const Timestamp> instants,
                                              std::span<const AggregateWindow> windows,
                                              std::span<const AggregateSpec> specs) {
  if (!std::is_sorted(instants.begin(), instants.end())) {
    return InvalidArgumentError("instants of windows must be in order");
  }
  LARDER_ASSIGN_OR_RETURN(const aggregate::SpecParts parts, aggregate::SplitSpecs(specs));
  const auto& [sliding, others] = parts;
  LARDER_ASSIGN_OR_RETURN(WindowResults results,
                          aggregate::EmptyResults(windows.size(), specs, instants.size()));
  std::vector<AggregateEvent> ordered;
  const bool as_they_are =
      std::is_sorted(events.begin(), events.end(), Precedes) &&
      std::adjacent_find(events.begin(), events.end(), IsSameEvent) == events.end();
  if (!as_they_are) {
    ordered.assign(events.begin(), events.end());
    std::sort(ordered.begin(), ordered.end(), Precedes);
    // Of equal events the last one, with the greatest row, stays.
    const auto first = std::unique(ordered.rbegin(), ordered.rend(), IsSameEvent).base();
    ordered.erase(ordered.begin(), first);
    events = ordered;
  }
  if (!sliding.specs.empty()) {
    for (std::size_t w = 0; w < windows.size(); ++w) {
      LARDER_RETURN_IF_ERROR(
          Slide(events, instants, windows[w], sliding, w * specs.size(), &results));
    }
  }
  if (!others.specs.empty()) {
    LARDER_RETURN_IF_ERROR(WalkTree(events, instants, windows, others, specs.size(), &results));
  }
  return results;
}

}  // namespace larder::inline LARDER_ABI
