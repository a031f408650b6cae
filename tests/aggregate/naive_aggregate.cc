#include "aggregate/naive_aggregate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "aggregate/logarithm.h"
#include "aggregate/naive_integer.h"

namespace larder_test {
namespace {

using larder::AggregateFunction;
using larder::AggregateResult;
using larder::AggregateSpec;
using larder::TypeId;
using larder::Value;
using enum larder::AggregateFunction;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const AggregateResult kRefused = {Value(), true};

bool IsFloat(const Value& value) { return value.As<double>() || value.As<float>(); }
double FloatOf(const Value& value) {
  if (const auto* v = value.As<double>()) return *v;
  return static_cast<double>(*value.As<float>());
}
NaiveInteger IntegerOf(const Value& value) {
  if (const auto* b = value.As<bool>()) return *b ? 1 : 0;
  if (const auto* i = value.As<int32_t>()) return *i;
  if (const auto* j = value.As<int64_t>()) return *j;
  if (const auto* u = value.As<uint64_t>()) return NaiveInteger::FromMagnitude(*u, false);
  return value.As<larder::Duration>()->us;
}
// In units of 2^-1074.
NaiveInteger Exact(const Value& value) {
  if (IsFloat(value)) return NaiveInteger::FromDouble(FloatOf(value));
  return IntegerOf(value).TimesPowerOfTwo(1074);
}
double Number(const Value& value) {
  if (IsFloat(value)) return FloatOf(value);
  return NearestDouble(IntegerOf(value), 1, 0);
}

// NaN, an infinity, or nothing: what numbers that are not finite make of a sum.
std::optional<double> NotFinite(const std::vector<double>& numbers) {
  bool nan = false;
  bool up = false;
  bool down = false;
  for (const double v : numbers) {
    nan = nan || std::isnan(v);
    up = up || v == kInfinity;
    down = down || v == -kInfinity;
  }
  if (nan || (up && down)) return kNan;
  if (up || down) return up ? kInfinity : -kInfinity;
  return std::nullopt;
}

AggregateResult Sum(const AggregateSpec& spec, const std::vector<Value>& values) {
  const bool mean = spec.function == kMean;
  const bool is_float = spec.input->is_float();
  if (values.empty()) {
    if (spec.function != kSum) return {};
    if (is_float) return {0.0};
    return spec.input->id() == TypeId::kDuration ? AggregateResult{larder::Duration{0}}
                                                 : AggregateResult{int64_t{0}};
  }
  NaiveInteger sum;
  if (is_float) {
    std::vector<double> numbers;
    for (const Value& value : values) numbers.push_back(FloatOf(value));
    if (const auto special = NotFinite(numbers)) return {*special};
  }
  for (const Value& value : values) sum = sum + (is_float ? Exact(value) : IntegerOf(value));
  const int exponent = is_float ? -1074 : 0;
  if (mean) return {NearestDouble(sum, static_cast<int64_t>(values.size()), exponent)};
  if (is_float) return {NearestDouble(sum, 1, exponent)};
  for (const int64_t end :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    const NaiveInteger beyond = sum - NaiveInteger(end);
    if (!beyond.is_zero() && beyond.is_negative() == (end < 0)) return kRefused;
  }
  // It fits, so arithmetic modulo 2^64 gives it.
  uint64_t total = 0;
  for (const Value& value : values) {
    if (const auto* u = value.As<uint64_t>()) {
      total += *u;
    } else {
      std::string scratch;
      total += larder::InputOf(value, &scratch).word;
    }
  }
  const auto result = static_cast<int64_t>(total);
  if (spec.input->id() == TypeId::kDuration) return {larder::Duration{result}};
  return {result};
}

AggregateResult VectorMean(const std::vector<Value>& values) {
  if (values.empty()) return {};
  std::vector<float> means;
  for (std::size_t i = 0; i < values[0].As<std::vector<float>>()->size(); ++i) {
    std::vector<double> numbers;
    NaiveInteger sum;
    for (const Value& value : values) {
      numbers.push_back(static_cast<double>((*value.As<std::vector<float>>())[i]));
    }
    if (const auto special = NotFinite(numbers)) {
      means.push_back(std::isnan(*special) ? std::numeric_limits<float>::quiet_NaN()
                                           : static_cast<float>(*special));
      continue;
    }
    for (const double number : numbers) sum = sum + NaiveInteger::FromDouble(number);
    means.push_back(NearestFloat<float, uint32_t>(sum, static_cast<int64_t>(values.size()), -1074));
  }
  return {means};
}

// Greatest is NaN, -0 comes before 0.
template <class Float>
bool FloatLess(Float a, Float b) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  if (a == 0 && b == 0) return std::signbit(a) && !std::signbit(b);
  return a < b;
}
bool Less(const Value& a, const Value& b) {
  if (a.As<double>()) return FloatLess(*a.As<double>(), *b.As<double>());
  if (a.As<float>()) return FloatLess(*a.As<float>(), *b.As<float>());
  if (a.As<std::string>()) return *a.As<std::string>() < *b.As<std::string>();
  if (a.As<larder::Bytes>()) return a.As<larder::Bytes>()->data < b.As<larder::Bytes>()->data;
  if (a.As<uint64_t>()) return *a.As<uint64_t>() < *b.As<uint64_t>();
  std::string scratch;
  return static_cast<int64_t>(larder::InputOf(a, &scratch).word) <
         static_cast<int64_t>(larder::InputOf(b, &scratch).word);
}
Value OneNan(const Value& value) {
  if (const auto* d = value.As<double>(); d && std::isnan(*d)) return kNan;
  if (const auto* f = value.As<float>(); f && std::isnan(*f)) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  return value;
}
// As the distinct functions see it.
Value Identity(const Value& value) {
  if (const auto* d = value.As<double>(); d && *d == 0) return 0.0;
  if (const auto* f = value.As<float>(); f && *f == 0) return 0.0F;
  return OneNan(value);
}
struct ValueLess {
  bool operator()(const Value& a, const Value& b) const { return Less(a, b); }
};

AggregateResult Extreme(bool greatest, const std::vector<Value>& values) {
  if (values.empty()) return {};
  if (const auto* first = values[0].As<std::vector<float>>()) {
    std::vector<float> best = *first;
    for (const Value& value : values) {
      for (std::size_t i = 0; i < best.size(); ++i) {
        const float element = (*value.As<std::vector<float>>())[i];
        if (greatest ? FloatLess(best[i], element) : FloatLess(element, best[i])) best[i] = element;
      }
    }
    for (float& element : best) {
      if (std::isnan(element)) element = std::numeric_limits<float>::quiet_NaN();
    }
    return {best};
  }
  const auto [least, most] = std::minmax_element(values.begin(), values.end(), Less);
  return {OneNan(greatest ? *most : *least)};
}

bool InRange(double value) {
  return value == 0 || (std::fabs(value) >= 0x1p-250 && std::fabs(value) <= 0x1p250);
}

// From the deviations n x - sum of each number.
AggregateResult Moments(AggregateFunction function, const std::vector<Value>& values) {
  const auto count = static_cast<int64_t>(values.size());
  const bool population = function == kVarPop || function == kStddevPop;
  const int64_t needed = population ? 1 : function == kSkew ? 3 : function == kKurtosis ? 4 : 2;
  if (count < needed) return {};
  bool finite = true;
  for (const Value& value : values) {
    if (!IsFloat(value)) continue;
    if (!std::isfinite(FloatOf(value))) {
      finite = false;
    } else if (!InRange(FloatOf(value))) {
      return kRefused;
    }
  }
  const bool shape = function == kSkew || function == kKurtosis;
  if (!finite) return {kNan};
  // Units of 2^-302: the last bit of the smallest number.
  const auto exact = [](const Value& value) {
    if (!IsFloat(value)) return IntegerOf(value).TimesPowerOfTwo(302);
    return NaiveInteger::FromDouble(std::ldexp(FloatOf(value), 302 - 1074));
  };
  NaiveInteger sum;
  for (const Value& value : values) sum = sum + exact(value);
  const NaiveInteger n(count);
  NaiveInteger second;
  NaiveInteger third;
  NaiveInteger fourth;
  for (const Value& value : values) {
    const NaiveInteger deviation = n * exact(value) - sum;
    const NaiveInteger square = deviation * deviation;
    second = second + square;
    if (!shape) continue;
    third = third + square * deviation;
    fourth = fourth + square * square;
  }
  const NaiveInteger cube = n * n * n;
  const NaiveInteger sample = n * n * NaiveInteger(count - 1);
  switch (function) {
    case kVarPop:
      return {NearestDouble(second, cube, -604)};
    case kVarSamp:
      return {NearestDouble(second, sample, -604)};
    case kStddevPop:
      return {NearestDouble(second, cube, -604, 2)};
    case kStddevSamp:
      return {NearestDouble(second, sample, -604, 2)};
    default:
      break;
  }
  if (second.is_zero()) return {};
  if (function == kSkew) {
    const NaiveInteger above = n * n * NaiveInteger(count - 1) * third * third;
    const NaiveInteger below =
        NaiveInteger(count - 2) * NaiveInteger(count - 2) * second * second * second;
    return {NearestDouble(third.is_negative() ? -above : above, below, 0, 2)};
  }
  const NaiveInteger above =
      NaiveInteger(count - 1) * (NaiveInteger(count + 1) * n * fourth -
                                 NaiveInteger(3) * NaiveInteger(count - 1) * second * second);
  return {
      NearestDouble(above, second * second * NaiveInteger(count - 2) * NaiveInteger(count - 3), 0)};
}

AggregateResult Drawdown(const std::vector<Value>& values) {
  if (values.empty()) return {};
  double fall = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (IsFloat(values[i]) && std::isnan(FloatOf(values[i]))) return {kNan};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i; j < values.size(); ++j) {
      if (!IsFloat(values[i])) {
        fall = std::max(fall, NearestDouble(IntegerOf(values[i]) - IntegerOf(values[j]), 1, 0));
      } else if (FloatOf(values[i]) > FloatOf(values[j])) {
        fall = std::max(fall, FloatOf(values[i]) - FloatOf(values[j]));
      }
    }
  }
  return {fall};
}

