#include "feature_store/window_trace.h"

#include <algorithm>
#include <map>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

// Why each event does not count; empty for those that do. The rule is EvaluateHistory's.
class Verdicts {
 public:
  Verdicts(std::span<const TracedEvent> events, const AggregateWindow& window,
           const HistoryInstant& instant)
      : events_(events),
        range_(window.RangeAt(instant.as_of)),
        known_at_(instant.known_at),
        excluded_(instant.excluded_id) {
    std::map<std::string_view, std::size_t> last;  // by id
    for (std::size_t i = 0; i < events.size(); ++i) {
      why_not_.push_back(FirstDoubt(events[i].event));
      const std::string_view id = events[i].event.event.order.event_id;
      if (id.empty() || !why_not_[i].empty()) continue;
      const auto [at, is_new] = last.try_emplace(id, i);
      if (is_new) continue;
      const bool gives_way = GivesWayTo(events[at->second].event, events[i].event);
      why_not_[gives_way ? at->second : i] = "a later version of the event counts";
      if (gives_way) at->second = i;
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (why_not_[i].empty()) why_not_[i] = LastDoubt(events[i].event, window);
      if (why_not_[i].empty()) counting_.push_back(i);
    }
    const auto precedes = [&](std::size_t a, std::size_t b) {
      return events[a].event.event.order < events[b].event.event.order;
    };
    std::stable_sort(counting_.begin(), counting_.end(), precedes);
    if (window.rows) KeepLast(static_cast<std::size_t>(std::max<int64_t>(*window.rows, 0)));
  }

  [[nodiscard]] std::string_view why_not(std::size_t event) const { return why_not_[event]; }
  // In the order of a tree.
  [[nodiscard]] const std::vector<std::size_t>& counting() const { return counting_; }

 private:
  [[nodiscard]] std::string_view FirstDoubt(const HistoryEvent& event) const {
    if (event.event.order.time_us >= range_.to_us) return "after the window";
    if (!excluded_.empty() && event.event.order.event_id == excluded_)
      return "the row's own event: exclude_self";
    return event.known_us > known_at_.us ? "not known at known_at" : "";
  }
  [[nodiscard]] std::string_view LastDoubt(const HistoryEvent& event,
                                           const AggregateWindow& window) const {
    if (event.is_delete) return "a delete";
    if (!event.counts) return "the event's last version is none of this input";
    return !window.rows && event.event.order.time_us < range_.from_us ? "before the window" : "";
  }
  void KeepLast(std::size_t rows) {
    while (counting_.size() > rows) {
      why_not_[counting_.front()] = "later ones fill the window";
      counting_.erase(counting_.begin());
    }
  }

  const std::span<const TracedEvent> events_;
  const TimeRange range_;
  const Timestamp known_at_;
  const std::string_view excluded_;
  std::vector<std::string_view> why_not_;
  std::vector<std::size_t> counting_;
};

}  // namespace

absl::Status TraceOther(const TracedWindow& of, const TracedEvent& event, std::string_view why_not,
                        WindowTrace* trace) {
  WindowTrace::Event& told = trace->events.emplace_back();
  told.time_us = event.event.event.order.time_us;
  told.known_us = event.event.known_us;
  told.rank = event.rank;
  told.id = event.event.event.order.event_id;
  told.category = of.category;
  if (of.input && event.event.counts && !event.event.is_delete) {
    LARDER_ASSIGN_OR_RETURN(told.input, ValueOf(event.event.event.input, *of.input));
  }
  told.why_not = why_not;
  told.counts = why_not.empty();
  return absl::OkStatus();
}

absl::Status TraceEvents(const TracedWindow& of, std::span<const TracedEvent> events,
                         const Value& value, WindowTrace* trace) {
  const Verdicts verdicts(events, of.window, of.instant);
  AccumulatorSet sums = of.set.NewEmpty();
  for (const std::size_t i : verdicts.counting()) sums.Add(events[i].event.event);
  const Value added = sums.Result(of.spec, of.instant.as_of).value;
  if (!(added == value)) {
    return InternalError("the events of ", of.name, " add up to ", FormatValue(added),
                         ", it was read as ", FormatValue(value));
  }
  for (std::size_t i = 0; i < events.size(); ++i)
    LARDER_RETURN_IF_ERROR(TraceOther(of, events[i], verdicts.why_not(i), trace));
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
