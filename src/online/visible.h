// Which versions answer for an instant.
#pragma once

#include <optional>
#include <string_view>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/row_view.h"

namespace larder::inline LARDER_ABI {

// Whether the row had happened and not ended at `as_of`, and was known at `known_at`.
inline bool Answers(const RowView& row, Timestamp as_of, const std::optional<Timestamp>& known_at) {
  if (row.event_time() > as_of) return false;
  const std::optional<Timestamp> valid_to = row.valid_to();
  if (valid_to && *valid_to <= as_of) return false;
  if (!known_at) return true;
  return row.known_time() <= *known_at && (row.flags() & kRowArrivalNull) == 0;
}

// `what` is as_of or known_at.
inline absl::Status OutsideHistoryError(std::string_view what, Timestamp asked, Timestamp floor) {
  return WithKind(OutOfRangeError(what, " ", FormatTimestamp(asked),
                                  " is before what is kept: from ", FormatTimestamp(floor)),
                  ErrorKind::kOutsideHistory);
}

}  // namespace larder::inline LARDER_ABI
