// SEMANTICS 3: which of two versions of a key wins.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "larder/online/row_view.h"

namespace larder::inline LARDER_ABI {

// Signed numbers as unsigned ones of the same order.
constexpr uint64_t OrderBits(int64_t value) {
  return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63);
}

// The greater wins; rows that agree in all of it are ties.
struct VersionOrder {
  int64_t event_time = 0;
  bool has_sequence = false;
  uint64_t sequence = 0;  // order bits
  int64_t arrival = INT64_MIN;
  friend auto operator<=>(const VersionOrder&, const VersionOrder&) = default;
};

inline VersionOrder OrderOf(const RowView& row) {
  VersionOrder order;
  order.event_time = row.event_time().us;
  if ((row.flags() & kRowHasSequence) != 0) {
    order.has_sequence = true;
    const int64_t sequence = *row.sequence();
    order.sequence = (row.flags() & kRowSequenceUnsigned) != 0 ? static_cast<uint64_t>(sequence)
                                                               : OrderBits(sequence);
  }
  if ((row.flags() & kRowKnownByArrival) != 0) order.arrival = row.known_time().us;
  return order;
}

inline std::string CanonicalBytesOf(const RowView& row) {
  std::string out;
  row.AppendCanonicalBytes(&out);
  return out;
}

// Whether `a` wins over `b`. Ties are settled by the rank of rows in commit order, else by canonical bytes.
// Cost: allocates for ties only.
inline bool WinsOver(const RowView& a, const RowView& b) {
  const VersionOrder left = OrderOf(a);
  const VersionOrder right = OrderOf(b);
  if (left != right) return left > right;
  // A load counts from when it was begun, so its ranks and those of a push may be the same.
  if ((a.flags() & b.flags() & kRowHasRank) != 0 && a.rank() != b.rank())
    return a.rank() > b.rank();
  return CanonicalBytesOf(a) > CanonicalBytesOf(b);
}

}  // namespace larder::inline LARDER_ABI
