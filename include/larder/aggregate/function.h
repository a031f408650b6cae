// The aggregate functions (SEMANTICS 7), what each computes, and its result's type.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

// Nulls are skipped by all but count_all, and by first, last, first_k and last_k unless include_nulls says otherwise.
// Over nothing: counts and `sum` are 0, histogram is an empty map, lists are empty, everything else is null.
enum class AggregateFunction : uint8_t {
  kCount,      // values that are not null
  kCountAll,   // events
  kSum,        // exact, rounded once; null when integers leave int64
  kSumOrNull,  // the same, null over nothing
  kMean,       // of vectors: element by element
  kMin,        // NaN is the greatest number; -0 comes before 0; of vectors: element by element
  kMax,
  kVarSamp,
  kVarPop,
  kStddevSamp,
  kStddevPop,
  kSkew,      // of the sample, as in SQL; from 3 values on
  kKurtosis,  // excess, of the sample, as in SQL; from 4 values on
  kFirst,
  kLast,
  kFirstK,               // oldest first
  kLastK,                // newest first
  kDistinctK,            // the k different values seen last, newest first
  kCountDistinct,        // beyond kValuesMax different values null
  kApproxCountDistinct,  // exact up to 256, then within 1.6 % (one standard deviation)
  kApproxPercentile,     // of rank floor(p * (count - 1)), at most 0.4 % nearer to zero
  kTopK,                 // most frequent first, of equally frequent ones the smallest
  kHistogram,            // how often each value occurs
  kEntropy,              // in bits, of the frequencies of values
  kDrawdown,             // greatest fall from one value to a later one, at least 0
  kSlope,                // of the least-squares line of values over time, per second
  kTimeSinceFirst,
  kTimeSinceLast,
  kDecayedSum,  // of value * 2^(-age / half_life); nothing counts after 128 half-lives
  kEwma,        // the mean with those weights
};

// Different values that count_distinct, top_k, histogram and entropy hold, and their bytes together.
inline constexpr std::size_t kValuesMax = 4096;
inline constexpr std::size_t kValueBytesMax = std::size_t{256} << 10U;

// One function over one input.
struct AggregateSpec {
  AggregateFunction function = AggregateFunction::kCountAll;
  std::optional<DataType> input = std::nullopt;  // absent: counts events, or the time since them
  int64_t k = 1;                                 // first_k, last_k, distinct_k, top_k: 1 to 1000
  double p = 0.5;                                // approx_percentile: 0 to 1
  Duration half_life = {};                       // decayed_sum, ewma: above 0
  bool include_nulls = false;                    // first, last, first_k, last_k
  friend bool operator==(const AggregateSpec&, const AggregateSpec&) = default;
};

// The function of a definition's name; `stddev` and `variance` are those of a sample.
// Errors: kInvalidArgument for an unknown name.
[[nodiscard]] absl::StatusOr<AggregateFunction> FindAggregateFunction(std::string_view name);
[[nodiscard]] std::string_view AggregateFunctionName(AggregateFunction function);

// Errors: kInvalidArgument when the function does not take the input or a parameter is out of range.
[[nodiscard]] absl::StatusOr<DataType> AggregateResultType(const AggregateSpec& spec);

}  // namespace larder::inline LARDER_ABI
