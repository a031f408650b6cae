// The window aggregates that larder and DuckDB share: random ones over random events, each with the SQL query that says
// what it means.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/schema/definitions.h"
#include "larder/schema/value.h"
#include "support/random.h"

namespace larder_test {

// How near DuckDB's answer has to be. Larder's is exact but for one rounding.
enum class Nearness : uint8_t {
  kEqual,
  kSum,         // within what adding up doubles one by one may lose
  kMean,        // that, divided
  kVariance,    // within what Welford's recurrence may lose
  kDeviation,   // its square
  kClose,       // 10^-9, or that share of it
  kNearerZero,  // at most 2^-8 of it nearer to zero
};

struct SharedAggregate {
  const char* name;
  // Of $x, the input, and $k or $p; in order of `made`, `id` where order matters.
  const char* sql;
  const char*
      inputs;  // of `amount`, `units` and `shop` the first letters of those it is compared over; none: no input
  Nearness nearness = Nearness::kEqual;
};
// Built in.
std::span<const SharedAggregate> SharedAggregates();

struct SqlFeature {
  const SharedAggregate* function = nullptr;
  std::string given_name;
  std::string name;   // with the category, if there is one
  std::string input;  // amount, `amount * 2`, units, shop, or empty
  std::optional<larder::Duration> window;
  std::optional<int64_t> rows;
  larder::Duration delay;
  std::string where;     // empty, `amount > 0` or `shop = 'a'`
  std::string category;  // of shop; empty: not grouped
  int64_t k = 1;
  double p = 0.5;
  bool include_nulls = false;
};

struct SqlEvent {
  int64_t card = 0;
  larder::Timestamp at;
  std::string id;
  bool is_delete = false;
  larder::Value amount;  // float64: both signs, many equal
  larder::Value units;   // int64, small
  larder::Value shop;    // string
};

struct SqlQuestion {
  int64_t card = 0;
  larder::Timestamp as_of;
};

// Events tie in time, come twice, are corrected at another time, and deleted.
struct SqlWorld {
  bool at = false;  // the view's boundary
  std::vector<SqlFeature> features;
  std::vector<SqlEvent> events;
  std::vector<SqlQuestion> questions;  // some at the very edges of windows

  // `turn` says which functions are drawn first.
  static SqlWorld Draw(Random& random, std::size_t turn, std::size_t feature_count,
                       int64_t event_count);
  // A source `tx` of tx.csv, a push source `live` beside it, and the view `spend`.
  [[nodiscard]] std::string Definitions() const;
  [[nodiscard]] std::string Csv(const std::vector<SqlEvent>& rows) const;
  static const std::vector<larder::Field>& Fields();
  [[nodiscard]] static larder::Row RowOf(const SqlEvent& event);

  // Over the tables `events` and `questions` (q, card, t): columns value, n, magnitudes, squares for each question.
  [[nodiscard]] std::string Query(const SqlFeature& feature) const;
};

// Lists and maps as the text that the queries make of them; everything else as it is, durations in microseconds.
larder::Value TextOfNested(const larder::Value& value);

}  // namespace larder_test
