// Consistent reading: one commit, seen through one snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/environment.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"

namespace larder::inline LARDER_ABI {

class SegmentView;
class ViewRows;
class SegmentTouches;
struct SegmentShape;
struct SegmentSource;

// For a view with partial updates: the row that gives each feature its value, status and time. Reusable: after the
// first use with a view it does not allocate. Lifetime: as the RowViews in it.
class PartialRow {
 public:
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  // The newest visible and known row carrying feature `i`; nullopt when none does (or it was deleted since).
  [[nodiscard]] const std::optional<RowView>& RowOf(std::size_t i) const LARDER_LIFETIME_BOUND {
    return rows_[i];
  }
  [[nodiscard]] bool found_any() const { return found_ > 0; }

  // For those that fill it, with rows newest first: each gives what none before it carries.
  void Clear(std::size_t features) {
    rows_.assign(features, std::nullopt);
    found_ = 0;
  }
  void Take(const RowView& row) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] || !row.IsPresent(i)) continue;
      rows_[i] = row;
      ++found_;
    }
  }

 private:
  friend class ReadSession;
  std::vector<std::optional<RowView>> rows_;
  std::size_t found_ = 0;
};

// A key to look up, with its hash (ReadSession::HashOfKey) so that views of one entity share it. A null data() has no row.
struct KeyRef {
  std::string_view key;
  uint64_t hash = 0;
};

// Between the steps of a batch look-up: where a key's row probably is.
struct RowGuess {
  enum State : uint32_t {
    kAbsent,   // the key has no row
    kLikely,   // `row`, if the key is its
    kOnly,     // `row`, if the key is its; otherwise the key has none
    kUnknown,  // to be looked up with more care
  };
  const SegmentView* segment = nullptr;
  SegmentTouches* touches = nullptr;
  const char* row = nullptr;
  uint32_t slot = 0;
  State state = kAbsent;
};

// A whole row found in place, for loops that know the layout: value i, if bit i of `validity` is set, is at payload +
// layout.offset(i). Borrows as RowView does, without its checks of lifetimes.
struct FoundRow {
  const char* payload = nullptr;  // null: no row
  const char* validity = nullptr;
  const char* end = nullptr;  // of the row's bytes
  int64_t event_time = 0;
  bool timeless = false;

  static FoundRow Of(const RowView& row) {
    return {row.payload(), row.validity(), row.bytes().data() + row.bytes().size(),
            row.event_time().us, row.is_timeless()};
  }
};

// The oldest instants a view still answers for exactly; Timestamp::Min() while nothing was dropped.
struct ViewFloors {
  Timestamp as_of = Timestamp::Min();
  Timestamp known_at = Timestamp::Min();
};

// What finding a view's rows again costs nothing by. Of one view and one session.
struct RowsHint {
  std::size_t at = 0;  // among the views the session has read
  uint64_t snapshot = 0;
  ViewRows* rows = nullptr;  // in that snapshot
};

// Everything read through a session is one commit, until Renew(). Sessions never wait for a writer's commit; map growth
// and reopening may delay Open and Renew.
//
// Keep one per thread and Renew() it per request: that costs about as much as a tenth of a row look-up, nothing when
// nothing was committed. Held for long it keeps the file from reusing pages, see EnvironmentOptions::session_age_max.
//
// Rows and records found here point into the memory map: they are yours until Renew(), Release() or destruction. Under
// LARDER_CHECK_LIFETIMES a later use ends the process with one line saying so.
//
// Threads: thread-bound in use, may be handed from thread to thread. Move-only.
class ReadSession {
 public:
  // Errors: kReadersFull naming the processes; kForked; kStoreReplaced when the store was rewritten; kBusy when the
  //   map had to be reopened and other snapshots of this process did not end in time.
  static absl::StatusOr<ReadSession> Open(std::shared_ptr<Environment> environment);
  ReadSession(ReadSession&& other) noexcept;
  ReadSession& operator=(ReadSession&& other) noexcept;
  ~ReadSession();

  // Moves on to the newest commit of any process. Ends the life of all views handed out. Errors: as Open; the session
  // then holds no snapshot, and Renew() may be tried again.
  absl::Status Renew();
  // Ends the snapshot and the life of all views, keeping the session for a later Renew().
  void Release();

