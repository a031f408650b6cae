#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "aggregate/float_sum.h"
#include "aggregate/logarithm.h"
#include "aggregate/scalar.h"
#include "aggregate/state.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// count_distinct, top_k, histogram and entropy: how often each value occurs. Whether there are too many values is a
// property of the set of events, so that bounded parts merge to the same answer in any order; what is over the bound
// is only let go when it is written.
class ValueCounts final : public State<ValueCounts> {
 public:
  explicit ValueCounts(TypeId type) : type_(type) {}
  [[nodiscard]] Algebra algebra() const override { return {.subtractable = true}; }
  void Clear() override {
    counts_.clear();
    bytes_ = 0;
    beyond_ = false;
  }
  void Add(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    identity_.clear();
    AppendIdentity(event.input, type_, &identity_);
    Take(identity_, 1);
  }
  void Remove(const AggregateEvent& event) override {
    if (event.input.is_null) return;
    identity_.clear();
    AppendIdentity(event.input, type_, &identity_);
    const auto at = counts_.find(identity_);
    if (at == counts_.end() || --at->second > 0) return;
    bytes_ -= identity_.size();
    counts_.erase(at);
  }
  void MergeSame(const ValueCounts& other) {
    beyond_ = beyond_ || other.beyond_;
    for (const auto& [identity, count] : other.counts_) Take(identity, count);
  }
  [[nodiscard]] AggregateResult Result(const AggregateSpec& spec, Timestamp) const override {
    if (IsBeyond()) return Refused();
    switch (spec.function) {
      case AggregateFunction::kCountDistinct:
        return {static_cast<int64_t>(counts_.size())};
      case AggregateFunction::kTopK:
        return TopK(static_cast<std::size_t>(spec.k));
      case AggregateFunction::kHistogram:
        return Histogram();
      default:
        return Entropy();
    }
  }

 protected:
  [[nodiscard]] uint8_t kind() const override {
    return static_cast<uint8_t>(StateKind::kValueCounts);
  }
  void EncodeState(ByteWriter* out) const override {
    out->Put(static_cast<uint8_t>(IsBeyond()));
    if (IsBeyond()) return;
    PutVarint(counts_.size(), out);
    for (const Entry* entry : Sorted()) {
      PutVarint(entry->first.size(), out);
      out->PutRaw(entry->first);
      PutVarint(entry->second, out);
    }
  }
  bool MergeState(ByteReader* in) override {
    const auto beyond = in->Get<uint8_t>();
    if (!in->ok() || beyond > 1) return false;
    if (beyond == 1) {
      beyond_ = true;
      return true;
    }
    uint64_t size = 0;
    if (!GetVarint(in, &size) || size > kValuesMax) return false;
    std::string_view before;
    for (uint64_t i = 0; i < size; ++i) {
      uint64_t length = 0;
      if (!GetVarint(in, &length) || length > kValueBytesMax) return false;
      const std::string_view identity = in->GetRaw(length);
      uint64_t count = 0;
      if (!GetVarint(in, &count) || count == 0 || !IsIdentityOf(identity, type_)) return false;
      if (i > 0 && identity <= before) return false;
      before = identity;
      Take(identity, count);
    }
    return true;
  }

 private:
  using Counts = absl::flat_hash_map<std::string, uint64_t>;
  using Entry = Counts::value_type;

  [[nodiscard]] bool IsBeyond() const {
    return beyond_ || counts_.size() > kValuesMax || bytes_ > kValueBytesMax;
  }
  void Take(std::string_view identity, uint64_t count) {
    const auto [at, added] = counts_.try_emplace(std::string(identity), 0);
    at->second += count;
    if (added) bytes_ += identity.size();
  }
  // By value.
  [[nodiscard]] std::vector<const Entry*> Sorted() const {
    std::vector<const Entry*> entries;
    entries.reserve(counts_.size());
    for (const Entry& entry : counts_) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(),
              [](const Entry* a, const Entry* b) { return a->first < b->first; });
    return entries;
  }
  [[nodiscard]] AggregateResult TopK(std::size_t k) const {
    std::vector<const Entry*> entries = Sorted();
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry* a, const Entry* b) { return a->second > b->second; });
    entries.resize(std::min(entries.size(), k));
    ListValue list{type_, {}};
    for (const Entry* entry : entries) {
      list.items.push_back(ValueFromIdentity(entry->first, type_));
    }
    return {std::move(list)};
  }
  [[nodiscard]] AggregateResult Histogram() const {
    MapValue map{TypeId::kInt64, {}};
    for (const Entry& entry : counts_) {
      map.items.emplace_back(FormatValue(ValueFromIdentity(entry.first, type_)),
                             static_cast<int64_t>(entry.second));
    }
    std::sort(map.items.begin(), map.items.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return {std::move(map)};
  }
  // log2(n) - (sum of c log2(c)) / n, the sum exact over terms each rounded once.
  [[nodiscard]] AggregateResult Entropy() const {
    if (counts_.empty()) return {};
    if (counts_.size() == 1) return {0.0};
    uint64_t n = 0;
    Float64Sum sum;
    for (const auto& [identity, count] : counts_) {
      n += count;
      const auto c = static_cast<double>(count);
      sum.Remove(c * Log2(c));
    }
    sum.Add(static_cast<double>(n) * Log2(static_cast<double>(n)));
    return {std::max(0.0, sum.Quotient(n))};
  }

  TypeId type_;
  Counts counts_;
  std::size_t bytes_ = 0;
  bool beyond_ = false;
  std::string identity_;  // kept to save allocations
};

}  // namespace

MadeState MakeValueCounts(TypeId type) { return std::make_unique<ValueCounts>(type); }

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
