// Dates, timestamps and durations: arithmetic, calendar parts, truncation, differences.
#include <limits>
#include <string>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/builtin.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

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
struct UnitName {
  std::string_view name;
  Unit unit;
};
constexpr UnitName kUnits[] = {
    {"microsecond", Unit::kMicrosecond},
    {"millisecond", Unit::kMillisecond},
    {"second", Unit::kSecond},
    {"minute", Unit::kMinute},
    {"hour", Unit::kHour},
    {"day", Unit::kDay},
    {"week", Unit::kWeek},
    {"month", Unit::kMonth},
    {"quarter", Unit::kQuarter},
    {"year", Unit::kYear},
    {"dow", Unit::kDow},
    {"isodow", Unit::kIsoDow},
    {"doy", Unit::kDoy},
};

struct TimeAux {
  Unit unit = Unit::kDay;
  bool utc = true;
  TimeZone zone;
};

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }
// Not by taking the quotient's multiple off: the first day's start is before the first instant.
int64_t FloorRemainder(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}
int64_t MicrosOfDay(int64_t us) { return FloorRemainder(us, kMicrosPerDay); }
bool FitsDate(int64_t days) { return days == static_cast<int32_t>(days); }
int64_t Wrap(uint64_t x) { return static_cast<int64_t>(x); }

// --- arithmetic ----------------------------------------------------------------------------------------------------
struct DaysBetween {
  static int64_t Do(int64_t a, int64_t b) {
    return Wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }
};
struct AddDays {
  static bool Do(int64_t date, int64_t days, int64_t* out) {
    return !__builtin_add_overflow(date, days, out) && FitsDate(*out);
  }
};
struct DaysAdded {
  static bool Do(int64_t days, int64_t date, int64_t* out) { return AddDays::Do(date, days, out); }
};
struct SubtractDays {
  static bool Do(int64_t date, int64_t days, int64_t* out) {
    return !__builtin_sub_overflow(date, days, out) && FitsDate(*out);
  }
};
struct AddSpan {
  static bool Do(int64_t a, int64_t b, int64_t* out) { return !__builtin_add_overflow(a, b, out); }
};
struct SubtractSpan {
  static bool Do(int64_t a, int64_t b, int64_t* out) { return !__builtin_sub_overflow(a, b, out); }
};
struct DatePlusSpan {
  static bool Do(int64_t date, int64_t us, int64_t* out) {
    return !__builtin_mul_overflow(date, kMicrosPerDay, out) &&
           !__builtin_add_overflow(*out, us, out);
  }
};
struct SpanPlusDate {
  static bool Do(int64_t us, int64_t date, int64_t* out) { return DatePlusSpan::Do(date, us, out); }
};
struct DateMinusSpan {
  static bool Do(int64_t date, int64_t us, int64_t* out) {
    return !__builtin_mul_overflow(date, kMicrosPerDay, out) &&
           !__builtin_sub_overflow(*out, us, out);
  }
};
struct ScaleSpan {
  static bool Do(int64_t a, int64_t b, int64_t* out) { return !__builtin_mul_overflow(a, b, out); }
};
struct NegateSpan {
  static bool Do(int64_t a, int64_t* out) { return !__builtin_sub_overflow(int64_t{0}, a, out); }
};
struct AbsSpan {
  static bool Do(int64_t a, int64_t* out) {
    *out = a;
    return a >= 0 || NegateSpan::Do(a, out);
  }
};
bool SpanFromFloat(double us, int64_t* out) {
  const double r = ieee::RoundEven(us);
  const bool fits = r >= -9223372036854775808.0 && r < 9223372036854775808.0;
  *out = static_cast<int64_t>(fits ? r : 0.0);
  return fits;
}
struct ScaleSpanByFloat {
  static bool Do(int64_t a, double b, int64_t* out) {
    return SpanFromFloat(static_cast<double>(a) * b, out);
  }
};
struct FloatScalesSpan {
  static bool Do(double a, int64_t b, int64_t* out) { return ScaleSpanByFloat::Do(b, a, out); }
};
struct SpanRatio {
  static bool Do(int64_t a, int64_t b, double* out) {
    *out = b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
    return b != 0;
  }
};
struct EpochSeconds {
  static double Do(int64_t us) { return static_cast<double>(us) / 1e6; }
};
struct EpochDate {
  static double Do(int64_t days) { return static_cast<double>(days) * 86400.0; }
};
struct EpochMillis {
  static int64_t Do(int64_t us) { return FloorDivide(us, 1000); }
};
struct Same {
  static int64_t Do(int64_t us) { return us; }
};
struct FromSeconds {
  static bool Do(double seconds, int64_t* out) { return SpanFromFloat(seconds * 1e6, out); }
};

