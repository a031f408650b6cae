// The rows of a spine by key and instant, and which events a window of any of them may see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "feature_store/event_mapper.h"
#include "feature_store/window_events.h"
#include "feature_store/window_plan.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/training/point_in_time_join.h"
#include "training/join_key.h"
#include "training/spine_partition.h"

namespace larder::inline LARDER_ABI {

// Immutable once made. Borrows the spine's instants. Threads: thread-compatible.
class WindowSpine {
 public:
  // Errors: kInvalidArgument for a key that is too long or of no declared type.
  static absl::StatusOr<WindowSpine> Make(const WindowPlan& plan,
                                          const Column& times LARDER_LIFETIME_BOUND,
                                          const JoinView& join, int thread_count);

  [[nodiscard]] std::size_t key_count() const { return keys_.size(); }
  [[nodiscard]] std::size_t row_count() const { return times_->size(); }
  [[nodiscard]] Timestamp InstantOf(uint32_t row) const { return {times_->Values<int64_t>()[row]}; }
  // Rows of the spine, by instant. Rows without a key are no key's.
  [[nodiscard]] std::span<const uint32_t> RowsOf(std::size_t key) const LARDER_LIFETIME_BOUND {
    return std::span(rows_).subspan(key_rows_[key].begin, RowCountOf(key, key + 1));
  }
  // Of keys [first_key, last_key).
  [[nodiscard]] std::size_t RowCountOf(std::size_t first_key, std::size_t last_key) const {
    return key_rows_[last_key].begin - key_rows_[first_key].begin;
  }

  // An event of one of the keys.
  struct Seen {
    uint32_t key = 0;
    uint32_t row = 0;  // of its batch
  };
  // What became of some rows of a batch.
  struct Matched {
    std::vector<Seen> seen;
    std::optional<uint32_t>
        nameless_delete;  // the first row, of any key of the spine, that deletes nothing in particular
    int64_t null_key = 0;
    int64_t bad_key = 0;
    int64_t null_time = 0;
    int64_t null_arrival = 0;
  };
  // Of rows [begin, end) those that a window of their key's rows may cover. What is left out changes no answer: versions
  // of an event only give way to ones that are not earlier, so where one is in a window, so is what takes its place.
  [[nodiscard]] Matched Match(const MappedEvents& events, const WindowEvents& windows,
                              const KeyReader& keys, std::size_t begin, std::size_t end) const;

 private:
  // The rows of a key.
  struct KeyRows {
    std::size_t begin = 0;  // into rows_
    uint64_t seen = 0;      // the parts of time in which some row may see an event, a bit each
  };
  WindowSpine(const Column& times, KeyForm form) : times_(&times), keys_(form) {}
  absl::Status Index(const KeyReader& reader, int thread_count);
  void SetParts();
  [[nodiscard]] uint64_t PartsSeenBy(int64_t instant_us) const;
  // The number of the part an instant is in, or of the nearest one.
  [[nodiscard]] unsigned PartOf(int64_t time_us) const {
    if (time_us <= parts_from_us_) return 0;
    const uint64_t part =
        (static_cast<uint64_t>(time_us) - static_cast<uint64_t>(parts_from_us_)) >> part_shift_;
    return part < kParts ? static_cast<unsigned>(part) : kParts - 1;
  }
  [[nodiscard]] bool MayBeSeen(std::size_t key, int64_t time_us) const {
    return (key_rows_[key].seen >> PartOf(time_us) & 1U) != 0;
  }
  [[nodiscard]] bool IsSeen(std::size_t key, int64_t time_us) const;

  const Column* times_;
  KeyTable keys_;
  static constexpr unsigned kParts = 64;
  std::vector<KeyRows> key_rows_;  // one more at the end
  std::vector<uint32_t> rows_;
  std::vector<int64_t> instants_;  // of rows_
  Duration delay_;                 // an event is in no window before its time and this
  std::optional<Duration> reach_;  // nor after its time and this
  // The time of events that any row sees, in parts of 2^part_shift_ microseconds.
  int64_t parts_from_us_ = 0;
  unsigned part_shift_ = 0;
};

}  // namespace larder::inline LARDER_ABI
