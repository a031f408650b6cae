#include <algorithm>
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

template <int kPower>
using PowerSum = FixedPointSum<kLowestBit * kPower, 250 * kPower + 1>;

// Base 2^32, least significant first, without leading zeros.
struct Power {
  std::array<uint32_t, 8> buffer{};
  std::size_t count = 0;
  [[nodiscard]] std::span<const uint32_t> digits() const { return {buffer.data(), count}; }
  void MultiplyBy(uint64_t factor) {
    const auto low = static_cast<uint32_t>(factor);
    const auto high = static_cast<uint32_t>(factor >> 32U);
    std::array<uint32_t, 8> product{};
    for (std::size_t i = 0; i < 2; ++i) {
      uint64_t carry = 0;
      for (std::size_t j = 0; j < count; ++j) {
        carry += uint64_t{buffer[j]} * (i == 0 ? low : high) + product[i + j];
        product[i + j] = static_cast<uint32_t>(carry);
        carry >>= 32U;
      }
      if (carry != 0) product[i + count] = static_cast<uint32_t>(carry);
    }
    buffer = product;
    count = std::min<std::size_t>(count + 2, 8);
    while (count > 0 && buffer[count - 1] == 0) --count;
  }
};

// Variances, standard deviations, skew and kurtosis: exact sums of x, x^2, x^3 and x^4 as far as needed, put together
// as whole numbers, with one division or root at the end.
class Moments final : public State<Moments> {
 public:
  Moments(TypeId type, int order) : type_(type), order_(order) {}
  [[nodiscard]] Algebra algebra() const override { return {.subtractable = true}; }
  void Clear() override {
    first_.Clear();
    second_.Clear();
    third_.Clear();
    fourth_.Clear();
    tally_ = {};
  }
  void Add(const AggregateEvent& event) override { Change(event.input, false); }
  void Remove(const AggregateEvent& event) override { Change(event.input, true); }
  void MergeSame(const Moments& other) {
    first_.Merge(other.first_);
    second_.Merge(other.second_);
    third_.Merge(other.third_);
    fourth_.Merge(other.fourth_);
    tally_.Merge(other.tally_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override;

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kMoments); }
  void EncodeState(ByteWriter* out) const override {
    tally_.Encode(out);
    first_.Encode(out);
    second_.Encode(out);
    if (order_ >= 3) third_.Encode(out);
    if (order_ >= 4) fourth_.Encode(out);
  }
  bool MergeState(ByteReader* in) override {
    return tally_.MergeEncoded(in) && first_.MergeEncoded(in) && second_.MergeEncoded(in) &&
           (order_ < 3 || third_.MergeEncoded(in)) && (order_ < 4 || fourth_.MergeEncoded(in));
  }

 private:
  void Change(const AggregateInput& input, bool remove) {
    if (input.is_null) return;
    ExactNumber number;
    if (!tally_.Take(input.word, type_, remove, &number)) return;
    Power power{
        {static_cast<uint32_t>(number.mantissa), static_cast<uint32_t>(number.mantissa >> 32U)}, 2};
    const bool odd = number.negative != remove;
    first_.AddDigits(power.digits(), number.exponent, odd);
    power.MultiplyBy(number.mantissa);
    second_.AddDigits(power.digits(), 2 * number.exponent, remove);
    if (order_ < 3) return;
    power.MultiplyBy(number.mantissa);
    third_.AddDigits(power.digits(), 3 * number.exponent, odd);
    if (order_ < 4) return;
    power.MultiplyBy(number.mantissa);
    fourth_.AddDigits(power.digits(), 4 * number.exponent, remove);
  }

  TypeId type_;
  int order_;
  NumberTally tally_;
  PowerSum<1> first_;
  PowerSum<2> second_;
  PowerSum<3> third_;
  PowerSum<4> fourth_;
};

BigInteger Whole(uint64_t value) { return BigInteger(static_cast<Int128>(value)); }

AggregateResult Rational(const BigInteger& numerator, const BigInteger& denominator,
                         int64_t exponent) {
  return {ToFloat64(numerator.is_negative(), Quotient(numerator, denominator, exponent))};
}

AggregateResult Moments::Result(const AggregateSpec& spec, Timestamp) const {
  using enum AggregateFunction;
  const bool population = spec.function == kVarPop || spec.function == kStddevPop;
  const uint64_t needed = population                   ? 1
                          : spec.function == kSkew     ? 3
                          : spec.function == kKurtosis ? 4
                                                       : 2;
  if (tally_.count < needed) return {};
  if (tally_.out_of_range > 0) return Refused();
  if (tally_.not_finite > 0) return {std::numeric_limits<double>::quiet_NaN()};

  // Sums in units of 2^kLowestBit to the power, all divided by the greatest power of two that keeps them whole.
  std::array<BigInteger, 4> sums = {first_.ToBigInteger(), second_.ToBigInteger(),
                                    third_.ToBigInteger(), fourth_.ToBigInteger()};
  if (sums[1].is_zero() && (spec.function == kSkew || spec.function == kKurtosis)) return {};
  int64_t zeros = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < 4; ++i) {
    const BigInteger& sum = sums[static_cast<std::size_t>(i)];
    if (!sum.is_zero()) zeros = std::min(zeros, sum.trailing_zeros() / (i + 1));
  }
  for (int i = 0; i < 4; ++i) {
    BigInteger& sum = sums[static_cast<std::size_t>(i)];
    if (!sum.is_zero()) sum = sum.ShiftedRight(zeros * (i + 1));
  }
  const auto& [s1, s2, s3, s4] = sums;
  const BigInteger n = Whole(tally_.count);
  const BigInteger spread = n * s2 - s1 * s1;  // n^2 times the population's variance
  const int64_t exponent = spread.is_zero() ? 0 : 2 * (kLowestBit + zeros);
  switch (spec.function) {
    case kVarPop:
      return Rational(spread, n * n, exponent);
    case kVarSamp:
      return Rational(spread, n * Whole(tally_.count - 1), exponent);
    case kStddevPop:
      return {ToFloat64(false, QuotientRoot(spread, n * n, exponent))};
    case kStddevSamp:
      return {ToFloat64(false, QuotientRoot(spread, n * Whole(tally_.count - 1), exponent))};
    default:
      break;
  }
  if (spread.is_zero()) return {};  // all alike: 0 / 0
  if (spec.function == kSkew) {
    // n^3 times the third central moment
    const BigInteger third = n * n * s3 - Whole(3) * n * s1 * s2 + Whole(2) * s1 * s1 * s1;
    const BigInteger below =
        Whole(tally_.count - 2) * Whole(tally_.count - 2) * spread * spread * spread;
    return {ToFloat64(third.is_negative(),
                      QuotientRoot(n * Whole(tally_.count - 1) * third * third, below, 0))};
  }
  // n^4 times the fourth central moment
  const BigInteger fourth = n * n * n * s4 - Whole(4) * n * n * s3 * s1 +
                            Whole(6) * n * s2 * s1 * s1 - Whole(3) * s1 * s1 * s1 * s1;
  const BigInteger above =
      Whole(tally_.count - 1) * (Whole(tally_.count) * fourth + fourth -
                                 Whole(3) * Whole(tally_.count - 1) * spread * spread);
  return Rational(above, Whole(tally_.count - 2) * Whole(tally_.count - 3) * spread * spread, 0);
}

}  // namespace

MadeState MakeMoments(TypeId type, int order) { return std::make_unique<Moments>(type, order); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
