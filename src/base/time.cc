#include "larder/base/time.h"

#include <array>

namespace larder::inline LARDER_ABI {
namespace {

constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
__extension__ typedef __int128 WideMicros;
constexpr int64_t kDaysPerEra = 146'097;  // 400 years

struct SplitDay {
  int64_t days;
  int64_t us_of_day;  // [0, kMicrosPerDay)
};

constexpr SplitDay Split(int64_t us) {
  int64_t days = us / kMicrosPerDay;
  int64_t rest = us % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  return {days, rest};
}

constexpr bool IsLeap(int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

constexpr int DaysInMonth(int64_t year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes pieces off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] bool StartsWithDigit() const { return !rest_.empty() && IsDigit(rest_[0]); }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool Take(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool TakeTwoDigits(int* value) {
    if (rest_.size() < 2 || !IsDigit(rest_[0]) || !IsDigit(rest_[1])) return false;
    *value = (rest_[0] - '0') * 10 + (rest_[1] - '0');
    rest_.remove_prefix(2);
    return true;
  }
  // As many digits as there are, at most 18. Returns how many; 0 also when there are more.
  int TakeDigits(int64_t* value) {
    int count = 0;
    *value = 0;
    while (StartsWithDigit()) {
      if (++count > 18) return 0;
      *value = *value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return count;
  }
  char TakeDigit() {
    const char digit = rest_[0];
    rest_.remove_prefix(1);
    return digit;
  }

 private:
  std::string_view rest_;
};

// Four digits, or a sign and `digits_max` at most. Then `-MM-DD`, checked against the calendar.
bool TakeDay(Scanner& scan, int digits_max, int64_t* days) {
  const bool minus = scan.Take('-');
  const bool sign = minus || scan.Take('+');
  int64_t year = 0;
  const int digits = scan.TakeDigits(&year);
  if (digits < 4 || digits > (sign ? digits_max : 4)) return false;
  if (minus) year = -year;
  int month = 0;
  int day = 0;
  if (!scan.Take('-') || !scan.TakeTwoDigits(&month) || month < 1 || month > 12) return false;
  if (!scan.Take('-') || !scan.TakeTwoDigits(&day) || day < 1 || day > DaysInMonth(year, month))
    return false;
  *days = DaysFromCivil(year, month, day);
  return true;
}

// `hh:mm[:ss[.fraction]]`.
bool TakeClock(Scanner& scan, int64_t* us, bool* floored) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!scan.TakeTwoDigits(&hour) || hour > 23) return false;
  if (!scan.Take(':') || !scan.TakeTwoDigits(&minute) || minute > 59) return false;
  int64_t micros = 0;
  if (scan.Take(':')) {
    if (!scan.TakeTwoDigits(&second) || second > 59) return false;
    if (scan.Take('.')) {
      if (!scan.StartsWithDigit()) return false;
      for (int64_t unit = kMicrosPerSecond / 10; scan.StartsWithDigit(); unit /= 10) {
        const int digit = scan.TakeDigit() - '0';
        micros += unit * digit;
        if (unit == 0 && digit != 0) *floored = true;
      }
    }
  }
  *us = hour * kMicrosPerHour + minute * kMicrosPerMinute + second * kMicrosPerSecond + micros;
  return true;
}

// `Z`, `UTC`, `+01`, `+01:00`, `+0100`, to the end of the text.
bool TakeOffset(Scanner& scan, int64_t* us) {
  *us = 0;
  if (scan.Take('Z') || scan.Take('z') || scan.Take("UTC")) return scan.done();
  const bool minus = scan.Take('-');
  if (!minus && !scan.Take('+')) return false;
  int hour = 0;
  int minute = 0;
  if (!scan.TakeTwoDigits(&hour) || hour > 23) return false;
  if (!scan.done()) {
    scan.Take(':');
    if (!scan.TakeTwoDigits(&minute) || minute > 59) return false;
  }
  *us = (minus ? -1 : 1) * (hour * kMicrosPerHour + minute * kMicrosPerMinute);
  return scan.done();
}

absl::Status CannotRead(std::string_view text, std::string_view as, std::string_view why) {
  return InvalidArgumentError("cannot read ", Quoted(text), " as ", as, ": ", why);
}

absl::Status CannotReadTimestamp(std::string_view text) {
  return CannotRead(text, "timestamp", "expected ISO 8601 such as 2025-01-31T12:34:56Z");
}

// Requires: not negative.
void AppendPadded(std::string& out, int64_t value, std::size_t width) {
  char digits[20];
  std::size_t begin = sizeof(digits);
  do {
    digits[--begin] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0 || sizeof(digits) - begin < width);
  out.append(digits + begin, sizeof(digits) - begin);
}

void AppendDay(std::string& out, int64_t days) {
  const CivilDay civil = CivilFromDays(days);
  if (civil.year < 0 || civil.year > 9999) out.push_back(civil.year < 0 ? '-' : '+');
  AppendPadded(out, civil.year < 0 ? -civil.year : civil.year, 4);
  out.push_back('-');
  AppendPadded(out, civil.month, 2);
  out.push_back('-');
  AppendPadded(out, civil.day, 2);
}

struct DurationUnit {
  std::string_view name;
  int64_t us;
};

constexpr std::array<DurationUnit, 7> kUnits = {{
    {"w", 7 * kMicrosPerDay},
    {"d", kMicrosPerDay},
    {"h", kMicrosPerHour},
    {"m", kMicrosPerMinute},
    {"s", kMicrosPerSecond},
    {"ms", 1000},
    {"us", 1},
}};

}  // namespace

Timestamp Timestamp::Plus(Duration span) const {
  Timestamp sum;
  if (__builtin_add_overflow(us, span.us, &sum.us)) return span.us > 0 ? Max() : Min();
  return sum;
}

Timestamp Timestamp::Minus(Duration span) const {
  Timestamp difference;
  if (__builtin_sub_overflow(us, span.us, &difference.us)) return span.us > 0 ? Min() : Max();
  return difference;
}

// Both count from 0000-03-01, so that a leap day ends its year, in eras of 400 years.
CivilDay CivilFromDays(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - (kDaysPerEra - 1)) / kDaysPerEra;
  const int64_t day_of_era = shifted - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - 365 * year_of_era - (year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  CivilDay civil;
  civil.day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  civil.month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  return civil;
}

int64_t DaysFromCivil(int64_t year, int month, int day) {
  const int64_t shifted = month <= 2 ? year - 1 : year;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const int64_t year_of_era = shifted - era * 400;
  const int64_t month_from_march = month > 2 ? month - 3 : month + 9;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - 719'468;
}

Date DateOf(Timestamp instant) { return {static_cast<int32_t>(Split(instant.us).days)}; }

absl::StatusOr<ParsedTimestamp> ParseTimestamp(std::string_view text, const TimeZone& zone) {
  Scanner scan(text);
  int64_t days = 0;
  int64_t clock_us = 0;
  int64_t offset_us = 0;
  bool has_offset = false;
  ParsedTimestamp parsed;
  if (!TakeDay(scan, 6, &days)) return CannotReadTimestamp(text);
  if (!scan.done()) {
    if (!scan.Take('T') && !scan.Take('t') && !scan.Take(' ')) return CannotReadTimestamp(text);
    if (!TakeClock(scan, &clock_us, &parsed.floored)) return CannotReadTimestamp(text);
    if (!scan.done()) {
      scan.Take(' ');
      if (!TakeOffset(scan, &offset_us)) return CannotReadTimestamp(text);
      has_offset = true;
    }
  }
  // The first day within range begins before the earliest instant: 128 bits until the whole is
  // known.
  const WideMicros local = static_cast<WideMicros>(days) * kMicrosPerDay + clock_us - offset_us;
  if (local < Timestamp::Min().us || local > Timestamp::Max().us) {
    return CannotRead(text, "timestamp", "outside the range of 64-bit microseconds");
  }
  const auto local_us = static_cast<int64_t>(local);
  parsed.value = has_offset ? Timestamp{local_us} : zone.FromLocal(local_us);
  return parsed;
}

std::string FormatTimestamp(Timestamp instant) {
  const SplitDay split = Split(instant.us);
  std::string text;
  text.reserve(32);
  AppendDay(text, split.days);
  text.push_back('T');
  AppendPadded(text, split.us_of_day / kMicrosPerHour, 2);
  text.push_back(':');
  AppendPadded(text, split.us_of_day / kMicrosPerMinute % 60, 2);
  text.push_back(':');
  AppendPadded(text, split.us_of_day / kMicrosPerSecond % 60, 2);
  if (const int64_t micros = split.us_of_day % kMicrosPerSecond; micros != 0) {
    text.push_back('.');
    AppendPadded(text, micros, 6);
    while (text.back() == '0') text.pop_back();
  }
  text.push_back('Z');
  return text;
}

absl::StatusOr<Date> ParseDate(std::string_view text) {
  Scanner scan(text);
  int64_t days = 0;
  if (!TakeDay(scan, 7, &days) || !scan.done())
    return CannotRead(text, "date", "expected YYYY-MM-DD");
  if (days < std::numeric_limits<int32_t>::min() || days > std::numeric_limits<int32_t>::max()) {
    return CannotRead(text, "date", "outside the range of 32-bit days");
  }
  return Date{static_cast<int32_t>(days)};
}

std::string FormatDate(Date date) {
  std::string text;
  AppendDay(text, date.days);
  return text;
}

absl::StatusOr<Duration> ParseDuration(std::string_view text) {
  const auto refuse = [text](std::string_view why) { return CannotRead(text, "duration", why); };
  if (text == "0") return Duration{};
  Scanner scan(text);
  const bool minus = scan.Take('-');
  if (scan.done()) return refuse("expected a number and a unit such as 90s or 1h30m");
  // Summed below zero, where the smallest duration fits.
  int64_t sum = 0;
  std::size_t next_unit = 0;
  while (!scan.done()) {
    if (!scan.StartsWithDigit()) return refuse("expected a number and a unit such as 90s or 1h30m");
    int64_t amount = 0;
    bool overflow = false;
    while (scan.StartsWithDigit()) {
      const int digit = scan.TakeDigit() - '0';
      overflow = overflow || __builtin_mul_overflow(amount, int64_t{10}, &amount) ||
                 __builtin_sub_overflow(amount, int64_t{digit}, &amount);
    }
    std::size_t unit = 0;
    // `ms` before `m`: the longer name wins.
    if (scan.Take(kUnits[5].name)) {
      unit = 5;
    } else {
      while (unit < kUnits.size() && !scan.Take(kUnits[unit].name)) ++unit;
    }
    if (unit == kUnits.size()) return refuse("expected a unit: w, d, h, m, s, ms or us");
    if (unit < next_unit) return refuse("units must go from larger to smaller, each once");
    next_unit = unit + 1;
    int64_t part = 0;
    if (overflow || __builtin_mul_overflow(amount, kUnits[unit].us, &part) ||
        __builtin_add_overflow(sum, part, &sum)) {
      return refuse("outside the range of 64-bit microseconds");
    }
  }
  if (!minus && sum == std::numeric_limits<int64_t>::min())
    return refuse("outside the range of 64-bit microseconds");
  return Duration{minus ? sum : -sum};
}

std::string FormatDuration(Duration span) {
  if (span.us == 0) return "0s";
  std::string text = span.us < 0 ? "-" : "";
  // Unsigned, since the smallest duration has no positive twin.
  uint64_t rest =
      span.us < 0 ? uint64_t{0} - static_cast<uint64_t>(span.us) : static_cast<uint64_t>(span.us);
  for (std::size_t i = 1; i < kUnits.size(); ++i) {
    const auto unit = static_cast<uint64_t>(kUnits[i].us);
    if (rest >= unit) AppendTo(text, Concat(rest / unit, kUnits[i].name));
    rest %= unit;
  }
  return text;
}

}  // namespace larder::inline LARDER_ABI
