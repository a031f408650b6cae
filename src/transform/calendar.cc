#include "transform/calendar.h"

#include <limits>

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

// Not by taking the quotient's multiple off: the first day's start is before the first instant.
int64_t FloorRemainder(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}
int64_t MicrosOfDay(int64_t us) { return FloorRemainder(us, kMicrosPerDay); }
int64_t Wrap(uint64_t x) { return static_cast<int64_t>(x); }

int64_t OffsetMicros(const ZonedUnit& zoned, int64_t us) {
  return zoned.utc ? 0 : int64_t{zoned.zone.OffsetSecondsAt({us})} * kMicrosPerSecond;
}

int64_t IsoWeek(int64_t days) {
  const int64_t weekday = (((days + 3) % 7) + 7) % 7;  // Monday 0
  const int64_t thursday = days - weekday + 3;
  const int64_t year = CivilFromDays(thursday).year;
  return (thursday - DaysFromCivil(year, 1, 1)) / 7 + 1;
}

int64_t UnitMicros(Unit unit) {
  switch (unit) {
    case Unit::kMicrosecond:
      return 1;
    case Unit::kMillisecond:
      return 1000;
    case Unit::kSecond:
      return kMicrosPerSecond;
    case Unit::kMinute:
      return 60 * kMicrosPerSecond;
    case Unit::kHour:
      return 3600 * kMicrosPerSecond;
    default:
      return kMicrosPerDay;
  }
}

int64_t MonthsPerUnit(Unit unit) {
  return unit == Unit::kYear ? 12 : unit == Unit::kQuarter ? 3 : 1;
}

bool IsMonths(Unit unit) {
  return unit == Unit::kMonth || unit == Unit::kQuarter || unit == Unit::kYear;
}

int64_t MonthNumber(int64_t days) {
  const CivilDay civil = CivilFromDays(days);
  return civil.year * 12 + civil.month - 1;
}

// The number of the hour, minute, ... that an instant lies in, as date_trunc draws them: clocks that change skip and
// repeat nothing, and hours begin where the zone's clocks begin them.
int64_t UnitNumber(const ZonedUnit& zoned, int64_t us) {
  const int64_t unit = UnitMicros(zoned.unit);
  const int64_t into = FloorRemainder(us, unit) + FloorRemainder(OffsetMicros(zoned, us), unit);
  return FloorDivide(us, unit) + (into >= unit ? 1 : 0);
}

bool AddProduct(int64_t a, int64_t b, int64_t more, int64_t* out) {
  return !__builtin_mul_overflow(a, b, out) && !__builtin_add_overflow(*out, more, out);
}

}  // namespace

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

LocalTime InUtc(int64_t us) { return {FloorDivide(us, kMicrosPerDay), MicrosOfDay(us)}; }
LocalTime Local(const ZonedUnit& zoned, int64_t us) {
  LocalTime local = InUtc(us);
  if (zoned.utc) return local;
  const int64_t of_day = local.of_day + OffsetMicros(zoned, us);
  return {local.days + FloorDivide(of_day, kMicrosPerDay), MicrosOfDay(of_day)};
}

int64_t DayPart(Unit unit, int64_t days) {
  switch (unit) {
    case Unit::kYear:
      return CivilFromDays(days).year;
    case Unit::kQuarter:
      return (CivilFromDays(days).month - 1) / 3 + 1;
    case Unit::kMonth:
      return CivilFromDays(days).month;
    case Unit::kWeek:
      return IsoWeek(days);
    case Unit::kDay:
      return CivilFromDays(days).day;
    case Unit::kDow:
      return (((days + 4) % 7) + 7) % 7;
    case Unit::kIsoDow:
      return (((days + 3) % 7) + 7) % 7 + 1;
    case Unit::kDoy:
      return days - DaysFromCivil(CivilFromDays(days).year, 1, 1) + 1;
    default:
      return 0;
  }
}

int64_t TimestampPart(Unit unit, const LocalTime& local) {
  const int64_t of_day = local.of_day;
  switch (unit) {
    case Unit::kMicrosecond:
      return of_day % (60 * kMicrosPerSecond);
    case Unit::kMillisecond:
      return of_day % (60 * kMicrosPerSecond) / 1000;
    case Unit::kSecond:
      return of_day / kMicrosPerSecond % 60;
    case Unit::kMinute:
      return of_day / (60 * kMicrosPerSecond) % 60;
    case Unit::kHour:
      return of_day / (3600 * kMicrosPerSecond);
    default:
      return DayPart(unit, local.days);
  }
}

