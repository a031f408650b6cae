// One stored row version, read in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/validity.h"
#include "larder/online/row_layout.h"
#include "larder/schema/value.h"

#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
#include <atomic>
#endif

namespace larder::inline LARDER_ABI {

// Stored in rows: never renumber.
enum RowFlag : uint16_t {
  kRowDelete = 1U << 0,            // a tombstone: no features
  kRowTimeless = 1U << 1,          // the source has no event time
  kRowHasSequence = 1U << 2,       // stored as 8 bytes
  kRowHasValidTo = 1U << 3,        // stored as 8 bytes
  kRowPartial = 1U << 4,           // one bit per feature: the row carries it
  kRowArrivalNull = 1U << 5,       // known at no time; at a commit it is
  kRowKnownByArrival = 1U << 6,    // known_time is the source's arrival time
  kRowKnownByCommit = 1U << 7,     // known_time is the commit's
  kRowSequenceUnsigned = 1U << 8,  // the sequence's 64 bits are a uint64
  kRowHasKnownTime = 1U << 9,      // stored as 8 bytes: it is not the event time
  kRowHasRank = 1U << 10,          // stored as 8 bytes: what settles ties in commit order
  kRowHasCommitSeq = 1U << 11,     // stored as 8 bytes: it is not its segment's
  kRowHasOlder = 1U << 12,         // the segment's next row is this key's next older version
};

// The fixed beginning of a row that says everything itself. Little-endian; check covers everything after itself and, as its seed, the key.
struct RowHeader {
  uint32_t check = 0;
  uint16_t flags = 0;
  uint16_t validity = 0;  // one bit per non-null feature where a view has at most 16
  int64_t event_time = 0;
};
static_assert(sizeof(RowHeader) == 16);

namespace internal {
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
// Shared by a session and what it handed out: a view remembers the number it was made under.
using LeaseCounter = std::atomic<uint64_t>;
struct Lease {
  std::shared_ptr<const LeaseCounter> counter;
  uint64_t number = 0;
  void Check() const;  // ends the process with one line when the session was renewed or closed since
};
#else
struct Lease {
  void Check() const {}
};
#endif
}  // namespace internal

// Borrows the row's bytes from the memory map and its layout from the caller: valid until the session it came from is
// renewed, closed or destroyed. Values are copied out by Get, Text points into the row, ValueAt makes a copy.
//
// Reading never leaves the row, whatever its bytes say: a variable value whose stored place is impossible reads as
// empty (the row's check, compared by default when it is found, reports such damage first).
//
// Threads: const calls may overlap.
class LARDER_VIEW RowView {
 public:
  // A row that says its size itself. `bytes` begin with the row and may go on after it. Errors: kCorrupt for bytes too short for their header or layout.
  // `commit_seq`: of the segment the row stands in.
  static absl::StatusOr<RowView> Parse(std::string_view bytes LARDER_LIFETIME_BOUND,
                                       const RowLayout& layout LARDER_LIFETIME_BOUND,
                                       uint64_t commit_seq = 0);
  static absl::StatusOr<RowView> Parse(std::string_view, const RowLayout&&,
                                       uint64_t = 0) = delete;  // would dangle

  // Timestamp::Min() for a timeless row.
  [[nodiscard]] Timestamp event_time() const {
    lease_.Check();
    return {event_time_};
  }
  [[nodiscard]] bool is_timeless() const { return has(kRowTimeless); }
  // Timestamp::Max() when the arrival time is null.
  [[nodiscard]] Timestamp known_time() const {
    lease_.Check();
    return {known_time_};
  }
  [[nodiscard]] uint64_t commit_seq() const {
    lease_.Check();
    return commit_seq_;
  }
  [[nodiscard]] uint16_t flags() const {
    lease_.Check();
    return flags_;
  }
  [[nodiscard]] bool is_delete() const { return has(kRowDelete); }
  [[nodiscard]] bool is_partial() const { return has(kRowPartial); }
  [[nodiscard]] std::optional<int64_t> sequence() const;
  [[nodiscard]] std::optional<Timestamp> valid_to() const;
  // Of rows in commit order: the greater is the later.
  [[nodiscard]] uint64_t rank() const { return rank_; }