void DivideSpan(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<int64_t> a(call, 0);
  const Argument<double> b(call, 1);
  int64_t* LARDER_RESTRICT out = call.result<int64_t>();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t zero = 0;
    uint64_t overflow = 0;
    for (std::size_t j = 0; j < call.rows_in_word(w); ++j) {
      const std::size_t i = 64 * w + j;
      const bool fits = SpanFromFloat(static_cast<double>(a[i]) / b[i], &out[i]);
      zero |= static_cast<uint64_t>(b[i] == 0) << j;
      overflow |= static_cast<uint64_t>(!fits) << j;
    }
    uint64_t good = call.valid_word(0, w) & call.valid_word(1, w);
    good = call.Reject(w, good, zero, &call.counts().division_by_zero);
    valid[w] = call.Reject(w, good, overflow, &call.counts().overflow);
  }
}

// --- the calendar --------------------------------------------------------------------------------------------------
// What a clock on the wall shows. The first and last instants have local times that no int64 of microseconds holds.
struct LocalTime {
  int64_t days;
  int64_t of_day;  // microseconds

  bool operator<(const LocalTime& other) const {
    return days != other.days ? days < other.days : of_day < other.of_day;
  }
};
LocalTime At(int64_t us) { return {FloorDivide(us, kMicrosPerDay), MicrosOfDay(us)}; }
int64_t OffsetMicros(const TimeAux& aux, int64_t us) {
  return aux.utc ? 0 : int64_t{aux.zone.OffsetSecondsAt({us})} * kMicrosPerSecond;
}
LocalTime Local(const TimeAux& aux, int64_t us) {
  LocalTime local = At(us);
  if (aux.utc) return local;
  const int64_t of_day = local.of_day + OffsetMicros(aux, us);
  return {local.days + FloorDivide(of_day, kMicrosPerDay), MicrosOfDay(of_day)};
}

