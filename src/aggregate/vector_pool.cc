#include <limits>
#include <vector>

#include "aggregate/float_sum.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// Floats in the order of numbers, -0 before 0, every NaN the same and last.
uint32_t OrderedFloat(float value) {
  if (value != value) value = std::numeric_limits<float>::quiet_NaN();
  const auto bits = std::bit_cast<uint32_t>(value);
  return (bits >> 31U) != 0 ? ~bits : bits ^ 0x80000000U;
}
float FloatFromOrdered(uint32_t ordered) {
  return std::bit_cast<float>((ordered >> 31U) != 0 ? ordered ^ 0x80000000U : ~ordered);
}

float Element(std::string_view bytes, std::size_t i) {
  return LoadAs<float>(bytes.data() + i * sizeof(float));
}

class VectorExtreme final : public State<VectorExtreme> {
 public:
  VectorExtreme(std::size_t length, bool greatest) : length_(length), greatest_(greatest) {}
  [[nodiscard]] Algebra algebra() const override { return {}; }
  void Clear() override { best_.clear(); }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    const bool first = Begin();
    for (std::size_t i = 0; i < length_; ++i) {
      Take(i, OrderedFloat(Element(event.input.bytes, i)), first);
    }
  }
  void MergeSame(const VectorExtreme& other) {
    if (other.best_.empty()) return;
    const bool first = Begin();
    for (std::size_t i = 0; i < length_; ++i) Take(i, other.best_[i], first);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (best_.empty()) return {};
    std::vector<float> elements;
    elements.reserve(length_);
    for (const uint32_t ordered : best_) elements.push_back(FloatFromOrdered(ordered));
    return {std::move(elements)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(greatest_ ? StateKind::kVectorGreatest : StateKind::kVectorLeast);
  }
  void EncodeState(ByteWriter* out) const override {
    out->Put(static_cast<uint8_t>(!best_.empty()));
    for (const uint32_t ordered : best_) out->Put(ordered);
  }
  bool MergeState(ByteReader* in) override {
    const auto any = in->Get<uint8_t>();
    if (!in->ok() || any > 1) return false;
    if (any == 0) return true;
    if (in->remaining() < length_ * sizeof(uint32_t)) return false;
    const bool first = Begin();
    for (std::size_t i = 0; i < length_; ++i) {
      const auto ordered = in->Get<uint32_t>();
      if (OrderedFloat(FloatFromOrdered(ordered)) != ordered) return false;
      Take(i, ordered, first);
    }
    return true;
  }

 private:
  bool Begin() {
    if (!best_.empty()) return false;
    best_.resize(length_);
    return true;
  }
  void Take(std::size_t i, uint32_t ordered, bool first) {
    if (first || (greatest_ ? ordered > best_[i] : ordered < best_[i])) best_[i] = ordered;
  }

  std::size_t length_;
  bool greatest_;
  std::vector<uint32_t> best_;  // empty: none yet
};

// An exact sum for each element.
class VectorMean final : public State<VectorMean> {
 public:
  explicit VectorMean(std::size_t length) : length_(length) {}
  [[nodiscard]] Algebra algebra() const override { return {.subtractable = true}; }
  void Clear() override {
    count_ = 0;
    sums_.clear();
  }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    Begin();
    ++count_;
    for (std::size_t i = 0; i < length_; ++i) sums_[i].Add(Element(event.input.bytes, i));
  }
  void Remove(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    --count_;
    for (std::size_t i = 0; i < length_; ++i) sums_[i].Remove(Element(event.input.bytes, i));
  }
  void MergeSame(const VectorMean& other) {
    if (other.count_ == 0) return;
    Begin();
    count_ += other.count_;
    for (std::size_t i = 0; i < length_; ++i) sums_[i].Merge(other.sums_[i]);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    if (count_ == 0) return {};
    std::vector<float> elements;
    elements.reserve(length_);
    for (const Float32Sum& sum : sums_) elements.push_back(sum.Quotient(count_));
    return {std::move(elements)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kVectorMean);
  }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(count_, out);
    if (count_ == 0) return;
    for (const Float32Sum& sum : sums_) sum.Encode(out);
  }
  bool MergeState(ByteReader* in) override {
    uint64_t count = 0;
    if (!GetVarint(in, &count)) return false;
    if (count == 0) return true;
    if (in->remaining() < length_) return false;
    Begin();
    count_ += count;
    for (Float32Sum& sum : sums_) {
      if (!sum.MergeEncoded(in)) return false;
    }
    return true;
  }

 private:
  void Begin() { sums_.resize(length_); }

  std::size_t length_;
  uint64_t count_ = 0;
  std::vector<Float32Sum> sums_;
};

}  // namespace

MadeState MakeVectorExtreme(std::size_t length, bool greatest) {
  return std::make_unique<VectorExtreme>(length, greatest);
}
MadeState MakeVectorMean(std::size_t length) { return std::make_unique<VectorMean>(length); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
