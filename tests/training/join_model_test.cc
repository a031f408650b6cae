// The join against the model, on random histories of many shapes.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "larder/schema/entity_key.h"
#include "support/catch.h"
#include "training/event_table.h"

using larder::DataType;
using larder::Duration;
using larder::FeatureStatus;
using larder::KnownAt;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;
using larder_test::EventTable;
using larder_test::ModelEvent;
using larder_test::ModelKnownAt;
using larder_test::ModelView;
using larder_test::TimesOf;

namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  int64_t Up(int64_t n) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(n));
  }  // 0..n-1
  bool Coin() { return Up(2) == 0; }
  bool OneIn(int64_t n) { return Up(n) == 0; }

 private:
  std::mt19937_64 random_;
};

Value RandomValue(Dice& dice, const DataType& type) {
  if (dice.OneIn(5)) return {};
  const int64_t n = dice.Up(4);
  switch (type.id()) {
    case TypeId::kBool:
      return n % 2 == 0;
    case TypeId::kInt32:
      return static_cast<int32_t>(n - 2);
    case TypeId::kInt64:
      return n * 1000 - 2000;
    case TypeId::kUint64:
      return static_cast<uint64_t>(n) << 62U;
    case TypeId::kFloat32:
      return n == 0 ? -0.0F : static_cast<float>(n - 1);
    case TypeId::kFloat64:
      return n == 0 ? -0.0 : static_cast<double>(n - 1);
    case TypeId::kString:
      return std::string(static_cast<std::size_t>(dice.Up(3) * 10), static_cast<char>('a' + n));
    case TypeId::kBytes:
      return larder::Bytes{std::string(static_cast<std::size_t>(n), '\xFF')};
    case TypeId::kTimestamp:
      return Timestamp{n - 1};
    case TypeId::kDate:
      return larder::Date{static_cast<int32_t>(n - 1)};
    case TypeId::kDuration:
      return Duration{n - 1};
    case TypeId::kVector:
      if (type.element() == TypeId::kFloat32) {
        return std::vector<float>(type.length(), static_cast<float>(n));
      }
      return std::vector<int8_t>(type.length(), static_cast<int8_t>(n));
    case TypeId::kList: {
      larder::ListValue list;
      list.element = type.element();
      for (int64_t i = 0; i < n; ++i) list.items.push_back(RandomValue(dice, type.element()));
      return list;
    }
    case TypeId::kMap: {
      larder::MapValue map;
      map.value = type.element();
      for (int64_t i = 0; i < n; ++i)
        map.items.emplace_back(std::string(1, static_cast<char>('a' + i)),
                               RandomValue(dice, type.element()));
      return map;
    }
    default:
      return {};
  }
}

struct Shape {
  ModelView model;
  EventTable::Shape table;
  KnownAt known_at = KnownAt::kAny;
  bool exclude_self = false;
  int64_t times = 20;  // instants are drawn from 0 to this: few make many ties
  int64_t keys = 4;
  bool is_skewed = false;  // half of all rows have one key
};

Shape RandomShape(Dice& dice) {
  const std::vector<DataType> types = {TypeId::kBool,
                                       TypeId::kInt32,
                                       TypeId::kInt64,
                                       TypeId::kUint64,
                                       TypeId::kFloat32,
                                       TypeId::kFloat64,
                                       TypeId::kString,
                                       TypeId::kBytes,
                                       TypeId::kTimestamp,
                                       TypeId::kDate,
                                       TypeId::kDuration,
                                       DataType::Vector(TypeId::kFloat32, 3),
                                       DataType::Vector(TypeId::kInt8, 5),
                                       DataType::List(TypeId::kInt64),
                                       DataType::List(TypeId::kString),
                                       DataType::Map(TypeId::kFloat64)};
  const std::vector<DataType> key_types = {TypeId::kString,   TypeId::kInt64, TypeId::kInt32,
                                           TypeId::kUint64,   TypeId::kBytes, TypeId::kDate,
                                           TypeId::kTimestamp};
  Shape shape;
  shape.times = dice.Coin() ? 12 : 200;
  shape.keys = dice.OneIn(4) ? 1 + dice.Up(100) : 1 + dice.Up(6);
  shape.is_skewed = dice.OneIn(3);
  shape.model.feature_count = static_cast<std::size_t>(1 + dice.Up(3));
  shape.table.feature_types.clear();
  for (std::size_t i = 0; i < shape.model.feature_count; ++i) {
    shape.table.feature_types.push_back(
        types[static_cast<std::size_t>(dice.Up(static_cast<int64_t>(types.size())))]);
  }
  shape.table.key_types.clear();
  for (int64_t n = dice.Up(3); n >= 0; --n) {
    shape.table.key_types.push_back(
        key_types[static_cast<std::size_t>(dice.Up(static_cast<int64_t>(key_types.size())))]);
  }
  if (dice.OneIn(10)) shape.table.key_types.clear();
  shape.table.timed = !dice.OneIn(8);
  shape.table.sequence = dice.OneIn(3);
  shape.table.arrival = dice.OneIn(2);
  shape.table.ids = dice.Coin();
  shape.table.ends = dice.OneIn(3);
  shape.table.deletes = dice.OneIn(2);
  shape.table.partial = dice.OneIn(3);
  shape.table.commits = dice.OneIn(4);
  shape.table.known = dice.OneIn(4);
  shape.model.is_timeless = !shape.table.timed;
  shape.model.has_arrival_time = shape.table.arrival;
  shape.model.partial_updates = shape.table.partial;
  shape.model.ordered_by_commit = shape.table.commits;
  shape.model.boundary = dice.Coin() ? larder::Boundary::kAt : larder::Boundary::kBefore;
  if (shape.table.timed && dice.Coin()) shape.model.ttl = Duration{dice.Up(shape.times)};
  if (shape.table.timed && dice.OneIn(3)) shape.model.available_after = Duration{dice.Up(5)};
  shape.model.is_push = shape.table.known;
  const bool has_known = shape.table.arrival || shape.model.available_after || shape.table.known;
  shape.known_at = has_known && dice.Coin() ? KnownAt::kSpine : KnownAt::kAny;
  shape.exclude_self = shape.table.ids && dice.Coin();
  return shape;
}

