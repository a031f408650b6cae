#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// count and count_all.
class Count final : public State<Count> {
 public:
  [[nodiscard]] Algebra algebra() const override {
    return {.subtractable = true, .word_only = true};
  }
  void Clear() override { events_ = values_ = 0; }
  void Add(const AggregateEvent& event) override {
    ++events_;
    values_ += event.input.is_null ? 0 : 1;
  }
  void AddWords(const WordColumn& words) override {
    events_ += words.size();
    values_ += words.size();
  }
  void Remove(const AggregateEvent& event) override {
    --events_;
    values_ -= event.input.is_null ? 0 : 1;
  }
  void MergeSame(const Count& other) {
    events_ += other.events_;
    values_ += other.values_;
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override {
    const bool values = spec.function == AggregateFunction::kCount && spec.input.has_value();
    return {static_cast<int64_t>(values ? values_ : events_)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override { return static_cast<uint8_t>(StateKind::kCount); }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(events_, out);
    PutVarint(values_, out);
  }
  bool MergeState(ByteReader* in) override {
    uint64_t events = 0;
    uint64_t values = 0;
    if (!GetVarint(in, &events) || !GetVarint(in, &values) || values > events) return false;
    events_ += events;
    values_ += values;
    return true;
  }

 private:
  uint64_t events_ = 0;
  uint64_t values_ = 0;
};

}  // namespace

MadeState MakeCount() { return std::make_unique<Count>(); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
