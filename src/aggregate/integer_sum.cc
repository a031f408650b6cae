#include <limits>

#include "aggregate/big_integer.h"
#include "aggregate/rounding.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// sum, sum_or_null and mean of integers, bool and duration. 2^63 numbers of 64 bits fit.
class IntegerSum final : public State<IntegerSum> {
 public:
  explicit IntegerSum(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override {
    return {.subtractable = true, .word_only = true};
  }
  void Clear() override {
    sum_ = 0;
    count_ = 0;
  }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    sum_ += static_cast<Uint128>(IntegerOf(event.input.word, type_));
    ++count_;
  }
  void Remove(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    sum_ -= static_cast<Uint128>(IntegerOf(event.input.word, type_));
    --count_;
  }
  void MergeSame(const IntegerSum& other) {
    sum_ += other.sum_;
    count_ += other.count_;
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override {
    if (count_ == 0 && spec.function != AggregateFunction::kSum) return {};
    const auto sum = static_cast<Int128>(sum_);
    if (spec.function == AggregateFunction::kMean) {
      const BigInteger exact(sum);
      return {ToFloat64(sum < 0, DivideDigits(exact.digits(), 0, count_))};
    }
    if (sum < std::numeric_limits<int64_t>::min() || sum > std::numeric_limits<int64_t>::max()) {
      return Refused();
    }
    const auto value = static_cast<int64_t>(sum);
    if (type_ == TypeId::kDuration) return {Duration{value}};
    return {value};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kIntegerSum);
  }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(count_, out);
    // Sign folded into the lowest bit, so that small sums of either sign take few bytes.
    const auto sum = static_cast<Int128>(sum_);
    const Uint128 folded = (sum_ << 1U) ^ static_cast<Uint128>(sum >> 127U);
    PutVarint(static_cast<uint64_t>(folded), out);
    PutVarint(static_cast<uint64_t>(folded >> 64U), out);
  }
  bool MergeState(ByteReader* in) override {
    uint64_t count = 0;
    uint64_t low = 0;
    uint64_t high = 0;
    if (!GetVarint(in, &count) || !GetVarint(in, &low) || !GetVarint(in, &high)) return false;
    const Uint128 folded = (static_cast<Uint128>(high) << 64U) | low;
    if (count == 0 && folded != 0) return false;
    sum_ += (folded >> 1U) ^ (~(folded & 1U) + 1);
    count_ += count;
    return true;
  }

 private:
  TypeId type_;
  Uint128 sum_ = 0;  // two's complement: wraps without being undefined
  uint64_t count_ = 0;
};

}  // namespace

MadeState MakeIntegerSum(TypeId type) { return std::make_unique<IntegerSum>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