Value KeyValue(const DataType& type, int64_t n) {
  switch (type.id()) {
    case TypeId::kString:
      return std::to_string(n);
    case TypeId::kBytes:
      return larder::Bytes{std::string(1, static_cast<char>(n))};
    case TypeId::kInt32:
      return static_cast<int32_t>(-n);
    case TypeId::kUint64:
      return static_cast<uint64_t>(n) << 57U;
    case TypeId::kDate:
      return larder::Date{static_cast<int32_t>(n)};
    case TypeId::kTimestamp:
      return Timestamp{n};
    default:
      return n - 3;
  }
}

// A key with all its parts; absent when one is null.
std::vector<Value> RandomKey(Dice& dice, const Shape& shape, std::optional<std::string>* encoded) {
  std::vector<Value> key;
  encoded->emplace();
  const bool is_hot = shape.is_skewed && dice.Coin();
  for (const DataType& type : shape.table.key_types) {
    const int64_t n = is_hot ? 0 : dice.Up(shape.keys);
    const bool null = dice.OneIn(25);
    key.push_back(null ? Value() : KeyValue(type, n));
    if (null) {
      encoded->reset();
    } else if (*encoded) {
      **encoded += std::to_string(n) + "|";
    }
  }
  return key;
}

struct History {
  std::vector<ModelEvent> events;
  std::vector<std::vector<Value>> keys;
};

History RandomHistory(Dice& dice, const Shape& shape, int64_t count) {
  History history;
  for (int64_t i = 0; i < count; ++i) {
    ModelEvent event;
    std::vector<Value> key = RandomKey(dice, shape, &event.key);
    if (shape.table.timed && !dice.OneIn(30)) event.event_time = Timestamp{dice.Up(shape.times)};
    if (shape.table.sequence && !dice.OneIn(6)) event.sequence = dice.Up(3) - 1;
    if (shape.table.arrival && !dice.OneIn(6)) event.arrival_time = Timestamp{dice.Up(shape.times)};
    if (shape.table.ids && !dice.OneIn(6)) event.event_id = "e" + std::to_string(dice.Up(count));
    if (shape.table.ends && dice.Coin()) event.valid_to = Timestamp{dice.Up(shape.times * 2)};
    if (shape.table.deletes) event.is_delete = dice.OneIn(6);
    event.commit_seq = shape.table.commits ? static_cast<uint64_t>(dice.Up(3)) : 0;
    event.commit_time = Timestamp{shape.table.known ? dice.Up(shape.times) : 0};
    for (std::size_t f = 0; f < shape.model.feature_count; ++f) {
      event.features.push_back(RandomValue(dice, shape.table.feature_types[f]));
      if (shape.table.partial) event.carries.push_back(dice.Coin());
    }
    const int copies = dice.OneIn(8) ? 2 : 1;  // delivered twice
    for (int c = 0; c < copies; ++c) {
      history.events.push_back(event);
      history.keys.push_back(key);
    }
  }
  return history;
}

struct SpineRows {
  std::vector<int64_t> times;
  std::vector<std::optional<std::string>> keys;
  std::vector<std::optional<std::string>> ids;
  std::vector<larder::Column> key_columns;
  larder::Column id_column{TypeId::kString};
};

