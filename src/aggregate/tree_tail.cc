#include "larder/aggregate/tree_tail.h"

#include <algorithm>
#include <utility>

#include "aggregate/tree_page.h"

namespace larder::inline LARDER_ABI {
namespace {

bool HasInput(const AccumulatorSet& set) {
  return !set.specs().empty() && set.specs()[0].input.has_value();
}

}  // namespace

absl::StatusOr<std::vector<AggregateEvent>> EventsOfTail(const AccumulatorSet& set,
                                                         std::string_view tail) {
  if (tail.empty()) return std::vector<AggregateEvent>();
  const DataType input = HasInput(set) ? *set.specs()[0].input : DataType();
  LARDER_ASSIGN_OR_RETURN(aggregate::TreeNode leaf, aggregate::ReadPage(tail, true, input));
  return std::move(leaf.events);
}

std::string MakeTail(const AccumulatorSet& set, std::vector<AggregateEvent> events) {
  if (events.empty()) return {};
  if (!HasInput(set)) {
    for (AggregateEvent& event : events) event.input = {};
  }
  std::sort(events.begin(), events.end(), [](const AggregateEvent& a, const AggregateEvent& b) {
    const auto order = aggregate::CompareInTree(a.order, b.order);
    return order != 0 ? order < 0 : a.order.row < b.order.row;
  });
  const std::size_t count = events.size();
  return aggregate::WritePage({true, std::move(events), {}}, 0, count);
}

}  // namespace larder::inline LARDER_ABI
