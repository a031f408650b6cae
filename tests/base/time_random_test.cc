// Random instants and random text, against Abseil's reader and against round trips.
#include <string>

#include "absl/time/time.h"
#include "larder/base/text.h"
#include "larder/base/time.h"
#include "support/catch.h"
#include "support/random.h"

namespace larder {
namespace {

// Abseil's RFC3339_full writes the year 890 with three digits; ISO 8601 wants four.
constexpr char kFormat[] = "%E4Y-%m-%dT%H:%M:%E*S%Ez";
constexpr int64_t kYear0001 = -62'135'596'800 * kMicrosPerSecond;
constexpr int64_t kYear9999 = 253'402'300'799 * kMicrosPerSecond;

TEST_CASE("instants written by Abseil at any offset are read as Abseil reads them",
          "[base][time][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 50'000; ++i) {
    const int64_t us = random.OneIn(4)
                           ? random.Between(-5'000'000, 5'000'000)
                           : random.Between(kYear0001 + kMicrosPerDay, kYear9999 - kMicrosPerDay);
    const auto zone = absl::FixedTimeZone(static_cast<int>(random.Between(-14 * 60, 14 * 60)) * 60);
    const std::string text = absl::FormatTime(kFormat, absl::FromUnixMicros(us), zone);
    absl::Time expected;
    std::string error;
    REQUIRE(absl::ParseTime(kFormat, text, &expected, &error));
    const auto parsed = ParseTimestamp(text);
    INFO(text);
    REQUIRE(parsed.ok());
    REQUIRE(parsed->value.us == absl::ToUnixMicros(expected));
    REQUIRE_FALSE(parsed->floored);
  }
}

TEST_CASE("nanoseconds are floored as Abseil floors them", "[base][time][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 20'000; ++i) {
    const int64_t ns = random.Between(-4'000'000'000'000'000'000, 4'000'000'000'000'000'000);
    const absl::Time instant = absl::FromUnixNanos(ns);
    const auto parsed = ParseTimestamp(absl::FormatTime(kFormat, instant, absl::UTCTimeZone()));
    REQUIRE(parsed.ok());
    REQUIRE(parsed->value.us == absl::ToUnixMicros(instant));
    REQUIRE(parsed->floored == (ns % 1000 != 0));
  }
}

TEST_CASE("local times are the instants Abseil finds, whatever the zone does",
          "[base][time][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (const char* name : {"America/Los_Angeles", "Europe/Dublin", "Australia/Lord_Howe",
                           "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia"}) {
    absl::TimeZone theirs;
    REQUIRE(absl::LoadTimeZone(name, &theirs));
    const TimeZone ours = *TimeZone::Load(name);
    for (int i = 0; i < 5'000; ++i) {
      const int64_t local = random.Between(-60 * 365 * kMicrosPerDay, 80 * 365 * kMicrosPerDay);
      const int64_t seconds = (local - (((local % 1'000'000) + 1'000'000) % 1'000'000)) / 1'000'000;
      const absl::Time expected = theirs.At(absl::CivilSecond(1970, 1, 1) + seconds).pre;
      REQUIRE(ours.FromLocal(local).us ==
              absl::ToUnixMicros(expected) + local - seconds * 1'000'000);
      REQUIRE(ours.OffsetSecondsAt({local}) == theirs.At(absl::FromUnixMicros(local)).offset);
    }
  }
}

TEST_CASE("every instant, date and duration reads back from its text", "[base][time][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 50'000; ++i) {
    const int64_t us = random.AnyInteger();
    REQUIRE(ParseTimestamp(FormatTimestamp({us}))->value.us == us);
    REQUIRE(ParseDuration(FormatDuration({us}))->us == us);
    const auto days = static_cast<int32_t>(random.AnyInteger());
    REQUIRE(ParseDate(FormatDate({days}))->days == days);
  }
}

TEST_CASE("random text is refused or read to a value that reads back", "[base][time][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  using std::string_literals::operator""s;
  const std::string alphabet = "0123456789-+:.TZ wdhmsu\0\xFF"s;
  int64_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    if (random.OneIn(2)) {
      // A valid form with one byte changed, removed or doubled reaches deeper than noise does.
      text = random.OneIn(4) ? FormatDuration({random.AnyInteger()})
                             : FormatTimestamp({random.AnyInteger()});
      const auto at =
          static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(text.size()) - 1));
      switch (random.Between(0, 2)) {
        case 0:
          text[at] = random.Text(1, alphabet).append("9")[0];
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, text[at]);
      }
    } else {
      text = random.Text(32, alphabet);
    }
    if (const auto parsed = ParseTimestamp(text); parsed.ok()) {
      ++accepted;
      REQUIRE(ParseTimestamp(FormatTimestamp(parsed->value))->value == parsed->value);
    } else {
      REQUIRE(IsValidUtf8(MessageOf(parsed.status())));
    }
    if (const auto parsed = ParseDuration(text); parsed.ok()) {
      ++accepted;
      REQUIRE(*ParseDuration(FormatDuration(*parsed)) == *parsed);
    }
    if (const auto parsed = ParseDate(text); parsed.ok()) {
      REQUIRE(*ParseDate(FormatDate(*parsed)) == *parsed);
    }
  }
  CHECK(accepted > 1'000);
}

}  // namespace
}  // namespace larder
