// One key-hash partition of a join: its spine rows, indexed by key and instant, and the best event for each so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "training/event_layout.h"
#include "training/event_pool.h"
#include "training/event_scatter.h"

namespace larder::inline LARDER_ABI {

// The distinct keys of a partition.
class KeyTable {
 public:
  explicit KeyTable(KeyForm form) : form_(form) {}
  // The key's number, new or old.
  uint32_t Insert(uint64_t word, std::string_view bytes);
  // Nothing when the key was never inserted.
  [[nodiscard]] std::optional<uint32_t> Find(uint64_t word, std::string_view bytes) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  // For what Find reads first.
  void Fetch(uint64_t word) const { __builtin_prefetch(&places_[StartOf(word)]); }

 private:
  struct Place {
    uint64_t word = 0;
    uint32_t number = 0;  // plus one; 0: free
  };
  [[nodiscard]] std::size_t StartOf(uint64_t word) const {
    return (form_ == KeyForm::kWord ? MixWord(word) : word) & (places_.size() - 1);
  }
  [[nodiscard]] bool Holds(const Place& place, uint64_t word, std::string_view bytes) const {
    return place.word == word && (form_ == KeyForm::kWord || bytes_[place.number - 1] == bytes);
  }
  void Grow();

  KeyForm form_;
  std::vector<Place> places_ = std::vector<Place>(16);
  std::vector<std::string> bytes_;  // in the form of bytes, by number
  std::size_t size_ = 0;
};

// The best event of a slot; with exclude_self also the best one of another event id.
struct Winner {
  EventPool::Id best = 0;
  EventPool::Id second = 0;
  int64_t best_time = 0;   // its event time: most comparisons need no more of it
  bool ambiguous = false;  // best is tied with a different row, settled below the sequence
};

class SpinePartition {
 public:
  SpinePartition(const JoinView* view, const Column* times)
      : view_(view), times_(times), keys_(KeyFormOf(view->key_types)) {}

  // Indexes the rows, which all have usable keys.
  void Index(const KeyReader& keys, std::vector<uint32_t> rows);

  // How many a set of winners has.
  [[nodiscard]] std::size_t CountWinners(const EventLayout& layout) const;
  // Borrows the winners until Resolve. `other_winners`: a second set, under the view's other KnownAt; empty: none.
  void Start(const EventLayout* layout, std::span<Winner> winners, std::span<Winner> other_winners);
  void Offer(EventBuffer& events);

  // Carries winners forward; then `picks[row * features]` holds the winning event of each of the partition's rows (0:
  // none), or for partial updates one per feature. `ambiguous` is filled alike where not null.
  void Resolve(bool other_known_at, const std::vector<std::string>& own_ids,
               std::span<EventPool::Id> picks, std::vector<uint8_t>* ambiguous);

  [[nodiscard]] EventRef EventAt(EventPool::Id id) const { return pool_->at(id); }

 private:
  struct SlotRange {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  [[nodiscard]] std::size_t winners_per_slot() const {
    return view_->partial_updates ? view_->features.size() : 1;
  }
  [[nodiscard]] bool uses_tree() const { return layout_->end != 0; }
  [[nodiscard]] SlotRange RangeOf(EventRef event, uint32_t group, KnownAt known_at) const;
  // Asks for the memory that OfferTo reads.
  void FetchWinners(std::span<const Winner> winners, uint32_t group, SlotRange range) const;
  void OfferTo(std::span<Winner> winners, EventRef event, uint32_t group, SlotRange range,
               EventPool::Id* pooled);
  void Take(Winner* winner, EventRef event, EventPool::Id* pooled);
  void Update(Winner* winner, EventRef event, EventPool::Id* pooled);
  void Merge(Winner* into, const Winner& from) const;
  void ResolveGroup(std::span<Winner> winners, uint32_t group);
  EventPool::Id Pooled(EventRef event, EventPool::Id* pooled);

  const JoinView* view_;
  const Column* times_;
  KeyTable keys_;
  std::vector<uint32_t> rows_;            // of the spine, by group and instant
  std::vector<uint32_t> slots_;           // of each of them
  std::vector<int64_t> slot_times_;       // ascending within a group
  std::vector<std::size_t> group_begin_;  // into slot_times_; one more at the end

  const EventLayout* layout_ = nullptr;
  std::optional<EventPool> pool_;
  std::span<Winner> winners_;
  std::span<Winner> other_winners_;
};

}  // namespace larder::inline LARDER_ABI
