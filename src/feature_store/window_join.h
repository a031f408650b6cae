// The features of an aggregate view at every row of a spine, from the history of its sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "feature_store/key_encoding.h"
#include "feature_store/window_events.h"
#include "feature_store/window_plan.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// The twin of PointInTimeJoin. Events come in any order, and the result is a function of spine and set of events.
//
// Memory: the events of the spine's keys, as the view's columns have them, and one key's events as its streams do.
// Threads: thread-bound.
class WindowJoin {
 public:
  // Of `join` the spine's keys, known_at, exclude_event_id, exclude_source and count_other_known_at count. Borrows all it is given until
  // Finish.
  WindowJoin(const ViewVersion& view, const WindowPlan& plan, const Column& times, JoinView join);

  // `source_number` as in WindowEvents.
  // Fails on a delete that names no event.
  absl::Status Add(MappedBatch mapped, const Source& source, std::size_t source_number);

  // One column for each feature of the view, in the spine's order; one outcome for all.
  absl::StatusOr<JoinedView> Finish(const JoinOptions& options) &&;

 private:
  struct Batch {
    MappedBatch mapped;
    WindowEvents windows;
  };
  struct EventPlace {
    uint32_t batch = 0;
    uint32_t row = 0;
  };
  struct KeyHistory {
    std::vector<uint32_t> rows;  // of the spine, by instant once finished
    std::vector<EventPlace> events;
  };
  class Evaluation;

  const ViewVersion& view_;
  const WindowPlan& plan_;
  const Column& times_;
  const JoinView join_;
  const EncodedKeys spine_keys_;
  absl::flat_hash_map<std::string_view, uint32_t> key_numbers_;
  std::vector<KeyHistory> keys_;
  std::deque<Batch> batches_;
  bool has_known_time_ = false;
  JoinCounts counts_;
};

}  // namespace larder::inline LARDER_ABI
