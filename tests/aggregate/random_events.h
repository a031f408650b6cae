// Random aggregates and random events for them.
#pragma once

#include <string>
#include <vector>

#include "aggregate/naive_aggregate.h"
#include "support/random_value.h"

namespace larder_test {

inline larder::DataType RandomInputType(Random& random) {
  if (random.OneIn(8)) return larder::DataType::Vector(larder::TypeId::kFloat32, 3);
  if (random.OneIn(3)) return larder::TypeId::kFloat64;
  return RandomType(random);
}

inline larder::AggregateSpec RandomSpec(Random& random, const larder::DataType& input) {
  for (;;) {
    larder::AggregateSpec spec;
    spec.function = static_cast<larder::AggregateFunction>(
        random.Between(0, static_cast<int64_t>(larder::AggregateFunction::kEwma)));
    spec.input = input;
    spec.k = random.Between(1, random.OneIn(2) ? 3 : 20);
    spec.p = static_cast<double>(random.Between(0, 8)) / 8;
    spec.half_life.us = random.Between(1, 2000);
    spec.include_nulls = random.OneIn(3);
    if (larder::AggregateResultType(spec).ok()) return spec;
  }
}

// Values that are alike often enough for ties and counts, and strange often enough.
class RandomInputs {
 public:
  RandomInputs(Random& random, const larder::DataType& type) : type_(type) {
    for (int64_t n = random.Between(1, 12); n > 0; --n) pool_.push_back(RandomValue(random, type));
    tame_ = random.OneIn(2);
    has_nulls_ = !random.OneIn(3);
  }
  larder::Value Next(Random& random) {
    if (has_nulls_ && random.OneIn(8)) return {};
    if (random.OneIn(2)) {
      return pool_[static_cast<std::size_t>(
          random.Between(0, static_cast<int64_t>(pool_.size()) - 1))];
    }
    if (type_.id() == larder::TypeId::kFloat64 && tame_) {
      return std::ldexp(static_cast<double>(random.AnyInteger()),
                        static_cast<int>(random.Between(-40, 40)));
    }
    if (type_.id() == larder::TypeId::kFloat64) {
      switch (random.Between(0, 30)) {
        case 0:
          return std::numeric_limits<double>::quiet_NaN();
        case 1:
          return std::numeric_limits<double>::infinity();
        case 2:
          return -std::numeric_limits<double>::infinity();
        case 3:
          return -0.0;
        case 4:
          return 0.0;
        case 5:
          return std::numeric_limits<double>::denorm_min() *
                 static_cast<double>(random.Between(-9, 9));
        case 6:
          return std::numeric_limits<double>::max();
        default:
          break;
      }
    }
    return RandomValue(random, type_);
  }

 private:
  larder::DataType type_;
  std::vector<larder::Value> pool_;
  bool tame_ = false;
  bool has_nulls_ = true;
};

inline std::vector<NaiveEvent> RandomEvents(Random& random, const larder::DataType& type,
                                            int64_t count_max, int64_t number = 0) {
  RandomInputs inputs(random, type);
  const int64_t range = random.OneIn(3) ? 5 : random.OneIn(2) ? 3'000 : 1'000'000;
  const int64_t begin = random.OneIn(2) ? 0 : random.Between(-(int64_t{1} << 58), int64_t{1} << 58);
  std::vector<NaiveEvent> events;
  for (int64_t n = random.Between(0, count_max); n > 0; --n) {
    NaiveEvent event;
    event.time_us = begin + random.Between(-range, range);
    event.has_sequence = random.OneIn(3);
    if (event.has_sequence) event.sequence = static_cast<uint64_t>(random.Between(0, 3));
    if (random.OneIn(2)) event.event_id = random.Text(2, "ab");
    event.row = std::to_string(number++);  // no two rows are alike
    event.value = inputs.Next(random);
    events.push_back(event);
  }
  return events;
}

}  // namespace larder_test
