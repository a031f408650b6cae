#include <algorithm>

#include "aggregate/state.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// time_since_first and time_since_last.
class EventSpan final : public State<EventSpan> {
 public:
  explicit EventSpan(bool all_events) : all_events_(all_events) {}
  [[nodiscard]] Algebra algebra() const override { return {}; }
  void Clear() override { any_ = false; }
  void Add(const AggregateEvent& event) override {
    if (!event.input.is_null || all_events_) Take(event.order.time_us, event.order.time_us);
  }
  void MergeSame(const EventSpan& other) {
    if (other.any_) Take(other.first_us_, other.last_us_);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp as_of) const override {
    if (!any_) return {};
    const bool first = spec.function == AggregateFunction::kTimeSinceFirst;
    return {Duration{as_of.Minus(Duration{first ? first_us_ : last_us_}).us}};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kEventSpan);
  }
  void EncodeState(ByteWriter* out) const override {
    out->Put(static_cast<uint8_t>(any_));
    if (!any_) return;
    out->Put(first_us_);
    out->Put(last_us_);
  }
  bool MergeState(ByteReader* in) override {
    const auto any = in->Get<uint8_t>();
    if (!in->ok() || any > 1) return false;
    if (any == 0) return true;
    const auto first = in->Get<int64_t>();
    const auto last = in->Get<int64_t>();
    if (!in->ok() || first > last) return false;
    Take(first, last);
    return true;
  }

 private:
  void Take(int64_t first, int64_t last) {
    first_us_ = any_ ? std::min(first_us_, first) : first;
    last_us_ = any_ ? std::max(last_us_, last) : last;
    any_ = true;
  }

  bool all_events_;
  bool any_ = false;
  int64_t first_us_ = 0;
  int64_t last_us_ = 0;
};

}  // namespace

MadeState MakeEventSpan(bool all_events) { return std::make_unique<EventSpan>(all_events); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
