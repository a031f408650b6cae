// Windows over one key's history as it was known: events that arrive late, are corrected, deleted or left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/event.h"
#include "larder/aggregate/window_evaluation.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

// An event, or a version of one: events with one id are one event, and of its versions visible and known at an instant
// the last counts, by event time, sequence, arrival, rank, a delete after all others, row and input. Events without an id
// are a bag, in which equal orders have equal inputs.
struct HistoryEvent {
  static constexpr int64_t kNeverKnown = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kNoArrival = std::numeric_limits<int64_t>::min();
  AggregateEvent event;
  // From when on it is known. kNeverKnown: counts only where known_at is Timestamp::Max().
  int64_t known_us = std::numeric_limits<int64_t>::min();
  int64_t arrival_us = kNoArrival;  // settles which version is last; before all others: none
  bool is_delete =
      false;           // while this version is the last, the event does not count. Requires: an id
  bool counts = true;  // false: nor does it, being no event of this input. Requires: an id
  uint64_t rank = 0;   // place in a source that tells its events in order; 0: of one that does not
};

struct HistoryInstant {
  Timestamp as_of;
  Timestamp known_at = Timestamp::Max();
  std::string_view excluded_id = {};  // of an event that does not count here; empty: none
};

// Whether version `a` of an event gives way to version `b`.
[[nodiscard]] bool GivesWayTo(const HistoryEvent& a, const HistoryEvent& b);

// Histories of one key after another, with memory and states that are made once. Threads: thread-bound.
class HistoryEvaluator {
 public:
  // Errors: as MakeAccumulator.
  static absl::StatusOr<HistoryEvaluator> Make(std::span<const AggregateWindow> windows,
                                               std::span<const AggregateSpec> specs);
  HistoryEvaluator(HistoryEvaluator&&) noexcept;
  HistoryEvaluator& operator=(HistoryEvaluator&&) noexcept;
  ~HistoryEvaluator();

  // Columns without entries, with room for `instants`.
  [[nodiscard]] absl::StatusOr<WindowResults> NoResults(std::size_t instants) const;
  // Appends one entry an instant to each of `results`: what EvaluateHistory gives.
  absl::Status Append(std::span<const HistoryEvent> events,
                      std::span<const HistoryInstant> instants, WindowResults* results);

 private:
  struct State;
  explicit HistoryEvaluator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// At each instant and for each window: the versions with an event time before the window's end that are known, of each
// event the last one, if it counts; of these the ones in the window.
//
// Errors: kInvalidArgument for instants whose as_of or known_at are not in order.
// Cost: as EvaluateWindows where nothing is late, deleted, repeated or excluded. Otherwise functions whose state is
//   subtractable still slide; the others keep a tree that changes as instants pass.
[[nodiscard]] absl::StatusOr<WindowResults> EvaluateHistory(std::span<const HistoryEvent> events,
                                                            std::span<const HistoryInstant> instants,
                                                            std::span<const AggregateWindow> windows,
                                                            std::span<const AggregateSpec> specs);

}  // namespace larder::inline LARDER_ABI
