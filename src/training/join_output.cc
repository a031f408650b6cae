#include "training/join_output.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

// Multiples of 64, so that no two share a word of validity.
constexpr std::size_t kPieceRows = std::size_t{1} << 15;
constexpr std::size_t kBlockRows = 512;  // whose records are fetched ahead

class JoinOutput {
 public:
  JoinOutput(const JoinOutputInputs& in, const JoinCounts& counts)
      : in_(in),
        rows_(in.row_partitions->size()),
        width_(in.view->partial_updates ? in.view->features.size() : 1),
        times_(in.times->Values<int64_t>()) {
    out_.counts = counts;
  }

  JoinedView Make() {
    picks_ = Resolve(false);
    *in_.winners = std::vector<Winner>();  // Columns as large are made next.
    MakeColumns();
    RunPieces(in_.thread_count, (rows_ + kPieceRows - 1) / kPieceRows,
              [&](std::size_t piece, std::size_t) { FillPiece(piece * kPieceRows); });
    RunPieces(in_.thread_count, out_.features.size() + (in_.audit ? width_ : 0),
              [&](std::size_t i, std::size_t) {
                if (i < out_.features.size()) {
                  FillText(i);
                } else {
                  FillIds(i - out_.features.size());
                }
              });
    if (in_.layout != nullptr && in_.other_known_at) CountOtherKnownAt();
    return std::move(out_);
  }

 private:
  void MakeColumns() {
    for (const Field& feature : in_.view->features) out_.features.emplace_back(feature.type);
    out_.outcomes.resize(width_);
    // Memory that is touched for the first time takes as long as what is then written to it.
    RunPieces(in_.thread_count, out_.features.size() + width_, [&](std::size_t i, std::size_t) {
      if (i < out_.features.size()) {
        if (out_.features[i].type().is_fixed_width()) out_.features[i].ResizeFixed(rows_);
        return;
      }
      JoinOutcome& outcome = out_.outcomes[i - out_.features.size()];
      outcome.status.assign(rows_, FeatureStatus::kNotFound);
      outcome.event_time.ResizeFixed(rows_);
      if (in_.audit) outcome.known_time.ResizeFixed(rows_);
    });
  }

  std::vector<Pick> Resolve(bool other_known_at) {
    std::vector<Pick> picks(rows_ * width_);
    if (in_.layout == nullptr) return picks;
    RunPieces(in_.thread_count, in_.partitions->size(), [&](std::size_t p, std::size_t) {
      (*in_.partitions)[p].Resolve(other_known_at, in_.own_ids, picks);
    });
    return picks;
  }

  // Requires: the pick is an event.
  [[nodiscard]] EventRef EventAt(std::size_t row, Pick pick) const {
    return (*in_.partitions)[(*in_.row_partitions)[row]].EventAt(pick.event);
  }

  [[nodiscard]] FeatureStatus StatusOf(EventRef event, std::size_t row) const {
    if (EventLayout::IsDelete(event)) return FeatureStatus::kNotFound;
    const auto& ttl = in_.view->ttl;
    if (!ttl || ttl->us <= 0 || in_.layout->timeless) return FeatureStatus::kPresent;
    const Timestamp oldest = Timestamp{times_[row]}.Minus(*ttl);
    return EventLayout::EventTimeOf(event) < oldest.us ? FeatureStatus::kOutsideMaxAge
                                                       : FeatureStatus::kPresent;
  }

  // Of a block's rows, for one outcome.
  struct Block {
    std::size_t begin = 0;
    std::size_t count = 0;
    std::array<EventRef, kBlockRows> events;  // no record: none, or none that counts any more
    std::array<uint8_t, kBlockRows> seen{};   // of all outcomes: kFound, kTooOld and kTied
  };
  enum Seen : uint8_t { kFound = 1, kTooOld = 2, kTied = 4 };

