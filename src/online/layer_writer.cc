#include "online/layer_writer.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "online/lmdb_status.h"
#include "online/record_key.h"

namespace larder::inline LARDER_ABI {
namespace {

std::size_t RowBytes(std::span<const SegmentEntry> entries) {
  std::size_t size = 0;
  for (const SegmentEntry& entry : entries) {
    for (const std::string_view row : entry.rows) size += row.size();
  }
  return size;
}

bool Before(const SegmentEntry& a, const SegmentEntry& b) {
  return a.hash != b.hash ? a.hash < b.hash : a.key < b.key;
}

// Rows of a perfect hash stand in no order. Hashes spread evenly: each entry's place is nearly known.
void SortByHash(uint32_t depth, std::vector<SegmentEntry>* entries) {
  const auto count = static_cast<uint32_t>(entries->size());
  std::vector<uint32_t> begins(std::size_t{count} + 1, 0);
  const auto bucket = [&](const SegmentEntry& entry) { return BucketOf(entry.hash, depth, count); };
  for (const SegmentEntry& entry : *entries) ++begins[bucket(entry) + 1];
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<SegmentEntry> sorted(count);
  for (SegmentEntry& entry : *entries) sorted[begins[bucket(entry)]++] = std::move(entry);
  // Each is at most a few places away from where it belongs.
  for (std::size_t i = 1; i < count; ++i) {
    for (std::size_t at = i; at > 0 && Before(sorted[at], sorted[at - 1]); --at)
      std::swap(sorted[at], sorted[at - 1]);
  }
  *entries = std::move(sorted);
}

}  // namespace

std::optional<std::size_t> CutOf(uint32_t prefix, uint8_t depth,
                                 std::span<const SegmentEntry> entries) {
  if (depth >= ViewDirectory::kDepthMax || RowBytes(entries) <= kPartitionSizeMax ||
      entries.front().hash == entries.back().hash) {
    return std::nullopt;
  }
  const uint64_t middle = (2 * uint64_t{prefix} + 1) << (63 - depth);
  const auto cut =
      std::partition_point(entries.begin(), entries.end(),
                           [middle](const SegmentEntry& entry) { return entry.hash < middle; });
  return static_cast<std::size_t>(cut - entries.begin());
}

absl::StatusOr<std::vector<SegmentEntry>> MergeSegments(std::span<const SegmentView> segments,
                                                        std::vector<SegmentEntry> newer,
                                                        uint64_t hash_seed, RowArena* arena) {
  std::vector<SegmentEntry> merged = std::move(newer);
  for (std::size_t i = segments.size(); i-- > 0;) {
    const SegmentView& segment = segments[i];
    std::vector<SegmentEntry> older;
    older.reserve(segment.header().key_count);
    const auto take = [&](const char* row) -> absl::Status {
      SegmentEntry& entry = older.emplace_back();
      // The check is seeded by the key's hash, so a damaged key is found with the rest.
      for (; row != nullptr; row = segment.Older(row)) {
        const std::string_view loose = segment.LooseRow(row, arena);
        if (entry.rows.empty()) {
          entry.key = KeyOfLooseRow(loose, segment.header().trailer_offset);
          entry.hash = Hash64(entry.key, hash_seed);
        }
        LARDER_RETURN_IF_ERROR(segment.CheckRow(row, entry.hash));
        entry.rows.push_back(loose);
      }
      return absl::OkStatus();
    };
    LARDER_RETURN_IF_ERROR(segment.ForEachKey(take));
    if (segment.is_perfect()) SortByHash(segment.header().depth, &older);
    if (merged.empty()) {
      merged = std::move(older);
      continue;
    }
    std::vector<SegmentEntry> both;
    both.reserve(merged.size() + older.size());
    auto a = merged.begin();
    auto b = older.begin();
    while (a != merged.end() || b != older.end()) {
      if (b == older.end() || (a != merged.end() && Before(*a, *b))) {
        both.push_back(std::move(*a++));
      } else if (a == merged.end() || Before(*b, *a)) {
        both.push_back(std::move(*b++));
      } else {
        both.push_back(std::move(*a++));
        ++b;
      }
    }
    merged = std::move(both);
  }
  return merged;
}

LayerWriter::LayerWriter(WriteTransaction::State* state, uint32_t view_id,
                         std::optional<SegmentShape> shape, Layer layer)
    : state_(state), layer_(layer), rows_(view_id, shape) {}

SegmentSource LayerWriter::source() const { return state_->source(); }

absl::Status LayerWriter::Open() {
  LARDER_RETURN_IF_ERROR(rows_.Refresh(source(), true));
  directory_ = rows_.directory(layer_);
  return absl::OkStatus();
}

absl::StatusOr<SegmentRef> LayerWriter::PutSegment(const SegmentPlace& place,
                                                   std::span<const SegmentEntry> entries) {
  const std::string bytes = BuildSegment(place, entries);
  if (bytes.size() > UINT32_MAX - 4096) {
    return WithKind(InvalidArgumentError("a segment of ", bytes.size(), " bytes"),
                    ErrorKind::kTooLarge);
  }
  SegmentRef ref;
  ref.id = ++state_->head.segment_last;
  ref.size = static_cast<uint32_t>(LoadAs<SegmentHeader>(bytes.data()).size);
  ref.key_count = static_cast<uint32_t>(entries.size());
  LARDER_RETURN_IF_ERROR(state_->PutSegment(ref.id, bytes));
  return ref;
}

absl::Status LayerWriter::DeleteSegment(uint64_t id) {
  char key[8];
  StoreBigEndian(id, key);
  LARDER_ASSIGN_OR_RETURN(const bool found,
                          state_->Delete(state_->impl().segments, {key, sizeof(key)}));
  if (found) return absl::OkStatus();
  return WithKind(DataLossError("segment ", id, " of view ", rows_.view_id(), " is missing"),
                  ErrorKind::kCorrupt);
}

absl::Status LayerWriter::PutDirectory() {
  directory_.changed_at = state_->head.commit_seq;
  return state_->PutRecord(kDirectoryTable, DirectoryKey(rows_.view_id(), layer_),
                           directory_.Serialize());
}

absl::Status LayerWriter::Rewrite(std::size_t partition, std::size_t kept,
                                  const SegmentShape& shape, std::span<const SegmentEntry> entries) {
  const Partition place = directory_.partitions()[partition];
  const auto cut = kept == 0 ? CutOf(place.prefix, place.depth, entries) : std::nullopt;
  if (cut) {
    directory_.Split(partition);
    // The upper half first: the lower one's place stays what it is.
    LARDER_RETURN_IF_ERROR(Rewrite(partition + 1, 0, shape, entries.subspan(*cut)));
    return Rewrite(partition, 0, shape, entries.first(*cut));
  }
  std::vector<SegmentRef>& refs = directory_.partition(partition).segments;
  refs.resize(kept);
  if (entries.empty()) return absl::OkStatus();
  SegmentPlace own;
  own.view_id = rows_.view_id();
  own.shape = shape;
  own.depth = place.depth;
  own.prefix = place.prefix;
  LARDER_ASSIGN_OR_RETURN(const SegmentRef ref, PutSegment(own, entries));
  directory_.partition(partition).segments.push_back(ref);
  return absl::OkStatus();
}

absl::Status LayerWriter::PutPartition(std::size_t partition, std::vector<SegmentEntry> entries) {
  LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                          rows_.SegmentsOf(source(), layer_, partition));
  const std::vector<SegmentRef> refs = directory_.partitions()[partition].segments;
  std::size_t size = RowBytes(entries);
  std::size_t kept = refs.size();
  while (kept > 0 && refs[kept - 1].size < kMergeRatio * size) size += refs[--kept].size;
  // What is to be cut has to be cut whole.
  if (size > kPartitionSizeMax) kept = 0;
  RowArena arena;
  LARDER_ASSIGN_OR_RETURN(entries, MergeSegments(segments.subspan(kept), std::move(entries),
                                                 state_->impl().format.hash_seed, &arena));
  // Built before anything is deleted: rows still stand in the old segments.
  LARDER_RETURN_IF_ERROR(Rewrite(partition, kept, *rows_.shape(), entries));
  for (std::size_t i = kept; i < refs.size(); ++i) {
    LARDER_RETURN_IF_ERROR(DeleteSegment(refs[i].id));
  }
  return absl::OkStatus();
}

