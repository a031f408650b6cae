// Histories and spines of many shapes, drawn at random.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "larder/column/column.h"
#include "larder/schema/value.h"
#include "larder/training/point_in_time_join.h"
#include "training/event_table.h"

namespace larder_test {

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

// LARDER_SEED, or one of its own.
uint64_t RandomSeed();

struct JoinShape {
  ModelView model;
  EventTable::Shape table;
  larder::KnownAt known_at = larder::KnownAt::kAny;
  bool exclude_self = false;
  int64_t times = 20;  // instants are drawn from 0 to this: few make many ties
  int64_t keys = 4;
  bool is_skewed = false;  // half of all rows have one key
};
JoinShape RandomShape(Dice& dice);

struct History {
  std::vector<ModelEvent> events;
  std::vector<std::vector<larder::Value>> keys;
};
History RandomHistory(Dice& dice, const JoinShape& shape, int64_t count);

struct SpineRows {
  std::vector<int64_t> times;
  std::vector<std::optional<std::string>> keys;
  std::vector<std::optional<std::string>> ids;
  std::vector<larder::Column> key_columns;
  larder::Column id_column{larder::TypeId::kString};
};
SpineRows RandomSpine(Dice& dice, const JoinShape& shape, int64_t count, int64_t event_count);

// Lifetime: borrows the spine's columns.
larder::JoinView ViewOf(const JoinShape& shape, const SpineRows& spine);

}  // namespace larder_test
