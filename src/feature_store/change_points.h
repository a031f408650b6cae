// The instants at which what a view says of a key can change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "feature_store/event_mapper.h"
#include "feature_store/window_plan.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/registry/versions.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// Memory: the keys, and one instant an event and a way in which it comes or goes. Threads: thread-bound.
class ChangePoints {
 public:
  // `plan`: of a view with aggregates, else null. Borrows both.
  ChangePoints(const ViewVersion& view, const WindowPlan* plan, KnownAt known_at, Timestamp start,
               Timestamp end);

  void Add(const MappedEvents& events, const Source& source);

  // The keys' columns and, as `time_column`, start and every point between it and end: by key in the order met, then time.
  [[nodiscard]] absl::StatusOr<Batch> ToSpine(const std::string& time_column) &&;

 private:
  void AddShift(int64_t us);
  void AddPoint(std::size_t key, Timestamp at);

  const ViewVersion& view_;
  const KnownAt known_at_;
  const Timestamp start_;
  const Timestamp end_;
  std::vector<int64_t> shifts_;  // how long after its event time an event comes or goes
  absl::flat_hash_map<std::string, std::size_t> numbers_;
  std::vector<Column> keys_;                  // one entry a key
  std::vector<std::vector<int64_t>> points_;  // by key
};

}  // namespace larder::inline LARDER_ABI
