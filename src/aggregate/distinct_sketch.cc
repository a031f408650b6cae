#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"
#include "larder/base/hash.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

constexpr std::size_t kExactMax = 256;
constexpr unsigned kIndexBits = 12;
constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;
constexpr unsigned kRankMax = 64 - kIndexBits + 1;
constexpr uint64_t kSeed = 0x6C61726465720001;  // part of the format

// Ertl's two series, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}
double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

// approx_count_distinct: the hashes themselves while they are few, a HyperLogLog of them beyond. Which of the two is a
// property of the set of values.
class DistinctSketch final : public State<DistinctSketch> {
 public:
  explicit DistinctSketch(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override { return {.sketch = true}; }
  void Clear() override {
    hashes_.clear();
    registers_.clear();
  }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    identity_.clear();
    AppendIdentity(event.input, type_, &identity_);
    Take(Hash64(identity_, kSeed));
  }
  void MergeSame(const DistinctSketch& other) {
    for (const uint64_t hash : other.hashes_) Take(hash);
    if (other.registers_.empty()) return;
    Spread();
    for (std::size_t i = 0; i < kRegisters; ++i) {
      registers_[i] = std::max(registers_[i], other.registers_[i]);
    }
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (registers_.empty()) return {static_cast<int64_t>(hashes_.size())};
    std::array<int64_t, kRankMax + 1> counts{};
    for (const uint8_t rank : registers_) ++counts[rank];
    constexpr auto m = static_cast<double>(kRegisters);
    double z = m * Tau(1 - static_cast<double>(counts[kRankMax]) / m);
    for (unsigned k = kRankMax - 1; k >= 1; --k) z = 0.5 * (z + static_cast<double>(counts[k]));
    z += m * Sigma(static_cast<double>(counts[0]) / m);
    constexpr double kHalfOfLog2E = 0.72134752044448170368;
    constexpr double kMost = 0x1p62;  // all registers full
    return {static_cast<int64_t>(std::min(kMost, kHalfOfLog2E * m * m / z + 0.5))};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kDistinctSketch);
  }
  // 0 and the hashes in order, or 1 and the registers.
  void EncodeState(ByteWriter* out) const override {
    if (registers_.empty()) {
      out->Put(uint8_t{0});
      PutVarint(hashes_.size(), out);
      for (const uint64_t hash : hashes_) out->Put(hash);
    } else {
      out->Put(uint8_t{1});
      out->PutRaw({reinterpret_cast<const char*>(registers_.data()), kRegisters});
    }
  }
  bool MergeState(ByteReader* in) override {
    const auto form = in->Get<uint8_t>();
    if (!in->ok() || form > 1) return false;
    if (form == 1) {
      const std::string_view raw = in->GetRaw(kRegisters);
      if (!in->ok()) return false;
      Spread();
      std::size_t set = 0;
      for (std::size_t i = 0; i < kRegisters; ++i) {
        const auto rank = static_cast<uint8_t>(raw[i]);
        if (rank > kRankMax) return false;
        set += rank > 0 ? 1 : 0;
        registers_[i] = std::max(registers_[i], rank);
      }
      return set > 0;
    }
    uint64_t size = 0;
    if (!GetVarint(in, &size) || size > kExactMax) return false;
    uint64_t before = 0;
    for (uint64_t i = 0; i < size; ++i) {
      const auto hash = in->Get<uint64_t>();
      if (!in->ok() || (i > 0 && hash <= before)) return false;
      before = hash;
      Take(hash);
    }
    return true;
  }

 private:
  void Take(uint64_t hash) {
    if (!registers_.empty()) return Register(hash);
    const auto at = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
    if (at != hashes_.end() && *at == hash) return;
    hashes_.insert(at, hash);
    if (hashes_.size() > kExactMax) Spread();
  }
  void Spread() {
    if (!registers_.empty()) return;
    registers_.assign(kRegisters, 0);
    for (const uint64_t hash : hashes_) Register(hash);
    hashes_.clear();
  }
  void Register(uint64_t hash) {
    uint8_t& rank = registers_[hash >> (64 - kIndexBits)];
    // The bit put below ends the run of zeros where the hash has no one.
    const uint64_t rest = (hash << kIndexBits) | (uint64_t{1} << (kIndexBits - 1));
    rank = std::max(rank, static_cast<uint8_t>(std::countl_zero(rest) + 1));
  }

  TypeId type_;
  std::vector<uint64_t> hashes_;    // in order; at most kExactMax
  std::vector<uint8_t> registers_;  // empty while hashes_ are in use
  std::string identity_;            // kept to save allocations
};

}  // namespace

MadeState MakeDistinctSketch(TypeId type) { return std::make_unique<DistinctSketch>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