int64_t IsoWeek(int64_t days) {
  const int64_t weekday = (((days + 3) % 7) + 7) % 7;  // Monday 0
  const int64_t thursday = days - weekday + 3;
  const int64_t year = CivilFromDays(thursday).year;
  return (thursday - DaysFromCivil(year, 1, 1)) / 7 + 1;
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

int64_t TruncateDays(Unit unit, int64_t days) {
  if (unit == Unit::kWeek) return days - (((days + 3) % 7) + 7) % 7;
  if (!IsMonths(unit)) return days;
  const CivilDay civil = CivilFromDays(days);
  const int month = unit == Unit::kYear      ? 1
                    : unit == Unit::kQuarter ? (civil.month - 1) / 3 * 3 + 1
                                             : civil.month;
  return DaysFromCivil(civil.year, month, 1);
}

bool TruncateTimestamp(const TimeAux& aux, int64_t us, int64_t* out) {
  const LocalTime local = Local(aux, us);
  // Within an hour the offset stays, so a repeated hour keeps its side of the change.
  if (aux.unit < Unit::kDay)
    return !__builtin_sub_overflow(us, local.of_day % UnitMicros(aux.unit), out);
  int64_t truncated = 0;
  if (__builtin_mul_overflow(TruncateDays(aux.unit, local.days), kMicrosPerDay, &truncated))
    return false;
  *out = aux.utc ? truncated : aux.zone.FromLocal(truncated).us;
  return true;
}

int64_t MonthNumber(int64_t days) {
  const CivilDay civil = CivilFromDays(days);
  return civil.year * 12 + civil.month - 1;
}

// Boundaries of `unit`, a day or more, between a and b.
int64_t DayBoundariesBetween(Unit unit, int64_t a, int64_t b) {
  if (IsMonths(unit)) {
    const int64_t per = MonthsPerUnit(unit);
    return FloorDivide(MonthNumber(b), per) - FloorDivide(MonthNumber(a), per);
  }
  return (TruncateDays(unit, b) - TruncateDays(unit, a)) / (unit == Unit::kWeek ? 7 : 1);
}

// The number of the hour, minute, ... that an instant lies in, as date_trunc draws them: clocks that change skip and
// repeat nothing, and hours begin where the zone's clocks begin them.
int64_t UnitNumber(const TimeAux& aux, int64_t us) {
  const int64_t unit = UnitMicros(aux.unit);
  const int64_t into = FloorRemainder(us, unit) + FloorRemainder(OffsetMicros(aux, us), unit);
  return FloorDivide(us, unit) + (into >= unit ? 1 : 0);
}

int64_t BoundariesBetween(const TimeAux& aux, int64_t a, int64_t b) {
  if (aux.unit >= Unit::kDay)
    return DayBoundariesBetween(aux.unit, Local(aux, a).days, Local(aux, b).days);
  return Wrap(static_cast<uint64_t>(UnitNumber(aux, b)) - static_cast<uint64_t>(UnitNumber(aux, a)));
}

// Whole months from a to b, towards zero: a month is complete when day and time of day are reached. With `month_ends`
// the last day of a month stands for the days it lacks: from 31 January to 28 February is a month.
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

// `unit` is a day or more.
int64_t WholeDayUnits(Unit unit, const LocalTime& a, const LocalTime& b) {
  if (IsMonths(unit)) return WholeMonths(a, b, true) / MonthsPerUnit(unit);
  if (b < a) return -WholeDayUnits(unit, b, a);
  return (b.days - a.days - (b.of_day < a.of_day)) / (unit == Unit::kWeek ? 7 : 1);
}

int64_t WholeUnits(const TimeAux& aux, int64_t a, int64_t b) {
  if (aux.unit >= Unit::kDay) return WholeDayUnits(aux.unit, Local(aux, a), Local(aux, b));
  int64_t span = 0;
  if (__builtin_sub_overflow(b, a, &span))
    span = b > a ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  return span / UnitMicros(aux.unit);
}

// --- kernels with a prepared unit and zone ---------------------------------------------------------------------------
template <bool kDate>
void Part(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<TimeAux>();
  const Argument<int64_t> a(call, 0);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = kDate ? DayPart(aux.unit, a[i]) : TimestampPart(aux.unit, Local(aux, a[i]));
    return true;
  });
}

template <bool kDate>
void Truncate(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<TimeAux>();
  const Argument<int64_t> a(call, 0);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    if (!kDate) return TruncateTimestamp(aux, a[i], &out[i]);
    out[i] = TruncateDays(aux.unit, a[i]);
    return FitsDate(out[i]);
  });
}

template <bool kWhole>
void Difference(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<TimeAux>();
  const Argument<int64_t> a(call, 0);
  const Argument<int64_t> b(call, 1);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = kWhole ? WholeUnits(aux, a[i], b[i]) : BoundariesBetween(aux, a[i], b[i]);
    return true;
  });
}

bool AddProduct(int64_t a, int64_t b, int64_t more, int64_t* out) {
  return !__builtin_mul_overflow(a, b, out) && !__builtin_add_overflow(*out, more, out);
}