AggregateResult Slope(const std::vector<NaiveEvent>& events) {
  const NaiveInteger n(static_cast<int64_t>(events.size()));
  if (events.size() < 2) return {};
  NaiveInteger times;
  for (const NaiveEvent& event : events) times = times + NaiveInteger(event.time_us);
  NaiveInteger below;
  for (const NaiveEvent& event : events) {
    const NaiveInteger t = n * NaiveInteger(event.time_us) - times;
    below = below + t * t;
  }
  if (below.is_zero()) return {};
  bool finite = true;
  for (const NaiveEvent& event : events) {
    if (!IsFloat(event.value)) continue;
    if (!std::isfinite(FloatOf(event.value))) {
      finite = false;
    } else if (!InRange(FloatOf(event.value))) {
      return kRefused;
    }
  }
  if (!finite) return {kNan};
  NaiveInteger above;
  for (const NaiveEvent& event : events) {
    const NaiveInteger t = n * NaiveInteger(event.time_us) - times;
    above = above + t * n * Exact(event.value);  // the sum of t * (sum of values) is 0
  }
  return {NearestDouble(above * NaiveInteger(1'000'000), below, -1074)};
}

AggregateResult Decayed(const AggregateSpec& spec, const std::vector<NaiveEvent>& events,
                        larder::Timestamp as_of) {
  if (events.empty()) return {};
  const int64_t h = spec.half_life.us;
  const auto cell_of = [&](int64_t time) { return time / h - (time % h < 0 ? 1 : 0); };
  const auto halved = [&](int64_t time) {
    return larder::aggregate::Exp2(-static_cast<double>(time) / static_cast<double>(h));
  };
  const int64_t now = cell_of(as_of.us);
  NaiveInteger values;
  NaiveInteger weights;
  std::vector<double> numbers;
  bool any = false;
  for (const NaiveEvent& event : events) {
    const int64_t cell = cell_of(event.time_us);
    if (cell < now - 128) continue;
    any = true;
    const double weight = halved(h - (event.time_us - cell * h));
    const double weighted = Number(event.value) * weight;
    numbers.push_back(weighted);
    const int shift = static_cast<int>(cell - (now - 128));
    weights = weights + NaiveInteger::FromDouble(weight).TimesPowerOfTwo(shift);
    if (std::isfinite(weighted)) {
      values = values + NaiveInteger::FromDouble(weighted).TimesPowerOfTwo(shift);
    }
  }
  const bool mean = spec.function == kEwma;
  if (!any) return mean ? AggregateResult{} : AggregateResult{0.0};
  if (const auto special = NotFinite(numbers)) return {*special};
  if (mean) return {NearestDouble(values, weights, 0)};
  // Units: the end of cell now - 128.
  const double sum = NearestDouble(values, 1, -1074 - 127);
  return {sum * halved(as_of.us - now * h)};
}

