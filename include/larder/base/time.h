// Instants, calendar days and spans, all integers, and their text forms. Nothing here reads a
// clock.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// A span in microseconds; may be negative.
struct Duration {
  int64_t us = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
  static constexpr Duration Seconds(int64_t n) { return {n * kMicrosPerSecond}; }
  static constexpr Duration Minutes(int64_t n) { return {n * 60 * kMicrosPerSecond}; }
  static constexpr Duration Hours(int64_t n) { return {n * 3600 * kMicrosPerSecond}; }
  static constexpr Duration Days(int64_t n) { return {n * kMicrosPerDay}; }
};

// An instant: microseconds since 1970-01-01T00:00:00Z (proleptic Gregorian calendar, no leap
// seconds).
struct Timestamp {
  int64_t us = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
  static constexpr Timestamp Min() { return {std::numeric_limits<int64_t>::min()}; }
  static constexpr Timestamp Max() { return {std::numeric_limits<int64_t>::max()}; }
  // Saturate at Min() and Max() instead of wrapping.
  [[nodiscard]] Timestamp Plus(Duration span) const;
  [[nodiscard]] Timestamp Minus(Duration span) const;
};

// A calendar day: days since 1970-01-01.
struct Date {
  int32_t days = 0;
  friend auto operator<=>(const Date&, const Date&) = default;
};

// Year, month 1-12, day 1-31 of the proleptic Gregorian calendar.
struct CivilDay {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
};
[[nodiscard]] CivilDay CivilFromDays(int64_t days);
[[nodiscard]] int64_t DaysFromCivil(int64_t year, int month, int day);
[[nodiscard]] Date DateOf(Timestamp instant);  // its UTC day

// An IANA zone. Copies share the loaded table. Threads: const calls may overlap.
class TimeZone {
 public:
  TimeZone();  // UTC
  // Errors: kNotFound when `name` is not in the system's zone database. Names that depend on the
  // host (`localtime`) or are paths are not zones.
  static absl::StatusOr<TimeZone> Load(std::string_view name);
  [[nodiscard]] const std::string& name() const;
  // Offset from UTC, seconds east, at `instant`.
  [[nodiscard]] int64_t OffsetSecondsAt(Timestamp instant) const;
  // The instant of a local wall-clock time given as microseconds since the local 1970-01-01T00:00.
  // A repeated hour means its first occurrence; a skipped one is read with the offset before the
  // jump.
  [[nodiscard]] Timestamp FromLocal(int64_t local_us) const;
  [[nodiscard]] Date LocalDate(Timestamp instant) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;  // null means UTC
};

struct ParsedTimestamp {
  Timestamp value;
  bool floored = false;  // the text had non-zero digits finer than a microsecond
};

// ISO 8601: `2025-01-01`, `2025-01-01T12:34:56.789Z`, a blank for T, seconds optional, offsets
// `Z +01 +01:00 +0100 UTC`, one blank before an offset allowed; no offset means `zone`. Years
// outside 0000-9999 carry a sign and up to six digits. Digits beyond microseconds are floored.
// Seconds of 60, hour 24, commas, blanks around the text and words such as "now" are refused.
// Errors: kInvalidArgument quoting the text.
[[nodiscard]] absl::StatusOr<ParsedTimestamp> ParseTimestamp(std::string_view text,
                                                             const TimeZone& zone = {});
// Always UTC with `Z`; fraction only when not zero, without trailing zeros.
[[nodiscard]] std::string FormatTimestamp(Timestamp instant);

[[nodiscard]] absl::StatusOr<Date> ParseDate(std::string_view text);  // YYYY-MM-DD
[[nodiscard]] std::string FormatDate(Date date);

// `90s 15m 12h 7d 2w`, `500ms`, `250us`, sums from larger to smaller units `1h30m`, a leading minus
// (it covers the whole sum), `0`. Whole numbers only. Errors: kInvalidArgument, also when the span
// does not fit.
[[nodiscard]] absl::StatusOr<Duration> ParseDuration(std::string_view text);
// Exact, largest unit first, days the largest, zero parts left out: `1h30m`, `7d`, `0s`.
// ParseDuration reads it back.
[[nodiscard]] std::string FormatDuration(Duration span);

}  // namespace larder::inline LARDER_ABI
