#include "larder/aggregate/accumulator.h"

#include <cmath>
#include <limits>

#include "aggregate/naive_aggregate.h"
#include "support/catch.h"

namespace larder {
namespace {

using enum AggregateFunction;
using larder_test::NaiveEvent;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Events a second apart.
std::vector<NaiveEvent> Sequence(const std::vector<Value>& values) {
  std::vector<NaiveEvent> events;
  for (const Value& value : values) {
    NaiveEvent event;
    event.time_us = static_cast<int64_t>(events.size()) * kMicrosPerSecond;
    event.value = value;
    events.push_back(event);
  }
  return events;
}

AggregateResult Result(const AggregateSpec& spec, const std::vector<Value>& values,
                       Timestamp as_of = {100 * kMicrosPerSecond}) {
  const auto accumulator = *MakeAccumulator(spec);
  std::string scratch;
  for (const NaiveEvent& event : Sequence(values)) {
    accumulator->Add(larder_test::EventOf(event, &scratch));
  }
  return accumulator->Result(spec, as_of);
}
Value Of(AggregateFunction function, const std::vector<Value>& values,
         DataType type = TypeId::kFloat64) {
  return Result({.function = function, .input = type}, values).value;
}
double Float(AggregateFunction function, const std::vector<Value>& values,
             DataType type = TypeId::kFloat64) {
  const Value value = Of(function, values, type);
  REQUIRE(value.As<double>() != nullptr);
  return *value.As<double>();
}
Value List(TypeId type, std::vector<Value> items) { return ListValue{type, std::move(items)}; }

TEST_CASE("over nothing, counts and sums are zero and the rest is null", "[aggregate]") {
  for (const std::vector<Value>& values :
       {std::vector<Value>{}, std::vector<Value>{Value(), Value()}}) {
    CHECK(Of(kCount, values) == Value(int64_t{0}));
    CHECK(Of(kCountDistinct, values) == Value(int64_t{0}));
    CHECK(Of(kApproxCountDistinct, values) == Value(int64_t{0}));
    CHECK(Of(kSum, values) == Value(0.0));
    CHECK(Of(kSum, values, TypeId::kInt32) == Value(int64_t{0}));
    CHECK(Of(kSum, values, TypeId::kDuration) == Value(Duration{0}));
    for (const auto function : {kSumOrNull, kMean, kMin, kMax, kVarSamp, kVarPop, kStddevSamp,
                                kStddevPop, kSkew, kKurtosis, kFirst, kLast, kApproxPercentile,
                                kEntropy, kDrawdown, kSlope, kTimeSinceFirst, kTimeSinceLast}) {
      INFO(AggregateFunctionName(function));
      CHECK(Of(function, values).is_null());
    }
    CHECK(Of(kHistogram, values) == Value(MapValue{TypeId::kInt64, {}}));
    CHECK(Of(kLastK, values) == List(TypeId::kFloat64, {}));
  }
  CHECK(Of(kCountAll, {Value(), Value()}) == Value(int64_t{2}));
}

// Case H13 of the conformance list: events (minute, value) (0,10)(6,30)(11,20)(16,5), windows of 15 minutes.
TEST_CASE("hopping windows over four events give what the list of cases says", "[aggregate]") {
  const std::vector<std::vector<Value>> windows = {
      {10.0}, {10.0, 30.0}, {10.0, 30.0, 20.0}, {30.0, 20.0, 5.0}};
  const double sums[] = {10, 40, 60, 55};
  const int64_t counts[] = {1, 2, 3, 3};
  const double means[] = {10, 20, 20, 55.0 / 3};
  const double greatest[] = {10, 30, 30, 30};
  const double least[] = {10, 10, 10, 5};
  for (std::size_t i = 0; i < windows.size(); ++i) {
    CHECK(Of(kSum, windows[i]) == Value(sums[i]));
    CHECK(Of(kCount, windows[i]) == Value(counts[i]));
    CHECK(Of(kMean, windows[i]) == Value(means[i]));
    CHECK(Of(kMax, windows[i]) == Value(greatest[i]));
    CHECK(Of(kMin, windows[i]) == Value(least[i]));
  }
  CHECK(Of(kStddevSamp, windows[0]).is_null());
  CHECK(Float(kStddevSamp, windows[1]) == std::sqrt(200.0));
  CHECK(Float(kStddevSamp, windows[2]) == 10);
  CHECK(Float(kStddevSamp, windows[3]) == std::sqrt(475.0 / 3));
}

TEST_CASE("a float sum is exact before it is rounded", "[aggregate]") {
  CHECK(Float(kSum, {1e308, 1e308, -1e308, -1e308, 1.0}) == 1);
  CHECK(Float(kSum, {1.0, 1e100, 1.0, -1e100}) == 2);
  CHECK(Float(kSum, {0.1, 0.2, -0.3}) == 0x1p-55);
  CHECK(Float(kSum, {5e-324, 5e-324}) == 1e-323);
  CHECK(Float(kSum, {1e308, 1e308}) == kInfinity);
  CHECK(Float(kMean, {1e308, 1e308}) == 1e308);
  const Value zero = Of(kSum, {-0.0, -0.0});
  CHECK(zero == Value(0.0));
  CHECK(Float(kSum, {1.5F, -0.25F}, TypeId::kFloat32) == 1.25);
}

TEST_CASE("NaN and infinities are in a sum as long as their events are", "[aggregate]") {
  CHECK(Float(kSum, {kInfinity, 1.0}) == kInfinity);
  CHECK(Float(kSum, {-kInfinity, 1.0}) == -kInfinity);
  CHECK(std::isnan(Float(kSum, {kInfinity, -kInfinity})));
  CHECK(std::isnan(Float(kMean, {kNan, 1.0})));
  const AggregateSpec spec{.function = kSum, .input = TypeId::kFloat64};
  const auto sum = *MakeAccumulator(spec);
  std::string scratch;
  const auto events = Sequence({1.25, kNan, kInfinity, -kInfinity});
  for (const NaiveEvent& event : events) sum->Add(larder_test::EventOf(event, &scratch));
  for (std::size_t i = 1; i < 4; ++i) sum->Remove(larder_test::EventOf(events[i], &scratch));
  CHECK(sum->Result(spec, {}).value == Value(1.25));
}

TEST_CASE("an integer sum outside int64 is null and counted", "[aggregate]") {
  constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();
  const AggregateSpec spec{.function = kSum, .input = TypeId::kInt64};
  CHECK(Result(spec, {kMax64, int64_t{1}}).refused);
  CHECK(Result(spec, {kMax64, int64_t{1}}).value.is_null());
  CHECK(Result(spec, {kMin64, int64_t{-1}}).refused);
  CHECK(Result(spec, {kMax64, int64_t{1}, int64_t{-1}}).value == Value(kMax64));
  CHECK(Float(kMean, {kMax64, kMax64}, TypeId::kInt64) == 0x1p63);
  CHECK(Result({.function = kSum, .input = TypeId::kUint64}, {~uint64_t{0}}).refused);
  CHECK(Of(kSum, {true, false, true}, TypeId::kBool) == Value(int64_t{2}));
}

TEST_CASE("moments refuse numbers too large or too small for exact products", "[aggregate]") {
  const AggregateSpec spec{.function = kVarPop, .input = TypeId::kFloat64};
  CHECK(Result(spec, {0x1p250, 0x1p-250, 0.0, -0x1p250}).refused == false);
  CHECK(Result(spec, {0x1.1p250, 1.0}).refused);
  CHECK(Result(spec, {0x1.fp-251, 1.0}).refused);
  CHECK(std::isnan(*Result(spec, {kNan, 1.0}).value.As<double>()));
}

TEST_CASE("moments agree with their definitions", "[aggregate]") {
  const std::vector<Value> values = {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0};
  CHECK(Float(kVarPop, values) == 4);
  CHECK(Float(kStddevPop, values) == 2);
  CHECK(Float(kVarSamp, values) == 32.0 / 7);
  CHECK(Float(kSkew, values) == larder_test::Approx(0.8184875533567997));
  CHECK(Float(kKurtosis, values) == larder_test::Approx(0.940625));
  CHECK(Of(kSkew, {1.0, 1.0, 1.0}).is_null());
  CHECK(Float(kVarSamp, {1e15, 1e15 + 1, 1e15 + 2}) == 1);
}

TEST_CASE("min and max put NaN above everything and -0 below 0", "[aggregate]") {
  CHECK(std::isnan(Float(kMax, {1.0, kNan, kInfinity})));
  CHECK(Float(kMin, {1.0, kNan}) == 1);
  CHECK(Of(kMin, {0.0, -0.0}) == Value(-0.0));
  CHECK(Of(kMax, {-0.0, 0.0}) == Value(0.0));
  CHECK(Of(kMin, {"b", "ab"}, TypeId::kString) == Value("ab"));
  CHECK(Of(kMax, {Date{-3}, Date{2}}, TypeId::kDate) == Value(Date{2}));
}

TEST_CASE("vectors are pooled element by element", "[aggregate]") {
  const DataType type = DataType::Vector(TypeId::kFloat32, 2);
  const std::vector<Value> values = {std::vector<float>{1, 5}, Value(), std::vector<float>{2, -1}};
  CHECK(Of(kMean, values, type) == Value(std::vector<float>{1.5F, 2}));
  CHECK(Of(kMin, values, type) == Value(std::vector<float>{1, -1}));
  CHECK(Of(kMax, values, type) == Value(std::vector<float>{2, 5}));
}

TEST_CASE("first and last skip nulls unless told otherwise", "[aggregate]") {
  const std::vector<Value> values = {Value(), "a", "b", Value()};
  AggregateSpec spec{.function = kFirst, .input = TypeId::kString};
  CHECK(Result(spec, values).value == Value("a"));
  spec.function = kLast;
  CHECK(Result(spec, values).value == Value("b"));
  spec.include_nulls = true;
  CHECK(Result(spec, values).value.is_null());
  spec.function = kLastK;
  spec.k = 3;
  CHECK(Result(spec, values).value == List(TypeId::kString, {Value(), "b", "a"}));
}

TEST_CASE("distinct_k lists the values seen last, top_k the most frequent", "[aggregate]") {
  const std::vector<Value> values = {"a", "b", "b", "c", "a", "b", "d"};
  const AggregateSpec recent{.function = kDistinctK, .input = TypeId::kString, .k = 3};
  CHECK(Result(recent, values).value == List(TypeId::kString, {"d", "b", "a"}));
  const AggregateSpec top{.function = kTopK, .input = TypeId::kString, .k = 3};
  CHECK(Result(top, values).value == List(TypeId::kString, {"b", "a", "c"}));
}

TEST_CASE("too many different values are null and counted, and bounded when written",
          "[aggregate]") {
  std::vector<Value> values;
  for (int64_t i = 0; i <= static_cast<int64_t>(kValuesMax); ++i) values.emplace_back(i);
  for (const auto function : {kCountDistinct, kTopK, kHistogram, kEntropy}) {
    const AggregateSpec spec{.function = function, .input = TypeId::kInt64};
    CHECK(Result(spec, values).refused);
    CHECK(Result(spec, values).value.is_null());
  }
  const AggregateSpec spec{.function = kCountDistinct, .input = TypeId::kInt64};
  values.pop_back();
  CHECK(Result(spec, values).value == Value(static_cast<int64_t>(kValuesMax)));

  const std::string long_text(kValueBytesMax / 2 + 1, 'x');
  const AggregateSpec text{.function = kCountDistinct, .input = TypeId::kString};
  CHECK(Result(text, {long_text, long_text}).value == Value(int64_t{1}));
  CHECK(Result(text, {long_text + "a", long_text + "b"}).refused);

  // A part beyond the bound makes the whole go beyond it.
  const auto whole = *MakeAccumulator(text);
  const auto part = *MakeAccumulator(text);
  std::string scratch;
  for (const NaiveEvent& event : Sequence({long_text + "a", long_text + "b"})) {
    part->Add(larder_test::EventOf(event, &scratch));
  }
  ByteWriter bytes;
  part->Encode(&bytes);
  CHECK(bytes.size() == 3);
  ByteReader in(bytes.view());
  REQUIRE(whole->MergeEncoded(&in).ok());
  CHECK(whole->Result(text, {}).refused);
}

TEST_CASE("approx_count_distinct is exact for few and near for many", "[aggregate]") {
  const AggregateSpec spec{.function = kApproxCountDistinct, .input = TypeId::kInt64};
  const auto sketch = *MakeAccumulator(spec);
  std::string scratch;
  int64_t added = 0;
  for (const int64_t count : {10, 256, 257, 1'000, 10'000, 100'000}) {
    for (; added < count; ++added) {
      NaiveEvent event;
      event.value = added;
      sketch->Add(larder_test::EventOf(event, &scratch));
      sketch->Add(larder_test::EventOf(event, &scratch));
    }
    const int64_t found = *sketch->Result(spec, {}).value.As<int64_t>();
    INFO(count << " counted as " << found);
    if (count <= 256) CHECK(found == count);
    // Five standard deviations.
    CHECK(std::abs(static_cast<double>(found - count)) <= 0.08 * static_cast<double>(count));
  }
}

TEST_CASE("a percentile is at most 0.4 percent nearer to zero than the number of its rank",
          "[aggregate]") {
  std::vector<Value> values;
  for (int i = 1; i <= 1000; ++i) values.emplace_back(std::pow(1.02, i) - 500);
  for (const double p : {0.0, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    const AggregateSpec spec{.function = kApproxPercentile, .input = TypeId::kFloat64, .p = p};
    const double exact = *values[static_cast<std::size_t>(p * 999)].As<double>();
    const double found = *Result(spec, values).value.As<double>();
    CHECK(std::fabs(found) <= std::fabs(exact));
    CHECK(std::fabs(found) >= std::fabs(exact) * 0.996);
  }
  const AggregateSpec median{.function = kApproxPercentile, .input = TypeId::kInt64};
  CHECK(Result(median, {int64_t{3}, int64_t{300}, int64_t{511}}).value == Value(300.0));
}

TEST_CASE("entropy is in bits", "[aggregate]") {
  CHECK(Float(kEntropy, {"a", "b"}, TypeId::kString) == 1);
  CHECK(Float(kEntropy, {"a", "b", "c", "d"}, TypeId::kString) == 2);
  CHECK(Float(kEntropy, {"a", "a"}, TypeId::kString) == 0);
}

TEST_CASE("drawdown is the greatest fall in time", "[aggregate]") {
  CHECK(Float(kDrawdown, {10.0, 4.0, 12.0, 5.0, 6.0}) == 7);
  CHECK(Float(kDrawdown, {1.0, 2.0, 3.0}) == 0);
  CHECK(Float(kDrawdown, {kInfinity, 3.0}) == kInfinity);
}

TEST_CASE("slope is per second", "[aggregate]") {
  CHECK(Float(kSlope, {1.0, 3.0, 5.0, 7.0}) == 2);
  CHECK(Float(kSlope, {int64_t{3}, int64_t{2}, int64_t{1}}, TypeId::kInt64) == -1);
  CHECK(Of(kSlope, {1.0}).is_null());
}

TEST_CASE("decay halves a value with every half-life, and forgets it in the end", "[aggregate]") {
  AggregateSpec spec{.function = kDecayedSum, .input = TypeId::kFloat64};
  spec.half_life = Duration::Seconds(10);
  const auto at = [&](int64_t seconds) {
    return *Result(spec, {8.0}, {seconds * kMicrosPerSecond}).value.As<double>();
  };
  CHECK(at(0) == 8);
  CHECK(at(10) == 4);
  CHECK(at(30) == 1);
  CHECK(at(5) == larder_test::Approx(8 / std::sqrt(2.0)));
  CHECK(at(2000) == 0);
  spec.function = kEwma;
  CHECK(*Result(spec, {8.0, 8.0, 8.0}).value.As<double>() == 8);
}

TEST_CASE("time since is measured from the asked instant", "[aggregate]") {
  const Timestamp as_of{10 * kMicrosPerSecond};
  const AggregateSpec first{.function = kTimeSinceFirst, .input = TypeId::kString};
  const AggregateSpec last{.function = kTimeSinceLast, .input = TypeId::kString};
  const std::vector<Value> values = {Value(), "a", "b", Value()};
  CHECK(Result(first, values, as_of).value == Value(Duration::Seconds(9)));
  CHECK(Result(last, values, as_of).value == Value(Duration::Seconds(8)));
  const AggregateSpec any{.function = kTimeSinceLast};
  CHECK(Result(any, values, as_of).value == Value(Duration::Seconds(7)));
}

TEST_CASE("functions that need the same state share it", "[aggregate]") {
  const DataType type = TypeId::kFloat64;
  const std::vector<AggregateSpec> specs = {
      {.function = kSum, .input = type},       {.function = kMean, .input = type},
      {.function = kCount, .input = type},     {.function = kMax, .input = type},
      {.function = kStddevPop, .input = type}, {.function = kVarSamp, .input = type}};
  auto set = *AccumulatorSet::Make(specs);
  CHECK(set.state_count() == 4);
  CHECK_FALSE(set.algebra().subtractable);
  std::string scratch;
  for (const NaiveEvent& event : Sequence({1.0, 2.0, Value(), 6.0})) {
    set.Add(larder_test::EventOf(event, &scratch));
  }
  const double expected[] = {9, 3, 3, 6, std::sqrt(14.0 / 3), 7};
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const Value found = set.Result(i, {}).value;
    if (i == 2) {
      CHECK(found == Value(int64_t{3}));
    } else {
      CHECK(*found.As<double>() == expected[i]);
    }
  }
}

TEST_CASE("a specification that makes no sense is refused", "[aggregate]") {
  const auto refuses = [](const AggregateSpec& spec, const char* word) {
    const auto made = MakeAccumulator(spec);
    REQUIRE_FALSE(made.ok());
    CHECK(made.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(MessageOf(made.status())), larder_test::ContainsSubstring(word));
  };
  refuses({.function = kSum, .input = TypeId::kString}, "sum does not take string");
  refuses({.function = kSum}, "needs an input");
  refuses({.function = kTopK, .input = TypeId::kString, .k = 0}, "1 to 1000");
  refuses({.function = kApproxPercentile, .input = TypeId::kInt64, .p = 1.5}, "0 to 1");
  refuses({.function = kEwma, .input = TypeId::kInt64}, "half_life");
  CHECK_FALSE(FindAggregateFunction("summ").ok());
  CHECK(*FindAggregateFunction("stddev") == kStddevSamp);
}

}  // namespace
}  // namespace larder
