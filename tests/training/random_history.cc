#include "training/random_history.h"

#include <cstdlib>

#include "support/catch.h"

using larder::DataType;
using larder::Duration;
using larder::KnownAt;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;

namespace larder_test {
namespace {

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

Value KeyValue(const DataType& type, int64_t n) {
  switch (type.id()) {
    case TypeId::kBool:
      return n % 2 == 0;
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
std::vector<Value> RandomKey(Dice& dice, const JoinShape& shape,
                             std::optional<std::string>* encoded) {
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

}  // namespace

uint64_t RandomSeed() {
  const char* fixed = std::getenv("LARDER_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
}

JoinShape RandomShape(Dice& dice) {
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
  JoinShape shape;
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

History RandomHistory(Dice& dice, const JoinShape& shape, int64_t count) {
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

SpineRows RandomSpine(Dice& dice, const JoinShape& shape, int64_t count, int64_t event_count) {
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

larder::JoinView ViewOf(const JoinShape& shape, const SpineRows& spine) {
  larder::JoinView view;
  view.name = "random";
  view.key_types = shape.table.key_types;
  for (const larder::Column& column : spine.key_columns) view.spine_keys.push_back(&column);
  for (std::size_t f = 0; f < shape.model.feature_count; ++f) {
    view.features.push_back(FieldOf("f" + std::to_string(f), shape.table.feature_types[f]));
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

}  // namespace larder_test
