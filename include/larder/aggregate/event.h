// One event as aggregates see it: the input's value, and the order of events of one key.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// Where an event stands among those of its key: by event time, the source's sequence, the event's id, the row's bytes.
// Lifetime: borrows id and row.
struct EventOrder {
  int64_t time_us = 0;
  bool has_sequence = false;  // an event without one comes before all that have one
  uint64_t sequence = 0;      // SequenceOrder() of a signed one
  std::string_view event_id;  // empty: none
  std::string_view row;       // any bytes that are equal exactly when the rows are

  friend auto operator<=>(const EventOrder&, const EventOrder&) = default;
};

// Signed sequences in the order of unsigned ones.
[[nodiscard]] constexpr uint64_t SequenceOrder(int64_t sequence) {
  return static_cast<uint64_t>(sequence) ^ (uint64_t{1} << 63U);
}

// A nullable value of the input's type, without owning anything.
struct AggregateInput {
  bool is_null = true;
  // A scalar of fixed width: its bits, integers (bool, date, timestamp, duration among them) widened to 64.
  uint64_t word = 0;
  // Text: itself. A vector: its elements. A list or map: AppendCanonicalBytes.
  std::string_view bytes;

  friend bool operator==(const AggregateInput&, const AggregateInput&) = default;
};

struct AggregateEvent {
  EventOrder order;
  AggregateInput input;
};

// `scratch` holds what the input may borrow, as does `value`.
[[nodiscard]] AggregateInput InputOf(const Value& value LARDER_LIFETIME_BOUND,
                                     std::string* scratch LARDER_LIFETIME_BOUND);
[[nodiscard]] AggregateInput InputAt(const Column& column LARDER_LIFETIME_BOUND, std::size_t row,
                                     std::string* scratch LARDER_LIFETIME_BOUND);

// The inverse of InputOf.
// Errors: kDataLoss when the bytes are of no value of `type`.
[[nodiscard]] absl::StatusOr<Value> ValueOf(const AggregateInput& input, const DataType& type);

}  // namespace larder::inline LARDER_ABI