SpineRows RandomSpine(Dice& dice, const Shape& shape, int64_t count, int64_t event_count) {
  SpineRows spine;
  for (const DataType& type : shape.table.key_types) spine.key_columns.emplace_back(type);
  for (int64_t i = 0; i < count; ++i) {
    spine.times.push_back(dice.Up(shape.times + 4) - 2);
    const std::vector<Value> key = RandomKey(dice, shape, &spine.keys.emplace_back());
    for (std::size_t k = 0; k < key.size(); ++k) REQUIRE(spine.key_columns[k].Append(key[k]).ok());
    auto& id = spine.ids.emplace_back();
    if (!dice.OneIn(5)) id = "e" + std::to_string(dice.Up(event_count));
    REQUIRE(spine.id_column.Append(id ? Value(*id) : Value()).ok());
  }
  return spine;
}

larder::JoinView ViewOf(const Shape& shape, const SpineRows& spine) {
  larder::JoinView view;
  view.name = "random";
  view.key_types = shape.table.key_types;
  for (const larder::Column& column : spine.key_columns) view.spine_keys.push_back(&column);
  for (std::size_t f = 0; f < shape.model.feature_count; ++f) {
    view.features.push_back(
        larder_test::FieldOf("f" + std::to_string(f), shape.table.feature_types[f]));
  }
  view.ttl = shape.model.ttl;
  view.boundary = shape.model.boundary;
  view.known_at = shape.known_at;
  view.available_after = shape.model.available_after;
  view.partial_updates = shape.model.partial_updates;
  view.tie_order = shape.model.ordered_by_commit ? larder::JoinTieOrder::kCommit
                                                 : larder::JoinTieOrder::kCanonicalBytes;
  if (shape.exclude_self) view.exclude_event_id = &spine.id_column;
  return view;
}

std::string IdBytes(const std::optional<std::string>& id) {
  std::string bytes;
  if (id) larder::AppendKeyText(*id, &bytes);
  return bytes;
}

}  // namespace

TEST_CASE("the join gives what the model gives on every random history",
          "[training][random][conformance][E33]") {
  const char* fixed = std::getenv("LARDER_SEED");
  const uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  CAPTURE(seed);
  Dice dice(seed);
#ifdef __OPTIMIZE__
  const std::size_t rows_all = 100'000;
#else
  const std::size_t rows_all = 10'000;
#endif
  std::size_t rows = 0;
  for (int round = 0; rows < rows_all; ++round) {
    CAPTURE(round);
    const Shape shape = RandomShape(dice);
    const int64_t size = dice.OneIn(50) ? 600 : 60;
    const History history = RandomHistory(dice, shape, dice.Up(size));
    const SpineRows spine = RandomSpine(dice, shape, 1 + dice.Up(size), size);
    rows += spine.times.size();
    const larder::Column times = TimesOf(spine.times);
    larder::JoinOptions options;
    options.audit = true;
    options.thread_count = 1 + static_cast<int>(dice.Up(3));
    if (dice.Coin()) options.buffer_bytes = 1;
    auto join = larder::PointInTimeJoin::Make(times, {ViewOf(shape, spine)}, options);
    REQUIRE(join.ok());
    // In two batches, so that rows of the second meet winners of the first.
    const auto half = static_cast<std::ptrdiff_t>(history.events.size() / 2);
    for (const bool second : {false, true}) {
      const auto cut = [&](const auto& all) {
        return second ? std::vector(all.begin() + half, all.end())
                      : std::vector(all.begin(), all.begin() + half);
      };
      const EventTable table(shape.table, cut(history.events), cut(history.keys));
      const absl::Status added = join->Add(0, table.batch());
      CAPTURE(std::string(larder::MessageOf(added)));
      REQUIRE(added.ok());
    }
    auto finished = std::move(*join).Finish();
    REQUIRE(finished.ok());
    const larder::JoinedView& joined = (*finished)[0];

    int64_t changed = 0;
    int64_t ambiguous = 0;
    for (std::size_t row = 0; row < spine.times.size(); ++row) {
      const Timestamp at{spine.times[row]};
      const auto ask = [&](KnownAt known_at) {
        return larder_test::AskModel(
            shape.model, history.events, spine.keys[row], at,
            known_at == KnownAt::kSpine ? ModelKnownAt::Time(at) : ModelKnownAt::Any(),
            shape.exclude_self ? spine.ids[row] : std::nullopt);
      };
      const auto answers = ask(shape.known_at);
      const auto others = ask(shape.known_at == KnownAt::kSpine ? KnownAt::kAny : KnownAt::kSpine);
      bool tied = false;
      for (std::size_t f = 0; f < answers.size(); ++f) {
        tied = tied || (answers[f].is_ambiguous && answers[f].status <= FeatureStatus::kNullValue);
        const auto& outcome = joined.OutcomeOf(f);
        const auto& answer = answers[f];
        const bool same_status = joined.StatusOf(f, row) == answer.status;
        const bool same_value = joined.features[f].ValueAt(row) == answer.value;
        const Value time = outcome.event_time.ValueAt(row);
        const bool same_time = time == (answer.event_time ? Value(*answer.event_time) : Value());
        bool same_event = true;
        if (answer.status != FeatureStatus::kNotFound && shape.table.ids) {
          // Copies and rows alike in all but their id may stand for each other; the greatest id is the join's choice.
          const Value id = outcome.event_id.ValueAt(row);
          const auto* bytes = id.As<larder::Bytes>();
          const std::string found = bytes == nullptr ? "" : bytes->data;
          if (found != IdBytes(answer.event->event_id)) {
            same_event = false;
            for (const ModelEvent& event : history.events) {
              same_event = same_event ||
                           (IdBytes(event.event_id) == found && event.key == answer.event->key &&
                            event.event_time == answer.event->event_time &&
                            CanonicalRowOf(shape.model, event) ==
                                CanonicalRowOf(shape.model, *answer.event));
            }
          }
        }
        if (!(answers[f].value == others[f].value)) ++changed;
        if (!same_status || !same_value || !same_time || !same_event) {
          CAPTURE(row, f, larder::FeatureStatusName(joined.StatusOf(f, row)),
                  larder::FeatureStatusName(answer.status),
                  larder::FormatValue(joined.features[f].ValueAt(row)),
                  larder::FormatValue(answer.value));
          CHECK(same_status);
          CHECK(same_value);
          CHECK(same_time);
          CHECK(same_event);
          REQUIRE(false);
        }
      }
      if (tied) ++ambiguous;
    }
    if (!shape.exclude_self) REQUIRE(joined.counts.rows_ambiguous == ambiguous);
    const bool has_known = shape.table.arrival || shape.model.available_after || shape.table.known;
    REQUIRE(joined.counts.cells_changed_by_other_known_at.has_value() == has_known);
    if (has_known) REQUIRE(*joined.counts.cells_changed_by_other_known_at == changed);
    REQUIRE(joined.counts.rows_found + joined.counts.rows_not_found +
                joined.counts.rows_outside_max_age ==
            static_cast<int64_t>(spine.times.size()));
  }
}

