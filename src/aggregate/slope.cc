#include <array>
#include <limits>

#include "aggregate/big_integer.h"
#include "aggregate/fixed_point_sum.h"
#include "aggregate/number_tally.h"
#include "aggregate/rounding.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// Base 2^32.
std::array<uint32_t, 4> DigitsOf(Uint128 value) {
  return {static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32U),
          static_cast<uint32_t>(value >> 64U), static_cast<uint32_t>(value >> 96U)};
}

// Exact sums of t, t^2, v and t v; the slope is one quotient of whole numbers.
class Slope final : public State<Slope> {
 public:
  explicit Slope(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override { return {.subtractable = true}; }
  void Clear() override {
    tally_ = {};
    times_.Clear();
    squares_.Clear();
    values_.Clear();
    products_.Clear();
  }
  void Add(const AggregateEvent& event) override { Change(event, false); }
  void Remove(const AggregateEvent& event) override { Change(event, true); }
  void MergeSame(const Slope& other) {
    tally_.Merge(other.tally_);
    times_.Merge(other.times_);
    squares_.Merge(other.squares_);
    values_.Merge(other.values_);
    products_.Merge(other.products_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (tally_.count < 2) return {};
    const BigInteger n(static_cast<Int128>(tally_.count));
    const BigInteger t = times_.ToBigInteger();
    const BigInteger below = n * squares_.ToBigInteger() - t * t;
    if (below.is_zero()) return {};  // all at one instant
    if (tally_.out_of_range > 0) return Refused();
    if (tally_.not_finite > 0) return {std::numeric_limits<double>::quiet_NaN()};
    const BigInteger above = n * products_.ToBigInteger() - t * values_.ToBigInteger();
    const BigInteger per_second(static_cast<Int128>(kMicrosPerSecond));
    return {ToFloat64(above.is_negative(), Quotient(above * per_second, below, kLowestBit))};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kSlope); }
  void EncodeState(ByteWriter* out) const override {
    tally_.Encode(out);
    times_.Encode(out);
    squares_.Encode(out);
    values_.Encode(out);
    products_.Encode(out);
  }
  bool MergeState(ByteReader* in) override {
    return tally_.MergeEncoded(in) && times_.MergeEncoded(in) && squares_.MergeEncoded(in) &&
           values_.MergeEncoded(in) && products_.MergeEncoded(in);
  }

 private:
  void Change(const AggregateEvent& event, bool remove) {
    if (event.input.is_null) return;
    const bool before = event.order.time_us < 0;
    const auto raw = static_cast<uint64_t>(event.order.time_us);
    const Uint128 time = before ? ~raw + 1 : raw;
    times_.AddDigits(DigitsOf(time), 0, before != remove);
    squares_.AddDigits(DigitsOf(time * time), 0, remove);

    ExactNumber number;
    if (!tally_.Take(event.input.word, type_, remove, &number)) return;
    const bool negative = number.negative != remove;
    values_.AddDigits(DigitsOf(number.mantissa), number.exponent, negative);
    products_.AddDigits(DigitsOf(number.mantissa * time), number.exponent, negative != before);
  }

  TypeId type_;
  NumberTally tally_;
  FixedPointSum<0, 128> times_;
  FixedPointSum<0, 128> squares_;
  FixedPointSum<kLowestBit, 252 + 128> values_;
  FixedPointSum<kLowestBit, 252 + 128> products_;
};

}  // namespace

MadeState MakeSlope(TypeId type) { return std::make_unique<Slope>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
