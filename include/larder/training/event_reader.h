// The history of one view, as the point-in-time join takes it: batches of events in any order.
#pragma once

#include <cstddef>
#include <span>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/column/validity.h"

namespace larder::inline LARDER_ABI {

// Some events of one view. Everything is borrowed, each column has `row_count` entries, and a null pointer means that
// the source has no such column.
struct EventBatch {
  std::size_t row_count = 0;
  std::span<const Column* const> keys;  // in the order of the view's join keys; empty for a global view
  std::span<const Column* const> features;  // in the order and of the types of the view's stored features

  const Column* event_time = nullptr;  // timestamp; null pointer: the source is timeless
  const Column* sequence =
      nullptr;  // int32, int64, uint64 or timestamp; null entries come before all others
  const Column* arrival_time =
      nullptr;  // timestamp: when it could be known, and settles ties; null: known at no time
  // timestamp: when it could be known, without settling ties: the commit time of a pushed event. Only looked at where
  // there is no arrival_time.
  const Column* known_time = nullptr;
  const Column* event_id = nullptr;   // any key type
  const Column* valid_to = nullptr;   // timestamp; null entries have no end
  const Column* is_delete = nullptr;  // bool; true and not null: a delete at its event time
  const Column* commit_seq =
      nullptr;  // uint64; only looked at under TieOrder commit; null pointer: all alike

  // For views with partial updates: one bitmap per feature, the rows that carry it; a null pointer means all rows.
  // Empty: every row carries every feature.
  std::span<const Validity* const> presence;
};

// Threads: thread-bound.
class EventReader {
 public:
  virtual ~EventReader() = default;
  // Points `*out` at the next events; false at the end. Lifetime: until the next call.
  virtual absl::StatusOr<bool> Next(EventBatch* out) = 0;
};

}  // namespace larder::inline LARDER_ABI
