// Which events a window feature is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/history_evaluation.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// What a feature of a key is made of.
struct WindowTrace {
  struct Event {
    int64_t time_us = 0;
    int64_t known_us = 0;  // HistoryEvent::kNeverKnown: never
    uint64_t rank = 0;     // as WindowTrailer has it
    std::string id;        // as WindowEvents::AppendId has it
    std::string category;
    Value input;
    bool counts = false;
    std::string_view why_not;  // of one that does not count
  };
  struct Tile {
    FoldedPart part;
    std::string category;
  };
  TimeRange range;  // of the window; of the last N events, all before its end
  int64_t complete_from_us = std::numeric_limits<int64_t>::min();  // the source's
  std::vector<Event> events;  // in the window, and versions of those; by category, in no order
  std::vector<Tile> tiles;    // folded as one
};

// One feature, or one category of a map.
struct TracedWindow {
  std::string name;  // for messages
  const AccumulatorSet& set;
  std::size_t spec = 0;
  AggregateWindow window;
  std::optional<DataType> input;
  HistoryInstant instant;
  std::string_view category;
};

// An event, and what brought it: 0, or a rank.
struct TracedEvent {
  HistoryEvent event;
  uint64_t rank = 0;
};

// Tells which of the events count, by EvaluateHistory's rule. Added up one by one those must give the bits of `value`:
// else kInternal.
absl::Status TraceEvents(const TracedWindow& of, std::span<const TracedEvent> events,
                         const Value& value, WindowTrace* trace);
// Tells of an event that does not count, whatever the rule says.
absl::Status TraceOther(const TracedWindow& of, const TracedEvent& event, std::string_view why_not,
                        WindowTrace* trace);

}  // namespace larder::inline LARDER_ABI
