#include <array>
#include <cmath>
#include <limits>

#include "aggregate/big_integer.h"
#include "aggregate/fixed_point_sum.h"
#include "aggregate/rounding.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// Numbers keep the range that moments have.
constexpr int64_t kLowest = -302;
constexpr double kLeast = 0x1p-250;
constexpr double kGreatest = 0x1p250;

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
    count_ = not_finite_ = out_of_range_ = 0;
    times_.Clear();
    squares_.Clear();
    values_.Clear();
    products_.Clear();
  }
  void Add(const AggregateEvent& event) override { Change(event, false); }
  void Remove(const AggregateEvent& event) override { Change(event, true); }
  void MergeSame(const Slope& other) {
    count_ += other.count_;
    not_finite_ += other.not_finite_;
    out_of_range_ += other.out_of_range_;
    times_.Merge(other.times_);
    squares_.Merge(other.squares_);
    values_.Merge(other.values_);
    products_.Merge(other.products_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (count_ < 2) return {};
    const BigInteger n(static_cast<Int128>(count_));
    const BigInteger t = times_.ToBigInteger();
    const BigInteger below = n * squares_.ToBigInteger() - t * t;
    if (below.is_zero()) return {};  // all at one instant
    if (out_of_range_ > 0) return Refused();
    if (not_finite_ > 0) return {std::numeric_limits<double>::quiet_NaN()};
    const BigInteger above = n * products_.ToBigInteger() - t * values_.ToBigInteger();
    const BigInteger per_second(static_cast<Int128>(kMicrosPerSecond));
    return {ToFloat64(above.is_negative(), Quotient(above * per_second, below, kLowest))};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kSlope); }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(count_, out);
    PutVarint(not_finite_, out);
    PutVarint(out_of_range_, out);
    times_.Encode(out);
    squares_.Encode(out);
    values_.Encode(out);
    products_.Encode(out);
  }
  bool MergeState(ByteReader* in) override {
    uint64_t count = 0;
    uint64_t not_finite = 0;
    uint64_t out_of_range = 0;
    if (!GetVarint(in, &count) || !GetVarint(in, &not_finite) || !GetVarint(in, &out_of_range) ||
        !times_.MergeEncoded(in) || !squares_.MergeEncoded(in) || !values_.MergeEncoded(in) ||
        !products_.MergeEncoded(in)) {
      return false;
    }
    count_ += count;
    not_finite_ += not_finite;
    out_of_range_ += out_of_range;
    return true;
  }

 private:
  void Change(const AggregateEvent& event, bool remove) {
    if (event.input.is_null) return;
    const uint64_t one = remove ? ~uint64_t{0} : 1;
    count_ += one;
    const bool before = event.order.time_us < 0;
    const auto raw = static_cast<uint64_t>(event.order.time_us);
    const Uint128 time = before ? ~raw + 1 : raw;
    times_.AddDigits(DigitsOf(time), 0, before != remove);
    squares_.AddDigits(DigitsOf(time * time), 0, remove);

    const uint64_t word = event.input.word;
    ExactNumber number;
    if (IsFloat(type_)) {
      const double value = FloatOf(word, type_);
      const double magnitude = std::fabs(value);
      if (!(magnitude <= std::numeric_limits<double>::max())) {
        not_finite_ += one;
        return;
      }
      if (magnitude == 0) return;
      if (magnitude < kLeast || magnitude > kGreatest) {
        out_of_range_ += one;
        return;
      }
      number = ExactFloat(value);
    } else {
      number = ExactInteger(word, type_);
    }
    const bool negative = number.negative != remove;
    values_.AddDigits(DigitsOf(number.mantissa), number.exponent, negative);
    products_.AddDigits(DigitsOf(number.mantissa * time), number.exponent, negative != before);
  }

  TypeId type_;
  uint64_t count_ = 0;
  uint64_t not_finite_ = 0;
  uint64_t out_of_range_ = 0;
  FixedPointSum<0, 128> times_;
  FixedPointSum<0, 128> squares_;
  FixedPointSum<kLowest, 252 + 128> values_;
  FixedPointSum<kLowest, 252 + 128> products_;
};

}  // namespace

MadeState MakeSlope(TypeId type) { return std::make_unique<Slope>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
