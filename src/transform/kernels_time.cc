// Calendar functions: parts, truncation, differences.
#include <string>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/builtin.h"
#include "transform/calendar.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

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

// --- kernels with a prepared unit and zone ---------------------------------------------------------------------------
template <bool kDate>
void Part(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<ZonedUnit>();
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
  const auto& aux = call.aux<ZonedUnit>();
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
  const auto& aux = call.aux<ZonedUnit>();
  const Argument<int64_t> a(call, 0);
  const Argument<int64_t> b(call, 1);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = kWhole ? WholeUnits(aux, a[i], b[i]) : BoundariesBetween(aux, a[i], b[i]);
    return true;
  });
}

// In UTC with a date on one side or both: most dates are no timestamps.
template <bool kWhole, bool kDateA, bool kDateB>
void DateDifference(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Unit unit = call.aux<ZonedUnit>().unit;
  const Argument<int64_t> a(call, 0);
  const Argument<int64_t> b(call, 1);
  int64_t* out = call.result<int64_t>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    const LocalTime from = kDateA ? LocalTime{a[i], 0} : InUtc(a[i]);
    const LocalTime to = kDateB ? LocalTime{b[i], 0} : InUtc(b[i]);
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
    out[i] = WholeMonths(InUtc(a[i]), InUtc(b[i]), false) / kMonths;
    return true;
  });
}

void LocalDay(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<ZonedUnit>();
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
absl::StatusOr<ZonedUnit> ZoneOf(const Constant* zone) {
  ZonedUnit aux;
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

Prepared Finish(ZonedUnit aux, uint32_t run_arguments) {
  Prepared prepared;
  prepared.aux_key = Concat(static_cast<int>(aux.unit), " ", aux.utc ? "" : aux.zone.name());
  prepared.aux = std::make_shared<const ZonedUnit>(std::move(aux));
  prepared.run_arguments = run_arguments;
  return prepared;
}

// year(x), year(x, 'Zone')
template <Unit kUnit>
absl::StatusOr<Prepared> PreparePart(const PrepareContext& context) {
  ZonedUnit aux;
  if (context.arguments.size() == 2) {
    LARDER_ASSIGN_OR_RETURN(aux, ZoneOf(context.arguments[1].constant));
  }
  aux.unit = kUnit;
  return Finish(std::move(aux), 1);
}

// f('unit', x[, y][, 'Zone']); kRun: the arguments that stay. With two of them dates have hours, from midnight.
template <Unit kLast, uint32_t kRun, std::size_t kZoneAt>
absl::StatusOr<Prepared> PrepareUnit(const PrepareContext& context) {
  ZonedUnit aux;
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
  LARDER_ASSIGN_OR_RETURN(ZonedUnit aux, ZoneOf(context.arguments[1].constant));
  return Finish(std::move(aux), 1);
}

constexpr TypeId kDate = TypeId::kDate;
constexpr TypeId kTimestamp = TypeId::kTimestamp;
constexpr TypeId kInt = TypeId::kInt64;
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

}  // namespace

void AddTime(BuiltinTable* table) {
  table->Add({.name = "make_date",
              .parameters = {kInt, kInt, kInt},
              .result = kDate,
              .kernel = MakeDate,
              .flags = kFallible | kCostly});
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