// Boundaries, or whole units, of less than a day.
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

// In UTC with a date on one side or both: most dates are no timestamps.
template <bool kWhole, bool kDateA, bool kDateB>
void DateDifference(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Unit unit = call.aux<TimeAux>().unit;
  const Argument<int64_t> a(call, 0);
  const Argument<int64_t> b(call, 1);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    const LocalTime from = kDateA ? LocalTime{a[i], 0} : At(a[i]);
    const LocalTime to = kDateB ? LocalTime{b[i], 0} : At(b[i]);
    if (unit < Unit::kDay) return DayFractions(unit, kWhole, from, to, &out[i]);
    out[i] = kWhole ? WholeDayUnits(unit, from, to) : DayBoundariesBetween(unit, from.days, to.days);
    return true;
  });
}

// Completed years or months between two dates: 29 February is completed on 1 March.
template <int64_t kMonths>
void CompletedBetween(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<int64_t> a(call, 0);
  const Argument<int64_t> b(call, 1);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    const bool forward = a[i] <= b[i];
    const CivilDay from = CivilFromDays(forward ? a[i] : b[i]);
    const CivilDay to = CivilFromDays(forward ? b[i] : a[i]);
    const int64_t months = (to.year - from.year) * 12 + to.month - from.month - (to.day < from.day);
    out[i] = (forward ? months : -months) / kMonths;
    return true;
  });
}

// The same between instants, in UTC, the time of day included.
template <int64_t kMonths>
void CompletedBetweenInstants(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<int64_t> a(call, 0);
  const Argument<int64_t> b(call, 1);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = WholeMonths(At(a[i]), At(b[i]), false) / kMonths;
    return true;
  });
}

void LocalDay(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<TimeAux>();
  const Argument<int64_t> a(call, 0);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = Local(aux, a[i]).days;
    return true;
  });
}

void MakeDate(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<int64_t> year(call, 0);
  const Argument<int64_t> month(call, 1);
  const Argument<int64_t> day(call, 2);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, &call.counts().domain, [&](std::size_t i) {
    if (year[i] < -5'000'000 || year[i] > 5'000'000 || month[i] < 1 || month[i] > 12 ||
        day[i] < 1 || day[i] > 31)
      return false;
    out[i] = DaysFromCivil(year[i], static_cast<int>(month[i]), static_cast<int>(day[i]));
    const CivilDay back = CivilFromDays(out[i]);
    return back.month == month[i] && FitsDate(out[i]);
  });
}

// --- preparation ---------------------------------------------------------------------------------------------------
absl::StatusOr<TimeAux> ZoneOf(const Constant* zone) {
  TimeAux aux;
  if (zone == nullptr || !zone->valid)
    return InvalidArgumentError("the time zone must be a text constant such as 'Europe/Paris'");
  LARDER_ASSIGN_OR_RETURN(aux.zone, TimeZone::Load(zone->text));
  aux.utc = false;
  return aux;
}

absl::StatusOr<Unit> UnitOf(const Constant* name, Unit last) {
  std::vector<std::string> known;
  std::string wanted = name != nullptr && name->valid ? ToLowerAscii(name->text) : "";
  if (wanted.size() > 1 && wanted.back() == 's') wanted.pop_back();
  for (const UnitName& unit : kUnits) {
    if (unit.unit > last) continue;
    if (unit.name == wanted) return unit.unit;
    known.emplace_back(unit.name);
  }
  if (name == nullptr || !name->valid)
    return InvalidArgumentError("the unit must be a text constant: ", Join(known, ", "));
  return InvalidArgumentError("unknown unit '", name->text, "'", DidYouMean(wanted, known),
                              "; known are ", Join(known, ", "));
}