  [[nodiscard]] std::size_t size() const { return layout_->size(); }
  [[nodiscard]] const RowLayout& layout() const LARDER_LIFETIME_BOUND { return *layout_; }
  // Whether the row carries feature `i` at all; always true but in views with partial updates.
  [[nodiscard]] bool IsPresent(std::size_t i) const;
  // Present and not null. Requires: i < size(), not is_delete(). So for everything below.
  [[nodiscard]] bool IsValid(std::size_t i) const {
    lease_.Check();
    LARDER_DCHECK(i < size() && payload_ != nullptr);
    return ((static_cast<unsigned char>(validity_[i / 8]) >> (i % 8)) & 1U) != 0;
  }
  // Requires: a fixed-width type with T its C++ form (uint8_t for bool, int64_t for timestamp and duration, int32_t
  // for date). Zero when null.
  template <class T>
  [[nodiscard]] T Get(std::size_t i) const {
    lease_.Check();
    LARDER_DCHECK(payload_ != nullptr && sizeof(T) == layout_->width(i) && !layout_->is_variable(i));
    return LoadAs<T>(payload_ + layout_->offset(i));
  }
  // string and bytes; empty when null.
  [[nodiscard]] std::string_view Text(std::size_t i) const;
  // The elements of a vector, 8-byte aligned; zeros when null.
  template <class T>
  [[nodiscard]] std::span<const T> Vector(std::size_t i) const {
    lease_.Check();
    LARDER_DCHECK(payload_ != nullptr && layout_->type(i).id() == TypeId::kVector);
    return {reinterpret_cast<const T*>(payload_ + layout_->offset(i)), layout_->type(i).length()};
  }
  // Any type; null when not valid. Cost: allocates for text, vectors, lists and maps.
  [[nodiscard]] Value ValueAt(std::size_t i) const;

  // Bytes a tie between rows of one instant and arrival is settled by: the greater wins (SEMANTICS 3). Equal exactly
  // when operation, end and every feature are equal.
  void AppendCanonicalBytes(std::string* out) const;

  // Where layout()'s offsets count from; what is before its first value is not the payload's. Null for a delete.
  [[nodiscard]] const char* payload() const {
    lease_.Check();
    return payload_;
  }
  // One bit per feature, least significant first: which are not null. Null for a delete.
  [[nodiscard]] const char* validity() const {
    lease_.Check();
    return validity_;
  }
  // One bit per feature, least significant first; null but for partial rows.
  [[nodiscard]] const char* presence() const {
    lease_.Check();
    return presence_;
  }
  [[nodiscard]] std::string_view bytes() const {
    lease_.Check();
    return bytes_;
  }

 private:
  friend class ReadSession;
  friend class SegmentView;
  RowView() = default;
  // Reads what the flags announce, from `at` on. Requires: OptionalSize(flags, layout) bytes there.
  void TakeWords(const char* at, uint64_t commit_seq);
  [[nodiscard]] bool has(uint16_t flag) const { return (flags() & flag) != 0; }
  [[nodiscard]] std::string_view Tail(std::size_t i) const;

  std::string_view bytes_;
  const char* payload_ = nullptr;
  const char* validity_ = nullptr;
  const char* presence_ = nullptr;
  const RowLayout* layout_ = nullptr;
  int64_t event_time_ = 0;
  int64_t known_time_ = 0;
  int64_t sequence_ = 0;
  int64_t valid_to_ = 0;
  uint64_t rank_ = 0;
  uint64_t commit_seq_ = 0;
  uint16_t flags_ = 0;
  [[no_unique_address]] internal::Lease lease_;
};

}  // namespace larder::inline LARDER_ABI
