#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "larder/online/generation.h"
#include "larder/online/read_session.h"
#include "online/environment_impl.h"
#include "online/generation_record.h"
#include "online/generation_summary.h"
#include "online/layer_writer.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/row_encoding.h"
#include "online/version_chain.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kPartitionSize = std::size_t{3} << 20;  // aimed at where a layer is cut anew
constexpr std::size_t kCommitSize = std::size_t{8} << 20;     // segments written in one transaction

uint8_t DepthFor(std::size_t size) {
  uint8_t depth = 0;
  while (depth < ViewDirectory::kDepthMax && (size >> depth) > kPartitionSize) ++depth;
  return depth;
}

// A segment built and not yet written.
struct PendingSegment {
  std::size_t partition = 0;  // of the new directory
  std::string bytes;
};

}  // namespace

struct GenerationBuilder::State {
  std::shared_ptr<Environment> environment;
  GenerationOptions options;
  uint64_t number = 0;
  uint64_t base = 0;
  RowEncoding encoding;
  NewRows rows;
  RowsResult result;
  TieOrder tie_order = TieOrder::kCanonicalBytes;
  Timestamp cutoff;
  GenerationRecord record;
  std::vector<PendingSegment> pending;
  std::size_t pending_size = 0;
  uint64_t base_changed_at = 0;  // of the live directory this builds on; 0: there was none
  bool flushed = false;          // a record of it is stored
};

GenerationBuilder::GenerationBuilder(std::unique_ptr<State> state) : state_(std::move(state)) {}
GenerationBuilder::GenerationBuilder(GenerationBuilder&&) noexcept = default;
GenerationBuilder::~GenerationBuilder() = default;
const RowsResult& GenerationBuilder::rejected() const { return state_->result; }
uint64_t GenerationBuilder::number() const { return state_->number; }
uint64_t GenerationBuilder::base() const { return state_->base; }

namespace {

absl::StatusOr<std::string_view> StoredSegment(const SegmentSource& source, uint64_t id) {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> bytes, ReadSegment(source, id));
  if (!bytes) return LmdbError(MDB_NOTFOUND, "reading a segment");
  return *bytes;
}

}  // namespace

absl::StatusOr<GenerationBuilder> GenerationBuilder::Begin(const LoadLease& lease,
                                                           const GenerationOptions& options) {
  auto state = std::make_unique<State>();
  state->environment = lease.environment();
  state->options = options;
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(state->environment));
  LARDER_ASSIGN_OR_RETURN(const std::vector<GenerationInfo> generations,
                          ListGenerations(session, options.view_id));
  for (const GenerationInfo& generation : generations) {
    state->number = std::max(state->number, generation.number);
    if (generation.state == GenerationState::kLive) state->base = generation.number;
  }
  ++state->number;
  state->encoding.commit_seq = session.commit_seq() + 1;
  state->encoding.commit_time = std::max(state->environment->Now(), session.commit_time().Plus({1}));
  state->encoding.hash_seed = state->environment->hash_seed();
  return GenerationBuilder(std::move(state));
}

absl::Status GenerationBuilder::Add(const RowsToWrite& rows) {
  const Timestamp reference = rows.reference_time.value_or(state_->encoding.commit_time);
  state_->cutoff = reference.Minus(rows.version_horizon);
  state_->tie_order = rows.tie_order;
  return EncodeRows(rows, &state_->encoding, &state_->rows, &state_->result);
}

namespace {

// Entries of one partition into segments, cut in two as long as they are too large.
void BuildPartition(ViewDirectory* directory, std::size_t partition, SegmentPlace place,
                    std::span<const SegmentEntry> entries, std::vector<PendingSegment>* out) {
  std::size_t size = 0;
  for (const SegmentEntry& entry : entries) {
    for (const std::string_view row : entry.rows) size += row.size();
  }
  const uint8_t depth = directory->partitions()[partition].depth;
  if (size > kPartitionSizeMax && depth < ViewDirectory::kDepthMax &&
      entries.front().hash != entries.back().hash) {
    directory->Split(partition);
    for (PendingSegment& pending : *out) pending.partition += pending.partition > partition ? 1 : 0;
    const uint64_t middle = uint64_t{directory->partitions()[partition + 1].prefix} << (63 - depth);
    const auto cut = static_cast<std::size_t>(
        std::partition_point(entries.begin(), entries.end(),
                             [middle](const SegmentEntry& entry) { return entry.hash < middle; }) -
        entries.begin());
    BuildPartition(directory, partition + 1, place, entries.subspan(cut), out);
    BuildPartition(directory, partition, place, entries.first(cut), out);
    return;
  }
  directory->partition(partition).segments.clear();
  if (entries.empty()) return;
  place.depth = depth;
  place.prefix = directory->partitions()[partition].prefix;
  out->push_back({partition, BuildSegment(place, {entries.begin(), entries.end()})});
}

}  // namespace

