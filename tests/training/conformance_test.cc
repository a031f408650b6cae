// Section E of the conformance cases (research/feast_conformance.md), as overridden by section 12 of the semantics.
// The cases on names, requests and references (E22-E26, E28) belong to the facade, E27 to reading text, E29 to the command
// line: in C++ a spine and a range of time are two calls. E33 is the model that joins are compared with.
#include <string>
#include <vector>

#include "support/catch.h"
#include "training/event_table.h"

using larder::Duration;
using larder::KnownAt;
using larder::TypeId;
using larder_test::ColumnOf;
using larder_test::EventTable;
using larder_test::ModelEvent;
using larder_test::TimesOf;

namespace {

constexpr int64_t kSecond = larder::kMicrosPerSecond;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t T = 20'000 * kDay;
constexpr int64_t D0 = T;
constexpr int64_t D1 = T + kDay;
constexpr int64_t D2 = T + 2 * kDay;
constexpr int64_t kNever = INT64_MIN;  // a null arrival time

struct FeatureRow {
  int64_t key;
  double value;
  int64_t event_us;
  int64_t arrival_us = 0;
};

struct SpineRow {
  int64_t key;
  int64_t at_us;
};

struct Setup {
  std::optional<Duration> ttl;
  bool arrival = false;
  KnownAt known_at = KnownAt::kAny;
  larder::Boundary boundary = larder::Boundary::kAt;
};

absl::StatusOr<larder::JoinedView> Join(const std::vector<FeatureRow>& rows,
                                        const std::vector<SpineRow>& spine, const Setup& setup) {
  std::vector<ModelEvent> events;
  std::vector<std::vector<larder::Value>> keys;
  for (const FeatureRow& row : rows) {
    ModelEvent event;
    event.event_time = larder::Timestamp{row.event_us};
    if (row.arrival_us != kNever) event.arrival_time = larder::Timestamp{row.arrival_us};
    event.features = {row.value};
    events.push_back(event);
    keys.push_back({row.key});
  }
  EventTable::Shape shape;
  shape.key_types = {TypeId::kInt64};
  shape.arrival = setup.arrival;
  const EventTable table(shape, events, keys);
  std::vector<int64_t> times;
  larder::Column key_column(TypeId::kInt64);
  for (const SpineRow& row : spine) {
    times.push_back(row.at_us);
    key_column.AppendFixed(row.key);
  }
  const larder::Column time_column = TimesOf(times);
  larder::JoinView view;
  view.name = "driver_stats";
  view.spine_keys = {&key_column};
  view.key_types = {TypeId::kInt64};
  view.features = {larder_test::FieldOf("value", TypeId::kFloat64)};
  view.ttl = setup.ttl;
  view.known_at = setup.known_at;
  view.boundary = setup.boundary;
  LARDER_ASSIGN_OR_RETURN(auto join, larder::PointInTimeJoin::Make(time_column, {view}));
  LARDER_RETURN_IF_ERROR(join.Add(0, table.batch()));
  LARDER_ASSIGN_OR_RETURN(auto joined, std::move(join).Finish());
  return std::move(joined[0]);
}

// The joined values, null as `-`, with the status where it is not PRESENT.
std::string Dump(const absl::StatusOr<larder::JoinedView>& joined) {
  if (!joined.ok()) return "error: " + std::string(larder::MessageOf(joined.status()));
  std::string out;
  for (std::size_t i = 0; i < joined->features[0].size(); ++i) {
    if (i > 0) out += " ";
    const auto status = joined->StatusOf(0, i);
    if (status == larder::FeatureStatus::kPresent) {
      out += larder::FormatValue(joined->features[0].ValueAt(i));
    } else {
      CHECK_FALSE(joined->features[0].IsValid(i));
      out += std::string(larder::FeatureStatusName(status));
    }
  }
  return out;
}

Setup Ttl(int64_t us) {
  Setup setup;
  setup.ttl = Duration{us};
  return setup;
}

Setup Arrival(KnownAt known_at, int64_t ttl_us = 0) {
  Setup setup = Ttl(ttl_us);
  setup.arrival = true;
  setup.known_at = known_at;
  return setup;
}

}  // namespace

