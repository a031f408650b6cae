#include <algorithm>
#include <limits>

#include "absl/container/btree_map.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// approx_percentile: how many numbers share sign, exponent and the first 8 bits of the fraction. Whole numbers up to
// 512 have a bucket each.
constexpr unsigned kDroppedBits = 44;

int32_t BucketOf(double value) {
  if (value != value) value = std::numeric_limits<double>::quiet_NaN();
  if (value == 0) value = 0;
  const auto bits = std::bit_cast<uint64_t>(value);
  const auto magnitude = static_cast<int32_t>((bits & ~kSignBit) >> kDroppedBits);
  return (bits & kSignBit) != 0 ? -1 - magnitude : magnitude;
}
constexpr int32_t kBucketMax = 0x7FF80;  // NaN

// The bucket's number nearest to zero.
double NumberIn(int32_t bucket) {
  const auto magnitude = static_cast<uint64_t>(bucket < 0 ? -1 - bucket : bucket) << kDroppedBits;
  const auto number = std::bit_cast<double>(magnitude);
  return bucket < 0 && number != 0 ? -number : number;
}

class PercentileSketch final : public State<PercentileSketch> {
 public:
  explicit PercentileSketch(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override { return {.subtractable = true, .sketch = true}; }
  void Clear() override {
    buckets_.clear();
    count_ = 0;
  }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    ++buckets_[BucketOf(NumberOf(event.input.word, type_))];
    ++count_;
  }
  void Remove(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    const auto at = buckets_.find(BucketOf(NumberOf(event.input.word, type_)));
    if (at == buckets_.end()) return;
    if (--at->second == 0) buckets_.erase(at);
    --count_;
  }
  void MergeSame(const PercentileSketch& other) {
    for (const auto& [bucket, count] : other.buckets_) buckets_[bucket] += count;
    count_ += other.count_;
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override {
    if (count_ == 0) return {};
    constexpr double kMost = 0x1p62;
    auto rank = static_cast<uint64_t>(std::min(kMost, spec.p * static_cast<double>(count_ - 1)));
    for (const auto& [bucket, count] : buckets_) {
      if (rank < count) return {NumberIn(bucket)};
      rank -= count;
    }
    return {NumberIn(buckets_.rbegin()->first)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kPercentileSketch);
  }
  // Each bucket as its distance from the one before.
  void EncodeState(ByteWriter* out) const override {
    PutVarint(buckets_.size(), out);
    int64_t before = 0;
    for (const auto& [bucket, count] : buckets_) {
      PutSignedVarint(bucket - before, out);
      PutVarint(count, out);
      before = bucket;
    }
  }
  bool MergeState(ByteReader* in) override {
    uint64_t size = 0;
    if (!GetVarint(in, &size) || size > 2 * uint64_t{kBucketMax} + 2) return false;
    int64_t bucket = 0;
    for (uint64_t i = 0; i < size; ++i) {
      int64_t step = 0;
      uint64_t count = 0;
      if (!GetSignedVarint(in, &step) || !GetVarint(in, &count) || count == 0) return false;
      if ((i > 0 && step <= 0) || step > 2 * kBucketMax || step < -2 * kBucketMax) return false;
      bucket += step;
      if (bucket > kBucketMax || bucket < -1 - kBucketMax) return false;
      if (BucketOf(NumberIn(static_cast<int32_t>(bucket))) != bucket && bucket != -1) return false;
      buckets_[static_cast<int32_t>(bucket)] += count;
      count_ += count;
    }
    return true;
  }

 private:
  TypeId type_;
  absl::btree_map<int32_t, uint64_t> buckets_;
  uint64_t count_ = 0;
};

}  // namespace

MadeState MakePercentileSketch(TypeId type) { return std::make_unique<PercentileSketch>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
