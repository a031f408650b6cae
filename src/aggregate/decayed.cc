#include <cmath>
#include <limits>

#include "absl/container/btree_map.h"
#include "aggregate/big_integer.h"
#include "aggregate/float_sum.h"
#include "aggregate/logarithm.h"
#include "aggregate/rounding.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// Cells this many half-lives before another no longer matter beside it.
constexpr int64_t kCellsMax = 128;
constexpr int64_t kWeightBits = 53;

// decayed_sum and ewma. Time is cut into cells of a half-life. An event is weighted once, for the end of its cell, and
// from there on only by powers of two, which is exact: so the sum of a cell is exact, and so is that of all cells.
class Decayed final : public State<Decayed> {
 public:
  Decayed(TypeId type, Duration half_life) : type_(type), half_life_us_(half_life.us) {}
  [[nodiscard]] Algebra algebra() const override { return {.subtractable = true}; }
  void Clear() override { cells_.clear(); }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    const int64_t number = CellOf(event.order.time_us);
    const double weight = WeightOf(event.order.time_us, number);
    Cell& cell = cells_[number];
    ++cell.count;
    cell.weights += WholeWeight(weight);
    cell.values.Add(NumberOf(event.input.word, type_) * weight);
  }
  void Remove(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    const int64_t number = CellOf(event.order.time_us);
    const auto at = cells_.find(number);
    if (at == cells_.end()) return;
    if (--at->second.count == 0) {
      cells_.erase(at);
      return;
    }
    const double weight = WeightOf(event.order.time_us, number);
    at->second.weights -= WholeWeight(weight);
    at->second.values.Remove(NumberOf(event.input.word, type_) * weight);
  }
  void MergeSame(const Decayed& other) {
    for (const auto& [number, cell] : other.cells_) {
      Cell& mine = cells_[number];
      mine.count += cell.count;
      mine.weights += cell.weights;
      mine.values.Merge(cell.values);
    }
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp as_of) const override;

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kDecayed); }
  // Cells that cannot matter at any instant after the newest are left out.
  void EncodeState(ByteWriter* out) const override {
    auto first = cells_.begin();
    if (!cells_.empty()) first = cells_.lower_bound(OldestFor(cells_.rbegin()->first));
    PutVarint(static_cast<uint64_t>(std::distance(first, cells_.end())), out);
    for (auto at = first; at != cells_.end(); ++at) {
      const auto& [number, cell] = *at;
      out->Put(number);
      PutVarint(cell.count, out);
      PutVarint(static_cast<uint64_t>(cell.weights), out);
      PutVarint(static_cast<uint64_t>(cell.weights >> 64U), out);
      cell.values.Encode(out);
    }
  }
  bool MergeState(ByteReader* in) override {
    uint64_t size = 0;
    if (!GetVarint(in, &size) || size > kCellsMax + 1) return false;
    int64_t before = 0;
    for (uint64_t i = 0; i < size; ++i) {
      const auto number = in->Get<int64_t>();
      uint64_t count = 0;
      uint64_t low = 0;
      uint64_t high = 0;
      if (!GetVarint(in, &count) || !GetVarint(in, &low) || !GetVarint(in, &high)) return false;
      if (count == 0 || (low | high) == 0 || (high >> 54U) != 0) return false;
      if (i > 0 && number <= before) return false;
      if (number > CellOf(std::numeric_limits<int64_t>::max()) ||
          number < CellOf(std::numeric_limits<int64_t>::min())) {
        return false;
      }
      before = number;
      Cell& cell = cells_[number];
      cell.count += count;
      cell.weights += (static_cast<Uint128>(high) << 64U) | low;
      if (!cell.values.MergeEncoded(in)) return false;
    }
    return true;
  }

 private:
  struct Cell {
    uint64_t count = 0;
    Uint128 weights = 0;  // in units of 2^-kWeightBits
    Float64Sum values;    // each times its weight
  };

  [[nodiscard]] int64_t CellOf(int64_t time_us) const {
    const int64_t cell = time_us / half_life_us_;
    return time_us % half_life_us_ < 0 ? cell - 1 : cell;
  }
  static int64_t OldestFor(int64_t cell) {
    return cell < std::numeric_limits<int64_t>::min() + kCellsMax
               ? std::numeric_limits<int64_t>::min()
               : cell - kCellsMax;
  }
  // How far into its cell an instant is; below half_life_us_.
  [[nodiscard]] int64_t IntoCell(int64_t time_us, int64_t cell) const {
    return static_cast<int64_t>(static_cast<Int128>(time_us) -
                                static_cast<Int128>(cell) * half_life_us_);
  }
  [[nodiscard]] double Halved(int64_t time_us) const {
    return Exp2(-static_cast<double>(time_us) / static_cast<double>(half_life_us_));
  }
  // 2^-(half-lives from an instant to the end of its cell): from 1/2 to 1.
  [[nodiscard]] double WeightOf(int64_t time_us, int64_t cell) const {
    return Halved(half_life_us_ - IntoCell(time_us, cell));
  }
  static Uint128 WholeWeight(double weight) { return static_cast<uint64_t>(weight * 0x1p53); }

  TypeId type_;
  int64_t half_life_us_;
  absl::btree_map<int64_t, Cell> cells_;
};

AggregateResult Decayed::Result(const AggregateSpec& spec, Timestamp as_of) const {
  const int64_t now = CellOf(as_of.us);
  const auto first = cells_.lower_bound(OldestFor(now));
  const bool mean = spec.function == AggregateFunction::kEwma;
  if (first == cells_.end()) {
    if (mean || cells_.empty()) return {};
    return {0.0};
  }
  // Everything in units of the oldest cell that matters.
  BigInteger values;
  BigInteger weights;
  Float64Sum special;
  for (auto at = first; at != cells_.end(); ++at) {
    const auto& [number, cell] = *at;
    if (number > now) break;  // only where bytes were not to be trusted
    const int64_t shift = number - first->first;
    values = values + cell.values.finite().ToBigInteger().ShiftedLeft(shift);
    weights = weights + BigInteger(static_cast<Int128>(cell.weights)).ShiftedLeft(shift);
    if (!cell.values.is_finite()) special.Merge(cell.values);
  }
  if (!special.is_finite()) return {special.Quotient(1)};
  if (mean) {
    return {ToFloat64(values.is_negative(),
                      Quotient(values, weights, Float64Layout::Sum::kExponent + kWeightBits))};
  }
  // From the end of the oldest cell to as_of: whole half-lives, then a part of one.
  const int64_t halves = now - first->first - 1;
  const double sum = ToFloat64(
      values.is_negative(), TruncateDigits(values.digits(), Float64Layout::Sum::kExponent - halves));
  return {sum * Halved(IntoCell(as_of.us, now))};
}

}  // namespace

MadeState MakeDecayed(TypeId type, Duration half_life) {
  return std::make_unique<Decayed>(type, half_life);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
