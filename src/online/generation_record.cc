#include "online/generation_record.h"

#include <map>
#include <optional>
#include <utility>

#include "larder/base/bytes.h"
#include "online/layer_writer.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint32_t kForm = 1;

// A segment without a key.
struct ErasedSegment {
  uint64_t versions = 0;          // how many the key had; 0: the segment stays
  std::optional<SegmentRef> ref;  // none when nothing is left
};

absl::StatusOr<ErasedSegment> EraseFromSegment(WriteTransaction::State& state, const SegmentRef& ref,
                                               uint64_t hash, std::string_view key,
                                               std::map<uint64_t, ErasedSegment>* known) {
  const auto done = known->find(ref.id);
  if (done != known->end()) return done->second;
  char id[8];
  StoreBigEndian(ref.id, id);
  MDB_val at = ToVal({id, sizeof(id)});
  MDB_val value{};
  if (const int code = mdb_get(state.txn, state.impl().segments, &at, &value); code != 0)
    return LmdbError(code, "reading a segment");
  LARDER_ASSIGN_OR_RETURN(const SegmentView segment,
                          SegmentView::Open(FromVal(value), nullptr, true));
  ErasedSegment result;
  for (const char* row = segment.Find(hash, key).row; row != nullptr; row = segment.Older(row)) {
    LARDER_RETURN_IF_ERROR(segment.CheckRow(row, hash));
    ++result.versions;
  }
  if (result.versions == 0) {
    result.ref = ref;
    (*known)[ref.id] = result;
    return result;
  }
  RowArena arena;
  LARDER_ASSIGN_OR_RETURN(std::vector<SegmentEntry> entries,
                          MergeSegments({&segment, 1}, {}, state.impl().format.hash_seed, &arena));
  std::erase_if(entries,
                [&](const SegmentEntry& entry) { return entry.hash == hash && entry.key == key; });
  if (!entries.empty()) {
    const SegmentHeader& header = segment.header();
    SegmentPlace place;
    place.view_id = header.view_id;
    place.shape = segment.shape();
    place.depth = header.depth;
    place.prefix = header.prefix;
    place.commit_seq = header.commit_seq;
    const std::string bytes = BuildSegment(place, entries);
    SegmentRef fresh;
    fresh.id = ++state.head.segment_last;
    fresh.size = static_cast<uint32_t>(LoadAs<SegmentHeader>(bytes.data()).size);
    fresh.key_count = static_cast<uint32_t>(entries.size());
    LARDER_RETURN_IF_ERROR(state.PutSegment(fresh.id, bytes));
    result.ref = fresh;
  }
  (*known)[ref.id] = result;
  return result;
}

}  // namespace

std::string GenerationRecord::Serialize() const {
  ByteWriter out;
  out.Put(kForm);
  out.Put(static_cast<uint32_t>(info.state));
  out.Put(info.number);
  out.Put(info.base);
  out.Put(info.row_count);
  out.Put(info.published_commit);
  out.Put(info.published_at.us);
  out.Put(floors.as_of.us);
  out.Put(floors.known_at.us);
  out.PutRaw(directory.Serialize());
  return std::move(out).Take();
}

absl::StatusOr<GenerationRecord> GenerationRecord::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  GenerationRecord record;
  const auto form = in.Get<uint32_t>();
  const auto state = in.Get<uint32_t>();
  record.info.number = in.Get<uint64_t>();
  record.info.base = in.Get<uint64_t>();
  record.info.row_count = in.Get<uint64_t>();
  record.info.published_commit = in.Get<uint64_t>();
  record.info.published_at.us = in.Get<int64_t>();
  record.floors.as_of.us = in.Get<int64_t>();
  record.floors.known_at.us = in.Get<int64_t>();
  if (!in.ok() || form != kForm || state < 1 || state > 4) {
    return WithKind(DataLossError("the record of a generation is damaged"), ErrorKind::kCorrupt);
  }
  record.info.state = static_cast<GenerationState>(state);
  LARDER_ASSIGN_OR_RETURN(record.directory, ViewDirectory::Parse(in.GetRaw(in.remaining())));
  return record;
}