  // Of the snapshot: the number and time of the last commit in it, and the number of the last one that changed
  // definitions or layout. 0 before the first commit.
  [[nodiscard]] uint64_t commit_seq() const { return commit_seq_; }
  [[nodiscard]] uint64_t layout_seq() const { return layout_seq_; }
  [[nodiscard]] Timestamp commit_time() const { return commit_time_; }
  [[nodiscard]] const std::shared_ptr<Environment>& environment() const LARDER_LIFETIME_BOUND {
    return environment_;
  }

  // The winner of SEMANTICS 3 for `key` (schema/entity_key.h's bytes) among the rows visible at `as_of` and known at
  // `known_at`; without it, among all rows of the snapshot. nullopt: no such row, or it is a delete.
  //
  // Errors: kOutsideHistory for an instant before what is kept; kCorrupt; kSessionExpired; kForked; kTooLarge key.
  // Cost: one or two look-ups in a mapped hash table; no lock, and no allocation once the part of the view that holds
  //   the key has been looked at since it changed.
  [[nodiscard]] absl::StatusOr<std::optional<RowView>> FindRow(
      uint32_t view_id, const RowLayout& layout LARDER_LIFETIME_BOUND, std::string_view key,
      Timestamp as_of,
      std::optional<Timestamp> known_at = std::nullopt) const& LARDER_LIFETIME_BOUND;
  absl::StatusOr<std::optional<RowView>> FindRow(
      uint32_t, const RowLayout&, std::string_view, Timestamp,
      std::optional<Timestamp> = std::nullopt) const&& = delete;
  absl::StatusOr<std::optional<RowView>> FindRow(
      uint32_t, const RowLayout&&, std::string_view, Timestamp,
      std::optional<Timestamp> = std::nullopt) const& = delete;

  // The same for many keys; `as_of` and `known_at` hold one instant for all or one each, `known_at` may be empty.
  // A key with a null data() has no row (a null join key). Requires: out.size() == keys.size().
  absl::Status FindRows(uint32_t view_id, const RowLayout& layout LARDER_LIFETIME_BOUND,
                        std::span<const std::string_view> keys, std::span<const Timestamp> as_of,
                        std::span<const Timestamp> known_at,
                        std::span<std::optional<RowView>> out) const&;
  absl::Status FindRows(uint32_t, const RowLayout&, std::span<const std::string_view>,
                        std::span<const Timestamp>, std::span<const Timestamp>,
                        std::span<std::optional<RowView>>) const&& = delete;

  [[nodiscard]] uint64_t HashOfKey(std::string_view key) const;
  // For loops over many keys of a few views. A ViewRows stands for a view in this snapshot, until Renew or Release.
  [[nodiscard]] absl::StatusOr<ViewRows*> RowsOfView(uint32_t view_id, const RowLayout& layout,
                                                     RowsHint* hint) const;
  // Maps a view's pages, reading from the disk those that are not in memory, and looks all its segments up. Cost: the
  // view's whole size; for after a publish, before requests.
  absl::Status Prefault(ViewRows& rows) const;
  // A batch is looked up in three steps with other work between them, since each waits for memory that the one before
  // asked for: FetchIndex, FetchRows, FindMany. `guesses` goes from the second to the third.
  void FetchIndex(const ViewRows& rows, std::span<const KeyRef> keys) const;
  void FetchRows(const ViewRows& rows, std::span<const KeyRef> keys,
                 std::span<RowGuess> guesses) const;
  // FindRow for many keys at one instant, known by the snapshot. Requires: spans of one size.
  absl::Status FindMany(const ViewRows& rows, const RowLayout& layout, std::span<const KeyRef> keys,
                        std::span<const RowGuess> guesses, Timestamp as_of,
                        std::span<FoundRow> out) const;

  // For views written with partial updates: per feature the newest visible and known row that carries it.
  absl::Status FindPartialRow(uint32_t view_id, const RowLayout& layout LARDER_LIFETIME_BOUND,
                              std::string_view key, Timestamp as_of,
                              std::optional<Timestamp> known_at, PartialRow* out) const&;
  absl::Status FindPartialRow(uint32_t, const RowLayout&, std::string_view, Timestamp,
                              std::optional<Timestamp>, PartialRow*) const&& = delete;

  [[nodiscard]] absl::StatusOr<ViewFloors> FloorsOf(uint32_t view_id) const;

