// The features of an aggregate view at every row of a spine, from the history of its sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "feature_store/window_histories.h"
#include "feature_store/window_plan.h"
#include "feature_store/window_spine.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// The twin of PointInTimeJoin. Events come in any order, and the result is a function of spine and set of events: the same
// bytes at any thread count.
//
// Memory: batches with an event that some row of the spine may see, and one key's events as its streams do.
// Threads: thread-bound; works on its own threads besides the caller's when thread_count > 1.
class WindowJoin {
 public:
  // Of `join` the spine's keys, known_at, exclude_event_id, exclude_source and count_other_known_at count. Borrows all it is
  // given until Finish.
  // Errors: kInvalidArgument naming the row of the spine whose key is not of its declared type.
  static absl::StatusOr<WindowJoin> Make(const ViewVersion& view, const WindowPlan& plan,
                                         const Column& times, JoinView join,
                                         const JoinOptions& options);

  // `source_number` as in WindowEvents.
  // Fails on a delete that names no event.
  absl::Status Add(MappedBatch mapped, const Source& source, std::size_t source_number);

  // One column for each feature of the view, in the spine's order; one outcome for all.
  // Errors: what JoinOptions::progress returns.
  absl::StatusOr<JoinedView> Finish() &&;

 private:
  using EventPlace = WindowHistories::EventPlace;
  struct KeyEvent {
    uint32_t key = 0;
    EventPlace place;
  };
  // Some keys that follow each other, evaluated by one thread.
  struct Piece {
    std::size_t first_key = 0;
    std::size_t last_key = 0;  // after the last one
    std::optional<WindowHistories> histories;
    int64_t changed_by_other_known_at = 0;
    absl::Status status;
  };
  // Events by key.
  struct EventsByKey {
    std::vector<EventPlace> places;
    std::vector<std::size_t> begin;  // into them; one more at the end
  };

  WindowJoin(const ViewVersion& view, const WindowPlan& plan, JoinView join,
             const JoinOptions& options, WindowSpine spine)
      : view_(view),
        plan_(plan),
        join_(std::move(join)),
        options_(options),
        spine_(std::move(spine)) {}
  [[nodiscard]] bool has_other_known_at() const {
    return has_known_time_ && join_.count_other_known_at;
  }
  [[nodiscard]] EventsByKey SortedEvents() const;
  [[nodiscard]] std::vector<Piece> Pieces() const;
  // What JoinOptions::progress says.
  [[nodiscard]] absl::Status Report(std::size_t rows) const;
  absl::Status Evaluate(const EventsByKey& events, Piece* piece) const;
  // The pieces' columns in the spine's order.
  [[nodiscard]] JoinedView Assemble(const std::vector<Piece>& pieces) const;

  const ViewVersion& view_;
  const WindowPlan& plan_;
  JoinView join_;
  JoinOptions options_;
  WindowSpine spine_;
  std::deque<WindowEventBatch> batches_;
  std::vector<KeyEvent> events_;
  bool has_known_time_ = false;
  JoinCounts counts_;
};

}  // namespace larder::inline LARDER_ABI
