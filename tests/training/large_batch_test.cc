// Batches matched by keys and times alone against the same ones copied event by event.
#include <utility>
#include <vector>

#include "support/catch.h"
#include "training/event_table.h"
#include "training/random_history.h"

using larder::Column;
using larder::JoinedView;
using larder::JoinOptions;
using larder::JoinView;
using larder::KnownAt;
using larder::PointInTimeJoin;
using larder::TypeId;
using larder_test::ColumnOf;
using larder_test::Dice;
using larder_test::EventTable;
using larder_test::History;
using larder_test::JoinShape;
using larder_test::SpineRows;
using larder_test::TimesOf;

namespace {

constexpr std::size_t kNever = ~std::size_t{0};

JoinedView Join(const Column& times, const JoinView& view,
                const std::vector<larder::EventBatch>& batches, const JoinOptions& options) {
  auto join = PointInTimeJoin::Make(times, {view}, options);
  REQUIRE(join.ok());
  for (const larder::EventBatch& batch : batches) REQUIRE(join->Add(0, batch).ok());
  auto joined = std::move(*join).Finish();
  REQUIRE(joined.ok());
  return std::move((*joined)[0]);
}

void RequireSame(const JoinedView& found, const JoinedView& expected) {
  REQUIRE(found.features == expected.features);
  REQUIRE(found.outcomes.size() == expected.outcomes.size());
  for (std::size_t i = 0; i < found.outcomes.size(); ++i) {
    REQUIRE(found.outcomes[i].status == expected.outcomes[i].status);
    REQUIRE(found.outcomes[i].event_time == expected.outcomes[i].event_time);
    REQUIRE(found.outcomes[i].known_time == expected.outcomes[i].known_time);
    REQUIRE(found.outcomes[i].event_id == expected.outcomes[i].event_id);
  }
  const larder::JoinCounts& a = found.counts;
  const larder::JoinCounts& b = expected.counts;
  REQUIRE(a.events == b.events);
  REQUIRE(a.events_null_key == b.events_null_key);
  REQUIRE(a.events_null_time == b.events_null_time);
  REQUIRE(a.events_bad_key == b.events_bad_key);
  REQUIRE(a.events_null_arrival == b.events_null_arrival);
  REQUIRE(a.rows_found == b.rows_found);
  REQUIRE(a.rows_outside_max_age == b.rows_outside_max_age);
  REQUIRE(a.rows_not_found == b.rows_not_found);
  REQUIRE(a.rows_null_key == b.rows_null_key);
  REQUIRE(a.rows_ambiguous == b.rows_ambiguous);
  REQUIRE(a.cells_changed_by_other_known_at == b.cells_changed_by_other_known_at);
}

// Events of one key and one feature, both numbers.
class NumberEvents {
 public:
  NumberEvents(Column keys, Column times, Column values)
      : keys_(std::move(keys)), times_(std::move(times)), values_(std::move(values)) {}
  [[nodiscard]] larder::EventBatch batch() const {
    larder::EventBatch batch;
    batch.row_count = keys_.size();
    batch.keys = key_columns_;
    batch.features = features_;
    batch.event_time = &times_;
    return batch;
  }

 private:
  Column keys_;
  Column times_;
  Column values_;
  std::vector<const Column*> key_columns_ = {&keys_};
  std::vector<const Column*> features_ = {&values_};
};

JoinView NumberView(const Column& spine_keys) {
  JoinView view;
  view.name = "v";
  view.spine_keys = {&spine_keys};
  view.key_types = {TypeId::kInt64};
  view.features = {larder_test::FieldOf("f", TypeId::kInt64)};
  return view;
}

Column Numbers(const std::vector<int64_t>& values) {
  Column column(TypeId::kInt64);
  for (const int64_t value : values) column.AppendFixed(value);
  return column;
}

// Shapes that large batches may be matched by keys and times for, and now and then one that they may not.
JoinShape LargeBatchShape(Dice& dice) {
  JoinShape shape = larder_test::RandomShape(dice);
  if (dice.OneIn(8)) return shape;
  const std::vector<larder::DataType> types = {TypeId::kInt64, TypeId::kInt32,     TypeId::kUint64,
                                               TypeId::kDate,  TypeId::kTimestamp, TypeId::kBool};
  shape.table.key_types = {types[static_cast<std::size_t>(dice.Up(6))]};
  shape.table.timed = true;
  shape.model.is_timeless = false;
  shape.table.ends = false;
  shape.table.partial = false;
  shape.model.partial_updates = false;
  shape.exclude_self = false;
  shape.known_at = KnownAt::kAny;
  return shape;
}

}  // namespace

