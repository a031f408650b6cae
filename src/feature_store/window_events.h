// Rows of a source as the events that aggregates count: what loads, pushes and training share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "feature_store/byte_arena.h"
#include "feature_store/event_mapper.h"
#include "feature_store/window_plan.h"
#include "larder/aggregate/history_evaluation.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// The events of one batch. Borrows all it is given.
class WindowEvents {
 public:
  WindowEvents() = default;  // of nothing
  // `source_number`: 0 the view's own, 1 and up its union's. Ids of different sources are different ids. `first_rank`: of
  // the first row where the source is in commit order; each row has one more than the row before.
  WindowEvents(const WindowPlan& plan LARDER_LIFETIME_BOUND,
               const MappedEvents& events LARDER_LIFETIME_BOUND, const Source& source,
               std::size_t source_number, uint64_t first_rank = 0);

  [[nodiscard]] int64_t TimeOf(std::size_t row) const { return times_[row]; }
  [[nodiscard]] bool HasId(std::size_t row) const {
    return events_->event_id && events_->event_id->IsValid(row);
  }
  // Empty: none. Appends to `out`.
  void AppendId(std::size_t row, std::string* out) const;
  // When it could be known: its arrival, or the event time and `available_after`, or its event time.
  [[nodiscard]] int64_t KnownAt(std::size_t row) const;
  [[nodiscard]] bool IsDelete(std::size_t row) const;

  // Whether it is an event of the stream: `where` holds, and a group has a category.
  [[nodiscard]] bool IsOf(std::size_t row, std::size_t stream) const;
  // Requires: IsOf a grouped stream.
  [[nodiscard]] std::string Category(std::size_t row, std::size_t stream) const;
  // `id`: as AppendId has it. `has_versions`: there is more than one event of this id, or may be. What it borrows that is
  // not the batch's is kept in `arena`.
  [[nodiscard]] HistoryEvent At(std::size_t row, std::size_t stream, std::string_view id,
                                bool has_versions, ByteArena* arena) const;

 private:
  [[nodiscard]] const Column& Stored(int place) const {
    return *events_->stored[static_cast<std::size_t>(place)];
  }
  const WindowPlan* plan_ = nullptr;
  const MappedEvents* events_ = nullptr;
  const int64_t* times_ = nullptr;
  std::optional<Duration> available_after_;
  bool in_order_ = false;
  uint64_t first_rank_ = 0;
  char source_number_ = 0;
};

// Bytes that are equal exactly when inputs of one type are: what orders events without an id.
void AppendInputBytes(const AggregateInput& input, std::string* out);

// The id of an event of source `source_number`, as AppendId has it, from a column of ids: in the order of the ids, equal
// ones of different sources in that of the sources. Nothing for null.
void AppendEventId(const Column& ids, std::size_t row, char source_number, std::string* out);

}  // namespace larder::inline LARDER_ABI
