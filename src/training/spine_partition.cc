#include "training/spine_partition.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

// Enough for memory to be fetched ahead, few enough to stay in the nearest cache.
constexpr std::size_t kEventsTogether = 32;

}  // namespace

SpinePartition::SpinePartition(const JoinView* view, const PartitionIndex* index,
                               const EventLayout* layout, std::span<Winner> winners,
                               std::span<Winner> other_winners)
    : view_(view),
      index_(index),
      layout_(layout),
      pool_(layout),
      winners_(winners),
      other_winners_(other_winners) {
  const bool one_each = !uses_tree() && other_winners.empty() && view_->exclude_event_id == nullptr;
  if (one_each) pool_.Reserve(winners.size());
}

std::size_t SpinePartition::CountWinners(const JoinView& view, const PartitionIndex& index,
                                         const EventLayout& layout) {
  return index.slot_count() * WinnersPerSlot(view) * (layout.end != 0 ? 2 : 1);
}

bool SpinePartition::FindsByTime(const JoinView& view, const EventLayout& layout) {
  const bool known_any = view.known_at == KnownAt::kAny &&
                         (!view.count_other_known_at || layout.known_source == KnownSource::kNone);
  return known_any && !layout.timeless && layout.end == 0 && !view.partial_updates &&
         layout.key_form == KeyForm::kWord;
}

bool SpinePartition::CanOfferRows(const JoinView& view, const EventLayout& layout) {
  return FindsByTime(view, layout) && view.exclude_event_id == nullptr;
}

// The slots, within their group, whose instants see the event.
SpinePartition::SlotRange SpinePartition::RangeOf(EventRef event, uint32_t group,
                                                  KnownAt known_at) const {
  const auto [first, last] = index_->group(group);
  const bool before = view_->boundary == Boundary::kBefore;
  std::size_t begin = first;
  if (!layout_->timeless)
    begin = index_->FirstSlot(first, last, EventLayout::EventTimeOf(event), before);
  if (known_at == KnownAt::kSpine) {
    const std::optional<int64_t> known = layout_->KnownTimeOf(event);
    if (!known) return {};
    begin = index_->FirstSlot(begin, last, *known, false);
  }
  std::size_t end = last;
  if (const std::optional<int64_t> ends = layout_->EndOf(event))
    end = index_->FirstSlot(begin, last, *ends, before);
  return {begin - first, end - first};
}

// Of `count` events from the one numbered `begin` on: 0, or the number of the key's group plus one.
void SpinePartition::FindGroups(const EventBuffer& events, std::size_t begin, std::size_t count,
                                uint32_t* groups) const {
  std::array<uint64_t, kEventsTogether> hashes;
  const auto event_at = [&](std::size_t i) { return events.at(begin + i, layout_->record_size); };
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = KeyHash(layout_->key_form, EventLayout::KeyWordOf(event_at(i)));
    index_->FetchGroup(hashes[i]);
  }
  if (layout_->key_form == KeyForm::kWord)
    return index_->FindGroups(std::span(hashes).first(count), groups);
  for (std::size_t i = 0; i < count; ++i) {
    const auto group = index_->FindGroup(hashes[i], layout_->KeyTextOf(event_at(i)));
    groups[i] = group ? *group + 1 : 0;
  }
}

void SpinePartition::OfferByTime(const EventBuffer& events) {
  const std::size_t count = events.size() / layout_->record_size;
  std::array<KeyedRow, PartitionIndex::kRowsTogether> rows;
  for (std::size_t begin = 0; begin < count; begin += rows.size()) {
    const std::size_t together = std::min(rows.size(), count - begin);
    const auto event_at = [&](std::size_t i) { return events.at(begin + i, layout_->record_size); };
    for (std::size_t i = 0; i < together; ++i) {
      const EventRef event = event_at(i);
      rows[i] = {KeyHash(KeyForm::kWord, EventLayout::KeyWordOf(event)),
                 EventLayout::EventTimeOf(event), 0};
    }
    VisitWinners(std::span(rows).first(together), [&](std::size_t i, uint32_t slot) {
      EventPool::Id pooled = 0;
      Update(&winners_[slot], event_at(i), &pooled);
    });
  }
}

