#include "training/spine_index.h"

#include <algorithm>
#include <utility>

#include "base/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

// Few enough rows that a partition's index and winners stay in a core's cache.
constexpr std::size_t kPartitionRows = 8192;
constexpr int kPartitionBitsMax = 10;
constexpr std::size_t kParallelRowsMin = 32'768;

int PartitionBitsFor(std::size_t rows) {
  int bits = 0;
  while (bits < kPartitionBitsMax && (rows >> bits) > kPartitionRows) ++bits;
  return bits;
}

struct TimedRow {
  int64_t time = 0;
  uint32_t row = 0;
};

// By time, rows of one time in their order. Most groups are small.
void SortByTime(std::span<TimedRow> rows) {
  constexpr std::size_t kInserted = 24;
  if (rows.size() > kInserted) {
    std::sort(rows.begin(), rows.end(), [](const TimedRow& a, const TimedRow& b) {
      return a.time != b.time ? a.time < b.time : a.row < b.row;
    });
    return;
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const TimedRow row = rows[i];
    std::size_t at = i;
    for (; at > 0 && rows[at - 1].time > row.time; --at) rows[at] = rows[at - 1];
    rows[at] = row;
  }
}

}  // namespace

void PartitionIndex::Index(const KeyReader& keys, std::span<const std::span<const KeyedRow>> rows) {
  std::size_t count = 0;
  for (const std::span<const KeyedRow> piece : rows) count += piece.size();
  std::vector<uint32_t> groups;
  groups.reserve(count);
  std::vector<uint32_t> ends;  // of the groups' rows
  std::string bytes;
  for (const std::span<const KeyedRow> piece : rows) {
    for (const KeyedRow& row : piece) {
      uint64_t word = 0;
      if (keys.form() == KeyForm::kBytes) (void)keys.Read(row.row, &word, &bytes);
      const uint32_t group = keys_.InsertHash(row.hash, bytes);
      if (group == ends.size()) ends.push_back(0);
      ++ends[group];
      groups.push_back(group);
    }
  }
  uint32_t before = 0;
  for (uint32_t& end : ends) end = std::exchange(before, before + end);
  std::vector<TimedRow> sorted(count);
  auto group = groups.begin();
  for (const std::span<const KeyedRow> piece : rows) {
    for (const KeyedRow& row : piece) sorted[ends[*group++]++] = {row.time, row.row};
  }

  rows_.resize(count);
  slots_.resize(count);
  slot_times_.reserve(count + kTimesPadding);
  group_begin_.reserve(ends.size() + 1);
  std::size_t at = 0;
  for (const uint32_t end : ends) {
    SortByTime(std::span(sorted).subspan(at, end - at));
    for (const std::size_t begin = at; at < end; ++at) {
      if (at == begin || sorted[at].time != sorted[at - 1].time)
        slot_times_.push_back(sorted[at].time);
      rows_[at] = sorted[at].row;
      slots_[at] = static_cast<uint32_t>(slot_times_.size() - 1);
    }
    group_begin_.push_back(static_cast<uint32_t>(slot_times_.size()));
  }
  slot_times_.resize(slot_times_.size() + kTimesPadding);
}

absl::StatusOr<std::shared_ptr<const SpineIndex>> SpineIndex::Make(
    const Column& times, std::span<const Column* const> keys, std::span<const DataType> types,
    int thread_count) {
  LARDER_ASSIGN_OR_RETURN(const KeyReader reader, KeyReader::Make(keys, types));
  const std::size_t rows = times.size();
  auto index = std::make_shared<SpineIndex>();
  index->partition_bits_ = PartitionBitsFor(rows);
  index->row_partitions_.assign(rows, kNoPartition);
  const std::size_t pieces =
      rows < kParallelRowsMin ? 1 : static_cast<std::size_t>(std::max(thread_count, 1));
  const std::size_t each = (rows + pieces - 1) / pieces;
  const auto columns = KeyScatter::Columns::Of(reader, times, nullptr);
  std::vector<std::optional<KeyScatter>> scatters(pieces);
  RunPieces(thread_count, pieces, [&](std::size_t piece, std::size_t) {
    const std::size_t begin = std::min(piece * each, rows);
    scatters[piece].emplace(reader.form(), index->partition_bits_, each);
    scatters[piece]->Add(columns, begin, std::min(begin + each, rows),
                         index->row_partitions_.data());
  });
  for (const std::optional<KeyScatter>& scatter : scatters) {
    if (const auto bad = scatter->first_bad_key())
      return Annotate(reader.Explain(*bad), Concat("spine row ", *bad, ", join key"));
  }
  const std::size_t partitions = std::size_t{1} << index->partition_bits_;
  index->partitions_.assign(partitions, PartitionIndex(reader.form()));
  RunPieces(thread_count, partitions, [&](std::size_t p, std::size_t) {
    std::vector<std::span<const KeyedRow>> parts;
    for (const std::optional<KeyScatter>& scatter : scatters) parts.push_back(scatter->rows(p));
    index->partitions_[p].Index(reader, parts);
  });
  return std::shared_ptr<const SpineIndex>(std::move(index));
}

std::size_t SpineIndex::slot_count() const {
  std::size_t count = 0;
  for (const PartitionIndex& partition : partitions_) count += partition.slot_count();
  return count;
}

}  // namespace larder::inline LARDER_ABI
