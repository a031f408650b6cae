// Events of a view with aggregates into the store's trees, within a transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/key_encoding.h"
#include "feature_store/window_events.h"
#include "feature_store/window_key_edit.h"
#include "feature_store/window_pages.h"
#include "feature_store/window_plan.h"
#include "feature_store/window_records.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/write_transaction.h"

namespace larder::inline LARDER_ABI {

// Events of one batch, on their way into trees or into what one session sees.
struct WindowBatch {
  const WindowPlan& plan;
  const MappedEvents& events;
  const Source& source;
  std::size_t source_number = 0;
  Timestamp now;  // the commit's, or the clock's before one
};

// By entity key, the rows that can be written; the others are in the result.
[[nodiscard]] std::map<std::string_view, std::vector<std::size_t>> RowsByKey(
    const WindowBatch& batch, const EncodedKeys& keys LARDER_LIFETIME_BOUND, RowsResult* result);
// A row as every stream sees it. `arena`: memory for a while.
[[nodiscard]] WindowKey::Version VersionAt(const WindowBatch& batch, const WindowEvents& from,
                                           std::size_t row, bool from_batch, ByteArena* arena);
// Before a commit: into what one session sees. Nothing is added when a row is refused.
[[nodiscard]] RowsResult StageWindows(
    const WindowBatch& batch,
    std::map<std::string, std::vector<WindowKey::Version>, std::less<>>* staged);

// One view's events in one transaction. What events add up to never depends on how they were split over calls.
// Threads: thread-bound.
class WindowWriter {
 public:
  // Whence events come, and the instant that horizons are counted back from.
  struct Terms {
    bool from_batch = false;
    Timestamp reference;
    bool skip_bad = false;  // else one refused row, and nothing is written
  };

  static absl::StatusOr<WindowWriter> Open(const ViewVersion& view, const WindowPlan& plan,
                                           WriteTransaction& transaction);

  absl::StatusOr<RowsResult> Add(const MappedEvents& events, const Source& source,
                                 std::size_t source_number, const Terms& terms);
  // Removes events of all keys within `range`, and versions: what a load tells again. Cost: a record for each key, and the
  // pages that `range` is in.
  absl::Status Remove(const TimeRange& range, const WindowKeyEdit::IsGone& is_replaced);
  // Removes the ids of events in no list, and gives them. Requires: those that are gone are in no tree either: deletes that
  // have settled, and what no stream counts.
  absl::StatusOr<std::vector<WindowId>> RemoveIds(
      const std::function<bool(const WindowId& id)>& is_gone);
  absl::StatusOr<RetractedRows> Retract(const WindowRetraction& retraction);
  // Requires: nothing after it.
  absl::Status Finish();

 private:
  WindowWriter(const ViewVersion& view, const WindowPlan& plan, WriteTransaction& transaction)
      : view_(view), plan_(plan), transaction_(transaction) {}
  absl::StatusOr<WindowKey> KeyOf(std::string_view entity_key) const;
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> Keys() const;  // that have a record
  // Calls `change` for each key, and writes those of which it says that they have changed.
  absl::Status EditKeys(const std::function<absl::StatusOr<bool>(WindowKeyEdit& key)>& change);

  const ViewVersion& view_;
  const WindowPlan& plan_;
  WriteTransaction& transaction_;
  WindowRecord record_;
  std::vector<AccumulatorSet> sets_;  // by stream
  std::vector<uint8_t> may_wait_;     // the same: WindowEdit
};

}  // namespace larder::inline LARDER_ABI