AggregateResult Counted(const AggregateSpec& spec, const std::vector<Value>& values) {
  std::map<Value, int64_t, ValueLess> counts;
  for (const Value& value : values) ++counts[Identity(value)];
  switch (spec.function) {
    case kCountDistinct:
    case kApproxCountDistinct:  // exact while there are few
      return {static_cast<int64_t>(counts.size())};
    case kTopK: {
      std::vector<std::pair<Value, int64_t>> sorted(counts.begin(), counts.end());
      std::stable_sort(sorted.begin(), sorted.end(),
                       [](const auto& a, const auto& b) { return a.second > b.second; });
      larder::ListValue list{spec.input->id(), {}};
      for (const auto& [value, count] : sorted) {
        if (static_cast<int64_t>(list.items.size()) < spec.k) list.items.push_back(value);
      }
      return {list};
    }
    case kHistogram: {
      std::map<std::string, int64_t> texts;
      for (const auto& [value, count] : counts) texts[larder::FormatValue(value)] = count;
      larder::MapValue map{TypeId::kInt64, {}};
      for (const auto& [text, count] : texts) map.items.emplace_back(text, count);
      return {map};
    }
    default: {
      if (counts.empty()) return {};
      if (counts.size() == 1) return {0.0};
      NaiveInteger sum;
      const auto term = [](int64_t count) {
        const auto c = static_cast<double>(count);
        return NaiveInteger::FromDouble(c * larder::aggregate::Log2(c));
      };
      const auto n = static_cast<int64_t>(values.size());
      sum = term(n);
      for (const auto& [value, count] : counts) sum = sum - term(count);
      return {std::max(0.0, NearestDouble(sum, n, -1074))};
    }
  }
}

}  // namespace

