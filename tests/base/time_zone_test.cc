#include <vector>

#include "larder/base/time.h"
#include "support/catch.h"

namespace larder {
namespace {

TimeZone Zone(std::string_view name) {
  auto zone = TimeZone::Load(name);
  if (!zone.ok()) FAIL(zone.status());
  return *std::move(zone);
}

Timestamp At(std::string_view text, const TimeZone& zone = {}) {
  const auto parsed = ParseTimestamp(text, zone);
  if (!parsed.ok()) FAIL(parsed.status());
  return parsed->value;
}

TEST_CASE("a zone says its name, and UTC is the zone of nobody", "[base][time]") {
  CHECK(TimeZone().name() == "UTC");
  CHECK(Zone("UTC").name() == "UTC");
  CHECK(Zone("America/Los_Angeles").name() == "America/Los_Angeles");
  CHECK(TimeZone().OffsetSecondsAt({0}) == 0);
  CHECK(TimeZone().FromLocal(-5).us == -5);
}

TEST_CASE("names that are not IANA zones are refused, those of the host too", "[base][time]") {
  for (const std::string_view name :
       {"", "Mars/Olympus", "localtime", "libc:localtime", "/usr/share/zoneinfo/Europe/Berlin",
        "../zoneinfo/Europe/Berlin", "America/../Europe/Berlin", "file:Europe/Berlin", "Europe",
        "+01:00", "Europe/Berlin "}) {
    INFO(name);
    const auto zone = TimeZone::Load(name);
    REQUIRE_FALSE(zone.ok());
    CHECK(zone.status().code() == absl::StatusCode::kNotFound);
  }
  CHECK_FALSE(TimeZone::Load(std::string_view("UTC\0x", 5)).ok());
}

TEST_CASE("times without an offset are read in the zone given, with one they are not",
          "[base][time]") {
  const TimeZone berlin = Zone("Europe/Berlin");
  CHECK(At("2025-01-15 12:00:00", berlin) == At("2025-01-15T11:00:00Z"));
  CHECK(At("2025-07-15 12:00:00", berlin) == At("2025-07-15T10:00:00Z"));
  CHECK(At("2025-07-15T12:00:00Z", berlin) == At("2025-07-15T12:00:00Z"));
  CHECK(At("2025-07-15T12:00:00-04", berlin) == At("2025-07-15T16:00:00Z"));
  CHECK(At("2025-07-15", berlin) == At("2025-07-14T22:00:00Z"));
  CHECK(At("2025-07-15 12:00:00.000001", berlin) == At("2025-07-15T10:00:00.000001Z"));
}

TEST_CASE("a repeated hour means its first occurrence", "[base][time]") {
  const TimeZone zone = Zone("America/Los_Angeles");  // back at 2025-11-02T09:00Z
  CHECK(At("2025-11-02 00:59:59", zone) == At("2025-11-02T07:59:59Z"));
  CHECK(At("2025-11-02 01:00:00", zone) == At("2025-11-02T08:00:00Z"));
  CHECK(At("2025-11-02 01:30:00.25", zone) == At("2025-11-02T08:30:00.25Z"));
  CHECK(At("2025-11-02 01:59:59.999999", zone) == At("2025-11-02T08:59:59.999999Z"));
  CHECK(At("2025-11-02 02:00:00", zone) == At("2025-11-02T10:00:00Z"));
}

TEST_CASE("a skipped hour is read with the offset before the jump", "[base][time]") {
  const TimeZone zone = Zone("America/Los_Angeles");  // forward at 2025-03-09T10:00Z
  CHECK(At("2025-03-09 01:59:59.999999", zone) == At("2025-03-09T09:59:59.999999Z"));
  CHECK(At("2025-03-09 02:00:00", zone) == At("2025-03-09T10:00:00Z"));
  CHECK(At("2025-03-09 02:30:00", zone) == At("2025-03-09T10:30:00Z"));
  CHECK(At("2025-03-09 03:00:00", zone) == At("2025-03-09T10:00:00Z"));
}

TEST_CASE("offsets change at the instant the clocks do", "[base][time]") {
  const TimeZone zone = Zone("America/Los_Angeles");
  const Timestamp forward = At("2025-03-09T10:00:00Z");
  CHECK(zone.OffsetSecondsAt(forward.Minus({1})) == -8 * 3600);
  CHECK(zone.OffsetSecondsAt(forward) == -7 * 3600);
  CHECK(Zone("Asia/Kathmandu").OffsetSecondsAt(forward) == 5 * 3600 + 45 * 60);
}

TEST_CASE("a local day begins at local midnight", "[base][time]") {
  const TimeZone zone = Zone("America/Los_Angeles");
  CHECK(FormatDate(zone.LocalDate(At("2025-07-15T06:59:59.999999Z"))) == "2025-07-14");
  CHECK(FormatDate(zone.LocalDate(At("2025-07-15T07:00:00Z"))) == "2025-07-15");
  CHECK(FormatDate(Zone("Pacific/Auckland").LocalDate(At("1969-12-31T12:00:00Z"))) == "1970-01-01");
}

TEST_CASE("local times before 1970 keep their microseconds", "[base][time]") {
  const TimeZone berlin = Zone("Europe/Berlin");
  CHECK(At("1969-12-31 23:59:59.999999", berlin) == At("1969-12-31T22:59:59.999999Z"));
  CHECK(At("1955-06-01 00:00:00.000001", berlin) == At("1955-05-31T23:00:00.000001Z"));
}

TEST_CASE("the ends of time do not wrap in any zone", "[base][time]") {
  for (const char* name : {"America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin"}) {
    const TimeZone zone = Zone(name);
    const int64_t west = zone.OffsetSecondsAt(Timestamp::Max());
    INFO(name << " " << west);
    CHECK(zone.FromLocal(Timestamp::Max().us) >= Timestamp::Max().Minus(Duration::Hours(14)));
    CHECK(zone.FromLocal(Timestamp::Min().us) <= Timestamp::Min().Plus(Duration::Hours(14)));
    CHECK(zone.LocalDate(Timestamp::Max()).days >= 106'751'990);
    CHECK(zone.LocalDate(Timestamp::Min()).days <= -106'751'991);
  }
}

}  // namespace
}  // namespace larder
