#include "training/spine_partition.h"

#include <algorithm>
#include <array>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

// Enough for memory to be fetched ahead, few enough to stay in the nearest cache.
constexpr std::size_t kEventsTogether = 32;

// The first of [first, last) that is not below `at`, or, with `or_equal`, that is above it. Most groups are small: then
// counting them all costs less than the branches of a search that nothing predicts.
template <class It>
It FirstNotBelow(It first, It last, int64_t at, bool or_equal) {
  constexpr std::ptrdiff_t kCounted = 32;
  if (last - first > kCounted)
    return or_equal ? std::upper_bound(first, last, at) : std::lower_bound(first, last, at);
  std::ptrdiff_t below = 0;
  if (or_equal) {
    for (It it = first; it != last; ++it) below += *it <= at ? 1 : 0;
  } else {
    for (It it = first; it != last; ++it) below += *it < at ? 1 : 0;
  }
  return first + below;
}

}  // namespace

uint32_t KeyTable::Insert(uint64_t word, std::string_view bytes) {
  if ((size_ + 1) * 2 > places_.size()) Grow();
  std::size_t at = StartOf(word);
  while (places_[at].number != 0) {
    if (Holds(places_[at], word, bytes)) return places_[at].number - 1;
    at = (at + 1) & (places_.size() - 1);
  }
  places_[at] = {word, static_cast<uint32_t>(++size_)};
  if (form_ == KeyForm::kBytes) bytes_.emplace_back(bytes);
  return static_cast<uint32_t>(size_ - 1);
}

std::optional<uint32_t> KeyTable::Find(uint64_t word, std::string_view bytes) const {
  for (std::size_t at = StartOf(word); places_[at].number != 0;
       at = (at + 1) & (places_.size() - 1)) {
    if (Holds(places_[at], word, bytes)) return places_[at].number - 1;
  }
  return std::nullopt;
}

void KeyTable::Grow() {
  std::vector<Place> old(places_.size() * 2);
  old.swap(places_);
  for (const Place& place : old) {
    if (place.number == 0) continue;
    std::size_t at = StartOf(place.word);
    while (places_[at].number != 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = place;
  }
}

void SpinePartition::Index(const KeyReader& keys, std::vector<uint32_t> rows) {
  rows_ = std::move(rows);
  const std::span<const int64_t> times = times_->Values<int64_t>();
  struct Item {
    uint32_t group;
    uint32_t row;
    int64_t time;
  };
  std::vector<Item> items(rows_.size());
  std::string bytes;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    uint64_t word = 0;
    (void)keys.Read(rows_[i], &word, &bytes);
    items[i] = {keys_.Insert(word, bytes), rows_[i], times[rows_[i]]};
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    if (a.group != b.group) return a.group < b.group;
    return a.time != b.time ? a.time < b.time : a.row < b.row;
  });
  slots_.resize(rows_.size());
  slot_times_.reserve(rows_.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool new_group = i == 0 || items[i].group != items[i - 1].group;
    if (new_group) group_begin_.push_back(slot_times_.size());
    if (new_group || items[i].time != items[i - 1].time) slot_times_.push_back(items[i].time);
    rows_[i] = items[i].row;
    slots_[i] = static_cast<uint32_t>(slot_times_.size() - 1);
  }
  group_begin_.push_back(slot_times_.size());
}

std::size_t SpinePartition::CountWinners(const EventLayout& layout) const {
  return slot_times_.size() * winners_per_slot() * (layout.end != 0 ? 2 : 1);
}

void SpinePartition::Start(const EventLayout* layout, std::span<Winner> winners,
                           std::span<Winner> other_winners) {
  layout_ = layout;
  pool_.emplace(layout);
  winners_ = winners;
  other_winners_ = other_winners;
  const bool one_each = !uses_tree() && other_winners.empty() && view_->exclude_event_id == nullptr;
  if (one_each) pool_->Reserve(winners.size());
}

