#include <algorithm>
#include <vector>

#include "aggregate/event_bytes.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// distinct_k: for the k values seen last, the last event of each. A value that falls out comes back only with a later
// event than those that pushed it out, so nothing is forgotten that matters.
class RecentValues final : public State<RecentValues> {
 public:
  RecentValues(TypeId type, int64_t k) : type_(type), size_max_(static_cast<std::size_t>(k)) {}
  [[nodiscard]] Algebra algebra() const override { return {}; }
  void Clear() override { values_.clear(); }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    if (values_.size() == size_max_ && event.order < values_.back().last.view().order) return;
    std::string identity;
    AppendIdentity(event.input, type_, &identity);
    Take(identity, event.order);
  }
  void MergeSame(const RecentValues& other) {
    for (const Recent& recent : other.values_) Take(recent.identity, recent.last.view().order);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec&, Timestamp) const override {
    ListValue list{type_, {}};
    for (const Recent& recent : values_) {
      list.items.push_back(ValueFromIdentity(recent.identity, type_));
    }
    return {std::move(list)};
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kRecentValues);
  }
  void EncodeState(ByteWriter* out) const override {
    PutVarint(values_.size(), out);
    for (const Recent& recent : values_) {
      PutOrder(recent.last.view().order, out);
      out->PutText(recent.identity);
    }
  }
  bool MergeState(ByteReader* in) override {
    uint64_t count = 0;
    if (!GetVarint(in, &count) || count > size_max_) return false;
    for (uint64_t i = 0; i < count; ++i) {
      EventOrder order;
      if (!GetOrder(in, &order)) return false;
      const std::string_view identity = in->GetText();
      if (!in->ok() || !IsIdentityOf(identity, type_)) return false;
      Take(identity, order);
    }
    return true;
  }

 private:
  struct Recent {
    std::string identity;
    OwnedEvent last;  // only its order
  };

  // Newest first; of values last seen in events of equal order, the smaller first.
  static bool Precedes(const Recent& a, const Recent& b) {
    const auto order = a.last.view().order <=> b.last.view().order;
    return order != 0 ? order > 0 : a.identity < b.identity;
  }

  void Take(std::string_view identity, const EventOrder& order) {
    Recent taken{std::string(identity), OwnedEvent({order, {}})};
    const auto same = std::find_if(values_.begin(), values_.end(), [&](const Recent& recent) {
      return recent.identity == identity;
    });
    if (same != values_.end()) {
      if (!Precedes(taken, *same)) return;
      values_.erase(same);
    }
    values_.insert(std::lower_bound(values_.begin(), values_.end(), taken, Precedes),
                   std::move(taken));
    if (values_.size() > size_max_) values_.pop_back();
  }

  TypeId type_;
  std::size_t size_max_;
  std::vector<Recent> values_;
};

}  // namespace

MadeState MakeRecentValues(TypeId type, int64_t k) {
  return std::make_unique<RecentValues>(type, k);
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
