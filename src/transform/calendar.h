// Days, clocks and units of time: parts of a moment, truncation, and how far two moments are apart. Days count from
// 1970-01-01, microseconds from its start in UTC. Pure functions, defined for every int64.
#pragma once

#include <cstdint>

#include "larder/base/config.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {
namespace transform {

enum class Unit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDow,
  kIsoDow,
  kDoy,
};

// A unit, and the zone whose clocks draw it.
struct ZonedUnit {
  Unit unit = Unit::kDay;
  bool utc = true;
  TimeZone zone;
};

int64_t FloorDivide(int64_t a, int64_t b);
[[nodiscard]] inline bool FitsDate(int64_t days) { return days == static_cast<int32_t>(days); }

// What a clock on the wall shows. The first and last instants have local times that no int64 of microseconds holds.
struct LocalTime {
  int64_t days;
  int64_t of_day;  // microseconds

  bool operator<(const LocalTime& other) const {
    return days != other.days ? days < other.days : of_day < other.of_day;
  }
};
[[nodiscard]] LocalTime InUtc(int64_t us);
[[nodiscard]] LocalTime Local(const ZonedUnit& unit, int64_t us);

[[nodiscard]] int64_t DayPart(Unit unit, int64_t days);
[[nodiscard]] int64_t TimestampPart(Unit unit, const LocalTime& local);

// The start of the unit; a unit of less than a day leaves a day as it is.
[[nodiscard]] int64_t TruncateDays(Unit unit, int64_t days);
// False where no timestamp is that early.
[[nodiscard]] bool TruncateTimestamp(const ZonedUnit& unit, int64_t us, int64_t* out);

// Boundaries of the unit between a and b, negative where b is before a. Of days, the unit is a day or more.
[[nodiscard]] int64_t DayBoundariesBetween(Unit unit, int64_t a, int64_t b);
[[nodiscard]] int64_t BoundariesBetween(const ZonedUnit& unit, int64_t a, int64_t b);

// Whole months from a to b, towards zero: a month is complete when day and time of day are reached. With `month_ends`
// the last day of a month stands for the days it lacks: from 31 January to 28 February is a month.
[[nodiscard]] int64_t WholeMonths(const LocalTime& a, const LocalTime& b, bool month_ends);
// Whole units from a to b, towards zero. Of local times, the unit is a day or more.
[[nodiscard]] int64_t WholeDayUnits(Unit unit, const LocalTime& a, const LocalTime& b);
[[nodiscard]] int64_t WholeUnits(const ZonedUnit& unit, int64_t a, int64_t b);
// Boundaries, or whole units, of less than a day. False where they are more than an int64 holds.
[[nodiscard]] bool DayFractions(Unit unit, bool whole, const LocalTime& a, const LocalTime& b,
                                int64_t* out);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
