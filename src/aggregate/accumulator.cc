#include "larder/aggregate/accumulator.h"

#include "aggregate/state.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint8_t kVersion = 1;

using enum AggregateFunction;

// What of a specification its state depends on; the rest only matters for the result.
AggregateSpec StateOf(const AggregateSpec& spec) {
  AggregateSpec state;
  state.input = spec.input;
  switch (spec.function) {
    case kCount:
    case kCountAll:
      state.function = kCountAll;
      break;
    case kSum:
    case kSumOrNull:
    case kMean:
      state.function = spec.input->is_nested() ? kMean : kSum;
      break;
    case kVarSamp:
    case kVarPop:
    case kStddevSamp:
    case kStddevPop:
      state.function = kVarSamp;
      break;
    case kFirst:
    case kFirstK:
    case kLast:
    case kLastK:
      state.function = spec.function == kFirst || spec.function == kFirstK ? kFirstK : kLastK;
      state.k = spec.function == kFirst || spec.function == kLast ? 1 : spec.k;
      state.include_nulls = spec.include_nulls;
      break;
    case kDistinctK:
      state.function = kDistinctK;
      state.k = spec.k;
      break;
    case kCountDistinct:
    case kTopK:
    case kHistogram:
    case kEntropy:
      state.function = kHistogram;
      break;
    case kTimeSinceFirst:
    case kTimeSinceLast:
      state.function = kTimeSinceLast;
      break;
    case kDecayedSum:
    case kEwma:
      state.function = kEwma;
      state.half_life = spec.half_life;
      break;
    default:
      state.function = spec.function;
  }
  return state;
}

// Requires: `spec` is checked, and what StateOf gave.
std::unique_ptr<Accumulator> Make(const AggregateSpec& spec) {
  const DataType type = spec.input.value_or(DataType());
  const TypeId id = type.id();
  switch (spec.function) {
    case kSum:
      return type.is_float() ? aggregate::MakeFloatSum(id) : aggregate::MakeIntegerSum(id);
    case kMean:
      return aggregate::MakeVectorMean(type.length());
    case kMin:
    case kMax:
      return type.is_nested() ? aggregate::MakeVectorExtreme(type.length(), spec.function == kMax)
                              : aggregate::MakeExtreme(id, spec.function == kMax);
    case kVarSamp:
      return aggregate::MakeMoments(id, 2);
    case kSkew:
      return aggregate::MakeMoments(id, 3);
    case kKurtosis:
      return aggregate::MakeMoments(id, 4);
    case kFirstK:
    case kLastK:
      return aggregate::MakeEnds(type, spec.function == kLastK, spec.k, spec.include_nulls);
    case kDistinctK:
      return aggregate::MakeRecentValues(id, spec.k);
    case kHistogram:
      return aggregate::MakeValueCounts(id);
    case kApproxCountDistinct:
      return aggregate::MakeDistinctSketch(id);
    case kApproxPercentile:
      return aggregate::MakePercentileSketch(id);
    case kDrawdown:
      return aggregate::MakeDrawdown(id);
    case kSlope:
      return aggregate::MakeSlope(id);
    case kTimeSinceLast:
      return aggregate::MakeEventSpan(!spec.input.has_value());
    case kEwma:
      return aggregate::MakeDecayed(id, spec.half_life);
    default:
      return aggregate::MakeCount();
  }
}

}  // namespace

void Accumulator::Remove(const AggregateEvent& /*event*/) { LARDER_DCHECK(false); }

void Accumulator::Encode(ByteWriter* out) const {
  out->Put(kVersion);
  out->Put(kind());
  EncodeState(out);
}

absl::Status Accumulator::MergeEncoded(ByteReader* in) {
  const auto version = in->Get<uint8_t>();
  const auto found = in->Get<uint8_t>();
  if (!in->ok()) return DataLossError("aggregate state is cut short");
  if (version != kVersion) {
    return DataLossError("aggregate state has version ", int{version}, ", this build reads ",
                         int{kVersion});
  }
  if (found != kind()) {
    return DataLossError("aggregate state is of kind ", int{found}, ", not ", int{kind()});
  }
  if (!MergeState(in) || !in->ok()) {
    return DataLossError("aggregate state of kind ", int{found}, " is damaged");
  }
  return {};
}

absl::StatusOr<std::unique_ptr<Accumulator>> MakeAccumulator(const AggregateSpec& spec) {
  if (const auto type = AggregateResultType(spec); !type.ok()) return type.status();
  return Make(StateOf(spec));
}

bool SharesState(const AggregateSpec& a, const AggregateSpec& b) {
  return StateOf(a) == StateOf(b);
}

absl::StatusOr<AccumulatorSet> AccumulatorSet::Make(std::span<const AggregateSpec> specs) {
  AccumulatorSet set;
  std::vector<AggregateSpec> made;
  for (const AggregateSpec& spec : specs) {
    LARDER_ASSIGN_OR_RETURN(auto state, MakeAccumulator(spec));
    if (spec.input != specs[0].input) {
      return InvalidArgumentError("functions of one set must have one input");
    }
    const AggregateSpec wanted = StateOf(spec);
    std::size_t i = 0;
    while (i < made.size() && !(made[i] == wanted)) ++i;
    if (i == made.size()) {
      made.push_back(wanted);
      set.states_.push_back(std::move(state));
    }
    set.specs_.push_back(spec);
    set.state_of_.push_back(i);
  }
  return set;
}

AccumulatorSet AccumulatorSet::NewEmpty() const {
  AccumulatorSet set;
  set.specs_ = specs_;
  set.state_of_ = state_of_;
  for (const auto& state : states_) set.states_.push_back(state->NewEmpty());
  return set;
}

Algebra AccumulatorSet::algebra() const {
  Algebra all{.subtractable = true, .word_only = true};
  for (const auto& state : states_) {
    const Algebra one = state->algebra();
    all.subtractable = all.subtractable && one.subtractable;
    all.time_ordered = all.time_ordered || one.time_ordered;
    all.sketch = all.sketch || one.sketch;
    all.word_only = all.word_only && one.word_only;
  }
  return all;
}

void AccumulatorSet::Clear() {
  for (const auto& state : states_) state->Clear();
}

void AccumulatorSet::Merge(const AccumulatorSet& other) {
  for (std::size_t i = 0; i < states_.size(); ++i) states_[i]->Merge(*other.states_[i]);
}

void AccumulatorSet::Encode(ByteWriter* out) const {
  for (const auto& state : states_) state->Encode(out);
}

absl::Status AccumulatorSet::MergeEncoded(ByteReader* in) {
  for (const auto& state : states_) LARDER_RETURN_IF_ERROR(state->MergeEncoded(in));
  return {};
}

}  // namespace larder::inline LARDER_ABI