  void FillPiece(std::size_t begin) {
    const std::size_t end = std::min(begin + kPieceRows, rows_);
    JoinCounts counts;
    Block block;
    for (block.begin = begin; block.begin < end; block.begin += kBlockRows) {
      block.count = std::min(kBlockRows, end - block.begin);
      block.seen.fill(0);
      if (in_.layout != nullptr) {
        for (std::size_t i = 0; i < width_; ++i) FillOutcome(&block, i);
      }
      for (std::size_t k = 0; k < block.count; ++k) {
        if ((*in_.row_partitions)[block.begin + k] == kNoPartition) ++counts.rows_null_key;
        const uint8_t seen = block.seen[k];
        ++((seen & kFound) != 0    ? counts.rows_found
           : (seen & kTooOld) != 0 ? counts.rows_outside_max_age
                                   : counts.rows_not_found);
        if ((seen & kTied) != 0) ++counts.rows_ambiguous;
      }
    }
    const std::lock_guard lock(counts_mutex_);
    out_.counts.rows_null_key += counts.rows_null_key;
    out_.counts.rows_found += counts.rows_found;
    out_.counts.rows_outside_max_age += counts.rows_outside_max_age;
    out_.counts.rows_not_found += counts.rows_not_found;
    out_.counts.rows_ambiguous += counts.rows_ambiguous;
  }

  void FillOutcome(Block* block, std::size_t i) {
    JoinOutcome& outcome = out_.outcomes[i];
    FetchEvents(block, i);
    for (std::size_t k = 0; k < block->count; ++k) {
      EventRef& event = block->events[k];
      if (event.record == nullptr) continue;
      const std::size_t row = block->begin + k;
      const FeatureStatus status = StatusOf(event, row);
      outcome.status[row] = status;
      if (status == FeatureStatus::kNotFound) event = {};
      if (status == FeatureStatus::kOutsideMaxAge) block->seen[k] |= kTooOld;
      if (status != FeatureStatus::kPresent) continue;
      block->seen[k] |= kFound;
      if (picks_[row * width_ + i].ambiguous != 0) block->seen[k] |= kTied;
    }
    const auto always = [](EventRef) { return true; };
    if (!in_.layout->timeless) {
      Fill<int64_t>(*block, &outcome.event_time, always,
                    [](EventRef event) { return EventLayout::EventTimeOf(event); });
    }
    if (in_.audit && in_.layout->known_source != KnownSource::kNone) {
      const auto known = [this](EventRef event) { return in_.layout->KnownTimeOf(event); };
      Fill<int64_t>(
          *block, &outcome.known_time, [&](EventRef event) { return known(event).has_value(); },
          [&](EventRef event) { return *known(event); });
    }
    for (std::size_t k = 0; k < block->count; ++k) {
      if (outcome.status[block->begin + k] == FeatureStatus::kOutsideMaxAge) block->events[k] = {};
    }
    const bool one_each = in_.view->partial_updates;
    const std::size_t last = one_each ? i + 1 : out_.features.size();
    for (std::size_t f = one_each ? i : 0; f < last; ++f) FillFeature(*block, f);
  }

  void FetchEvents(Block* block, std::size_t i) const {
    for (std::size_t k = 0; k < block->count; ++k) {
      const std::size_t row = block->begin + k;
      const Pick pick = picks_[row * width_ + i];
      block->events[k] = pick.event == 0 ? EventRef() : EventAt(row, pick);
      __builtin_prefetch(block->events[k].record);
    }
  }

  // Sets the entries of `column` that have an event and are valid.
  template <class T, class IsValid, class ValueOf>
  static void Fill(const Block& block, Column* column, const IsValid& is_valid,
                   const ValueOf& value_of) {
    T* const values = column->MutableValues<T>().data() + block.begin;
    uint64_t* const words = column->mutable_validity().mutable_words() + block.begin / 64;
    for (std::size_t begin = 0; begin < block.count; begin += 64) {
      uint64_t valid = 0;
      for (std::size_t k = begin; k < std::min(begin + 64, block.count); ++k) {
        const EventRef event = block.events[k];
        if (event.record == nullptr || !is_valid(event)) continue;
        values[k] = value_of(event);
        valid |= uint64_t{1} << (k - begin);
      }
      words[begin / 64] = valid;
    }
  }

