// A random source and random window aggregates over it, with what every value is by definition.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "larder/aggregate/function.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/schema/value.h"
#include "support/random.h"

namespace larder_test {

struct WorldEvent {
  int64_t card = 0;
  larder::Timestamp time;
  std::string id;
  std::optional<int64_t> sequence;
  std::optional<larder::Timestamp> arrival;
  bool is_delete = false;
  larder::Value amount;  // float64
  larder::Value count;   // int64
  larder::Value shop;    // string
  friend bool operator==(const WorldEvent&, const WorldEvent&) = default;
};

struct WorldFeature {
  std::string given_name;
  std::string name;  // the feature's: with the category, if there is one
  larder::AggregateFunction function{};
  std::string function_name;
  std::string input;  // amount, count, shop, `amount * 2`, or empty
  std::optional<larder::Duration> window;
  std::optional<int64_t> rows;
  larder::Duration delay;
  std::string where;     // empty, `amount > 0` or `shop = 'a'`
  bool grouped = false;  // by shop
  std::string category;  // empty: all
  int64_t k = 1;
  double p = 0.5;
  larder::Duration half_life;
  bool include_nulls = false;
};

// What a world may have is drawn; what the aggregates mean is not.
struct WindowWorld {
  bool has_ids = false;
  bool has_deletes = false;
  bool has_sequence = false;
  bool has_arrival = false;
  bool in_order = false;  // order: commit; the events' own is that of the file and of pushes
  std::optional<larder::Duration> available_after;
  bool at = false;
  bool exclude_self = false;
  std::vector<WorldFeature> features;
  std::vector<WorldEvent> events;

  static WindowWorld Draw(Random& random, std::size_t events, bool may_exclude_self);

  // `source_extra` goes into the file source; a push source `live` feeds the view when `pushed`.
  [[nodiscard]] std::string Definitions(bool pushed) const;
  [[nodiscard]] std::string Csv(const std::vector<WorldEvent>& rows) const;
  [[nodiscard]] larder::Row RowOf(const WorldEvent& event) const;
  [[nodiscard]] larder::Timestamp RandomInstant(Random& random) const;

  struct Question {
    int64_t card = 0;
    larder::Timestamp as_of;
    std::optional<larder::Timestamp> known_at;  // absent: all events count
    std::string excluded_id = {};
  };
  [[nodiscard]] larder::Value Answer(const WorldFeature& feature, const Question& question) const;

 private:
  [[nodiscard]] std::vector<const WorldEvent*> Visible(const WorldFeature& feature,
                                                       const Question& question) const;
};

}  // namespace larder_test
