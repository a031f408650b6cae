#include "larder/training/point_in_time_join.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "training/event_table.h"

using larder::Duration;
using larder::FeatureStatus;
using larder::JoinView;
using larder::KnownAt;
using larder::PointInTimeJoin;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;
using larder_test::ColumnOf;
using larder_test::EventTable;
using larder_test::ModelEvent;
using larder_test::TimesOf;

namespace {

ModelEvent Event(int64_t at, Value value) {
  ModelEvent event;
  event.event_time = Timestamp{at};
  event.features = {std::move(value)};
  return event;
}

JoinView OneFeature(TypeId type = TypeId::kFloat64) {
  JoinView view;
  view.name = "v";
  view.features = {larder_test::FieldOf("x", type)};
  return view;
}

EventTable::Shape Global(TypeId type = TypeId::kFloat64) {
  EventTable::Shape shape;
  shape.key_types = {};
  shape.feature_types = {type};
  return shape;
}

EventTable TableOf(const EventTable::Shape& shape, const std::vector<ModelEvent>& events) {
  return EventTable(shape, events, std::vector<std::vector<Value>>(events.size()));
}

std::string AddError(const JoinView& view, const larder::EventBatch& batch,
                     const larder::Column& times) {
  auto join = PointInTimeJoin::Make(times, {view});
  if (!join.ok()) return std::string(larder::MessageOf(join.status()));
  return std::string(larder::MessageOf(join->Add(0, batch)));
}

}  // namespace

TEST_CASE("a spine drawn from a view's own events never sees a row's own event",
          "[training][leak]") {
  // Every event is a spine row too, asked at its own instant: without exclude_self each would find itself.
  std::mt19937_64 random(7);
  std::vector<ModelEvent> events;
  std::vector<int64_t> times;
  larder::Column ids(TypeId::kString);
  for (int i = 0; i < 500; ++i) {
    events.push_back(Event(static_cast<int64_t>(random() % 100), static_cast<double>(i)));
    events.back().event_id = "flight-" + std::to_string(i);
    times.push_back(events.back().event_time->us);
    ids.AppendText(*events.back().event_id);
  }
  EventTable::Shape shape = Global();
  shape.ids = true;
  const EventTable table = TableOf(shape, events);
  const larder::Column time_column = TimesOf(times);
  larder::JoinOptions options;
  options.audit = true;
  const auto run = [&](const JoinView& view) {
    auto join = PointInTimeJoin::Make(time_column, {view}, options);
    REQUIRE(join.ok());
    REQUIRE(join->Add(0, table.batch()).ok());
    auto joined = std::move(*join).Finish();
    REQUIRE(joined.ok());
    int64_t own = 0;
    int64_t late = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const auto& outcome = (*joined)[0].outcomes[0];
      if (outcome.status[i] == FeatureStatus::kNotFound) continue;
      // A string id in key bytes ends in its text.
      if (outcome.event_id.Text(i).ends_with(ids.Text(i)) &&
          outcome.event_id.Text(i).size() == ids.Text(i).size() + 5)
        ++own;
      if (outcome.event_time.Values<int64_t>()[i] > times[i]) ++late;
    }
    CHECK(late == 0);
    return own;
  };
  JoinView view = OneFeature();
  CHECK(run(view) > 0);
  view.exclude_event_id = &ids;
  CHECK(run(view) == 0);
  view.exclude_event_id = nullptr;
  view.boundary = larder::Boundary::kBefore;
  CHECK(run(view) == 0);
}

TEST_CASE("counts say what was left out and what stayed unclear", "[training][counts]") {
  EventTable::Shape shape;
  shape.key_types = {TypeId::kInt64};
  shape.arrival = true;
  std::vector<ModelEvent> events = {Event(1, 1.0), Event(1, 2.0), Event(2, 3.0), Event(3, 4.0),
                                    Event(1, 9.0)};
  for (auto& event : events) event.arrival_time = event.event_time;
  events[3].event_time.reset();
  events[2].arrival_time.reset();
  const EventTable table(shape, events,
                         {{int64_t{1}}, {int64_t{1}}, {int64_t{1}}, {int64_t{1}}, {Value()}});
  const larder::Column times = TimesOf({5, 5, 5, 0});
  const larder::Column keys =
      ColumnOf(TypeId::kInt64, {int64_t{1}, int64_t{2}, Value(), int64_t{1}});
  JoinView view = OneFeature();
  view.key_types = {TypeId::kInt64};
  view.spine_keys = {&keys};
  view.known_at = KnownAt::kSpine;
  auto join = PointInTimeJoin::Make(times, {view});
  REQUIRE(join.ok());
  REQUIRE(join->Add(0, table.batch()).ok());
  auto joined = std::move(*join).Finish();
  REQUIRE(joined.ok());
  const larder::JoinCounts& counts = (*joined)[0].counts;
  CHECK(counts.events == 5);
  CHECK(counts.events_null_key == 1);
  CHECK(counts.events_null_time == 1);
  CHECK(counts.events_null_arrival == 1);
  CHECK(counts.rows_found == 1);
  CHECK(counts.rows_not_found == 3);
  CHECK(counts.rows_null_key == 1);
  CHECK(counts.rows_ambiguous == 1);
  CHECK(counts.cells_changed_by_other_known_at == 1);
}

