#include "model/feature_model.h"

#include <string>
#include <vector>

#include "support/catch.h"

using larder::Duration;
using larder::FeatureStatus;
using larder::Timestamp;
using larder_test::AskModel;
using larder_test::ModelAnswer;
using larder_test::ModelEvent;
using larder_test::ModelKnownAt;
using larder_test::ModelView;

namespace {

constexpr int64_t kSecond = larder::kMicrosPerSecond;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;

ModelEvent Event(int64_t at_us, larder::Value value) {
  ModelEvent event;
  event.key = "k";
  event.event_time = Timestamp{at_us};
  event.features = {std::move(value)};
  return event;
}

ModelAnswer Ask(const ModelView& view, const std::vector<ModelEvent>& events, int64_t as_of_us) {
  return AskModel(view, events, "k", Timestamp{as_of_us}, ModelKnownAt::Any())[0];
}

ModelView WithTtl(int64_t ttl_us) {
  ModelView view;
  view.ttl = Duration{ttl_us};
  return view;
}

}  // namespace

// Section D of the conformance cases, with the value null and the old one as stale_value.
TEST_CASE("a value older than the TTL is outside its maximum age and null", "[model][ttl]") {
  const int64_t now = 1000 * kDay;
  struct Case {
    const char* id;
    int64_t ttl_us;
    int64_t age_us;
    FeatureStatus status;
  };
  const Case cases[] = {
      {"D1", 3600 * kSecond, 2 * kHour, FeatureStatus::kOutsideMaxAge},
      {"D2", 3600 * kSecond, 0, FeatureStatus::kPresent},
      {"D3", 0, 365 * kDay, FeatureStatus::kPresent},
      {"D4 fresh", kHour, 0, FeatureStatus::kPresent},
      {"D4 old", kHour, 5 * kHour, FeatureStatus::kOutsideMaxAge},
      {"D5", kHour, kHour, FeatureStatus::kPresent},
      {"D5 and a microsecond", kHour, kHour + 1, FeatureStatus::kOutsideMaxAge},
      {"D6", kSecond, 17 * 60 * kSecond, FeatureStatus::kOutsideMaxAge},
      {"D8 future", kHour, -1, FeatureStatus::kNotFound},
  };
  for (const Case& c : cases) {
    CAPTURE(c.id);
    const ModelAnswer answer = Ask(WithTtl(c.ttl_us), {Event(now - c.age_us, 7.0)}, now);
    CHECK(answer.status == c.status);
    CHECK(answer.value.is_null() == (c.status != FeatureStatus::kPresent));
    CHECK(answer.stale_value.is_null() == (c.status != FeatureStatus::kOutsideMaxAge));
    CHECK(answer.event_time.has_value() == (c.status != FeatureStatus::kNotFound));
  }
}

TEST_CASE("a stored null, a missing key and an unknown key are three answers of two kinds",
          "[model]") {
  const ModelView view;
  CHECK(Ask(view, {Event(1, larder::Value())}, 2).status == FeatureStatus::kNullValue);
  CHECK(AskModel(view, {Event(1, 1.0)}, "other", Timestamp{2}, ModelKnownAt::Any())[0].status ==
        FeatureStatus::kNotFound);
  CHECK(AskModel(view, {Event(1, 1.0)}, std::nullopt, Timestamp{2}, ModelKnownAt::Any())[0].status ==
        FeatureStatus::kNotFound);
}

TEST_CASE("event time, then sequence, then arrival, then bytes settle which row wins", "[model]") {
  ModelView view;
  view.has_arrival_time = true;
  ModelEvent a = Event(1, int64_t{1});
  ModelEvent b = Event(1, int64_t{2});
  CHECK(Ask(view, {a, b}, 5).value == larder::Value(int64_t{2}));
  CHECK(Ask(view, {b, a}, 5).value == larder::Value(int64_t{2}));
  CHECK(Ask(view, {b, a}, 5).is_ambiguous);
  CHECK_FALSE(Ask(view, {b, b}, 5).is_ambiguous);
  a.arrival_time = Timestamp{9};
  CHECK(Ask(view, {a, b}, 5).value == larder::Value(int64_t{1}));
  b.sequence = -4;
  CHECK(Ask(view, {a, b}, 5).value == larder::Value(int64_t{2}));
  CHECK_FALSE(Ask(view, {a, b}, 5).is_ambiguous);
  a.event_time = Timestamp{2};
  CHECK(Ask(view, {a, b}, 5).value == larder::Value(int64_t{1}));
  view.ordered_by_commit = true;
  const std::vector<ModelEvent> later = {Event(1, int64_t{2}), Event(1, int64_t{1})};
  CHECK(Ask(view, later, 5).value == larder::Value(int64_t{1}));
}