absl::Status LayerWriter::ReplacePartition(std::size_t partition,
                                           const std::vector<SegmentEntry>& merged) {
  const std::vector<SegmentRef> refs = directory_.partitions()[partition].segments;
  LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                          rows_.SegmentsOf(source(), layer_, partition));
  // Built before anything is deleted: rows still stand in the old segments.
  LARDER_RETURN_IF_ERROR(Rewrite(partition, 0, segments.front().shape(), merged));
  for (const SegmentRef& ref : refs) LARDER_RETURN_IF_ERROR(DeleteSegment(ref.id));
  return absl::OkStatus();
}

absl::Status LayerWriter::MergePartition(std::size_t partition, MergeCount* count) {
  const std::size_t segments_before = directory_.partitions()[partition].segments.size();
  LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                          rows_.SegmentsOf(source(), layer_, partition));
  RowArena arena;
  LARDER_ASSIGN_OR_RETURN(const std::vector<SegmentEntry> entries,
                          MergeSegments(segments, {}, state_->impl().format.hash_seed, &arena));
  const std::size_t partitions = directory_.partitions().size();
  LARDER_RETURN_IF_ERROR(ReplacePartition(partition, entries));
  ++count->partitions;
  count->segments_before += segments_before;
  // What is too large was cut into partitions that follow.
  for (std::size_t i = partition; i <= partition + directory_.partitions().size() - partitions;
       ++i) {
    for (const SegmentRef& ref : directory_.partitions()[i].segments) {
      ++count->segments_after;
      count->bytes += ref.size;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<uint64_t>> LayerWriter::MergeFrom(uint64_t from, std::size_t size,
                                                               MergeCount* count) {
  std::optional<uint64_t> next = from;
  while (next && count->bytes < size) {
    const std::size_t partition = directory_.PartitionOf(*next);
    const Partition& place = directory_.partitions()[partition];
    const uint64_t begin = place.depth == 0 ? 0 : uint64_t{place.prefix} << (64 - place.depth);
    if (place.segments.size() > 1) LARDER_RETURN_IF_ERROR(MergePartition(partition, count));
    next = begin == 0 ? std::nullopt : std::optional<uint64_t>(begin - 1);
  }
  if (count->partitions > 0) {
    LARDER_RETURN_IF_ERROR(PutDirectory());
    LARDER_RETURN_IF_ERROR(Open());
  }
  return next;
}

absl::Status LayerWriter::CheckBudget(std::size_t partition) const {
  const Partition& place = directory_.partitions()[partition];
  const PushBudget& budget = state_->environment->options().push_budget;
  if (layer_ != Layer::kPushed || place.segments.size() < budget.segments_hard)
    return absl::OkStatus();
  return ResourceExhaustedError("view ", rows_.view_id(), ": partition ", place.prefix, " of ",
                                uint64_t{1} << place.depth, " holds ", place.segments.size(),
                                " segments of pushed rows, the most there may be; compact the "
                                "store (larder compact), then push again");
}

absl::Status LayerWriter::KeepBudget() {
  const PushBudget& budget = state_->environment->options().push_budget;
  const std::vector<Partition>& partitions = directory_.partitions();
  const auto fullest = std::max_element(
      partitions.begin(), partitions.end(),
      [](const Partition& a, const Partition& b) { return a.segments.size() < b.segments.size(); });
  if (layer_ != Layer::kPushed || fullest->segments.size() <= budget.segments_soft)
    return absl::OkStatus();
  const auto partition = static_cast<std::size_t>(fullest - partitions.begin());
  // Its segments may have been written by this very transaction: they are looked up anew.
  LARDER_RETURN_IF_ERROR(PutDirectory());
  LARDER_RETURN_IF_ERROR(Open());
  MergeCount count;
  return MergePartition(partition, &count);
}

absl::Status LayerWriter::Put(std::vector<SegmentEntry> entries, int64_t added) {
  // From the last partition to the first: cutting one moves those behind it.
  auto end = entries.end();
  while (end != entries.begin()) {
    const std::size_t partition = directory_.PartitionOf(std::prev(end)->hash);
    auto begin = end;
    while (begin != entries.begin() && directory_.PartitionOf(std::prev(begin)->hash) == partition)
      --begin;
    LARDER_RETURN_IF_ERROR(CheckBudget(partition));
    LARDER_RETURN_IF_ERROR(
        PutPartition(partition, {std::make_move_iterator(begin), std::make_move_iterator(end)}));
    end = begin;
  }
  directory_.row_count = static_cast<uint64_t>(static_cast<int64_t>(directory_.row_count) + added);
  LARDER_RETURN_IF_ERROR(KeepBudget());
  LARDER_RETURN_IF_ERROR(PutDirectory());
  return Open();
}

absl::StatusOr<uint64_t> LayerWriter::Erase(uint64_t hash, std::string_view key) {
  if (directory_.empty()) return uint64_t{0};
  const std::size_t partition = directory_.PartitionOf(hash);
  LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                          rows_.SegmentsOf(source(), layer_, partition));
  ViewRows::Chain chain;
  LARDER_RETURN_IF_ERROR(rows_.Find(source(), layer_, hash, key, &chain));
  if (chain.row == nullptr) return uint64_t{0};
  uint64_t erased = 0;
  for (const char* row = chain.row; row != nullptr; row = chain.segment->Older(row)) {
    LARDER_RETURN_IF_ERROR(chain.segment->CheckRow(row, hash));
    ++erased;
  }

  RowArena arena;
  LARDER_ASSIGN_OR_RETURN(std::vector<SegmentEntry> entries,
                          MergeSegments(segments, {}, state_->impl().format.hash_seed, &arena));
  std::erase_if(entries,
                [&](const SegmentEntry& entry) { return entry.hash == hash && entry.key == key; });
  LARDER_RETURN_IF_ERROR(ReplacePartition(partition, entries));
  directory_.row_count -= erased;
  LARDER_RETURN_IF_ERROR(PutDirectory());
  LARDER_RETURN_IF_ERROR(Open());
  return erased;
}

absl::StatusOr<RetractedRows> LayerWriter::Retract(uint64_t first, uint64_t last,
                                                   Timestamp unsure_until) {
  RetractedRows retracted;
  // From the last partition to the first: cutting one moves those behind it.
  for (std::size_t partition = directory_.partitions().size(); partition-- > 0;) {
    if (directory_.partitions()[partition].segments.empty()) continue;
    LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                            rows_.SegmentsOf(source(), layer_, partition));
    const std::size_t trailer_offset = segments.front().header().trailer_offset;
    RowArena arena;
    LARDER_ASSIGN_OR_RETURN(std::vector<SegmentEntry> entries,
                            MergeSegments(segments, {}, state_->impl().format.hash_seed, &arena));
    const uint64_t before = retracted.rows;
    for (SegmentEntry& entry : entries) {
      bool is_unsure = false;
      const auto is_gone = [&](std::string_view row) {
        const uint64_t commit = CommitSeqOfLooseRow(row, trailer_offset);
        if (commit < first || commit > last) return false;
        is_unsure |= EventTimeOfRow(row.data()) <= unsure_until.us;
        return true;
      };
      const auto kept = std::remove_if(entry.rows.begin(), entry.rows.end(), is_gone);
      const auto gone = static_cast<uint64_t>(entry.rows.end() - kept);
      entry.rows.erase(kept, entry.rows.end());
      retracted.rows += gone;
      retracted.keys += gone > 0 ? 1 : 0;
      retracted.keys_unsure += is_unsure ? 1 : 0;
    }
    if (retracted.rows == before) continue;
    std::erase_if(entries, [](const SegmentEntry& entry) { return entry.rows.empty(); });
    LARDER_RETURN_IF_ERROR(ReplacePartition(partition, entries));
  }
  if (retracted.rows == 0) return retracted;
  directory_.row_count -= retracted.rows;
  LARDER_RETURN_IF_ERROR(PutDirectory());
  LARDER_RETURN_IF_ERROR(Open());
  return retracted;
}

absl::StatusOr<uint64_t> LayerWriter::Drop() {
  for (const Partition& partition : directory_.partitions()) {
    for (const SegmentRef& ref : partition.segments) {
      LARDER_RETURN_IF_ERROR(DeleteSegment(ref.id));
    }
  }
  LARDER_RETURN_IF_ERROR(
      state_
          ->Delete(state_->impl().records,
                   RecordKey(kDirectoryTable, DirectoryKey(rows_.view_id(), layer_)).full())
          .status());
  const uint64_t dropped = directory_.row_count;
  LARDER_RETURN_IF_ERROR(Open());
  return dropped;
}

}  // namespace larder::inline LARDER_ABI