TEST_CASE("keys of other widths and text for declared keys meet their equals", "[training][keys]") {
  EventTable::Shape shape;
  shape.key_types = {TypeId::kInt64};
  const std::vector<ModelEvent> events = {Event(1, 1.0), Event(1, 2.0)};
  const EventTable table(shape, events, {{int64_t{5}}, {int64_t{-6}}});
  const larder::Column times = TimesOf({5, 5});
  JoinView view = OneFeature();
  view.key_types = {TypeId::kInt64};
  const std::vector<larder::Column> spines = {ColumnOf(TypeId::kInt32, {int32_t{5}, int32_t{-6}}),
                                              ColumnOf(TypeId::kString, {"5", "-6"}),
                                              ColumnOf(TypeId::kInt64, {int64_t{5}, int64_t{-6}})};
  for (const larder::Column& keys : spines) {
    view.spine_keys = {&keys};
    auto join = PointInTimeJoin::Make(times, {view});
    REQUIRE(join.ok());
    REQUIRE(join->Add(0, table.batch()).ok());
    const auto joined = std::move(*join).Finish();
    CHECK((*joined)[0].features[0] == ColumnOf(TypeId::kFloat64, {1.0, 2.0}));
  }
}

TEST_CASE("a spine key outside its declared type is an error naming the row", "[training][keys]") {
  const larder::Column times = TimesOf({5, 5});
  JoinView view = OneFeature();
  view.key_types = {TypeId::kUint64};
  const larder::Column negative = ColumnOf(TypeId::kInt64, {int64_t{5}, int64_t{-6}});
  view.spine_keys = {&negative};
  const auto join = PointInTimeJoin::Make(times, {view});
  REQUIRE_FALSE(join.ok());
  CHECK_THAT(std::string(larder::MessageOf(join.status())),
             Catch::StartsWith("view v: spine row 1, join key"));
  const larder::Column floats = ColumnOf(TypeId::kFloat64, {5.0, 6.0});
  view.spine_keys = {&floats};
  CHECK_THAT(std::string(larder::MessageOf(PointInTimeJoin::Make(times, {view}).status())),
             Catch::ContainsSubstring("float64, expected uint64"));
}

TEST_CASE("columns that do not fit the view are refused before anything is taken", "[training]") {
  const larder::Column times = TimesOf({5});
  const EventTable table = TableOf(Global(), {Event(1, 1.0)});
  larder::EventBatch batch = table.batch();
  JoinView view = OneFeature(TypeId::kInt64);
  CHECK(AddError(view, batch, times) == "view v: feature x has type float64, expected int64");
  view = OneFeature();
  view.features.push_back(larder_test::FieldOf("y", TypeId::kInt64));
  CHECK(AddError(view, batch, times) == "view v: found 1 feature columns, expected 2");
  view = OneFeature();
  view.ttl = Duration{-1};
  CHECK_THAT(AddError(view, batch, times), Catch::ContainsSubstring("negative"));
  view.ttl = Duration{1};
  batch.event_time = nullptr;
  CHECK(AddError(view, batch, times) ==
        "view v: a TTL needs an event time, and its source has none");
  view = OneFeature();
  const larder::Column ids = ColumnOf(TypeId::kString, {"a"});
  view.exclude_event_id = &ids;
  CHECK(AddError(view, batch, times) == "view v: exclude_self needs a source with event_id");
  view = OneFeature();
  const larder::Column two = TimesOf({1, 2});
  batch.event_time = &two;
  CHECK(AddError(view, batch, times) == "view v: event_time has 2 rows, expected 1");
  CHECK_FALSE(PointInTimeJoin::Make(ColumnOf(TypeId::kTimestamp, {Value()}), {view}).ok());
  CHECK_FALSE(PointInTimeJoin::Make(ColumnOf(TypeId::kInt64, {int64_t{1}}), {view}).ok());
}

TEST_CASE("a view without events and a spine without rows are answered too", "[training]") {
  const larder::Column times = TimesOf({5, 6});
  auto join = PointInTimeJoin::Make(times, {OneFeature(TypeId::kString)});
  REQUIRE(join.ok());
  auto joined = std::move(*join).Finish();
  REQUIRE(joined.ok());
  CHECK((*joined)[0].StatusOf(0, 1) == FeatureStatus::kNotFound);
  CHECK((*joined)[0].features[0].size() == 2);
  CHECK((*joined)[0].counts.rows_not_found == 2);

  const larder::Column none = TimesOf({});
  const EventTable table = TableOf(Global(), {Event(1, 1.0)});
  auto empty = PointInTimeJoin::Make(none, {OneFeature()});
  REQUIRE(empty.ok());
  REQUIRE(empty->Add(0, table.batch()).ok());
  joined = std::move(*empty).Finish();
  REQUIRE(joined.ok());
  CHECK((*joined)[0].features[0].size() == 0);
}

