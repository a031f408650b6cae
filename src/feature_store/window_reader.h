// The features of a view with aggregates, out of a snapshot of the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/window_pages.h"
#include "feature_store/window_plan.h"
#include "feature_store/window_records.h"
#include "feature_store/window_trace.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/tree_folder.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/read_session.h"
#include "larder/registry/versions.h"
#include "larder/schema/feature_status.h"
#include "larder/schema/key_bytes.h"

namespace larder::inline LARDER_ABI {

// Reads key by key at one instant. Borrows view and plan. Threads: thread-bound.
class WindowReader {
 public:
  static absl::StatusOr<WindowReader> Make(const ViewVersion& view, const WindowPlan& plan);

  // Everything read until the next Begin is of this snapshot and instant. `known_at` absent: all that is in it.
  // `commit_max`: without what later commits pushed.
  // Errors: kOutsideHistory for an instant whose events may be gone.
  absl::Status Begin(const ReadSession& session, Timestamp as_of, std::optional<Timestamp> known_at,
                     std::optional<uint64_t> commit_max = {});

  // Fills values() and statuses(), one for each feature of the view. A null data(): a null key. `staged`: events of the
  // key beside the store's.
  // Errors: kCorrupt.
  absl::Status Read(const ReadSession& session, std::string_view key,
                    std::span<const WindowKey::Version> staged = {});
  // Looks up together what reads of these keys will ask for; ReadAhead(i) is then Read of keys[i], until the next Begin.
  absl::Status LookUp(const ReadSession& session, std::span<const KeyRef> keys);
  absl::Status ReadAhead(const ReadSession& session, std::size_t i);

  // How Read of this key comes to a feature's value. The events that count, added up one by one, give its bits: else
  // kInternal. Memory: all of the feature's events.
  [[nodiscard]] absl::StatusOr<WindowTrace> Trace(const ReadSession& session, std::string_view key,
                                                  std::size_t feature) const;

  [[nodiscard]] const std::vector<Value>& values() const LARDER_LIFETIME_BOUND { return values_; }
  [[nodiscard]] const std::vector<FeatureStatus>& statuses() const LARDER_LIFETIME_BOUND {
    return statuses_;
  }
  // How many of values(), categories of maps by themselves, are null because they have no exact answer within bounds.
  [[nodiscard]] int64_t refused() const { return refused_; }

 private:
  // The features of one stream.
  struct Stream {
    AccumulatorSet set;
    std::vector<std::size_t> features;     // of the view
    std::vector<AggregateWindow> windows;  // all different
    std::vector<std::size_t> window_of;    // beside `features`
    bool has_rows = false;                 // some window is the last N events
    // Memory of a fold; `sums`, by window, is what the last one gave.
    mutable TreeFolder folder;
    mutable std::deque<AccumulatorSet> last_rows;
    mutable std::vector<const AccumulatorSet*> sums;
  };
  // What one category gives each of a stream's features.
  struct Answer {
    std::vector<Value> values;
    std::vector<int64_t> events;  // of maps
    std::vector<bool> refused;    // null for want of an exact answer
  };
  // A key, as it is read.
  struct Asked {
    const ReadSession& session;
    WindowKey key;
    std::span<const FoundPage> pages;                 // of the key's trees, found already
    std::vector<const WindowKey::Version*> versions;  // of the store's list, and staged
    std::map<std::string_view, WindowId> staged_known;  // staged ids that the store has outside its list
  };
  struct Beside;
  // An event out of a tree that owns its bytes.
  struct Collected {
    HistoryEvent event;
    std::string id;
    std::string row;
    std::string bytes;
  };
  // Events of a range, and every listed version. They borrow from `collected` and from what was asked.
  struct Gathered {
    std::deque<Collected> collected;
    std::vector<HistoryEvent> events;
    std::vector<uint64_t> ranks;      // of each
    std::vector<HistoryEvent> later;  // left out: a later commit pushed them
    std::vector<uint64_t> later_ranks;
    void SetAsideAfter(uint64_t commit_max);
  };
  using Versions = std::span<const WindowKey::Version* const>;

  // A key that LookUp was given. Lifetime: borrows from the snapshot.
  struct Ahead {
    bool is_null = false;
    WindowKey key;
    std::vector<FoundPage> pages;
  };
  // A page that is looked up.
  struct Place {
    std::size_t key = 0;  // in `ahead_`
    std::size_t stream = 0;
    uint32_t height = 0;
    NodeId page = 0;
  };

  WindowReader(const ViewVersion& view, const WindowPlan& plan) : view_(view), plan_(plan) {}
  absl::Status Ask(std::string_view key, std::span<const WindowKey::Version> staged,
                   Asked* asked) const;
  absl::Status ReadStreams(const Asked& asked);
  absl::Status ReadStream(const Asked& asked, std::size_t stream);
  void SetNotFound();
  // Looks up `places_`, and puts there what they lead to.
  absl::Status LookUpPages(const ReadSession& session);
  absl::Status GetNamed(const ReadSession& session, uint32_t table);
  // Whether the tree of a category and its tail have the answer by themselves.
  [[nodiscard]] bool Folds(const Asked& asked, std::size_t stream, std::string_view category,
                           Versions versions) const;
  // Into the stream's `sums`. `parts`: by window of the stream, if given, what was folded as one.
  absl::Status FoldWindows(const Asked& asked, std::size_t stream, std::string_view category,
                           std::vector<std::vector<FoldedPart>>* parts) const;
  // Fills values() of a stream without group.
  absl::Status FoldValues(const Asked& asked, std::size_t stream);
  absl::StatusOr<Answer> Fold(const Asked& asked, std::size_t stream, std::string_view category,
                              std::vector<std::vector<FoldedPart>>* parts = nullptr) const;
  // The same with everything that a fold cannot say: versions, staged events, what is known when.
  absl::StatusOr<Answer> Evaluate(const Asked& asked, std::size_t stream, std::string_view category,
                                  Versions versions) const;
  absl::Status Gather(const Asked& asked, std::size_t stream, std::string_view category,
                      Versions versions, const TimeRange& range, Gathered* gathered) const;
  absl::Status TraceCategory(const Asked& asked, std::size_t feature, std::string_view category,
                             Versions versions, WindowTrace* trace) const;
  [[nodiscard]] FeatureStatus StatusOf(std::size_t feature, const Value& value) const;

  const ViewVersion& view_;
  const WindowPlan& plan_;
  std::vector<Stream> streams_;
  Timestamp as_of_;
  std::optional<Timestamp> known_at_;
  std::optional<uint64_t> commit_max_;
  int64_t complete_from_us_ = INT64_MIN;
  WindowRecord record_;  // of the view, in the snapshot
  WindowKey key_;        // memory of the last one read
  std::vector<Ahead> ahead_;
  std::vector<Place> places_;
  // What GetNamed asks for and gets.
  std::vector<std::string> names_;
  std::vector<std::string_view> asked_names_;
  std::vector<std::optional<std::string_view>> records_;
  std::vector<uint8_t> is_partial_;  // by feature: its window begins before the store is complete
  std::vector<Value> values_;
  std::vector<FeatureStatus> statuses_;
  int64_t refused_ = 0;
};

}  // namespace larder::inline LARDER_ABI