Prepared Finish(TimeAux aux, uint32_t run_arguments) {
  Prepared prepared;
  prepared.aux_key = Concat(static_cast<int>(aux.unit), " ", aux.utc ? "" : aux.zone.name());
  prepared.aux = std::make_shared<const TimeAux>(std::move(aux));
  prepared.run_arguments = run_arguments;
  return prepared;
}

// year(x), year(x, 'Zone')
template <Unit kUnit>
absl::StatusOr<Prepared> PreparePart(const PrepareContext& context) {
  TimeAux aux;
  if (context.arguments.size() == 2) {
    LARDER_ASSIGN_OR_RETURN(aux, ZoneOf(context.arguments[1].constant));
  }
  aux.unit = kUnit;
  return Finish(std::move(aux), 1);
}

// f('unit', x[, y][, 'Zone']); kRun: the arguments that stay. With two of them dates have hours, from midnight.
template <Unit kLast, uint32_t kRun, std::size_t kZoneAt>
absl::StatusOr<Prepared> PrepareUnit(const PrepareContext& context) {
  TimeAux aux;
  if (context.arguments.size() > kZoneAt) {
    LARDER_ASSIGN_OR_RETURN(aux, ZoneOf(context.arguments[kZoneAt].constant));
  }
  LARDER_ASSIGN_OR_RETURN(aux.unit, UnitOf(context.arguments[0].constant, kLast));
  const bool of_date = kRun == 0b10 && context.arguments[1].type == TypeId::kDate;
  if (of_date && aux.unit < Unit::kDay)
    return InvalidArgumentError("a date has no ", kUnits[static_cast<int>(aux.unit)].name);
  return Finish(std::move(aux), kRun);
}

absl::StatusOr<Prepared> PrepareZone(const PrepareContext& context) {
  LARDER_ASSIGN_OR_RETURN(TimeAux aux, ZoneOf(context.arguments[1].constant));
  return Finish(std::move(aux), 1);
}

constexpr TypeId kDate = TypeId::kDate;
constexpr TypeId kTimestamp = TypeId::kTimestamp;
constexpr TypeId kDuration = TypeId::kDuration;
constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kFloat = TypeId::kFloat64;
constexpr TypeId kText = TypeId::kString;

template <Unit kUnit>
void AddPart(BuiltinTable* table, std::string_view name) {
  if (kUnit >= Unit::kDay) {
    table->Add({.name = name,
                .parameters = {kDate},
                .result = kInt,
                .kernel = Part<true>,
                .flags = kCostly,
                .prepare = PreparePart<kUnit>});
  }
  table->Add({.name = name,
              .parameters = {kTimestamp},
              .result = kInt,
              .kernel = Part<false>,
              .flags = kCostly,
              .prepare = PreparePart<kUnit>});
  table->Add({.name = name,
              .parameters = {kTimestamp, kText},
              .result = kInt,
              .kernel = Part<false>,
              .flags = kCostly,
              .prepare = PreparePart<kUnit>});
}

template <class A, class B, class R, class Op, int64_t EvalCounts::*kCause = &EvalCounts::overflow>
void AddOp(BuiltinTable* table, std::string_view name, TypeId a, TypeId b, TypeId result) {
  table->Add({.name = name,
              .parameters = {a, b},
              .result = result,
              .kernel = CheckedBinaryLoop<A, B, R, Op, kCause>,
              .flags = kFallible});
}

