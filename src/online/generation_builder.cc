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
#include "online/load_rows.h"
#include "online/partition_builder.h"
#include "online/partitions_ahead.h"
#include "online/record_key.h"
#include "online/row_encoding.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kPartitionSize = std::size_t{3} << 20;  // aimed at where a layer is cut anew
constexpr std::size_t kCommitSize = std::size_t{8} << 20;     // segments written in one transaction

uint8_t DepthFor(std::size_t size) {
  uint8_t depth = 0;
  while (depth < ViewDirectory::kDepthMax && (size >> depth) > kPartitionSize) ++depth;
  return depth;
}

}  // namespace

struct GenerationBuilder::State {
  std::shared_ptr<Environment> environment;
  GenerationOptions options;
  uint64_t number = 0;
  uint64_t base = 0;
  RowEncoding encoding;
  std::optional<LoadRows> rows;  // of the layout given
  RowsResult result;
  TieOrder tie_order = TieOrder::kCanonicalBytes;
  Timestamp cutoff;
  GenerationRecord record;
  std::vector<BuiltSegment> pending;
  std::size_t pending_size = 0;
  uint64_t base_changed_at = 0;  // of the live directory this builds on; 0: there was none
  bool flushed = false;          // a record of it is stored
  int64_t rows_added = 0;        // versions more than there were

  [[nodiscard]] PartitionTerms Terms() const {
    return {options.view_id, options.layout, {tie_order, encoding.commit_time, cutoff, true}};
  }
  // Rows that meet none that are stored.
  absl::Status BuildAlone(ReadSession& session);
  // Rows that may meet pushed ones and, unless they replace them, those of the live generation.
  absl::Status BuildOnStored(ReadSession& session, bool replace);
  absl::Status Take(std::vector<BuiltSegment> built, ReadSession& session);
  // Writes what is pending; the session is released meanwhile, so that the map may grow and pages be reused.
  absl::Status Flush(ReadSession& session);
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
  state->rows.emplace(options.layout->trailer_offset());
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
  return EncodeLoad(rows, state_->options.thread_count, &state_->encoding, &*state_->rows,
                    &state_->result);
}

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
                          const std::vector<BuiltSegment>& pending, GenerationRecord* record) {
  WriteTransaction::State& writer = transaction.state();
  for (const BuiltSegment& segment : pending) {
    const auto header = LoadAs<SegmentHeader>(segment.bytes.data());
    SegmentRef ref;
    ref.id = ++writer.head.segment_last;
    ref.size = static_cast<uint32_t>(header.size);
    ref.key_count = static_cast<uint32_t>(header.key_count);
    LARDER_RETURN_IF_ERROR(writer.PutSegment(ref.id, segment.bytes));
    record->directory.PartitionFor(segment.prefix, segment.depth).segments.assign(1, ref);
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
  for (const BuiltSegment& segment : state.pending) LARDER_RETURN_IF_ERROR(scan.Add(segment.bytes));
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

absl::StatusOr<RowsResult> GenerationBuilder::Build() {
  State& state = *state_;
  const RowLayout& layout = *state.options.layout;
  ViewDirectory& directory = state.record.directory;
  GenerationInfo& info = state.record.info;
  info.number = state.number;
  info.base = state.base;
  info.state = GenerationState::kBuilding;

  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(state.environment));
  LARDER_ASSIGN_OR_RETURN(const ViewRows* const old,
                          session.RowsOf(state.options.view_id, ShapeOf(layout)));
  state.base_changed_at = old->directory(Layer::kLoaded).changed_at;
  const bool replace = state.options.replace || !old->has_layer(Layer::kLoaded);
  directory = replace ? ViewDirectory::OfDepth(DepthFor(state.rows->size()))
                      : old->directory(Layer::kLoaded);
  directory.number = state.number;
  const bool meets_nothing = replace && !old->has_layer(Layer::kPushed);
  LARDER_RETURN_IF_ERROR(meets_nothing ? state.BuildAlone(session)
                                       : state.BuildOnStored(session, replace));
  directory.row_count += static_cast<uint64_t>(state.rows_added);
  info.row_count = directory.row_count;
  return state.result;
}

absl::Status GenerationBuilder::State::BuildAlone(ReadSession& session) {
  const std::vector<Partition> partitions = record.directory.partitions();
  PartitionsAhead ahead(options.thread_count, Terms(), partitions, &*rows);
  while (true) {
    LARDER_ASSIGN_OR_RETURN(std::optional<std::vector<BuiltSegment>> built, ahead.Take());
    if (!built) break;
    LARDER_RETURN_IF_ERROR(Take(*std::move(built), session));
  }
  result += ahead.result();
  rows_added = ahead.added();
  record.floors = ahead.floors();
  return absl::OkStatus();
}

absl::Status GenerationBuilder::State::BuildOnStored(ReadSession& session, bool replace) {
  const SegmentShape shape = ShapeOf(*options.layout);
  PartitionBuilder builder(Terms(), &*rows);
  // A copy: those of the directory are cut where they become too large.
  const std::vector<Partition> partitions = record.directory.partitions();
  for (const Partition& partition : partitions) {
    const std::span<const NewRow> added = builder.RowsOf(partition);
    if (added.empty()) continue;  // shared with the live generation, or empty
    LARDER_ASSIGN_OR_RETURN(ViewRows* const old, session.RowsOf(options.view_id, shape));
    const SegmentSource source = session.Source();
    std::vector<SegmentEntry> entries;
    RowArena stored;
    if (!replace) {
      const ViewDirectory& live = old->directory(Layer::kLoaded);
      if (live.number != base) {
        return WithKind(AbortedError("another generation of view ", options.view_id, " became live"),
                        ErrorKind::kConflict);
      }
      LARDER_ASSIGN_OR_RETURN(
          const std::span<const SegmentView> segments,
          old->SegmentsOf(source, Layer::kLoaded, live.PartitionOf(added.front().hash)));
      LARDER_ASSIGN_OR_RETURN(entries, MergeSegments(segments, {}, encoding.hash_seed, &stored));
    }
    const PushedRows pushed{old->has_layer(Layer::kPushed) ? old : nullptr, &source};
    std::vector<BuiltSegment> built;
    LARDER_ASSIGN_OR_RETURN(const bool has_rows,
                            builder.Build(partition, added, std::move(entries), pushed, &built));
    if (has_rows) record.directory.PartitionFor(partition.prefix, partition.depth).segments.clear();
    LARDER_RETURN_IF_ERROR(Take(std::move(built), session));
  }
  result += builder.merge().result();
  rows_added = builder.merge().added();
  record.floors = builder.merge().floors();
  return absl::OkStatus();
}

absl::Status GenerationBuilder::State::Take(std::vector<BuiltSegment> built, ReadSession& session) {
  for (BuiltSegment& segment : built) {
    pending_size += segment.bytes.size();
    pending.push_back(std::move(segment));
    if (pending_size >= kCommitSize) LARDER_RETURN_IF_ERROR(Flush(session));
  }
  return absl::OkStatus();
}

absl::Status GenerationBuilder::State::Flush(ReadSession& session) {
  session.Release();
  const GenerationRecord before = record;  // the transaction may be run again
  const auto write = [&](WriteTransaction& transaction) -> absl::Status {
    LARDER_RETURN_IF_ERROR(
        CheckUntouched(transaction, options.view_id, base_changed_at, flushed, before));
    record = before;
    return WritePending(transaction, options.view_id, pending, &record);
  };
  LARDER_RETURN_IF_ERROR(RunWriteTransaction(environment, write).status());
  flushed = true;
  pending.clear();
  pending_size = 0;
  return session.Renew();
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