TEST_CASE("a timeless source counts at every instant and has no event time", "[training]") {
  EventTable::Shape shape = Global();
  shape.timed = false;
  const EventTable table = TableOf(shape, {Event(99, 4.0)});
  const larder::Column times = TimesOf({INT64_MIN, 5});
  JoinView view = OneFeature();
  view.boundary = larder::Boundary::kBefore;
  auto join = PointInTimeJoin::Make(times, {view});
  REQUIRE(join.ok());
  REQUIRE(join->Add(0, table.batch()).ok());
  const auto joined = std::move(*join).Finish();
  CHECK((*joined)[0].features[0] == ColumnOf(TypeId::kFloat64, {4.0, 4.0}));
  CHECK((*joined)[0].outcomes[0].event_time.CountNulls() == 2);
}

TEST_CASE("many partitions, threads and flushes give what one gives", "[training][slow]") {
  std::mt19937_64 random(11);
  constexpr std::size_t kRows = 40'000;
  larder::Column times(TypeId::kTimestamp);
  larder::Column keys(TypeId::kInt64);
  for (std::size_t i = 0; i < kRows; ++i) {
    times.AppendFixed(static_cast<int64_t>(random() % 100'000));
    keys.AppendFixed(static_cast<int64_t>(random() % 3'000));
  }
  constexpr std::size_t kEvents = 300'000;
  larder::Column event_keys(TypeId::kInt64);
  larder::Column event_times(TypeId::kTimestamp);
  larder::Column values(TypeId::kFloat64);
  larder::Column texts(TypeId::kString);
  for (std::size_t i = 0; i < kEvents; ++i) {
    event_keys.AppendFixed(static_cast<int64_t>(random() % 3'000));
    event_times.AppendFixed(static_cast<int64_t>(random() % 100'000));
    values.AppendFixed(static_cast<double>(i));
    texts.AppendText(std::to_string(random() % 1'000'000'000'000'000'000U));
  }
  const larder::Column* const key_columns[] = {&event_keys};
  const larder::Column* const feature_columns[] = {&values, &texts};
  larder::EventBatch batch;
  batch.row_count = kEvents;
  batch.keys = key_columns;
  batch.features = feature_columns;
  batch.event_time = &event_times;
  JoinView view = OneFeature();
  view.features.push_back(larder_test::FieldOf("text", TypeId::kString));
  view.key_types = {TypeId::kInt64};
  view.spine_keys = {&keys};
  std::optional<larder::JoinedView> first;
  for (const int threads : {1, 2, 4}) {
    larder::JoinOptions options;
    options.thread_count = threads;
    options.buffer_bytes = std::size_t{1} << (18 + threads);
    auto join = PointInTimeJoin::Make(times, {view}, options);
    REQUIRE(join.ok());
    REQUIRE(join->Add(0, batch).ok());
    auto joined = std::move(*join).Finish();
    REQUIRE(joined.ok());
    if (!first) {
      first = std::move((*joined)[0]);
      CHECK(first->counts.rows_found > 35'000);
      continue;
    }
    CHECK((*joined)[0].features[0] == first->features[0]);
    CHECK((*joined)[0].features[1] == first->features[1]);
    CHECK((*joined)[0].outcomes[0].status == first->outcomes[0].status);
  }
}

TEST_CASE("progress counts events and rows, and what it refuses ends the join", "[training]") {
  const larder::Column times = TimesOf({10, 20});
  const EventTable table = TableOf(Global(), {Event(5, 1.0), Event(15, 2.0), Event(30, 3.0)});
  const JoinView view = OneFeature();
  std::vector<std::array<int64_t, 3>> seen;
  larder::JoinOptions options;
  int64_t rows_max = 2;
  options.progress = [&](const larder::JoinProgress& now) -> absl::Status {
    seen.push_back({static_cast<int64_t>(now.view), now.events, now.rows});
    return now.rows < rows_max ? absl::OkStatus() : absl::CancelledError("enough");
  };
  const auto run = [&]() -> absl::Status {
    auto join = PointInTimeJoin::Make(times, {view, view}, options);
    REQUIRE(join.ok());
    REQUIRE(join->Add(0, table.batch()).ok());
    REQUIRE(join->Add(1, table.batch()).ok());
    return std::move(*join).Finish().status();
  };
  CHECK(run() == absl::CancelledError("enough"));
  CHECK(seen == std::vector<std::array<int64_t, 3>>{{0, 3, 0}, {1, 3, 0}, {0, 3, 0}, {0, 3, 2}});
  rows_max = 3;
  CHECK(run().ok());
  options.progress = [](const larder::JoinProgress&) { return absl::CancelledError("at once"); };
  auto join = PointInTimeJoin::Make(times, {view}, options);
  REQUIRE(join.ok());
  CHECK(join->Add(0, table.batch()) == absl::CancelledError("at once"));
}