void AddTimeArithmetic(BuiltinTable* table) {
  table->Add({.name = "sub",
              .parameters = {kDate, kDate},
              .result = kInt,
              .kernel = BinaryLoop<int64_t, int64_t, int64_t, DaysBetween>});
  AddOp<int64_t, int64_t, int64_t, AddDays>(table, "add", kDate, kInt, kDate);
  AddOp<int64_t, int64_t, int64_t, DaysAdded>(table, "add", kInt, kDate, kDate);
  AddOp<int64_t, int64_t, int64_t, SubtractDays>(table, "sub", kDate, kInt, kDate);
  AddOp<int64_t, int64_t, int64_t, DatePlusSpan>(table, "add", kDate, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, SpanPlusDate>(table, "add", kDuration, kDate, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, DateMinusSpan>(table, "sub", kDate, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, SubtractSpan>(table, "sub", kTimestamp, kTimestamp, kDuration);
  AddOp<int64_t, int64_t, int64_t, AddSpan>(table, "add", kTimestamp, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, AddSpan>(table, "add", kDuration, kTimestamp, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, SubtractSpan>(table, "sub", kTimestamp, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, AddSpan>(table, "add", kDuration, kDuration, kDuration);
  AddOp<int64_t, int64_t, int64_t, SubtractSpan>(table, "sub", kDuration, kDuration, kDuration);
  AddOp<int64_t, int64_t, int64_t, ScaleSpan>(table, "mul", kDuration, kInt, kDuration);
  AddOp<int64_t, int64_t, int64_t, ScaleSpan>(table, "mul", kInt, kDuration, kDuration);
  AddOp<int64_t, double, int64_t, ScaleSpanByFloat>(table, "mul", kDuration, kFloat, kDuration);
  AddOp<double, int64_t, int64_t, FloatScalesSpan>(table, "mul", kFloat, kDuration, kDuration);
  AddOp<int64_t, int64_t, double, SpanRatio, &EvalCounts::division_by_zero>(table, "div", kDuration,
                                                                            kDuration, kFloat);
  table->Add({.name = "div",
              .parameters = {kDuration, kFloat},
              .result = kDuration,
              .kernel = DivideSpan,
              .flags = kFallible});
  table->Add({.name = "neg",
              .parameters = {kDuration},
              .result = kDuration,
              .kernel = CheckedUnaryLoop<int64_t, int64_t, NegateSpan, &EvalCounts::overflow>,
              .flags = kFallible});
  table->Add({.name = "abs",
              .parameters = {kDuration},
              .result = kDuration,
              .kernel = CheckedUnaryLoop<int64_t, int64_t, AbsSpan, &EvalCounts::overflow>,
              .flags = kFallible});
}

void AddEpochs(BuiltinTable* table) {
  table->Add({.name = "epoch",
              .parameters = {kTimestamp},
              .result = kFloat,
              .kernel = UnaryLoop<int64_t, double, EpochSeconds>});
  table->Add({.name = "epoch",
              .parameters = {kDuration},
              .result = kFloat,
              .kernel = UnaryLoop<int64_t, double, EpochSeconds>});
  table->Add({.name = "epoch",
              .parameters = {kDate},
              .result = kFloat,
              .kernel = UnaryLoop<int64_t, double, EpochDate>});
  for (const TypeId type : {kTimestamp, kDuration}) {
    table->Add({.name = "epoch_ms",
                .parameters = {type},
                .result = kInt,
                .kernel = UnaryLoop<int64_t, int64_t, EpochMillis>});
    table->Add({.name = "epoch_us",
                .parameters = {type},
                .result = kInt,
                .kernel = UnaryLoop<int64_t, int64_t, Same>});
  }
  table->Add({.name = "to_timestamp",
              .parameters = {kFloat},
              .result = kTimestamp,
              .kernel = CheckedUnaryLoop<double, int64_t, FromSeconds, &EvalCounts::overflow>,
              .flags = kFallible});
  table->Add({.name = "make_timestamp",
              .parameters = {kInt},
              .result = kTimestamp,
              .kernel = UnaryLoop<int64_t, int64_t, Same>});
  table->Add({.name = "make_date",
              .parameters = {kInt, kInt, kInt},
              .result = kDate,
              .kernel = MakeDate,
              .flags = kFallible | kCostly});
}

}  // namespace

void AddTime(BuiltinTable* table) {
  AddTimeArithmetic(table);
  AddEpochs(table);
  AddPart<Unit::kYear>(table, "year");
  AddPart<Unit::kQuarter>(table, "quarter");
  AddPart<Unit::kMonth>(table, "month");
  AddPart<Unit::kWeek>(table, "week");
  AddPart<Unit::kDay>(table, "day");
  AddPart<Unit::kDow>(table, "dow");
  AddPart<Unit::kIsoDow>(table, "isodow");
  AddPart<Unit::kDoy>(table, "doy");
  AddPart<Unit::kHour>(table, "hour");
  AddPart<Unit::kMinute>(table, "minute");
  AddPart<Unit::kSecond>(table, "second");
  AddPart<Unit::kMillisecond>(table, "millisecond");
  AddPart<Unit::kMicrosecond>(table, "microsecond");

  const auto add = [table](std::string_view name, std::vector<DataType> parameters, TypeId result,
                           Kernel kernel, PrepareFunction prepare, uint8_t flags) {
    table->Add({.name = name,
                .parameters = std::move(parameters),
                .result = result,
                .kernel = kernel,
                .flags = flags,
                .prepare = prepare});
  };
  add("date_part", {kText, kDate}, kInt, Part<true>, PrepareUnit<Unit::kDoy, 0b10, 2>, kCostly);
  add("date_part", {kText, kTimestamp}, kInt, Part<false>, PrepareUnit<Unit::kDoy, 0b10, 2>,
      kCostly);
  add("date_part", {kText, kTimestamp, kText}, kInt, Part<false>, PrepareUnit<Unit::kDoy, 0b10, 2>,
      kCostly);
  add("date_trunc", {kText, kDate}, kDate, Truncate<true>, PrepareUnit<Unit::kYear, 0b10, 2>,
      kCostly | kFallible);
  add("date_trunc", {kText, kTimestamp}, kTimestamp, Truncate<false>,
      PrepareUnit<Unit::kYear, 0b10, 2>, kCostly | kFallible);
  add("date_trunc", {kText, kTimestamp, kText}, kTimestamp, Truncate<false>,
      PrepareUnit<Unit::kYear, 0b10, 2>, kCostly | kFallible);
  for (const bool whole : {false, true}) {
    const std::string_view name = whole ? "date_sub" : "date_diff";
    const Kernel kernel = whole ? Difference<true> : Difference<false>;
    add(name, {kText, kTimestamp, kTimestamp}, kInt, kernel, PrepareUnit<Unit::kYear, 0b110, 3>,
        kCostly);
    add(name, {kText, kTimestamp, kTimestamp, kText}, kInt, kernel,
        PrepareUnit<Unit::kYear, 0b110, 3>, kCostly);
    add(name, {kText, kDate, kDate}, kInt,
        whole ? DateDifference<true, true, true> : DateDifference<false, true, true>,
        PrepareUnit<Unit::kYear, 0b110, 3>, kCostly | kFallible);
    add(name, {kText, kDate, kTimestamp}, kInt,
        whole ? DateDifference<true, true, false> : DateDifference<false, true, false>,
        PrepareUnit<Unit::kYear, 0b110, 3>, kCostly | kFallible);
    add(name, {kText, kTimestamp, kDate}, kInt,
        whole ? DateDifference<true, false, true> : DateDifference<false, false, true>,
        PrepareUnit<Unit::kYear, 0b110, 3>, kCostly | kFallible);
  }
  add("years_between", {kDate, kDate}, kInt, CompletedBetween<12>, nullptr, kCostly);
  add("months_between", {kDate, kDate}, kInt, CompletedBetween<1>, nullptr, kCostly);
  add("years_between", {kTimestamp, kTimestamp}, kInt, CompletedBetweenInstants<12>, nullptr,
      kCostly);
  add("months_between", {kTimestamp, kTimestamp}, kInt, CompletedBetweenInstants<1>, nullptr,
      kCostly);
  add("local_date", {kTimestamp, kText}, kDate, LocalDay, PrepareZone, kCostly);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
