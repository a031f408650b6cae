#include <type_traits>

#include "aggregate/scalar.h"
#include "aggregate/state.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

double Fall(double from, double to) { return from == to ? 0 : from - to; }
Int128 Fall(Int128 from, Int128 to) { return from - to; }

// Number is double, or Int128 so that differences of integers are exact. Rounding keeps order, so the greatest rounded
// fall is the greatest fall rounded.
template <class Number>
class Drawdown final : public State<Drawdown<Number>> {
 public:
  explicit Drawdown(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override { return {.time_ordered = true}; }
  void Clear() override { *this = Drawdown(type_); }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    Drawdown one(type_);
    if constexpr (std::is_same_v<Number, double>) {
      const double value = FloatOf(event.input.word, type_);
      one.nan_ = value != value;
      one.any_ = !one.nan_;
      one.least_ = one.greatest_ = value;
    } else {
      one.any_ = true;
      one.least_ = one.greatest_ = IntegerOf(event.input.word, type_);
    }
    MergeSame(one);
  }
  void MergeSame(const Drawdown& later) {
    nan_ = nan_ || later.nan_;
    if (!later.any_) return;
    if (!any_) {
      const bool nan = nan_;
      *this = later;
      nan_ = nan;
      return;
    }
    fall_ = std::max({fall_, later.fall_, Fall(greatest_, later.least_)});
    least_ = std::min(least_, later.least_);
    greatest_ = std::max(greatest_, later.greatest_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (nan_) return {std::numeric_limits<double>::quiet_NaN()};
    if (!any_) return {};
    return {static_cast<double>(fall_)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kDrawdown); }
  void EncodeState(ByteWriter* out) const override {
    out->Put(static_cast<uint8_t>((any_ ? 1 : 0) | (nan_ ? 2 : 0)));
    if (!any_) return;
    for (const Number number : {least_, greatest_, fall_}) {
      if constexpr (std::is_same_v<Number, double>) {
        out->Put(number == 0 ? 0.0 : number);
      } else {
        out->Put(static_cast<uint64_t>(number));
        out->Put(static_cast<uint64_t>(static_cast<Uint128>(number) >> 64U));
      }
    }
  }
  bool MergeState(ByteReader* in) override {
    Drawdown later(type_);
    const auto has = in->Get<uint8_t>();
    if (!in->ok() || has > 3) return false;
    later.any_ = (has & 1U) != 0;
    later.nan_ = (has & 2U) != 0;
    if (later.any_) {
      for (Number* number : {&later.least_, &later.greatest_, &later.fall_}) {
        if constexpr (std::is_same_v<Number, double>) {
          *number = in->Get<double>();
          if (*number != *number) return false;
        } else {
          const auto low = in->Get<uint64_t>();
          const auto high = in->Get<uint64_t>();
          *number = static_cast<Int128>((static_cast<Uint128>(high) << 64U) | low);
          if (*number > kRoom || *number < -kRoom) return false;
        }
      }
      if (!in->ok() || later.least_ > later.greatest_ || later.fall_ < Number{0} ||
          later.fall_ > Fall(later.greatest_, later.least_)) {
        return false;
      }
    }
    MergeSame(later);
    return true;
  }

 private:
  static constexpr Int128 kRoom = Int128{1} << 65U;
  TypeId type_;
  bool any_ = false;
  bool nan_ = false;
  Number least_ = 0;
  Number greatest_ = 0;
  Number fall_ = 0;
};

}  // namespace

MadeState MakeDrawdown(TypeId type) {
  if (IsFloat(type)) return std::make_unique<Drawdown<double>>(type);
  return std::make_unique<Drawdown<Int128>>(type);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