// The slots, within their group, whose instants see the event.
SpinePartition::SlotRange SpinePartition::RangeOf(EventRef event, uint32_t group,
                                                  KnownAt known_at) const {
  const auto first = slot_times_.begin() + static_cast<std::ptrdiff_t>(group_begin_[group]);
  const auto last = slot_times_.begin() + static_cast<std::ptrdiff_t>(group_begin_[group + 1]);
  const bool before = view_->boundary == Boundary::kBefore;
  auto begin = first;
  if (!layout_->timeless) {
    const int64_t at = EventLayout::EventTimeOf(event);
    begin = FirstNotBelow(first, last, at, before);
  }
  if (known_at == KnownAt::kSpine) {
    const std::optional<int64_t> known = layout_->KnownTimeOf(event);
    if (!known) return {};
    begin = FirstNotBelow(begin, last, *known, false);
  }
  auto end = last;
  if (const std::optional<int64_t> ends = layout_->EndOf(event)) {
    end = FirstNotBelow(begin, last, *ends, before);
  }
  return {static_cast<std::size_t>(begin - first), static_cast<std::size_t>(end - first)};
}

void SpinePartition::Offer(EventBuffer& events) {
  const KnownAt other = view_->known_at == KnownAt::kSpine ? KnownAt::kAny : KnownAt::kSpine;
  const std::size_t count = events.size() / layout_->record_size;
  const auto event_at = [&](std::size_t i) {
    return EventRef{events.records() + i * layout_->record_size, events.text.data()};
  };
  struct Found {
    EventRef event;
    uint32_t group = 0;
    SlotRange range;
  };
  std::array<Found, kEventsTogether> block;
  // Each step asks for the memory that the next one reads.
  for (std::size_t begin = 0; begin < count; begin += kEventsTogether) {
    const std::size_t end = std::min(begin + kEventsTogether, count);
    for (std::size_t i = begin; i < end; ++i) keys_.Fetch(EventLayout::KeyWordOf(event_at(i)));
    std::size_t found = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const EventRef event = event_at(i);
      const auto group = keys_.Find(EventLayout::KeyWordOf(event), layout_->KeyTextOf(event));
      if (!group) continue;
      __builtin_prefetch(slot_times_.data() + group_begin_[*group]);
      block[found++] = {event, *group, {}};
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
  __builtin_prefetch(&winners[(group_begin_[group] + range.begin) * winners_per_slot()]);
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
  if (!uses_tree()) return update(group_begin_[group] + range.begin);
  // A segment tree per group: an event that ends counts in the few nodes that make up its range of slots.
  const std::size_t leaves = group_begin_[group + 1] - group_begin_[group];
  const std::size_t base = 2 * group_begin_[group];
  std::size_t begin = range.begin + leaves;
  std::size_t end = range.end + leaves;
  for (; begin < end; begin /= 2, end /= 2) {
    if (begin % 2 != 0) update(base + begin++);
    if (end % 2 != 0) update(base + --end);
  }
}

EventPool::Id SpinePartition::Pooled(EventRef event, EventPool::Id* pooled) {
  if (*pooled == 0) {
    *pooled = pool_->Add(event);
  } else {
    pool_->Hold(*pooled);
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
  const EventRef best = pool_->at(winner->best);
  const EventLayout::Comparison with_best = layout_->Compare(event, at, best, winner->best_time);
  const bool tied = with_best.same_group && !with_best.same_row;
  const std::string_view id = tracks_second ? layout_->IdOf(event) : std::string_view();
  const bool same_id = tracks_second && !id.empty() && id == layout_->IdOf(best);
  if (with_best.order > 0) {
    winner->ambiguous = with_best.same_group && (winner->ambiguous || tied);
    const EventPool::Id old = winner->best;
    Take(winner, event, pooled);
    if (tracks_second && !same_id) {
      if (winner->second != 0) pool_->Release(winner->second);
      winner->second = old;
    } else {
      pool_->Release(old);
    }
    return;
  }
  winner->ambiguous = winner->ambiguous || tied;
  if (!tracks_second || same_id) return;
  if (winner->second == 0) {
    winner->second = Pooled(event, pooled);
  } else if (layout_->Compare(event, pool_->at(winner->second)).order > 0) {
    const EventPool::Id old = std::exchange(winner->second, Pooled(event, pooled));
    pool_->Release(old);
  }
}

// As if everything offered to `from` had been offered to `into`. Holders no longer matter here.
void SpinePartition::Merge(Winner* into, const Winner& from) const {
  if (from.best == 0) return;
  if (into->best == 0) {
    *into = from;
    return;
  }
  const EventLayout::Comparison order = layout_->Compare(pool_->at(from.best), from.best_time,
                                                         pool_->at(into->best), into->best_time);
  const bool ambiguous = order.same_group ? into->ambiguous || from.ambiguous || !order.same_row
                                          : (order.order > 0 ? from.ambiguous : into->ambiguous);
  Winner merged = order.order > 0 ? from : *into;
  merged.ambiguous = ambiguous;
  if (view_->exclude_event_id != nullptr) {
    // The greatest of all others whose id is not the best one's.
    const std::string_view id = layout_->IdOf(pool_->at(merged.best));
    merged.second = 0;
    for (const EventPool::Id other : {into->best, into->second, from.best, from.second}) {
      if (other == 0 || other == merged.best) continue;
      const std::string_view other_id = layout_->IdOf(pool_->at(other));
      if (!id.empty() && other_id == id) continue;
      if (merged.second == 0 ||
          layout_->Compare(pool_->at(other), pool_->at(merged.second)).order > 0) {
        merged.second = other;
      }
    }
  }
  *into = merged;
}

// Afterwards winners[group_begin + slot] are final; with trees the others of the group are spent.
void SpinePartition::ResolveGroup(std::span<Winner> winners, uint32_t group) {
  const std::size_t begin = group_begin_[group];
  const std::size_t leaves = group_begin_[group + 1] - begin;
  const std::size_t width = winners_per_slot();
  if (!uses_tree()) {
    for (std::size_t place = (begin + 1) * width; place < (begin + leaves) * width; ++place) {
      Merge(&winners[place], winners[place - width]);
    }
    return;
  }
  Winner* const nodes = winners.data() + 2 * begin * width;
  for (std::size_t node = 2; node < 2 * leaves; ++node) {
    for (std::size_t i = 0; i < width; ++i)
      Merge(&nodes[node * width + i], nodes[node / 2 * width + i]);
  }
}

void SpinePartition::Resolve(bool other_known_at, const std::vector<std::string>& own_ids,
                             std::span<EventPool::Id> picks, std::vector<uint8_t>* ambiguous) {
  const std::span<Winner> winners = other_known_at ? other_winners_ : winners_;
  for (uint32_t group = 0; group + 1 < group_begin_.size(); ++group) ResolveGroup(winners, group);
  const std::size_t width = winners_per_slot();
  uint32_t group = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::size_t slot = slots_[i];
    while (slot >= group_begin_[group + 1]) ++group;
    const std::size_t leaves = group_begin_[group + 1] - group_begin_[group];
    const std::size_t place =
        uses_tree() ? 2 * group_begin_[group] + leaves + (slot - group_begin_[group]) : slot;
    for (std::size_t f = 0; f < width; ++f) {
      const Winner& winner = winners[place * width + f];
      EventPool::Id pick = winner.best;
      bool is_ambiguous = winner.ambiguous;
      if (pick != 0 && !own_ids.empty() && !own_ids[rows_[i]].empty() &&
          layout_->IdOf(pool_->at(pick)) == own_ids[rows_[i]]) {
        pick = winner.second;
        is_ambiguous = false;
      }
      picks[rows_[i] * width + f] = pick;
      if (ambiguous != nullptr) (*ambiguous)[rows_[i] * width + f] = is_ambiguous ? 1 : 0;
    }
  }
}

}  // namespace larder::inline LARDER_ABI