  void FillFeature(const Block& block, std::size_t f) {
    const FeatureSlot& slot = in_.layout->features[f];
    if (slot.in_text) return;
    Column* const column = &out_.features[f];
    const auto is_valid = [&](EventRef event) { return in_.layout->IsValid(event, f); };
    const auto fill = [&]<class T>(T) {
      Fill<T>(block, column, is_valid,
              [&](EventRef event) { return LoadAs<T>(event.record + slot.offset); });
    };
    switch (slot.width) {
      case 1:
        return fill(uint8_t{});
      case 4:
        return fill(uint32_t{});
      case 8:
        return fill(uint64_t{});
      default:
        break;
    }
    for (std::size_t k = 0; k < block.count; ++k) {
      const EventRef event = block.events[k];
      if (event.record == nullptr || !is_valid(event)) continue;
      const std::size_t row = block.begin + k;
      std::memcpy(column->MutableValues<char>().data() + row * slot.width,
                  event.record + slot.offset, slot.width);
      column->mutable_validity().Set(row, true);
    }
  }

  void FillText(std::size_t feature) {
    Column& column = out_.features[feature];
    if (column.type().is_fixed_width()) return;
    const std::size_t i = width_ == 1 ? 0 : feature;
    column.Reserve(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      if (out_.outcomes[i].status[row] == FeatureStatus::kPresent) {
        const EventRef event = EventAt(row, picks_[row * width_ + i]);
        if (in_.layout->IsValid(event, feature)) {
          in_.layout->AppendText(event, feature, &column);
          continue;
        }
      }
      column.AppendNull();
    }
  }

  void FillIds(std::size_t i) {
    Column& ids = out_.outcomes[i].event_id;
    for (std::size_t row = 0; row < rows_; ++row) {
      std::string_view id;
      if (out_.outcomes[i].status[row] != FeatureStatus::kNotFound) {
        id = in_.layout->IdOf(EventAt(row, picks_[row * width_ + i]));
      }
      if (id.empty()) {
        ids.AppendNull();
      } else {
        ids.AppendText(id);
      }
    }
  }

  void CountOtherKnownAt() {
    const std::vector<Pick> other = Resolve(true);
    std::atomic<int64_t> changed{0};
    const auto holds = [&](std::size_t row, Pick pick, std::size_t feature) {
      return pick.event != 0 && StatusOf(EventAt(row, pick), row) == FeatureStatus::kPresent &&
             in_.layout->IsValid(EventAt(row, pick), feature);
    };
    RunPieces(in_.thread_count, (rows_ + kPieceRows - 1) / kPieceRows,
              [&](std::size_t piece, std::size_t) {
                int64_t here = 0;
                for (std::size_t row = piece * kPieceRows;
                     row < std::min((piece + 1) * kPieceRows, rows_); ++row) {
                  for (std::size_t f = 0; f < out_.features.size(); ++f) {
                    const std::size_t place = row * width_ + (width_ == 1 ? 0 : f);
                    if (picks_[place].event == other[place].event) continue;
                    const bool ours = holds(row, picks_[place], f);
                    const bool theirs = holds(row, other[place], f);
                    if (ours != theirs) {
                      ++here;
                    } else if (ours && !in_.layout->SameValue(EventAt(row, picks_[place]),
                                                              EventAt(row, other[place]), f)) {
                      ++here;
                    }
                  }
                }
                changed += here;
              });
    out_.counts.cells_changed_by_other_known_at = changed.load();
  }

  const JoinOutputInputs& in_;
  std::size_t rows_;
  std::size_t width_;
  std::span<const int64_t> times_;
  std::vector<Pick> picks_;
  std::mutex counts_mutex_;
  JoinedView out_;
};

}  // namespace

JoinedView MakeJoinOutput(const JoinOutputInputs& in, const JoinCounts& counts) {
  return JoinOutput(in, counts).Make();
}

}  // namespace larder::inline LARDER_ABI
