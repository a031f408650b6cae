#include "aggregate/float_sum.h"

#include "aggregate/scalar.h"
#include "aggregate/state.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// sum, sum_or_null and mean of floats.
class FloatSumState final : public State<FloatSumState> {
 public:
  explicit FloatSumState(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override {
    return {.subtractable = true, .word_only = true};
  }
  void Clear() override {
    sum_.Clear();
    count_ = 0;
  }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    sum_.Add(FloatOf(event.input.word, type_));
    ++count_;
  }
  void AddWords(const WordColumn& words) override {
    count_ += words.size();
    if (type_ == TypeId::kFloat64 && sum_.AddNearby(words)) return;
    for (std::size_t i = 0; i < words.size(); ++i) sum_.Add(FloatOf(words[i], type_));
  }
  void Remove(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    sum_.Remove(FloatOf(event.input.word, type_));
    --count_;
  }
  void MergeSame(const FloatSumState& other) {
    sum_.Merge(other.sum_);
    count_ += other.count_;
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override {
    if (count_ == 0) {
      return spec.function == AggregateFunction::kSum ? AggregateResult{0.0} : AggregateResult{};
    }
    return {sum_.Quotient(spec.function == AggregateFunction::kMean ? count_ : 1)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kFloatSum); }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(count_, out);
    if (count_ > 0) sum_.Encode(out);
  }
  bool MergeState(ByteReader* in) override {
    uint64_t count = 0;
    if (!GetVarint(in, &count)) return false;
    count_ += count;
    return count == 0 || sum_.MergeEncoded(in);
  }

 private:
  TypeId type_;
  Float64Sum sum_;
  uint64_t count_ = 0;
};

}  // namespace

MadeState MakeFloatSum(TypeId type) { return std::make_unique<FloatSumState>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