bool ComesBefore(const NaiveEvent& a, const NaiveEvent& b) {
  return std::tie(a.time_us, a.has_sequence, a.sequence, a.event_id, a.row) <
         std::tie(b.time_us, b.has_sequence, b.sequence, b.event_id, b.row);
}

larder::AggregateEvent EventOf(const NaiveEvent& event, std::string* scratch) {
  return {{event.time_us, event.has_sequence, event.sequence, event.event_id, event.row},
          larder::InputOf(event.value, scratch)};
}

AggregateResult NaiveAggregate(const AggregateSpec& spec, std::vector<NaiveEvent> events,
                               larder::Timestamp as_of) {
  std::stable_sort(events.begin(), events.end(), ComesBefore);
  if (spec.function == kCountAll || (spec.function == kCount && !spec.input)) {
    return {static_cast<int64_t>(events.size())};
  }
  const bool end = spec.function == kFirst || spec.function == kLast || spec.function == kFirstK ||
                   spec.function == kLastK;
  const bool with_nulls = (end && spec.include_nulls) || !spec.input;
  std::vector<NaiveEvent> counted;
  std::vector<Value> values;
  for (const NaiveEvent& event : events) {
    if (event.value.is_null() && !with_nulls) continue;
    counted.push_back(event);
    values.push_back(event.value);
  }
  switch (spec.function) {
    case kCount:
      return {static_cast<int64_t>(values.size())};
    case kSum:
    case kSumOrNull:
      return Sum(spec, values);
    case kMean:
      return spec.input->is_nested() ? VectorMean(values) : Sum(spec, values);
    case kMin:
    case kMax:
      return Extreme(spec.function == kMax, values);
    case kFirst:
    case kLast:
      if (values.empty()) return {};
      return {spec.function == kFirst ? values.front() : values.back()};
    case kFirstK:
    case kLastK: {
      if (spec.function == kLastK) std::reverse(values.begin(), values.end());
      values.resize(std::min(values.size(), static_cast<std::size_t>(spec.k)));
      return {larder::ListValue{spec.input->id(), values}};
    }
    case kDistinctK: {
      larder::ListValue list{spec.input->id(), {}};
      std::set<Value, ValueLess> seen;
      for (auto at = values.rbegin(); at != values.rend(); ++at) {
        const bool room = static_cast<int64_t>(list.items.size()) < spec.k;
        if (room && seen.insert(Identity(*at)).second) list.items.push_back(Identity(*at));
      }
      return {list};
    }
    case kCountDistinct:
    case kApproxCountDistinct:
    case kTopK:
    case kHistogram:
    case kEntropy:
      return Counted(spec, values);
    case kApproxPercentile: {
      if (values.empty()) return {};
      std::vector<double> numbers;
      for (const Value& value : values) numbers.push_back(Number(value));
      std::sort(numbers.begin(), numbers.end(), FloatLess<double>);
      const auto last = static_cast<double>(numbers.size() - 1);
      const double exact = numbers[static_cast<std::size_t>(spec.p * last)];
      if (std::isnan(exact)) return {kNan};
      const auto cut = std::bit_cast<double>(std::bit_cast<uint64_t>(exact) & ~0xFFFFFFFFFFFULL);
      return {cut == 0 ? 0.0 : cut};
    }
    case kDrawdown:
      return Drawdown(values);
    case kSlope:
      return Slope(counted);
    case kTimeSinceFirst:
    case kTimeSinceLast: {
      if (counted.empty()) return {};
      const int64_t time =
          spec.function == kTimeSinceFirst ? counted.front().time_us : counted.back().time_us;
      return {larder::Duration{as_of.us - time}};
    }
    case kDecayedSum:
    case kEwma:
      return Decayed(spec, counted, as_of);
    default:
      return Moments(spec.function, values);
  }
}

}  // namespace larder_test