int64_t TruncateDays(Unit unit, int64_t days) {
  if (unit == Unit::kWeek) return days - (((days + 3) % 7) + 7) % 7;
  if (!IsMonths(unit)) return days;
  const CivilDay civil = CivilFromDays(days);
  const int month = unit == Unit::kYear      ? 1
                    : unit == Unit::kQuarter ? (civil.month - 1) / 3 * 3 + 1
                                             : civil.month;
  return DaysFromCivil(civil.year, month, 1);
}

bool TruncateTimestamp(const ZonedUnit& zoned, int64_t us, int64_t* out) {
  const LocalTime local = Local(zoned, us);
  // Within an hour the offset stays, so a repeated hour keeps its side of the change.
  if (zoned.unit < Unit::kDay)
    return !__builtin_sub_overflow(us, local.of_day % UnitMicros(zoned.unit), out);
  int64_t truncated = 0;
  if (__builtin_mul_overflow(TruncateDays(zoned.unit, local.days), kMicrosPerDay, &truncated))
    return false;
  *out = zoned.utc ? truncated : zoned.zone.FromLocal(truncated).us;
  return true;
}

int64_t DayBoundariesBetween(Unit unit, int64_t a, int64_t b) {
  if (IsMonths(unit)) {
    const int64_t per = MonthsPerUnit(unit);
    return FloorDivide(MonthNumber(b), per) - FloorDivide(MonthNumber(a), per);
  }
  return (TruncateDays(unit, b) - TruncateDays(unit, a)) / (unit == Unit::kWeek ? 7 : 1);
}

int64_t BoundariesBetween(const ZonedUnit& zoned, int64_t a, int64_t b) {
  if (zoned.unit >= Unit::kDay)
    return DayBoundariesBetween(zoned.unit, Local(zoned, a).days, Local(zoned, b).days);
  return Wrap(static_cast<uint64_t>(UnitNumber(zoned, b)) -
              static_cast<uint64_t>(UnitNumber(zoned, a)));
}

int64_t WholeMonths(const LocalTime& a, const LocalTime& b, bool month_ends) {
  if (b < a) return -WholeMonths(b, a, month_ends);
  const CivilDay ca = CivilFromDays(a.days);
  const CivilDay cb = CivilFromDays(b.days);
  int64_t months = (cb.year - ca.year) * 12 + cb.month - ca.month;
  const bool stands_for_more = month_ends && ca.day > cb.day && CivilFromDays(b.days + 1).day == 1;
  const int day = stands_for_more ? cb.day : ca.day;
  if (cb.day < day || (cb.day == day && b.of_day < a.of_day)) --months;
  return months;
}

int64_t WholeDayUnits(Unit unit, const LocalTime& a, const LocalTime& b) {
  if (IsMonths(unit)) return WholeMonths(a, b, true) / MonthsPerUnit(unit);
  if (b < a) return -WholeDayUnits(unit, b, a);
  return (b.days - a.days - (b.of_day < a.of_day)) / (unit == Unit::kWeek ? 7 : 1);
}

int64_t WholeUnits(const ZonedUnit& zoned, int64_t a, int64_t b) {
  if (zoned.unit >= Unit::kDay) return WholeDayUnits(zoned.unit, Local(zoned, a), Local(zoned, b));
  int64_t span = 0;
  if (__builtin_sub_overflow(b, a, &span))
    span = b > a ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  return span / UnitMicros(zoned.unit);
}

bool DayFractions(Unit unit, bool whole, const LocalTime& a, const LocalTime& b, int64_t* out) {
  const int64_t us = UnitMicros(unit);
  const int64_t per_day = kMicrosPerDay / us;
  if (!whole) return AddProduct(b.days - a.days, per_day, b.of_day / us - a.of_day / us, out);
  if (b < a) {
    if (!DayFractions(unit, whole, b, a, out)) return false;
    *out = -*out;
    return true;
  }
  const int64_t days = b.days - a.days - (b.of_day < a.of_day);
  return AddProduct(days, per_day, FloorRemainder(b.of_day - a.of_day, kMicrosPerDay) / us, out);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