namespace {

// Whether what the generation shares and has written so far is still there: an erased key or a dropped view rewrites
// both. `base_changed_at`: of the live directory when it was copied; 0: there was none.
absl::Status CheckUntouched(const WriteTransaction& transaction, uint32_t view_id,
                            uint64_t base_changed_at, bool flushed, const GenerationRecord& record) {
  const auto conflict = [&] {
    return WithKind(AbortedError("view ", view_id, " changed while generation ", record.info.number,
                                 " of it was built"),
                    ErrorKind::kConflict);
  };
  LARDER_ASSIGN_OR_RETURN(
      const std::optional<std::string_view> live,
      transaction.GetRecord(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded)));
  uint64_t changed_at = 0;
  if (live) {
    LARDER_ASSIGN_OR_RETURN(const ViewDirectory directory, ViewDirectory::Parse(*live));
    changed_at = directory.changed_at;
  }
  if (changed_at != base_changed_at) return conflict();
  if (!flushed) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(
      const std::optional<std::string_view> own,
      transaction.GetRecord(kGenerationTable, GenerationKey(view_id, record.info.number)));
  if (!own) return conflict();
  LARDER_ASSIGN_OR_RETURN(const GenerationRecord stored, GenerationRecord::Parse(*own));
  if (stored.directory.changed_at != record.directory.changed_at) return conflict();
  return absl::OkStatus();
}

absl::Status WritePending(WriteTransaction& transaction, uint32_t view_id,
                          const std::vector<PendingSegment>& pending, GenerationRecord* record) {
  WriteTransaction::State& writer = transaction.state();
  for (const PendingSegment& segment : pending) {
    const auto header = LoadAs<SegmentHeader>(segment.bytes.data());
    SegmentRef ref;
    ref.id = ++writer.head.segment_last;
    ref.size = static_cast<uint32_t>(header.size);
    ref.key_count = static_cast<uint32_t>(header.key_count);
    LARDER_RETURN_IF_ERROR(writer.PutSegment(ref.id, segment.bytes));
    record->directory.partition(segment.partition).segments.assign(1, ref);
  }
  record->directory.changed_at = transaction.commit_seq();
  return PutGeneration(writer, view_id, *record);
}

}  // namespace

absl::StatusOr<GenerationSummary> GenerationBuilder::Summarize() const {
  const State& state = *state_;
  const RowLayout& layout = *state.options.layout;
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(state.environment));
  LARDER_ASSIGN_OR_RETURN(const ViewRows* live,
                          session.RowsOf(state.options.view_id, ShapeOf(layout)));
  const SegmentSource source = session.Source();
  SummaryScan scan(layout);
  // What is pending is in no list yet.
  for (const PendingSegment& segment : state.pending)
    LARDER_RETURN_IF_ERROR(scan.Add(segment.bytes));
  const auto visit = [&](const ViewDirectory& directory, const auto& add) -> absl::Status {
    for (const Partition& partition : directory.partitions()) {
      for (const SegmentRef& ref : partition.segments) {
        LARDER_ASSIGN_OR_RETURN(const std::string_view bytes, StoredSegment(source, ref.id));
        const absl::Status added = add(bytes);
        if (!added.ok()) return added;
      }
    }
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(
      visit(state.record.directory, [&](std::string_view bytes) { return scan.Add(bytes); }));
  LARDER_RETURN_IF_ERROR(visit(live->directory(Layer::kLoaded),
                               [&](std::string_view bytes) { return scan.AddBefore(bytes); }));
  return scan.Take();
}

