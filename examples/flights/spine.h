// The rows the demo asks features for: one per flight, two hours before it should leave.
#pragma once

#include <span>
#include <string>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"

namespace flights {

// When a flight's row is asked for.
enum class AskAt {
  kTwoHoursBefore,  // as a model in production would
  kArrival,  // too late: the flight's own delays are known by then. To show what a leak looks like.
};

// Reads `data`/flights.csv.gz into columns flight_id, origin, carrier, dest, distance, sched_dep_utc, ask_at and, as a
// label, arrived_late (more than 15 minutes; null for flights that did not arrive). With kArrival, rows without an
// arrival are left out.
[[nodiscard]] absl::StatusOr<larder::Batch> MakeSpine(const std::string& data, AskAt ask_at);

// The rows at `indices`. `time`, when given, replaces ask_at in every row.
[[nodiscard]] absl::StatusOr<larder::Batch> TakeRows(const larder::Batch& spine,
                                                     std::span<const std::size_t> indices,
                                                     const larder::Timestamp* time = nullptr);

// ask_at of every row. Lifetime: borrows from the spine.
[[nodiscard]] std::span<const int64_t> AskTimes(const larder::Batch& spine);

}  // namespace flights
