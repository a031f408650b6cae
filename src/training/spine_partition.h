// One key-hash partition of a join: the best event so far for each key and instant of the spine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "training/event_layout.h"
#include "training/event_pool.h"
#include "training/event_scatter.h"
#include "training/key_scatter.h"
#include "training/spine_index.h"

namespace larder::inline LARDER_ABI {

// A winner that is no record of the pool yet is a row of the batch at hand with this bit.
inline constexpr uint32_t kIsRow = uint32_t{1} << 31U;
inline constexpr EventPool::Id kPoolIds = kIsRow - 1;  // fewer than that are ever pooled

// The best event of a slot; with exclude_self also the best one of another event id.
struct Winner {
  int64_t best_time = 0;  // its event time: most comparisons need no more of it
  EventPool::Id best = 0;
  EventPool::Id second : 31 = 0;
  EventPool::Id ambiguous : 1 = 0;  // best is tied with a different row, settled below the sequence
};

// The event a spine row gets.
struct Pick {
  EventPool::Id event : 31 = 0;  // 0: none
  EventPool::Id ambiguous : 1 = 0;
};

class SpinePartition {
 public:
  // Borrows all of them until Resolve. `other_winners`: a second set, under the view's other KnownAt; empty: none.
  SpinePartition(const JoinView* view, const PartitionIndex* index, const EventLayout* layout,
                 std::span<Winner> winners, std::span<Winner> other_winners);

  // How many a set of winners has.
  [[nodiscard]] static std::size_t CountWinners(const JoinView& view, const PartitionIndex& index,
                                                const EventLayout& layout);
  void Offer(const EventBuffer& events);

  // Whether OfferRows does for the view.
  [[nodiscard]] static bool CanOfferRows(const JoinView& view, const EventLayout& layout);
  // Offers rows of a batch by their times. Before anything else is asked of the partition, TakeRows must have given all
  // that won to be filled in, then OfferTied what tied.
  void OfferRows(std::span<const KeyedRow> rows);
  // Makes a record for each row that is a winner, and calls visit(row, record).
  template <class Visit>
  void TakeRows(const Visit& visit) {
    for (const uint32_t slot : std::exchange(won_slots_, {})) {
      Winner& winner = winners_[slot];
      const uint32_t row = winner.best & ~kIsRow;
      winner.best = pool_.Make();
      visit(row, winner.best);
    }
  }
  // For what FillRecord writes.
  void FetchRecord(EventPool::Id record) const { __builtin_prefetch(pool_.at(record).record, 1); }
  // Threads: several may fill in at once.
  void FillRecord(EventPool::Id record, EventRef event) { pool_.Fill(record, event); }
  void OfferTied(const EventBatch& batch, const KeyReader& keys, uint64_t first_ordinal,
                 EventScatter* writer);

  // Carries winners forward; then `picks[row * features]` holds the winning event of each of the partition's rows, or
  // for partial updates one per feature.
  void Resolve(bool other_known_at, const std::vector<std::string>& own_ids, std::span<Pick> picks);

  [[nodiscard]] EventRef EventAt(EventPool::Id id) const { return pool_.at(id); }

 private:
  struct SlotRange {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  [[nodiscard]] static std::size_t WinnersPerSlot(const JoinView& view) {
    return view.partial_updates ? view.features.size() : 1;
  }
  [[nodiscard]] std::size_t winners_per_slot() const { return WinnersPerSlot(*view_); }
  // Whether one slot, found by a key's word and the event time, is all that an event may win.
  [[nodiscard]] static bool FindsByTime(const JoinView& view, const EventLayout& layout);
  [[nodiscard]] bool uses_tree() const { return layout_->end != 0; }
  [[nodiscard]] SlotRange RangeOf(EventRef event, uint32_t group, KnownAt known_at) const;
  // Asks for the memory that OfferTo reads.
  void FetchWinners(std::span<const Winner> winners, uint32_t group, SlotRange range) const;
  void OfferTo(std::span<Winner> winners, EventRef event, uint32_t group, SlotRange range,
               EventPool::Id* pooled);
  void OfferRow(const KeyedRow& row, uint32_t slot);
  // Calls visit(i, slot) for each row whose key and time have a slot.
  template <class Visit>
  void VisitWinners(std::span<const KeyedRow> rows, const Visit& visit) {
    std::array<uint32_t, PartitionIndex::kRowsTogether> slots;
    index_->FindSlots(rows, view_->boundary == Boundary::kBefore, slots.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (slots[i] != PartitionIndex::kNoSlot) __builtin_prefetch(&winners_[slots[i]]);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (slots[i] != PartitionIndex::kNoSlot) visit(i, slots[i]);
    }
  }
  void OfferByTime(const EventBuffer& events);
  void FindGroups(const EventBuffer& events, std::size_t begin, std::size_t count,
                  uint32_t* groups) const;
  void Take(Winner* winner, EventRef event, EventPool::Id* pooled);
  void Update(Winner* winner, EventRef event, EventPool::Id* pooled);
  void Merge(Winner* into, const Winner& from) const;
  void ResolveGroup(std::span<Winner> winners, PartitionIndex::Group group);
  EventPool::Id Pooled(EventRef event, EventPool::Id* pooled);

  const JoinView* view_;
  const PartitionIndex* index_;
  const EventLayout* layout_;
  EventPool pool_;
  std::span<Winner> winners_;
  std::span<Winner> other_winners_;
  // Of the batch at hand: slots that rows of it have won, and rows that tied.
  std::vector<uint32_t> won_slots_;
  std::vector<uint32_t> tied_rows_;
};

}  // namespace larder::inline LARDER_ABI