std::string GenerationKey(uint32_t view_id, uint64_t number) {
  std::string key(16, '\0');
  StoreBigEndian(uint64_t{view_id} << 32, key.data());
  StoreBigEndian(number, key.data() + 8);
  return key;
}

absl::StatusOr<std::vector<NumberedGeneration>> ReadGenerations(const WriteTransaction& transaction,
                                                                std::optional<uint32_t> view_id) {
  std::vector<NumberedGeneration> generations;
  absl::Status status;
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    const auto of = static_cast<uint32_t>(LoadBigEndian(key.data()) >> 32);
    if (view_id && of != *view_id) return false;
    absl::StatusOr<GenerationRecord> record = GenerationRecord::Parse(bytes);
    if (!record.ok()) {
      status = record.status();
      return false;
    }
    generations.push_back({of, *std::move(record)});
    return true;
  };
  LARDER_RETURN_IF_ERROR(transaction.ListRecords(
      kGenerationTable, visit, view_id ? GenerationKey(*view_id, 0) : std::string()));
  if (!status.ok()) return status;
  return generations;
}

absl::Status PutGeneration(WriteTransaction::State& state, uint32_t view_id,
                           const GenerationRecord& record) {
  return state.PutRecord(kGenerationTable, GenerationKey(view_id, record.info.number),
                         record.Serialize());
}

void CollectSegments(const ViewDirectory& directory, std::set<uint64_t>* segments) {
  for (const Partition& partition : directory.partitions()) {
    for (const SegmentRef& ref : partition.segments) segments->insert(ref.id);
  }
}

absl::Status DeleteGeneration(WriteTransaction::State& state, uint32_t view_id,
                              const GenerationRecord& record, const std::set<uint64_t>& kept) {
  std::set<uint64_t> own;
  CollectSegments(record.directory, &own);
  for (const uint64_t id : own) {
    if (kept.count(id) > 0) continue;
    char key[8];
    StoreBigEndian(id, key);
    LARDER_RETURN_IF_ERROR(state.Delete(state.impl().segments, {key, sizeof(key)}).status());
  }
  return state
      .Delete(state.impl().records,
              RecordKey(kGenerationTable, GenerationKey(view_id, record.info.number)).full())
      .status();
}

absl::StatusOr<uint64_t> EraseFromGenerations(WriteTransaction& transaction, uint32_t view_id,
                                              uint64_t hash, std::string_view key) {
  WriteTransaction::State& state = transaction.state();
  LARDER_ASSIGN_OR_RETURN(std::vector<NumberedGeneration> generations,
                          ReadGenerations(transaction, view_id));
  // Generations share segments: each is rewritten once.
  std::map<uint64_t, ErasedSegment> rewritten;
  uint64_t erased = 0;
  for (NumberedGeneration& generation : generations) {
    GenerationRecord& record = generation.record;
    Partition& partition = record.directory.partition(record.directory.PartitionOf(hash));
    bool changed = false;
    uint64_t versions = 0;
    std::vector<SegmentRef> refs;
    for (const SegmentRef& ref : partition.segments) {
      LARDER_ASSIGN_OR_RETURN(const ErasedSegment after,
                              EraseFromSegment(state, ref, hash, key, &rewritten));
      versions += after.versions;
      changed = changed || after.versions > 0;
      if (after.ref) refs.push_back(*after.ref);
    }
    if (!changed) continue;
    partition.segments = std::move(refs);
    record.directory.row_count -= versions;
    record.info.row_count -= versions;
    record.directory.changed_at = transaction.commit_seq();  // a builder sees that it was touched
    LARDER_RETURN_IF_ERROR(PutGeneration(state, view_id, record));
    if (record.info.state != GenerationState::kLive) continue;
    erased = versions;
    LARDER_RETURN_IF_ERROR(state.PutRecord(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded),
                                           record.directory.Serialize()));
  }
  for (const auto& [id, erased_segment] : rewritten) {
    if (erased_segment.versions == 0) continue;
    char old[8];
    StoreBigEndian(id, old);
    LARDER_RETURN_IF_ERROR(state.Delete(state.impl().segments, {old, sizeof(old)}).status());
  }
  return erased;
}

}  // namespace larder::inline LARDER_ABI