void SpinePartition::Offer(const EventBuffer& events) {
  if (FindsByTime(*view_, *layout_)) return OfferByTime(events);
  const KnownAt other = view_->known_at == KnownAt::kSpine ? KnownAt::kAny : KnownAt::kSpine;
  const std::size_t count = events.size() / layout_->record_size;
  struct Found {
    EventRef event;
    uint32_t group = 0;
    SlotRange range;
  };
  std::array<Found, kEventsTogether> block;
  std::array<uint32_t, kEventsTogether> groups;
  // Each step asks for the memory that the next one reads.
  for (std::size_t begin = 0; begin < count; begin += kEventsTogether) {
    const std::size_t together = std::min(kEventsTogether, count - begin);
    FindGroups(events, begin, together, groups.data());
    std::size_t found = 0;
    for (std::size_t i = 0; i < together; ++i) {
      if (groups[i] == 0) continue;
      const uint32_t group = groups[i] - 1;
      __builtin_prefetch(index_->slot_times() + index_->group(group).begin);
      block[found++] = {events.at(begin + i, layout_->record_size), group, {}};
    }
    for (std::size_t i = 0; i < found; ++i) {
      Found& at = block[i];
      at.range = RangeOf(at.event, at.group, view_->known_at);
      FetchWinners(winners_, at.group, at.range);
    }
    for (std::size_t i = 0; i < found; ++i) {
      const Found& at = block[i];
      EventPool::Id pooled = 0;
      OfferTo(winners_, at.event, at.group, at.range, &pooled);
      if (!other_winners_.empty())
        OfferTo(other_winners_, at.event, at.group, RangeOf(at.event, at.group, other), &pooled);
    }
  }
}

void SpinePartition::FetchWinners(std::span<const Winner> winners, uint32_t group,
                                  SlotRange range) const {
  if (range.begin >= range.end || uses_tree()) return;
  __builtin_prefetch(&winners[(index_->group(group).begin + range.begin) * winners_per_slot()]);
}

void SpinePartition::OfferTo(std::span<Winner> winners, EventRef event, uint32_t group,
                             SlotRange range, EventPool::Id* pooled) {
  if (range.begin >= range.end) return;
  const std::size_t width = winners_per_slot();
  const auto update = [&](std::size_t place) {
    for (std::size_t i = 0; i < width; ++i) {
      if (view_->partial_updates && !layout_->Carries(event, i)) continue;
      Update(&winners[place * width + i], event, pooled);
    }
  };
  const auto [first, last] = index_->group(group);
  if (!uses_tree()) return update(first + range.begin);
  // A segment tree per group: an event that ends counts in the few nodes that make up its range of slots.
  const std::size_t leaves = last - first;
  const std::size_t base = 2 * first;
  std::size_t begin = range.begin + leaves;
  std::size_t end = range.end + leaves;
  for (; begin < end; begin /= 2, end /= 2) {
    if (begin % 2 != 0) update(base + begin++);
    if (end % 2 != 0) update(base + --end);
  }
}

EventPool::Id SpinePartition::Pooled(EventRef event, EventPool::Id* pooled) {
  if (*pooled == 0) {
    *pooled = pool_.Add(event);
  } else {
    pool_.Hold(*pooled);
  }
  return *pooled;
}

// Makes the event the best one.
void SpinePartition::Take(Winner* winner, EventRef event, EventPool::Id* pooled) {
  winner->best = Pooled(event, pooled);
  winner->best_time = EventLayout::EventTimeOf(event);
}