TEST_CASE("the order and batching of events and the number of threads change nothing",
          "[training][random]") {
  const char* fixed = std::getenv("LARDER_SEED");
  const uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  CAPTURE(seed);
  Dice dice(seed);
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    Shape shape = RandomShape(dice);
    shape.table.commits = false;
    shape.model.ordered_by_commit = false;
    History history = RandomHistory(dice, shape, 120);
    const SpineRows spine = RandomSpine(dice, shape, 200, 120);
    const larder::Column times = TimesOf(spine.times);
    std::optional<larder::JoinedView> first;
    for (const int threads : {1, 2, 4}) {
      for (std::size_t i = history.events.size(); i > 1; --i) {
        const auto j = static_cast<std::size_t>(dice.Up(static_cast<int64_t>(i)));
        std::swap(history.events[i - 1], history.events[j]);
        std::swap(history.keys[i - 1], history.keys[j]);
      }
      larder::JoinOptions options;
      options.thread_count = threads;
      options.audit = true;
      options.buffer_bytes = static_cast<std::size_t>(1 + dice.Up(20'000));
      auto join = larder::PointInTimeJoin::Make(times, {ViewOf(shape, spine)}, options);
      REQUIRE(join.ok());
      const EventTable table(shape.table, history.events, history.keys);
      REQUIRE(join->Add(0, table.batch()).ok());
      auto finished = std::move(*join).Finish();
      REQUIRE(finished.ok());
      larder::JoinedView& joined = (*finished)[0];
      if (!first) {
        first = std::move(joined);
        continue;
      }
      for (std::size_t f = 0; f < joined.features.size(); ++f)
        REQUIRE(joined.features[f] == first->features[f]);
      for (std::size_t i = 0; i < joined.outcomes.size(); ++i) {
        REQUIRE(joined.outcomes[i].status == first->outcomes[i].status);
        REQUIRE(joined.outcomes[i].event_time == first->outcomes[i].event_time);
        REQUIRE(joined.outcomes[i].known_time == first->outcomes[i].known_time);
        REQUIRE(joined.outcomes[i].event_id == first->outcomes[i].event_id);
      }
      REQUIRE(joined.counts.rows_ambiguous == first->counts.rows_ambiguous);
      REQUIRE(joined.counts.cells_changed_by_other_known_at ==
              first->counts.cells_changed_by_other_known_at);
    }
  }
}
