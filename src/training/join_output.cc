#include "training/join_output.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "training/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kPieceRows =
    std::size_t{1} << 15;  // a multiple of 64, so that pieces share no validity word

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
    picks_ = Resolve(false, &ambiguous_);
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
    for (const Field& feature : in_.view->features) {
      Column column(feature.type);
      if (feature.type.is_fixed_width()) column.ResizeFixed(rows_);
      out_.features.push_back(std::move(column));
    }
    out_.outcomes.resize(width_);
    for (JoinOutcome& outcome : out_.outcomes) {
      outcome.status.assign(rows_, FeatureStatus::kNotFound);
      outcome.event_time.ResizeFixed(rows_);
      if (in_.audit) outcome.known_time.ResizeFixed(rows_);
    }
  }

  std::vector<EventPool::Id> Resolve(bool other_known_at, std::vector<uint8_t>* ambiguous) {
    std::vector<EventPool::Id> picks(rows_ * width_);
    if (ambiguous != nullptr) ambiguous->assign(rows_ * width_, 0);
    if (in_.layout == nullptr) return picks;
    RunPieces(in_.thread_count, in_.partitions->size(), [&](std::size_t p, std::size_t) {
      (*in_.partitions)[p].Resolve(other_known_at, in_.own_ids, picks, ambiguous);
    });
    return picks;
  }

  [[nodiscard]] EventRef EventAt(std::size_t row, EventPool::Id pick) const {
    return (*in_.partitions)[(*in_.row_partitions)[row]].EventAt(pick);
  }

  [[nodiscard]] FeatureStatus StatusOf(EventRef event, std::size_t row) const {
    if (EventLayout::IsDelete(event)) return FeatureStatus::kNotFound;
    const auto& ttl = in_.view->ttl;
    if (!ttl || ttl->us <= 0 || in_.layout->timeless) return FeatureStatus::kPresent;
    const Timestamp oldest = Timestamp{times_[row]}.Minus(*ttl);
    return EventLayout::EventTimeOf(event) < oldest.us ? FeatureStatus::kOutsideMaxAge
                                                       : FeatureStatus::kPresent;
  }

  void FillPiece(std::size_t begin) {
    const std::size_t end = std::min(begin + kPieceRows, rows_);
    JoinCounts counts;
    for (std::size_t row = begin; row < end; ++row) {
      if ((*in_.row_partitions)[row] == kNoPartition) ++counts.rows_null_key;
      bool found = false;
      bool too_old = false;
      bool tied = false;
      for (std::size_t i = 0; i < width_; ++i) {
        const std::size_t place = row * width_ + i;
        if (picks_[place] == 0) continue;
        const FeatureStatus status = FillOutcome(row, i, EventAt(row, picks_[place]));
        found = found || status == FeatureStatus::kPresent;
        too_old = too_old || status == FeatureStatus::kOutsideMaxAge;
        tied = tied || (ambiguous_[place] != 0 && status == FeatureStatus::kPresent);
      }
      ++(found ? counts.rows_found : too_old ? counts.rows_outside_max_age : counts.rows_not_found);
      if (tied) ++counts.rows_ambiguous;
    }
    const std::lock_guard lock(counts_mutex_);
    out_.counts.rows_null_key += counts.rows_null_key;
    out_.counts.rows_found += counts.rows_found;
    out_.counts.rows_outside_max_age += counts.rows_outside_max_age;
    out_.counts.rows_not_found += counts.rows_not_found;
    out_.counts.rows_ambiguous += counts.rows_ambiguous;
  }

  FeatureStatus FillOutcome(std::size_t row, std::size_t i, EventRef event) {
    JoinOutcome& outcome = out_.outcomes[i];
    const FeatureStatus status = StatusOf(event, row);
    outcome.status[row] = status;
    if (status == FeatureStatus::kNotFound) return status;
    const auto set_time = [row](Column& column, int64_t us) {
      column.MutableValues<int64_t>()[row] = us;
      column.mutable_validity().Set(row, true);
    };
    if (!in_.layout->timeless) set_time(outcome.event_time, EventLayout::EventTimeOf(event));
    if (in_.audit && in_.layout->known_source != KnownSource::kNone) {
      if (const auto known = in_.layout->KnownTimeOf(event)) set_time(outcome.known_time, *known);
    }
    if (status != FeatureStatus::kPresent) return status;
    const std::size_t first = width_ == 1 && !in_.view->partial_updates ? 0 : i;
    const std::size_t last =
        width_ == 1 && !in_.view->partial_updates ? out_.features.size() : i + 1;
    for (std::size_t f = first; f < last; ++f) {
      const FeatureSlot& slot = in_.layout->features[f];
      if (slot.in_text || !in_.layout->IsValid(event, f)) continue;
      std::memcpy(out_.features[f].MutableValues<char>().data() + row * slot.width,
                  event.record + slot.offset, slot.width);
      out_.features[f].mutable_validity().Set(row, true);
    }
    return status;
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
    const std::vector<EventPool::Id> other = Resolve(true, nullptr);
    std::atomic<int64_t> changed{0};
    const auto holds = [&](std::size_t row, EventPool::Id pick, std::size_t feature) {
      return pick != 0 && StatusOf(EventAt(row, pick), row) == FeatureStatus::kPresent &&
             in_.layout->IsValid(EventAt(row, pick), feature);
    };
    RunPieces(in_.thread_count, (rows_ + kPieceRows - 1) / kPieceRows,
              [&](std::size_t piece, std::size_t) {
                int64_t here = 0;
                for (std::size_t row = piece * kPieceRows;
                     row < std::min((piece + 1) * kPieceRows, rows_); ++row) {
                  for (std::size_t f = 0; f < out_.features.size(); ++f) {
                    const std::size_t place = row * width_ + (width_ == 1 ? 0 : f);
                    if (picks_[place] == other[place]) continue;
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
  std::vector<EventPool::Id> picks_;
  std::vector<uint8_t> ambiguous_;
  std::mutex counts_mutex_;
  JoinedView out_;
};

}  // namespace

JoinedView MakeJoinOutput(const JoinOutputInputs& in, const JoinCounts& counts) {
  return JoinOutput(in, counts).Make();
}

}  // namespace larder::inline LARDER_ABI