TEST_CASE("large batches give what batches copied event by event give", "[training][random]") {
  const uint64_t seed = larder_test::RandomSeed();
  CAPTURE(seed);
  Dice dice(seed);
#ifdef __OPTIMIZE__
  const int rounds = 600;
#else
  const int rounds = 60;
#endif
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    const JoinShape shape = LargeBatchShape(dice);
    const int64_t size = dice.OneIn(10) ? 1'500 : 150;
    const SpineRows spine = larder_test::RandomSpine(dice, shape, 1 + dice.Up(size / 3), size);
    const Column times = TimesOf(spine.times);
    std::vector<EventTable> tables;
    for (int64_t n = dice.Up(4); n >= 0; --n) {
      const History history = larder_test::RandomHistory(dice, shape, dice.Up(size));
      tables.emplace_back(shape.table, history.events, history.keys);
    }
    std::vector<larder::EventBatch> batches;
    for (const EventTable& table : tables) batches.push_back(table.batch());
    JoinView view = larder_test::ViewOf(shape, spine);
    view.count_other_known_at = dice.OneIn(4);

    JoinOptions options;
    options.audit = dice.Coin();
    options.large_batch_rows = kNever;
    const JoinedView expected = Join(times, view, batches, options);
    // Of these limits some are met by all batches, some by a few.
    options.large_batch_rows = static_cast<std::size_t>(dice.Coin() ? 1 : 1 + dice.Up(size));
    if (dice.Coin()) options.buffer_bytes = 1;
    for (const int threads : {1, 2, 4}) {
      CAPTURE(threads);
      options.thread_count = threads;
      RequireSame(Join(times, view, batches, options), expected);
    }
  }
}

TEST_CASE("large batches over many partitions give what batches copied event by event give",
          "[training][random]") {
  const uint64_t seed = larder_test::RandomSeed();
  CAPTURE(seed);
  Dice dice(seed);
  constexpr int64_t kRows = 40'000;
  const auto numbers = [&dice](TypeId type, int64_t count, int64_t below) {
    Column column(type);
    for (int64_t i = 0; i < count; ++i) column.AppendFixed(dice.Up(below));
    return column;
  };
  const int64_t keys = 1 + dice.Up(dice.Coin() ? 40 : 20'000);
  const int64_t times = 1 + dice.Up(dice.Coin() ? 200 : 1'000'000);
  const Column spine_keys = numbers(TypeId::kInt64, kRows, keys);
  const Column spine_times = numbers(TypeId::kTimestamp, kRows, times);
  const NumberEvents events(numbers(TypeId::kInt64, 2 * kRows, keys),
                            numbers(TypeId::kTimestamp, 2 * kRows, times),
                            numbers(TypeId::kInt64, 2 * kRows, 1'000));
  const JoinView view = NumberView(spine_keys);

  JoinOptions options;
  options.large_batch_rows = kNever;
  const JoinedView expected = Join(spine_times, view, {events.batch()}, options);
  options.large_batch_rows = 1;
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    options.thread_count = threads;
    options.buffer_bytes = dice.Coin() ? 1 : JoinOptions().buffer_bytes;
    RequireSame(Join(spine_times, view, {events.batch()}, options), expected);
  }
}

TEST_CASE("large batches reach from the first instant there is to the last", "[training]") {
  constexpr int64_t kFirst = larder::Timestamp::Min().us;
  constexpr int64_t kLast = larder::Timestamp::Max().us;
  const Column times = TimesOf({kFirst, kFirst + 1, 0, kLast - 1, kLast, kLast});
  const Column keys = Numbers({1, 1, 1, 1, 1, 1});
  const NumberEvents events(Numbers({1, 1, 1, 1, 1, 1}),
                            TimesOf({kLast, kFirst, kLast - 1, kFirst, -1, kLast}),
                            Numbers({1, 2, 3, 4, 5, 6}));
  JoinView view = NumberView(keys);
  for (const auto boundary : {larder::Boundary::kAt, larder::Boundary::kBefore}) {
    view.boundary = boundary;
    JoinOptions options;
    options.large_batch_rows = kNever;
    const JoinedView expected = Join(times, view, {events.batch()}, options);
    options.large_batch_rows = 1;
    const JoinedView found = Join(times, view, {events.batch()}, options);
    RequireSame(found, expected);
    REQUIRE(found.counts.rows_found == (boundary == larder::Boundary::kAt ? 6 : 5));
  }
}

TEST_CASE("views with the same keys in the spine are joined as each by itself", "[training]") {
  const Column times = TimesOf({10, 20, 30, 40});
  const Column keys = ColumnOf(TypeId::kInt64, {int64_t{1}, int64_t{2}, {}, int64_t{1}});
  const Column others = Numbers({2, 2, 1, 1});
  const NumberEvents events(Numbers({1, 2, 1}), TimesOf({5, 15, 35}), Numbers({7, 8, 9}));
  std::vector<JoinView> views = {NumberView(keys), NumberView(others), NumberView(keys)};
  views[2].ttl = larder::Duration{5};
  auto join = PointInTimeJoin::Make(times, views);
  REQUIRE(join.ok());
  for (std::size_t v = 0; v < views.size(); ++v) REQUIRE(join->Add(v, events.batch()).ok());
  auto joined = std::move(*join).Finish();
  REQUIRE(joined.ok());
  for (std::size_t v = 0; v < views.size(); ++v) {
    CAPTURE(v);
    RequireSame((*joined)[v], Join(times, views[v], {events.batch()}, {}));
  }
}
