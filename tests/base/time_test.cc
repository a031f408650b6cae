#include "larder/base/time.h"

#include <utility>
#include <vector>

#include "support/catch.h"

namespace larder {
namespace {

constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

int64_t Micros(std::string_view text) {
  const auto parsed = ParseTimestamp(text);
  if (!parsed.ok()) FAIL(parsed.status());
  return parsed->value.us;
}

TEST_CASE("instants saturate instead of wrapping", "[base][time]") {
  CHECK(Timestamp{5}.Plus({3}).us == 8);
  CHECK(Timestamp{5}.Minus({8}).us == -3);
  CHECK(Timestamp::Max().Plus({1}) == Timestamp::Max());
  CHECK(Timestamp::Min().Plus({-1}) == Timestamp::Min());
  CHECK(Timestamp::Max().Minus({-1}) == Timestamp::Max());
  CHECK(Timestamp::Min().Minus({1}) == Timestamp::Min());
  CHECK(Timestamp{0}.Minus({kInt64Min}) == Timestamp::Max());
  CHECK(Timestamp{-1}.Minus({kInt64Min}).us == kInt64Max);
  CHECK(Timestamp::Max().Plus({kInt64Min}).us == -1);
}

TEST_CASE("days and dates convert both ways, day by day over 1600 years", "[base][time]") {
  int64_t expected = DaysFromCivil(1200, 1, 1);
  int wrong = 0;
  for (int64_t year = 1200; year < 2800; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const std::vector<int> lengths = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= lengths[static_cast<std::size_t>(month - 1)]; ++day) {
        const CivilDay civil = CivilFromDays(expected);
        if (DaysFromCivil(year, month, day) != expected || civil.year != year ||
            civil.month != month || civil.day != day) {
          ++wrong;
        }
        ++expected;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(DaysFromCivil(1970, 1, 1) == 0);
  CHECK(DaysFromCivil(2000, 3, 1) == 11'017);
  CHECK(DaysFromCivil(0, 3, 1) == -719'468);
  CHECK(DaysFromCivil(-1, 12, 31) == DaysFromCivil(0, 1, 1) - 1);
}

TEST_CASE("an instant's day is found by flooring", "[base][time]") {
  CHECK(DateOf({0}).days == 0);
  CHECK(DateOf({-1}).days == -1);
  CHECK(DateOf({kMicrosPerDay - 1}).days == 0);
  CHECK(DateOf({kMicrosPerDay}).days == 1);
  CHECK(DateOf({-kMicrosPerDay}).days == -1);
  CHECK(DateOf({-kMicrosPerDay - 1}).days == -2);
  CHECK(DateOf(Timestamp::Min()).days == -106'751'992);
  CHECK(DateOf(Timestamp::Max()).days == 106'751'991);
}

TEST_CASE("timestamps are read in every form promised", "[base][time]") {
  constexpr int64_t kNoon = 1'735'734'896 * kMicrosPerSecond;  // 2025-01-01T12:34:56Z
  const std::vector<std::pair<std::string_view, int64_t>> cases = {
      {"1970-01-01", 0},
      {"1970-01-01T00:00:00Z", 0},
      {"2025-01-01T12:34:56Z", kNoon},
      {"2025-01-01 12:34:56", kNoon},
      {"2025-01-01t12:34:56z", kNoon},
      {"2025-01-01 12:34:56 UTC", kNoon},
      {"2025-01-01 12:34:56UTC", kNoon},
      {"2025-01-01T12:34", kNoon - 56 * kMicrosPerSecond},
      {"2025-01-01T12:34Z", kNoon - 56 * kMicrosPerSecond},
      {"2025-01-01T13:34:56+01", kNoon},
      {"2025-01-01T13:34:56+01:00", kNoon},
      {"2025-01-01T13:34:56+0100", kNoon},
      {"2025-01-01 13:34:56 +0100", kNoon},
      {"2025-01-01T07:04:56-05:30", kNoon},
      {"2025-01-01T12:34:56-00:00", kNoon},
      {"2025-01-01T12:34:56.7Z", kNoon + 700'000},
      {"2025-01-01T12:34:56.789", kNoon + 789'000},
      {"2025-01-01T12:34:56.000001Z", kNoon + 1},
      {"2025-01-01T12:34:56.123456+00", kNoon + 123'456},
      {"+2025-01-01T12:34:56Z", kNoon},
      {"+002025-01-01T12:34:56Z", kNoon},
      {"2024-02-29", 1'709'164'800 * kMicrosPerSecond},
      {"2000-02-29", 951'782'400 * kMicrosPerSecond},
      {"1969-12-31T23:59:59Z", -kMicrosPerSecond},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"0000-01-01", -62'167'219'200 * kMicrosPerSecond},
      {"0001-01-01T00:00:00Z", -62'135'596'800 * kMicrosPerSecond},
      {"-0001-12-31T00:00:00Z", -62'167'305'600 * kMicrosPerSecond},
      {"9999-12-31T23:59:59.999999Z", 253'402'300'799'999'999},
      {"+294247-01-10T04:00:54.775807Z", kInt64Max},
      {"-290308-12-21T19:59:05.224192Z", kInt64Min},
  };
  for (const auto& [text, us] : cases) {
    INFO(text);
    CHECK(Micros(text) == us);
  }
}

TEST_CASE("digits beyond microseconds are floored, and said when they were not zero",
          "[base][time]") {
  struct Case {
    std::string_view text;
    int64_t us;
    bool floored;
  };
  const std::vector<Case> cases = {
      {"1970-01-01T00:00:00.1234567Z", 123'456, true},
      {"1970-01-01T00:00:00.123456999999999999999Z", 123'456, true},
      {"1970-01-01T00:00:00.123456000Z", 123'456, false},
      {"1970-01-01T00:00:00.0000009Z", 0, true},
      {"1969-12-31T23:59:59.9999999Z", -1, true},
      {"1969-12-31T23:59:59.0000001Z", -1'000'000, true},
      {"1969-12-31T23:59:58.999999500Z", -1'000'001, true},
      {"1969-12-31T23:59:59.5Z", -500'000, false},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const auto parsed = ParseTimestamp(c.text);
    REQUIRE(parsed.ok());
    CHECK(parsed->value.us == c.us);
    CHECK(parsed->floored == c.floored);
  }
}

TEST_CASE("what is not a timestamp is refused", "[base][time]") {
  for (const std::string_view text : {
           "",
           " ",
           "now",
           "2025",
           "2025-01",
           "2025-1-1",
           "2025-13-01",
           "2025-00-01",
           "2025-01-00",
           "2025-01-32",
           "2025-02-29",
           "1900-02-29",
           "2025-04-31",
           "25-01-01",
           "02025-01-01",
           "2025/01/01",
           "20250101",
           "2025-01-01T",
           "2025-01-01T1",
           "2025-01-01T12",
           "2025-01-01T12:",
           "2025-01-01T12:3",
           "2025-01-01T24:00:00",
           "2025-01-01T12:60:00",
           "2025-01-01T12:34:60Z",
           "2025-01-01T12:34:56.",
           "2025-01-01T12:34:56.Z",
           "2025-01-01T12:34:56,5Z",
           "2025-01-01T12:34:56+",
           "2025-01-01T12:34:56+1",
           "2025-01-01T12:34:56+24:00",
           "2025-01-01T12:34:56+01:60",
           "2025-01-01T12:34:56+01:",
           "2025-01-01T12:34:56+01:0",
           "2025-01-01T12:34:56+010",
           "2025-01-01T12:34:56+01:00:00",
           "2025-01-01T12:34:56ZZ",
           "2025-01-01T12:34:56 ",
           "2025-01-01T12:34:56  Z",
           " 2025-01-01",
           "2025-01-01 ",
           "2025-01-01  12:34:56",
           "2025-01-01Z",
           "2025-01-01T12:34:56 PST",
           "1735734896",
           "1735734896.5",
           "2025-01-01T12:34:56Zulu",
           "-25-01-01",
           "--2025-01-01",
           "+1234567-01-01",
           "12345678901234567890-01-01",
           "2025-01-01T-1:00:00",
           "2025-01-01T12:34:56.-5Z",
       }) {
    INFO(text);
    const auto parsed = ParseTimestamp(text);
    CHECK(parsed.status().code() == absl::StatusCode::kInvalidArgument);
  }
  CHECK_FALSE(ParseTimestamp(std::string_view("2025-01-01\0", 11)).ok());
  CHECK(MessageOf(ParseTimestamp("soon").status()) ==
        "cannot read \"soon\" as timestamp: expected ISO 8601 such as 2025-01-31T12:34:56Z");
}

TEST_CASE("one microsecond outside 64 bits is refused, not wrapped", "[base][time]") {
  for (const std::string_view text :
       {"+294247-01-10T04:00:54.775808Z", "-290308-12-21T19:59:05.224191Z", "+999999-12-31",
        "-999999-01-01", "+294247-01-10T04:00:54.775807-00:01"}) {
    INFO(text);
    const auto parsed = ParseTimestamp(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK_THAT(std::string(MessageOf(parsed.status())),
               larder_test::ContainsSubstring("outside the range"));
  }
  // The local time alone lies outside; its instant does not.
  CHECK(Micros("+294247-01-10T05:00:54.775807+01:00") == kInt64Max);
  CHECK(Micros("-290308-12-21T18:59:05.224192-01:00") == kInt64Min);
}

TEST_CASE("timestamps are written in UTC with no digit too many", "[base][time]") {
  const std::vector<std::pair<int64_t, std::string_view>> cases = {
      {0, "1970-01-01T00:00:00Z"},
      {1, "1970-01-01T00:00:00.000001Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {500'000, "1970-01-01T00:00:00.5Z"},
      {120'000, "1970-01-01T00:00:00.12Z"},
      {1'735'734'896'789'000, "2025-01-01T12:34:56.789Z"},
      {-62'167'219'200'000'001, "-0001-12-31T23:59:59.999999Z"},
      {253'402'300'800'000'000, "+10000-01-01T00:00:00Z"},
      {kInt64Max, "+294247-01-10T04:00:54.775807Z"},
      {kInt64Min, "-290308-12-21T19:59:05.224192Z"},
  };
  for (const auto& [us, text] : cases) {
    CHECK(FormatTimestamp({us}) == text);
    CHECK(Micros(text) == us);
  }
}

TEST_CASE("dates are calendar days and nothing else", "[base][time]") {
  CHECK(ParseDate("1970-01-01")->days == 0);
  CHECK(ParseDate("1969-12-31")->days == -1);
  CHECK(ParseDate("2024-02-29")->days == 19'782);
  CHECK(FormatDate({19'782}) == "2024-02-29");
  CHECK(FormatDate({-719'529}) == "-0001-12-31");
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  CHECK(ParseDate(FormatDate({kMin}))->days == kMin);
  CHECK(ParseDate(FormatDate({kMax}))->days == kMax);
  for (const std::string_view text :
       {"", "2023-02-29", "2024-2-29", "2024-02-29T00:00:00Z", " 2024-02-29", "19782", "29.02.2024",
        "02/29/2024", "+9999999-01-01", "today"}) {
    INFO(text);
    CHECK(ParseDate(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("durations are sums from larger to smaller units", "[base][time]") {
  const std::vector<std::pair<std::string_view, Duration>> cases = {
      {"0", {}},
      {"0s", {}},
      {"90s", Duration::Seconds(90)},
      {"15m", Duration::Minutes(15)},
      {"12h", Duration::Hours(12)},
      {"7d", Duration::Days(7)},
      {"2w", Duration::Days(14)},
      {"500ms", {500'000}},
      {"250us", {250}},
      {"1h30m", Duration::Minutes(90)},
      {"1w2d3h4m5s6ms7us", {788'645'006'007}},
      {"1m1ms", {60'001'000}},
      {"-1h30m", Duration::Minutes(-90)},
      {"-0s", {}},
      {"007d", Duration::Days(7)},
      {"9223372036854775807us", {kInt64Max}},
      {"-9223372036854775808us", {kInt64Min}},
      {"-106751991d4h54s775ms808us", {kInt64Min}},
  };
  for (const auto& [text, span] : cases) {
    INFO(text);
    const auto parsed = ParseDuration(text);
    REQUIRE(parsed.ok());
    CHECK(*parsed == span);
  }
  for (const std::string_view text : {"",
                                      "-",
                                      "s",
                                      "90",
                                      "-5",
                                      "1x",
                                      "1 h",
                                      " 1h",
                                      "1h ",
                                      "1.5h",
                                      "30m1h",
                                      "1h1h",
                                      "1h-30m",
                                      "+1h",
                                      "1H",
                                      "1min",
                                      "1month",
                                      "1ns",
                                      "1y",
                                      "--1h",
                                      "9223372036854775808us",
                                      "106751992d",
                                      "99999999999999999999999s",
                                      "9223372036854775807us1us"}) {
    INFO(text);
    CHECK(ParseDuration(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
  CHECK(MessageOf(ParseDuration("90").status()) ==
        "cannot read \"90\" as duration: expected a unit: w, d, h, m, s, ms or us");
}

TEST_CASE("durations are written exactly, largest unit first", "[base][time]") {
  const std::vector<std::pair<int64_t, std::string_view>> cases = {
      {0, "0s"},
      {1, "1us"},
      {1000, "1ms"},
      {90 * kMicrosPerSecond, "1m30s"},
      {5400 * kMicrosPerSecond, "1h30m"},
      {7 * kMicrosPerDay, "7d"},
      {30 * kMicrosPerDay, "30d"},
      {-1'500'000, "-1s500ms"},
      {kInt64Max, "106751991d4h54s775ms807us"},
      {kInt64Min, "-106751991d4h54s775ms808us"},
  };
  for (const auto& [us, text] : cases) {
    CHECK(FormatDuration({us}) == text);
    CHECK(ParseDuration(text)->us == us);
  }
}

}  // namespace
}  // namespace larder
