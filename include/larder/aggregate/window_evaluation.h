// Windows over one key's events at many instants: what training asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/column.h"

namespace larder::inline LARDER_ABI {

struct AggregateWindow {
  std::optional<Duration> length = std::nullopt;  // absent: lifetime, or `rows`
  std::optional<int64_t> rows = std::nullopt;     // the last N events
  Duration delay = {};
  bool at = false;  // boundary: an event at the very end counts

  // The events it covers at an instant, `rows` aside.
  [[nodiscard]] TimeRange RangeAt(Timestamp as_of) const;
  friend bool operator==(const AggregateWindow&, const AggregateWindow&) = default;
};

struct WindowResults {
  // For each window, for each function: one entry an instant.
  std::vector<Column> columns;
  std::vector<int64_t>
      refused;  // how many entries of each are null because the answer cannot be given exactly
};

// Windows of one key after another, with memory and states that are made once.
//
// Threads: thread-bound.
class WindowEvaluator {
 public:
  // Errors: as MakeAccumulator.
  static absl::StatusOr<WindowEvaluator> Make(std::span<const AggregateWindow> windows,
                                              std::span<const AggregateSpec> specs);
  WindowEvaluator(WindowEvaluator&&) noexcept;
  WindowEvaluator& operator=(WindowEvaluator&&) noexcept;
  ~WindowEvaluator();

  // Columns without entries, with room for `instants`.
  [[nodiscard]] absl::StatusOr<WindowResults> NoResults(std::size_t instants) const;

  // Appends one entry an instant to each of `results`: the same bits as AggregateTree::Fold.
  //
  // Functions whose state is subtractable slide: each event goes in and out once. Of the others a window of few events is
  // added up anew at each instant; wider ones use a tree. Events that are in the order of a tree already are not copied.
  // Errors: kInvalidArgument for instants that are not in order.
  absl::Status Append(std::span<const AggregateEvent> events, std::span<const Timestamp> instants,
                      WindowResults* results);

 private:
  struct State;
  explicit WindowEvaluator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// WindowEvaluator for one key.
[[nodiscard]] absl::StatusOr<WindowResults> EvaluateWindows(std::span<const AggregateEvent> events,
                                                            std::span<const Timestamp> instants,
                                                            std::span<const AggregateWindow> windows,
                                                            std::span<const AggregateSpec> specs);

}  // namespace larder::inline LARDER_ABI
