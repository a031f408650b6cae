#include <algorithm>
#include <vector>

#include "aggregate/event_bytes.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// first, last, first_k and last_k: the k events that come first, or last.
class Ends final : public State<Ends> {
 public:
  Ends(const DataType& type, bool last, int64_t k, bool include_nulls)
      : type_(type),
        last_(last),
        size_max_(static_cast<std::size_t>(k)),
        include_nulls_(include_nulls) {}
  [[nodiscard]] Algebra algebra() const override { return {}; }
  void Clear() override { events_.clear(); }
  void Add(const AggregateEvent& event) override {
    if (!event.input.is_null || include_nulls_) Take(event);
  }
  void MergeSame(const Ends& other) {
    for (const OwnedEvent& event : other.events_) {
      if (!Take(event.view())) return;
    }
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override {
    using enum AggregateFunction;
    if (spec.function == kFirst || spec.function == kLast) {
      if (events_.empty()) return {};
      return {*ValueOf(events_.front().view().input, type_)};
    }
    ListValue list{type_.id(), {}};
    for (const OwnedEvent& event : events_) {
      list.items.push_back(*ValueOf(event.view().input, type_));
    }
    return {std::move(list)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(last_ ? StateKind::kLast : StateKind::kFirst);
  }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(events_.size(), out);
    for (const OwnedEvent& event : events_) {
      PutOrder(event.view().order, out);
      PutInput(event.view().input, out);
    }
  }
  bool MergeState(ByteReader* in) override {
    uint64_t count = 0;
    if (!GetVarint(in, &count) || count > size_max_) return false;
    AggregateEvent before;
    for (uint64_t i = 0; i < count; ++i) {
      AggregateEvent event;
      if (!GetOrder(in, &event.order) || !GetInput(in, type_, &event.input)) return false;
      if (event.input.is_null && !include_nulls_) return false;
      if (i > 0 && Precedes(event, before)) return false;
      before = event;
      Take(event);
    }
    return true;
  }

 private:
  [[nodiscard]] bool Precedes(const AggregateEvent& a, const AggregateEvent& b) const {
    const auto order = CompareEvents(a, b);
    return last_ ? order > 0 : order < 0;
  }
  bool Take(const AggregateEvent& event) {
    const bool full = events_.size() == size_max_;
    if (full && !Precedes(event, events_.back().view())) return false;
    const auto at = std::upper_bound(
        events_.begin(), events_.end(), event,
        [this](const AggregateEvent& a, const OwnedEvent& b) { return Precedes(a, b.view()); });
    events_.emplace(at, event);
    if (full) events_.pop_back();
    return true;
  }

  DataType type_;
  bool last_;
  std::size_t size_max_;
  bool include_nulls_;
  std::vector<OwnedEvent> events_;  // the outermost first
};

}  // namespace

MadeState MakeEnds(const DataType& type, bool last, int64_t k, bool include_nulls) {
  return std::make_unique<Ends>(type, last, k, include_nulls);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