TEST_CASE("what was not known yet does not count", "[model]") {
  ModelView view;
  view.has_arrival_time = true;
  ModelEvent early = Event(1, int64_t{1});
  ModelEvent late = Event(2, int64_t{2});
  ModelEvent never = Event(3, int64_t{3});
  early.arrival_time = Timestamp{1};
  late.arrival_time = Timestamp{10};
  const std::vector<ModelEvent> events = {early, late, never};
  const auto at = [&](int64_t known) {
    return AskModel(view, events, "k", Timestamp{5}, ModelKnownAt::Time(Timestamp{known}))[0].value;
  };
  CHECK(at(0).is_null());
  CHECK(at(9) == larder::Value(int64_t{1}));
  CHECK(at(10) == larder::Value(int64_t{2}));
  CHECK(Ask(view, events, 5).value == larder::Value(int64_t{3}));
}

TEST_CASE(
    "deletes and ends make a row go, and older rows that still hold come back after an end only",
    "[model]") {
  const ModelView view;
  ModelEvent gone = Event(2, int64_t{9});
  gone.is_delete = true;
  CHECK(Ask(view, {Event(1, int64_t{1}), gone}, 1).status == FeatureStatus::kPresent);
  CHECK(Ask(view, {Event(1, int64_t{1}), gone}, 2).status == FeatureStatus::kNotFound);
  CHECK(Ask(view, {Event(1, int64_t{1}), gone, Event(3, int64_t{3})}, 3).value ==
        larder::Value(int64_t{3}));
  ModelEvent ending = Event(2, int64_t{2});
  ending.valid_to = Timestamp{4};
  CHECK(Ask(view, {Event(1, int64_t{1}), ending}, 3).value == larder::Value(int64_t{2}));
  CHECK(Ask(view, {Event(1, int64_t{1}), ending}, 4).value == larder::Value(int64_t{1}));
  CHECK(Ask(view, {ending}, 4).status == FeatureStatus::kNotFound);
}

TEST_CASE("partial updates choose value, status and time per feature", "[model]") {
  ModelView view;
  view.partial_updates = true;
  view.feature_count = 2;
  ModelEvent first = Event(1, int64_t{1});
  first.features = {larder::Value(int64_t{1}), larder::Value(int64_t{10})};
  ModelEvent second = first;
  second.event_time = Timestamp{2};
  second.features = {larder::Value(int64_t{2}), larder::Value()};
  second.carries = {true, false};
  auto answers = AskModel(view, {first, second}, "k", Timestamp{5}, ModelKnownAt::Any());
  CHECK(answers[0].value == larder::Value(int64_t{2}));
  CHECK(answers[1].value == larder::Value(int64_t{10}));
  CHECK(answers[1].event_time == Timestamp{1});
  second.carries = {true, true};
  answers = AskModel(view, {first, second}, "k", Timestamp{5}, ModelKnownAt::Any());
  CHECK(answers[1].status == FeatureStatus::kNullValue);
}

TEST_CASE("the spine row's own event and events at its instant can be left out", "[model]") {
  ModelView view;
  ModelEvent own = Event(5, int64_t{5});
  own.event_id = "e5";
  const std::vector<ModelEvent> events = {Event(1, int64_t{1}), own};
  CHECK(AskModel(view, events, "k", Timestamp{5}, ModelKnownAt::Any(), "e5")[0].value ==
        larder::Value(int64_t{1}));
  CHECK(Ask(view, events, 5).value == larder::Value(int64_t{5}));
  view.boundary = larder::Boundary::kBefore;
  CHECK(Ask(view, events, 5).value == larder::Value(int64_t{1}));
}