void SpinePartition::Update(Winner* winner, EventRef event, EventPool::Id* pooled) {
  if (winner->best == 0) return Take(winner, event, pooled);
  const bool tracks_second = view_->exclude_event_id != nullptr;
  const int64_t at = EventLayout::EventTimeOf(event);
  // Most events lose by their time.
  if (!tracks_second && at < winner->best_time) return;
  const EventRef best = pool_.at(winner->best);
  const EventLayout::Comparison with_best = layout_->Compare(event, at, best, winner->best_time);
  const bool tied = with_best.same_group && !with_best.same_row;
  const std::string_view id = tracks_second ? layout_->IdOf(event) : std::string_view();
  const bool same_id = tracks_second && !id.empty() && id == layout_->IdOf(best);
  if (with_best.order > 0) {
    winner->ambiguous = with_best.same_group && (winner->ambiguous != 0 || tied) ? 1 : 0;
    const EventPool::Id old = winner->best;
    Take(winner, event, pooled);
    if (tracks_second && !same_id) {
      if (winner->second != 0) pool_.Release(winner->second);
      winner->second = old & kPoolIds;
    } else {
      pool_.Release(old);
    }
    return;
  }
  if (tied) winner->ambiguous = 1;
  if (!tracks_second || same_id) return;
  if (winner->second == 0) {
    winner->second = Pooled(event, pooled) & kPoolIds;
  } else if (layout_->Compare(event, pool_.at(winner->second)).order > 0) {
    pool_.Release(winner->second);
    winner->second = Pooled(event, pooled) & kPoolIds;
  }
}

// As if everything offered to `from` had been offered to `into`. Holders no longer matter here.
void SpinePartition::Merge(Winner* into, const Winner& from) const {
  if (from.best == 0) return;
  if (into->best == 0) {
    *into = from;
    return;
  }
  const EventLayout::Comparison order =
      layout_->Compare(pool_.at(from.best), from.best_time, pool_.at(into->best), into->best_time);
  Winner merged = order.order > 0 ? from : *into;
  if (order.same_group)
    merged.ambiguous |= into->ambiguous | from.ambiguous | (order.same_row ? 0U : 1U);
  if (view_->exclude_event_id != nullptr) {
    // The greatest of all others whose id is not the best one's.
    const std::string_view id = layout_->IdOf(pool_.at(merged.best));
    merged.second = 0;
    for (const EventPool::Id other :
         {into->best, EventPool::Id{into->second}, from.best, EventPool::Id{from.second}}) {
      if (other == 0 || other == merged.best) continue;
      const std::string_view other_id = layout_->IdOf(pool_.at(other));
      if (!id.empty() && other_id == id) continue;
      if (merged.second == 0 ||
          layout_->Compare(pool_.at(other), pool_.at(merged.second)).order > 0) {
        merged.second = other & kPoolIds;
      }
    }
  }
  *into = merged;
}

// Afterwards winners[group.begin + slot] are final; with trees the others of the group are spent.
void SpinePartition::ResolveGroup(std::span<Winner> winners, PartitionIndex::Group group) {
  const std::size_t leaves = group.end - group.begin;
  const std::size_t width = winners_per_slot();
  if (!uses_tree()) {
    for (std::size_t place = (group.begin + 1) * width; place < group.end * width; ++place) {
      Merge(&winners[place], winners[place - width]);
    }
    return;
  }
  Winner* const nodes = winners.data() + 2 * group.begin * width;
  for (std::size_t node = 2; node < 2 * leaves; ++node) {
    for (std::size_t i = 0; i < width; ++i)
      Merge(&nodes[node * width + i], nodes[node / 2 * width + i]);
  }
}

void SpinePartition::Resolve(bool other_known_at, const std::vector<std::string>& own_ids,
                             std::span<Pick> picks) {
  const std::span<Winner> winners = other_known_at ? other_winners_ : winners_;
  const std::size_t width = winners_per_slot();
  const std::span<const uint32_t> rows = index_->rows();
  const std::span<const uint32_t> slots = index_->slots();
  std::size_t i = 0;
  for (std::size_t g = 0; g < index_->group_count(); ++g) {
    const PartitionIndex::Group group = index_->group(g);
    ResolveGroup(winners, group);
    // Of a tree the leaves.
    const std::size_t shift = uses_tree() ? group.end : 0;
    for (; i < rows.size() && slots[i] < group.end; ++i) {
      const std::size_t row = rows[i];
      for (std::size_t f = 0; f < width; ++f) {
        const Winner& winner = winners[(shift + slots[i]) * width + f];
        Pick& pick = picks[row * width + f];
        pick = {winner.best & kPoolIds, winner.ambiguous};
        if (winner.best != 0 && !own_ids.empty() && !own_ids[row].empty() &&
            layout_->IdOf(pool_.at(winner.best)) == own_ids[row]) {
          pick = {winner.second, 0};
        }
      }
    }
  }
}

}  // namespace larder::inline LARDER_ABI