absl::StatusOr<RowsResult> GenerationBuilder::Build(
    const std::function<void(const GenerationProgress&)>& progress) {
  State& state = *state_;
  const RowLayout& layout = *state.options.layout;
  const uint32_t view_id = state.options.view_id;
  std::vector<NewRow>& rows = state.rows.rows;
  SortByKey(&rows);
  ViewDirectory& directory = state.record.directory;
  GenerationInfo& info = state.record.info;
  info.number = state.number;
  info.base = state.base;
  info.state = GenerationState::kBuilding;

  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(state.environment));
  LARDER_ASSIGN_OR_RETURN(ViewRows * old, session.RowsOf(view_id, ShapeOf(layout)));
  state.base_changed_at = old->directory(Layer::kLoaded).changed_at;
  const bool replace = state.options.replace || !old->has_layer(Layer::kLoaded);
  if (replace) {
    std::size_t size = 0;
    for (const NewRow& row : rows) size += row.size;
    directory = ViewDirectory::OfDepth(DepthFor(size));
  } else {
    directory = old->directory(Layer::kLoaded);
  }
  directory.number = state.number;

  RowArena arena;
  std::vector<RowView> versions;
  std::vector<RowView> pushed;
  VersionChain chain(layout, {state.tie_order, state.encoding.commit_time, state.cutoff, true},
                     &arena);
  int64_t added = 0;

  // Writes what is pending; the session is released meanwhile, so that the map may grow and pages be reused.
  const auto flush = [&]() -> absl::Status {
    session.Release();
    const GenerationRecord before = state.record;  // the transaction may be run again
    const auto write = [&](WriteTransaction& transaction) -> absl::Status {
      LARDER_RETURN_IF_ERROR(CheckUntouched(transaction, state.options.view_id,
                                            state.base_changed_at, state.flushed, before));
      state.record = before;
      return WritePending(transaction, state.options.view_id, state.pending, &state.record);
    };
    LARDER_RETURN_IF_ERROR(RunWriteTransaction(state.environment, write).status());
    state.flushed = true;
    state.pending.clear();
    state.pending_size = 0;
    return session.Renew();
  };

  // Partitions from the last to the first: cutting one moves those behind it, which are done.
  std::size_t end = rows.size();
  for (std::size_t partition = directory.partitions().size(); partition-- > 0;) {
    std::size_t begin = end;
    while (begin > 0 && directory.PartitionOf(rows[begin - 1].hash) == partition) --begin;
    if (begin == end) continue;  // shared with the live generation, or empty
    LARDER_ASSIGN_OR_RETURN(old, session.RowsOf(view_id, ShapeOf(layout)));
    std::vector<SegmentEntry> entries;
    RowArena stored;
    if (!replace) {
      if (old->directory(Layer::kLoaded).number != state.base) {
        return WithKind(AbortedError("another generation of view ", view_id, " became live"),
                        ErrorKind::kConflict);
      }
      const uint64_t hash = rows[begin].hash;
      LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                              old->SegmentsOf(session.Source(), Layer::kLoaded,
                                              old->directory(Layer::kLoaded).PartitionOf(hash)));
      LARDER_ASSIGN_OR_RETURN(entries,
                              MergeSegments(segments, {}, state.encoding.hash_seed, &stored));
    }
    std::vector<SegmentEntry> merged;
    merged.reserve(entries.size() + (end - begin));
    auto kept = entries.begin();
    for (std::size_t i = begin, fetched = begin; i < end;) {
      // Only what several rows say of a key is looked at; they lie anywhere in memory.
      constexpr std::size_t kAhead = 16;
      for (; fetched + 1 < end && fetched < i + kAhead; ++fetched) {
        if (rows[fetched].hash != rows[fetched + 1].hash) continue;
        __builtin_prefetch(rows[fetched].data);
        __builtin_prefetch(rows[fetched].data + 64);
        __builtin_prefetch(rows[fetched + 1].data);
        __builtin_prefetch(rows[fetched + 1].data + 64);
      }
      const uint64_t hash = rows[i].hash;
      const std::string_view key = rows[i].key();
      while (kept != entries.end() && std::tie(kept->hash, kept->key) < std::tie(hash, key))
        merged.push_back(std::move(*kept++));
      versions.clear();
      if (kept != entries.end() && kept->hash == hash && kept->key == key) {
        for (const std::string_view row : kept->rows) {
          LARDER_ASSIGN_OR_RETURN(const RowView view, RowView::Parse(row, layout));
          versions.push_back(view);
        }
        ++kept;
      }
      pushed.clear();
      if (old->has_layer(Layer::kPushed)) {
        ViewRows::Chain found;
        LARDER_RETURN_IF_ERROR(old->Find(session.Source(), Layer::kPushed, hash, key, &found));
        for (const char* row = found.row; row != nullptr; row = found.segment->Older(row)) {
          LARDER_ASSIGN_OR_RETURN(const RowView view, found.segment->Parse(row, layout));
          pushed.push_back(view);
        }
      }
      const bool is_only = i + 1 == end || rows[i + 1].hash != hash || rows[i + 1].key() != key;
      if (is_only && versions.empty() && pushed.empty()) {
        // Nothing to compare it with, as for most keys of a first load.
        SegmentEntry& entry = merged.emplace_back();
        entry.hash = hash;
        entry.key = key;
        entry.rows.push_back(rows[i++].bytes());
        ++state.result.written;
        ++added;
        continue;
      }
      const auto before = static_cast<int64_t>(versions.size());
      chain.Reset(&versions, pushed);
      for (; i < end && rows[i].hash == hash && rows[i].key() == key; ++i) {
        LARDER_ASSIGN_OR_RETURN(const VersionChain::Outcome outcome, chain.Insert(rows[i].bytes()));
        outcome.CountIn(&state.result);
      }
      if (versions.empty()) continue;  // pushed rows hold all of it
      SegmentEntry& entry = merged.emplace_back();
      entry.hash = hash;
      entry.key = key;
      for (const RowView& version : versions) entry.rows.push_back(version.bytes());
      added += static_cast<int64_t>(versions.size()) - before;
    }
    merged.insert(merged.end(), std::make_move_iterator(kept),
                  std::make_move_iterator(entries.end()));
    end = begin;
    if (merged.empty()) continue;
    SegmentPlace place;
    place.view_id = view_id;
    place.shape = ShapeOf(layout);
    const std::size_t first_new = state.pending.size();
    BuildPartition(&directory, partition, place, merged, &state.pending);
    for (std::size_t i = first_new; i < state.pending.size(); ++i)
      state.pending_size += state.pending[i].bytes.size();
    if (state.pending_size >= kCommitSize) LARDER_RETURN_IF_ERROR(flush());
    if (progress) progress({rows.size() - begin, rows.size()});
  }
  directory.row_count =
      static_cast<uint64_t>((replace ? 0 : static_cast<int64_t>(directory.row_count)) + added);
  info.row_count = directory.row_count;
  state.record.floors = chain.floors();
  return state.result;
}

absl::Status GenerationBuilder::Publish(WriteTransaction& transaction) const {
  const uint32_t view_id = state_->options.view_id;
  GenerationRecord record = state_->record;
  record.info.state = GenerationState::kReady;
  LARDER_RETURN_IF_ERROR(CheckUntouched(transaction, view_id, state_->base_changed_at,
                                        state_->flushed, state_->record));
  LARDER_RETURN_IF_ERROR(WritePending(transaction, view_id, state_->pending, &record));
  LARDER_ASSIGN_OR_RETURN(std::vector<NumberedGeneration> generations,
                          ReadGenerations(transaction, view_id));
  uint64_t live = 0;
  for (const NumberedGeneration& generation : generations) {
    if (generation.record.info.state == GenerationState::kLive)
      live = generation.record.info.number;
  }
  if (state_->base != live) {
    return WithKind(AbortedError("generation ", state_->number, " of view ", view_id,
                                 " was built on ", state_->base, ", and ", live, " is live now"),
                    ErrorKind::kConflict);
  }
  return MakeLive(transaction, view_id, std::move(generations), state_->number);
}

}  // namespace larder::inline LARDER_ABI
