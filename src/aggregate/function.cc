#include "larder/aggregate/function.h"

#include <string>
#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

using enum AggregateFunction;

struct Named {
  const char* name;
  AggregateFunction function;
};
// The first name of a function is the one it is called by.
constexpr Named kFunctions[] = {
    {"count", kCount},
    {"count_all", kCountAll},
    {"sum", kSum},
    {"sum_or_null", kSumOrNull},
    {"mean", kMean},
    {"min", kMin},
    {"max", kMax},
    {"var_samp", kVarSamp},
    {"variance", kVarSamp},
    {"var_pop", kVarPop},
    {"stddev_samp", kStddevSamp},
    {"stddev", kStddevSamp},
    {"stddev_pop", kStddevPop},
    {"skew", kSkew},
    {"kurtosis", kKurtosis},
    {"first", kFirst},
    {"last", kLast},
    {"first_k", kFirstK},
    {"last_k", kLastK},
    {"distinct_k", kDistinctK},
    {"count_distinct", kCountDistinct},
    {"approx_count_distinct", kApproxCountDistinct},
    {"approx_percentile", kApproxPercentile},
    {"top_k", kTopK},
    {"histogram", kHistogram},
    {"entropy", kEntropy},
    {"drawdown", kDrawdown},
    {"slope", kSlope},
    {"time_since_first", kTimeSinceFirst},
    {"time_since_last", kTimeSinceLast},
    {"decayed_sum", kDecayedSum},
    {"ewma", kEwma},
};

bool IsNumber(const DataType& type) {
  return type.is_numeric() || type.id() == TypeId::kBool || type.id() == TypeId::kDuration;
}
bool IsFloatVector(const DataType& type) {
  return type.id() == TypeId::kVector && type.element() == TypeId::kFloat32;
}

absl::Status CheckInput(const AggregateSpec& spec) {
  const std::string_view name = AggregateFunctionName(spec.function);
  const bool optional = spec.function == kCount || spec.function == kTimeSinceFirst ||
                        spec.function == kTimeSinceLast;
  if (spec.function == kCountAll || (optional && !spec.input)) return {};
  if (!spec.input) return InvalidArgumentError(name, " needs an input");
  const DataType& type = *spec.input;
  bool takes = true;
  switch (spec.function) {
    case kCount:
    case kFirst:
    case kLast:
    case kTimeSinceFirst:
    case kTimeSinceLast:
      break;
    case kMean:
      takes = IsNumber(type) || IsFloatVector(type);
      break;
    case kMin:
    case kMax:
      takes = !type.is_nested() || IsFloatVector(type);
      break;
    case kFirstK:
    case kLastK:
    case kDistinctK:
    case kCountDistinct:
    case kApproxCountDistinct:
    case kTopK:
    case kHistogram:
    case kEntropy:
      takes = !type.is_nested();
      break;
    default:
      takes = IsNumber(type);
  }
  if (!takes || type.id() == TypeId::kInt8) {
    return InvalidArgumentError(name, " does not take ", type.ToString());
  }
  return {};
}

absl::Status CheckParameters(const AggregateSpec& spec) {
  const std::string_view name = AggregateFunctionName(spec.function);
  switch (spec.function) {
    case kFirstK:
    case kLastK:
    case kDistinctK:
    case kTopK:
      if (spec.k >= 1 && spec.k <= 1000) return {};
      return InvalidArgumentError("k of ", name, " is from 1 to 1000, found ", spec.k);
    case kApproxPercentile:
      if (spec.p >= 0 && spec.p <= 1) return {};
      return InvalidArgumentError("p of ", name, " is from 0 to 1, found ", spec.p);
    case kDecayedSum:
    case kEwma:
      if (spec.half_life.us > 0) return {};
      return InvalidArgumentError("half_life of ", name, " must be longer than 0");
    default:
      return {};
  }
}

}  // namespace

absl::StatusOr<AggregateFunction> FindAggregateFunction(std::string_view name) {
  std::vector<std::string> names;
  for (const Named& function : kFunctions) {
    if (function.name == name) return function.function;
    names.emplace_back(function.name);
  }
  return InvalidArgumentError("unknown aggregate function: ", name, DidYouMean(name, names));
}

std::string_view AggregateFunctionName(AggregateFunction function) {
  for (const Named& named : kFunctions) {
    if (named.function == function) return named.name;
  }
  return "";
}

absl::StatusOr<DataType> AggregateResultType(const AggregateSpec& spec) {
  LARDER_RETURN_IF_ERROR(CheckInput(spec));
  LARDER_RETURN_IF_ERROR(CheckParameters(spec));
  switch (spec.function) {
    case kCount:
    case kCountAll:
    case kCountDistinct:
    case kApproxCountDistinct:
      return DataType(TypeId::kInt64);
    case kSum:
    case kSumOrNull:
      if (spec.input->is_float()) return DataType(TypeId::kFloat64);
      return spec.input->id() == TypeId::kDuration ? *spec.input : DataType(TypeId::kInt64);
    case kMin:
    case kMax:
    case kFirst:
    case kLast:
      return *spec.input;
    case kMean:
      return spec.input->is_nested() ? *spec.input : DataType(TypeId::kFloat64);
    case kFirstK:
    case kLastK:
    case kDistinctK:
    case kTopK:
      return DataType::List(spec.input->id());
    case kHistogram:
      return DataType::Map(TypeId::kInt64);
    case kTimeSinceFirst:
    case kTimeSinceLast:
      return DataType(TypeId::kDuration);
    default:
      return DataType(TypeId::kFloat64);
  }
}

}  // namespace larder::inline LARDER_ABI