TEST_CASE("point-in-time joins follow section E of the conformance cases",
          "[training][conformance]") {
  struct Case {
    const char* id;
    std::vector<FeatureRow> rows;
    std::vector<SpineRow> spine;
    Setup setup;
    const char* expected;
  };
  const int64_t at10 = D0 + 10 * kHour;
  const std::vector<Case> cases = {
      {"E1 arrival settles ties",
       {{1001, 10, D0, D0}, {1001, 20, D0, D1}},
       {{1001, D2}},
       Arrival(KnownAt::kAny),
       "20"},
      {"E2 event time dominates",
       {{1002, 30, D0, D1}, {1002, 40, D1, D0}},
       {{1002, D2}},
       Arrival(KnownAt::kAny),
       "40"},
      {"E3 upper bound inclusive", {{1, 5, T}}, {{1, T}}, {}, "5"},
      {"E4 a microsecond later", {{1, 5, T + 1}}, {{1, T}}, {}, "NOT_FOUND"},
      {"E5 lower bound inclusive", {{1, 5, T - 2 * kHour}}, {{1, T}}, Ttl(2 * kHour), "5"},
      {"E6 a microsecond too old",
       {{1, 5, T - 2 * kHour - 1}},
       {{1, T}},
       Ttl(2 * kHour),
       "OUTSIDE_MAX_AGE"},
      {"E7 no TTL", {{1, 5, T - 365 * kDay}}, {{1, T}}, {}, "5"},
      {"E7 TTL 0", {{1, 5, T - 365 * kDay}}, {{1, T}}, Ttl(0), "5"},
      {"E8 only the future", {{1, 5, T + kDay}, {1, 6, T + kHour}}, {{1, T}}, {}, "NOT_FOUND"},
      {"E9 no rows for the key", {{2, 5, T}}, {{1, T}}, Ttl(kDay), "NOT_FOUND"},
      {"E10 duplicates stay", {{1, 5, T}}, {{1, T}, {1, T}}, {}, "5 5"},
      {"E13 one row whatever ties",
       {{1, 1, T, T}, {1, 2, T, T}},
       {{1, T}},
       Arrival(KnownAt::kAny),
       "1"},
      {"E13 the other order", {{1, 2, T, T}, {1, 1, T, T}}, {{1, T}}, Arrival(KnownAt::kAny), "1"},
      {"E14 cutoff",
       {{1, .4, at10, D0 + 12 * kHour}, {1, .6, at10, D2}},
       {{1, D1}},
       Arrival(KnownAt::kSpine, 7 * kDay),
       "0.4"},
      {"E14 any",
       {{1, .4, at10, D0 + 12 * kHour}, {1, .6, at10, D2}},
       {{1, D1}},
       Arrival(KnownAt::kAny, 7 * kDay),
       "0.6"},
      {"E15 a null arrival is not known",
       {{1, .4, at10, D0 + 12 * kHour}, {1, .6, at10, kNever}},
       {{1, D1}},
       Arrival(KnownAt::kSpine, 7 * kDay),
       "0.4"},
      {"E15 nor the winner of a tie",
       {{1, .4, at10, D0 + 12 * kHour}, {1, .6, at10, kNever}},
       {{1, D1}},
       Arrival(KnownAt::kAny, 7 * kDay),
       "0.4"},
      {"E16 nothing known yet",
       {{1, .4, at10, D2}, {1, .6, at10 + kHour, D2 + kDay}},
       {{1, D1}},
       Arrival(KnownAt::kSpine, 7 * kDay),
       "NOT_FOUND"},
      {"E17 no borrowing",
       {{1, .4, at10, D0 + 12 * kHour}, {2, .6, at10, D2}},
       {{1, D1}, {2, D1}},
       Arrival(KnownAt::kSpine, 7 * kDay),
       "0.4 NOT_FOUND"},
      {"E18 cutoff",
       {{1001, 10, D0, D0}, {1001, 20, D0, D2}, {1002, 30, D0, D0}, {1002, 40, D0, D2}},
       {{1001, D1}, {1002, D1}},
       Arrival(KnownAt::kSpine),
       "10 30"},
      {"E18 any",
       {{1001, 10, D0, D0}, {1001, 20, D0, D2}, {1002, 30, D0, D0}, {1002, 40, D0, D2}},
       {{1001, D1}, {1002, D1}},
       Arrival(KnownAt::kAny),
       "20 40"},
      {"E32 sub-second TTL", {{1, 5, T - 700'000}}, {{1, T}}, Ttl(500'000), "OUTSIDE_MAX_AGE"},
      {"E34 order kept",
       {{1, 1, T - 2}, {2, 2, T - 1}, {1, 3, T - 1}},
       {{2, T}, {1, T - 2}, {1, T}, {2, T - 2}},
       {},
       "2 1 3 NOT_FOUND"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.id);
    CHECK(Dump(Join(c.rows, c.spine, c.setup)) == c.expected);
  }
}

TEST_CASE("a cutoff asked of a source without arrival times is an error (E19, E20)",
          "[training][conformance]") {
  Setup setup;
  setup.known_at = KnownAt::kSpine;
  CHECK(Dump(Join({{1, 1, T}}, {{1, T}}, setup)) ==
        "error: view driver_stats: known_at spine needs a source with arrival_time or "
        "available_after");
}

TEST_CASE("composite keys never meet by accident (E12) and global views need none (E31)",
          "[training][conformance]") {
  ModelEvent x;
  x.event_time = larder::Timestamp{T};
  x.features = {larder::Value("x")};
  ModelEvent y = x;
  y.features = {larder::Value("y")};
  EventTable::Shape shape;
  shape.feature_types = {TypeId::kString};
  const larder::Column times = TimesOf({T, T, T});
  larder::JoinView view;
  view.features = {larder_test::FieldOf("value", TypeId::kString)};
  SECTION("composite") {
    for (const TypeId type : {TypeId::kInt64, TypeId::kString}) {
      const auto value = [type](const char* text) {
        return type == TypeId::kString ? larder::Value(text)
                                       : larder::Value(int64_t{std::stoi(text)});
      };
      shape.key_types = {type, type};
      const EventTable table(shape, {x, y}, {{value("1"), value("11")}, {value("11"), value("1")}});
      const larder::Column a = ColumnOf(type, {value("1"), value("11"), value("1")});
      const larder::Column b = ColumnOf(type, {value("11"), value("1"), value("1")});
      view.key_types = shape.key_types;
      view.spine_keys = {&a, &b};
      auto join = larder::PointInTimeJoin::Make(times, {view});
      REQUIRE(join.ok());
      REQUIRE(join->Add(0, table.batch()).ok());
      CHECK(Dump((*std::move(*join).Finish())[0]) == "x y NOT_FOUND");
    }
  }
  SECTION("global") {
    shape.key_types = {};
    x.event_time = larder::Timestamp{T - 1};
    const EventTable table(shape, {x, y}, {{}, {}});
    const larder::Column spread = TimesOf({T - 2, T - 1, T});
    auto join = larder::PointInTimeJoin::Make(spread, {view});
    REQUIRE(join.ok());
    REQUIRE(join->Add(0, table.batch()).ok());
    CHECK(Dump((*std::move(*join).Finish())[0]) == "NOT_FOUND x y");
  }
}

TEST_CASE(
    "one view under two aliases joins each on its own key (E25), two views keep every row (E11)",
    "[training][conformance]") {
  ModelEvent event;
  event.event_time = larder::Timestamp{T};
  std::vector<ModelEvent> events;
  for (const double temperature : {10.0, 20.0}) {
    event.features = {temperature};
    events.push_back(event);
  }
  EventTable::Shape shape;
  shape.key_types = {TypeId::kInt64};
  const EventTable table(shape, events, {{int64_t{1}}, {int64_t{2}}});
  const larder::Column times = TimesOf({T, T});
  const larder::Column origin = ColumnOf(TypeId::kInt64, {int64_t{1}, int64_t{1}});
  const larder::Column destination = ColumnOf(TypeId::kInt64, {int64_t{2}, int64_t{3}});
  larder::JoinView view;
  view.features = {larder_test::FieldOf("temperature", TypeId::kFloat64)};
  view.key_types = {TypeId::kInt64};
  view.spine_keys = {&origin};
  larder::JoinView other = view;
  other.spine_keys = {&destination};
  auto join = larder::PointInTimeJoin::Make(times, {view, other});
  REQUIRE(join.ok());
  REQUIRE(join->Add(0, table.batch()).ok());
  REQUIRE(join->Add(1, table.batch()).ok());
  auto joined = std::move(*join).Finish();
  REQUIRE(joined.ok());
  CHECK(Dump((*joined)[0]) == "10 10");
  CHECK(Dump((*joined)[1]) == "20 NOT_FOUND");
}
