// Changing what the store keeps of one key's events.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feature_store/window_ids.h"
#include "feature_store/window_pages.h"
#include "feature_store/window_records.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/write_transaction.h"

namespace larder::inline LARDER_ABI {

// What a view's keys have in common while they are changed. Borrowed by all of them.
struct WindowEdit {
  uint32_t data_id = 0;
  std::span<const AccumulatorSet> sets;  // by stream
  std::span<const uint8_t> may_wait;     // by stream: whether its events may wait beside its trees
  WriteTransaction* transaction = nullptr;
  WindowRecord* record = nullptr;
};

// Events of one source, by its number, that some commits pushed.
struct WindowRetraction {
  std::size_t source = 0;
  uint64_t first_commit = 0;
  uint64_t last_commit = 0;

  [[nodiscard]] bool Covers(std::size_t number, uint64_t rank) const {
    const uint64_t commit = CommitOfRank(rank);
    return number == source && commit >= first_commit && commit <= last_commit;
  }
};

// Threads: thread-bound.
class WindowKeyEdit {
 public:
  enum class Outcome : uint8_t { kWritten, kOlder, kDuplicate };

  // `state`: as it is in the store.
  WindowKeyEdit(const WindowEdit& edit, std::string_view entity_key, WindowKey state)
      : edit_(edit), entity_key_(entity_key), state_(std::move(state)) {}

  // An event without an id, or a version of one with an id.
  absl::StatusOr<Outcome> Add(WindowKey::Version version);
  // An event in a tree, or a version of one. Lifetime: borrows.
  struct Told {
    const WindowKeyEdit& of;
    std::string_view id;  // empty: it has none
    int64_t time_us = 0;
    WindowTrailer trailer;
    bool is_listed = false;  // one of several versions

    // What a batch has told again is the batch's, though the trailer of what was pushed is as it was.
    // Cost: a record, for pushed events with an id.
    [[nodiscard]] absl::StatusOr<bool> IsFromBatch() const;
  };
  // May be asked of one event several times: it may be in several trees.
  using IsGone = std::function<absl::StatusOr<bool>(const Told& told)>;
  // Of events in trees only those within `range` are asked about. Whether anything went.
  absl::StatusOr<bool> Remove(const TimeRange& range, const IsGone& is_gone);
  // Adds to `retracted` what goes, and gives whether anything does. What a batch has told too stays.
  absl::StatusOr<bool> Retract(const WindowRetraction& retraction, RetractedRows* retracted);
  // Removes ids that wait and are in no list, and adds them to `removed`. Whether any went. Requires: as
  // WindowWriter::RemoveIds.
  bool RemoveWaitingIds(const std::function<bool(const WindowId& id)>& is_gone,
                        std::vector<WindowId>* removed);
  // Events before `cutoff_us` go: no window will see them again.
  absl::Status DropBefore(int64_t cutoff_us);
  // Writes everything. Of ids whose versions are all older than `settled_us` the last one stays.
  absl::Status Finish(int64_t settled_us);

  [[nodiscard]] const WindowKey& state() const LARDER_LIFETIME_BOUND { return state_; }

 private:
  using Place = std::pair<std::size_t, std::string>;  // a stream, and a category of it

  [[nodiscard]] absl::StatusOr<FoundWindowId> FindId(std::string_view id) const;
  // `has_record`: as FindId had it. Others wait beside the key, while there is room.
  absl::Status PutId(std::string_view id, const WindowId& value, bool has_record);
  absl::Status EraseId(std::string_view id);
  absl::Status RecordWaitingIds();
  [[nodiscard]] WindowIdName NameOf(std::string_view id) const;
  Outcome AddListed(WindowKey::Version version);
  void AddToTrees(WindowKey::Version version);
  // Takes an event out of the trees: what it was there.
  absl::StatusOr<WindowKey::Version> Lift(std::string_view id, const WindowId& known);
  // An event of a tree, and where that is. Lifetime: borrows.
  struct TreeEvent {
    std::size_t stream = 0;
    std::string_view category;
    const AggregateEvent& event;
  };
  using IsGoneFrom = std::function<absl::StatusOr<bool>(const TreeEvent& event)>;
  // Writes what AddToTrees was given. `may_wait`: a few events of a tree into its tail.
  absl::Status Flush(bool may_wait);
  // Takes events out of a tail.
  absl::Status RemoveFromTail(std::size_t stream, const TimeRange& range, const IsGoneFrom& is_gone,
                              WindowKey::Tree* kept);
  absl::Status Settle(int64_t settled_us);
  // Empty ones for what is pending, where there are none yet.
  void MakeTrees();
  // Events of all trees and their tails within `range` for which `is_gone` go.
  absl::Status RemoveFromTrees(const TimeRange& range, const IsGoneFrom& is_gone);
  // The same, of trees and listed versions, with the ids of which nothing is left. Whether anything went.
  absl::StatusOr<bool> RemoveEvents(const TimeRange& range, const IsGone& is_gone);

  const WindowEdit& edit_;
  const std::string entity_key_;
  WindowKey state_;
  std::map<Place, std::vector<WindowKey::Version>> pending_;  // with the one part that counts
};

}  // namespace larder::inline LARDER_ABI
