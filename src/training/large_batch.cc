#include "training/large_batch.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

// Rows whose columns stay in a core's cache, and their pages in its tables.
constexpr std::size_t kRangeRows = std::size_t{1} << 15;
constexpr std::size_t kStepRowsMin = 4096;
constexpr std::size_t kParallelRowsMin = 32'768;

// Records written at a time before they are copied to where they stay.
std::size_t RecordsTogether(const EventLayout& layout) {
  constexpr std::size_t kBytes = std::size_t{128} << 10;
  return std::clamp<std::size_t>(kBytes / layout.record_size, 16, 2048);
}

// A row that won, and the record it becomes.
struct WonRow {
  uint32_t row = 0;
  EventPool::Id record = 0;
  uint32_t partition = 0;
};

class LargeBatchOffer {
 public:
  LargeBatchOffer(const LargeBatch& in, LargeBatchSpace* space)
      : in_(in),
        threads_(in.events->row_count < kParallelRowsMin ? 1 : in.thread_count),
        space_(*space) {
    const auto count = static_cast<std::size_t>(threads_);
    if (space_.scatters.size() < count) space_.scatters.resize(count);
    if (space_.writers.size() < count) space_.writers.resize(count);
  }

  absl::Status OfferAll(RowCounts* counts, const std::function<absl::Status(std::size_t)>& report) {
    const std::size_t rows = in_.events->row_count;
    // Half of it: where a key is much more frequent than others, its rows take more room than their share.
    const std::size_t step =
        std::min(std::max(in_.buffer_bytes / 2 / sizeof(KeyedRow), kStepRowsMin), rows);
    const auto pieces = static_cast<std::size_t>(threads_);
    const std::size_t each = (step + pieces - 1) / pieces;
    const auto scatters = std::span(space_.scatters).first(pieces);
    const auto columns =
        KeyScatter::Columns::Of(*in_.keys, *in_.events->event_time,
                                in_.layout->arrival == 0 ? nullptr : in_.events->arrival_time);
    absl::Status reported;
    for (std::size_t begin = 0; begin < rows && reported.ok(); begin += step) {
      const std::size_t end = std::min(begin + step, rows);
      RunPieces(threads_, pieces, [&](std::size_t piece, std::size_t) {
        std::optional<KeyScatter>& scatter = scatters[piece];
        if (!scatter || scatter->row_count() < each)
          scatter.emplace(in_.keys->form(), in_.partition_bits, each);
        const std::size_t from = std::min(begin + piece * each, end);
        scatter->Clear();
        scatter->Add(columns, from, std::min(from + each, end), nullptr);
      });
      RunPieces(threads_, in_.partitions->size(), [&](std::size_t p, std::size_t) {
        for (const std::optional<KeyScatter>& scatter : scatters)
          (*in_.partitions)[p].OfferRows(scatter->rows(p));
      });
      reported = report(end);
    }
    for (std::optional<KeyScatter>& scatter : scatters) *counts += scatter->TakeCounts();
    return reported;
  }

  // Makes records of what won, in the order of the batch's rows: its columns are too large to be read in another.
  void CopyWinners() {
    const std::size_t ranges = (in_.events->row_count + kRangeRows - 1) / kRangeRows;
    std::vector<std::vector<std::vector<WonRow>>> won(space_.writers.size());
    for (auto& by_range : won) by_range.resize(ranges);
    RunPieces(threads_, in_.partitions->size(), [&](std::size_t p, std::size_t thread) {
      (*in_.partitions)[p].TakeRows([&](uint32_t row, EventPool::Id record) {
        won[thread][row / kRangeRows].push_back({row, record, static_cast<uint32_t>(p)});
      });
    });
    RunPieces(threads_, ranges, [&](std::size_t range, std::size_t thread) {
      std::vector<WonRow> unsorted;
      for (std::vector<std::vector<WonRow>>& by_range : won) {
        unsorted.insert(unsorted.end(), by_range[range].begin(), by_range[range].end());
        by_range[range] = {};
      }
      CopyRange(unsorted, WriterOf(thread));
    });
    RunPieces(threads_, in_.partitions->size(), [&](std::size_t p, std::size_t thread) {
      (*in_.partitions)[p].OfferTied(*in_.events, *in_.keys, in_.first_ordinal, WriterOf(thread));
    });
  }