  // Calls `visit` once per key of the view with at least one stored version, in no order but always the same one while
  // the view does not change, from after `after_key` on, until it returns false. The key is valid during the call.
  // Errors: kNotFound when no version of `after_key` is left; so page through one snapshot, or begin again.
  absl::Status ForEachKey(uint32_t view_id, const std::function<bool(std::string_view key)>& visit,
                          std::string_view after_key = {}) const;
  // Calls `visit` for every stored version, deletes included: keys as in ForEachKey, newest first within one.
  absl::Status ForEachVersion(
      uint32_t view_id, const RowLayout& layout,
      const std::function<bool(std::string_view key, const RowView& row)>& visit) const;
  // All versions of one key, newest first.
  absl::Status ForEachVersionOf(uint32_t view_id, const RowLayout& layout, std::string_view key,
                                const std::function<bool(const RowView& row)>& visit) const;

  // Bytes a caller stored (registry, audit, history). nullopt when there is no such record.
  // Errors: kCorrupt; kSessionExpired; kForked.
  [[nodiscard]] absl::StatusOr<std::optional<std::string_view>> GetRecord(
      uint32_t table, std::string_view key) const& LARDER_LIFETIME_BOUND;
  absl::StatusOr<std::optional<std::string_view>> GetRecord(uint32_t,
                                                            std::string_view) const&& = delete;
  // The same for several keys. Cost: less than one after the other, as the memory that one leads to is asked for while
  // others are looked for. Requires: as many values as keys.
  absl::Status GetRecords(uint32_t table, std::span<const std::string_view> keys,
                          std::span<std::optional<std::string_view>> values) const&;
  absl::Status GetRecords(uint32_t, std::span<const std::string_view>,
                          std::span<std::optional<std::string_view>>) const&& = delete;
  // Calls `visit` for the records of a table in key order, from the first key not less than `from`, until it returns
  // false. Keys made of zero-padded or big-endian numbers come in numeric order.
  absl::Status ListRecords(
      uint32_t table, const std::function<bool(std::string_view key, std::string_view value)>& visit,
      std::string_view from = {}) const;

  // For larder's own sources.
  struct Slot;
  // A key's versions in each layer, newest first. `hint` as RowsOfView's; may be null.
  absl::Status ReadLayers(uint32_t view_id, const RowLayout& layout, const KeyRef& key,
                          RowsHint* hint, std::vector<RowView>* loaded,
                          std::vector<RowView>* pushed) const;
  [[nodiscard]] const Slot* slot() const { return slot_; }
  // Every record as it is stored; every row version as it is stored, pushed layer first, newest first within a key of a
  // layer, with RowLayout::trailer_offset() and its index. Checked.
  absl::Status ForEachRecord(
      const std::function<void(std::string_view key, std::string_view value)>& visit) const;
  absl::Status ForEachStored(
      uint32_t view_id,
      const std::function<void(std::string_view key, std::string_view row,
                               std::size_t trailer_offset, std::size_t index)>& visit) const;

 private:
  ReadSession(std::shared_ptr<Environment> environment, Slot* slot);
  absl::Status CheckUsable() const;
  absl::Status CheckFloors(uint32_t view_id, Timestamp as_of,
                           std::optional<Timestamp> known_at) const;
  friend class GenerationBuilder;
  friend void SettleSegments(const std::shared_ptr<Environment>& environment,
                             std::span<const uint64_t> written, std::span<const uint64_t> deleted);
  class Versions;
  absl::Status CheckAsked(uint32_t view_id, std::string_view key, Timestamp as_of,
                          std::optional<Timestamp> known_at) const;
  [[nodiscard]] SegmentSource Source() const;
  absl::StatusOr<ViewRows*> RowsOf(uint32_t view_id, const std::optional<SegmentShape>& shape,
                                   RowsHint* hint = nullptr) const;
  absl::StatusOr<RowView> ViewOf(const SegmentView& segment, const char* row,
                                 const RowLayout& layout) const;
  void EndLeases();
  void Give();

  std::shared_ptr<Environment> environment_;
  Slot* slot_ = nullptr;
  uint64_t commit_seq_ = 0;
  uint64_t layout_seq_ = 0;
  Timestamp commit_time_ = {};
  ViewFloors highest_floors_;  // over all views: an instant above needs no look at its view's own
  int64_t began_ns_ = 0;       // monotonic; only kept with session_age_max
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  std::shared_ptr<internal::LeaseCounter> lease_;
#endif
};

}  // namespace larder::inline LARDER_ABI
