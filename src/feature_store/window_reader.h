// The features of a view with aggregates, out of a snapshot of the store.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "feature_store/window_pages.h"
#include "feature_store/window_plan.h"
#include "feature_store/window_records.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/read_session.h"
#include "larder/registry/versions.h"
#include "larder/schema/feature_status.h"

namespace larder::inline LARDER_ABI {

// Reads key by key at one instant. Borrows view and plan. Threads: thread-bound.
class WindowReader {
 public:
  static absl::StatusOr<WindowReader> Make(const ViewVersion& view, const WindowPlan& plan);

  // Everything read until the next Begin is of this snapshot and instant. `known_at` absent: all that is in it.
  // Errors: kOutsideHistory for an instant whose events may be gone.
  absl::Status Begin(const ReadSession& session, Timestamp as_of, std::optional<Timestamp> known_at);

  // Fills values() and statuses(), one for each feature of the view. A null data(): a null key. `staged`: events of the
  // key beside the store's.
  // Errors: kCorrupt.
  absl::Status Read(const ReadSession& session, std::string_view key,
                    std::span<const WindowKey::Version> staged = {});

  [[nodiscard]] const std::vector<Value>& values() const LARDER_LIFETIME_BOUND { return values_; }
  [[nodiscard]] const std::vector<FeatureStatus>& statuses() const LARDER_LIFETIME_BOUND {
    return statuses_;
  }

 private:
  // The features of one stream.
  struct Stream {
    AccumulatorSet set;
    std::vector<std::size_t> features;     // of the view
    std::vector<AggregateWindow> windows;  // all different
    std::vector<std::size_t> window_of;    // beside `features`
  };
  // What one category gives each of a stream's features.
  struct Answer {
    std::vector<Value> values;
    std::vector<int64_t> events;  // of maps
  };
  struct Asked;
  struct Beside;

  WindowReader(const ViewVersion& view, const WindowPlan& plan) : view_(view), plan_(plan) {}
  absl::Status ReadStream(const Asked& asked, std::size_t stream);
  absl::StatusOr<Answer> Fold(const Asked& asked, std::size_t stream,
                              std::string_view category) const;
  // The same with everything that a fold cannot say: versions, staged events, what is known when.
  absl::StatusOr<Answer> Evaluate(const Asked& asked, std::size_t stream, std::string_view category,
                                  std::span<const WindowKey::Version* const> versions) const;
  [[nodiscard]] FeatureStatus StatusOf(const WindowFeature& feature, const Value& value) const;

  const ViewVersion& view_;
  const WindowPlan& plan_;
  std::vector<Stream> streams_;
  Timestamp as_of_;
  std::optional<Timestamp> known_at_;
  int64_t complete_from_us_ = INT64_MIN;
  std::vector<Value> values_;
  std::vector<FeatureStatus> statuses_;
};

}  // namespace larder::inline LARDER_ABI