 private:
  EventScatter* WriterOf(std::size_t thread) {
    std::optional<EventScatter>& writer = space_.writers[thread];
    if (!writer) writer.emplace(in_.layout, 0);
    return &*writer;
  }

  void CopyRange(std::span<const WonRow> unsorted, EventScatter* writer) {
    // Sorted by counting, no row being there twice.
    std::vector<uint32_t> place_of(kRangeRows);  // plus one; 0: lost
    for (std::size_t i = 0; i < unsorted.size(); ++i)
      place_of[unsorted[i].row % kRangeRows] = static_cast<uint32_t>(i + 1);
    std::vector<WonRow> won;
    won.reserve(unsorted.size());
    for (const uint32_t place : place_of) {
      if (place != 0) won.push_back(unsorted[place - 1]);
    }
    Copy(won, writer);
  }

  void Copy(std::span<const WonRow> won, EventScatter* writer) {
    const std::size_t together = RecordsTogether(*in_.layout);
    EventBuffer& written = writer->buffer(0);
    std::vector<uint32_t> rows;
    for (; !won.empty(); won = won.subspan(rows.size())) {
      rows.clear();
      for (const WonRow& row : won.first(std::min(together, won.size()))) rows.push_back(row.row);
      for (std::size_t i = 0; i < rows.size(); ++i)
        (*in_.partitions)[won[i].partition].FetchRecord(won[i].record);
      writer->AddRows(*in_.events, *in_.keys, rows, in_.first_ordinal);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        (*in_.partitions)[won[i].partition].FillRecord(won[i].record,
                                                       written.at(i, in_.layout->record_size));
      }
      written.Clear();
    }
  }

  const LargeBatch& in_;
  int threads_;
  LargeBatchSpace& space_;
};

}  // namespace

void SpinePartition::OfferRows(std::span<const KeyedRow> rows) {
  while (!rows.empty()) {
    const auto block = rows.first(std::min(rows.size(), PartitionIndex::kRowsTogether));
    VisitWinners(block, [&](std::size_t i, uint32_t slot) { OfferRow(block[i], slot); });
    rows = rows.subspan(block.size());
  }
}

inline void SpinePartition::OfferRow(const KeyedRow& row, uint32_t slot) {
  Winner& winner = winners_[slot];
  if (winner.best != 0) {
    if (row.time < winner.best_time) return;
    if (row.time == winner.best_time) {
      tied_rows_.push_back(row.row);
      return;
    }
  }
  if ((winner.best & kIsRow) == 0) {
    won_slots_.push_back(slot);
    if (winner.best != 0) pool_.Release(winner.best);
  }
  winner = {row.time, row.row | kIsRow, 0, 0};
}

// What settles ties is in the records.
void SpinePartition::OfferTied(const EventBatch& batch, const KeyReader& keys,
                               uint64_t first_ordinal, EventScatter* writer) {
  const std::size_t together = RecordsTogether(*layout_);
  for (std::span<const uint32_t> rows = tied_rows_; !rows.empty();) {
    const std::span<const uint32_t> block = rows.first(std::min(together, rows.size()));
    writer->AddRows(batch, keys, block, first_ordinal);
    Offer(writer->buffer(0));
    writer->buffer(0).Clear();
    rows = rows.subspan(block.size());
  }
  tied_rows_ = {};
}

absl::Status OfferLargeBatch(const LargeBatch& batch, LargeBatchSpace* space, RowCounts* counts,
                             const std::function<absl::Status(std::size_t)>& report) {
  LargeBatchOffer offer(batch, space);
  const absl::Status reported = offer.OfferAll(counts, report);
  offer.CopyWinners();
  return reported;
}

}  // namespace larder::inline LARDER_ABI
