#include "larder/training/point_in_time_join.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/worker_threads.h"
#include "training/event_layout.h"
#include "training/event_scatter.h"
#include "training/join_key.h"
#include "training/join_output.h"
#include "training/key_scatter.h"
#include "training/large_batch.h"
#include "training/spine_index.h"
#include "training/spine_partition.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kParallelRowsMin = 32'768;

// One view's share of a join.
struct ViewJoin {
  JoinView view;
  std::shared_ptr<const SpineIndex> index;
  // Since the first events:
  std::unique_ptr<EventLayout> layout;
  std::vector<SpinePartition> partitions;
  std::vector<Winner> winners;         // of all partitions, so that they can be given back at once
  std::vector<Winner> other_winners;   // under the other KnownAt
  std::vector<EventScatter> scatters;  // one per thread
  LargeBatchSpace space;
  RowCounts counts;  // of large batches
  bool other_known_at = false;
  uint64_t events_seen = 0;
};

absl::Status CheckView(const JoinView& view, const Column& times) {
  if (view.ttl && view.ttl->us < 0) {
    return InvalidArgumentError("the TTL ", FormatDuration(*view.ttl), " is negative");
  }
  for (std::size_t i = 0; i < view.spine_keys.size(); ++i) {
    const Column* key = view.spine_keys[i];
    if (key != nullptr && key->size() != times.size()) {
      return InvalidArgumentError("join key ", i, " has ", key->size(), " rows, the spine ",
                                  times.size());
    }
  }
  const Column* ids = view.exclude_event_id;
  if (ids != nullptr && ids->size() != times.size()) {
    return InvalidArgumentError("the column of event ids has ", ids->size(), " rows, the spine ",
                                times.size());
  }
  return absl::OkStatus();
}

}  // namespace

struct PointInTimeJoin::State {
  const Column* times = nullptr;
  JoinOptions options;
  std::vector<std::unique_ptr<ViewJoin>> views;

  absl::Status Index(ViewJoin* join) const {
    LARDER_RETURN_IF_ERROR(CheckView(join->view, *times));
    for (const std::unique_ptr<ViewJoin>& other : views) {
      if (join->view.spine_keys != other->view.spine_keys ||
          join->view.key_types != other->view.key_types)
        continue;
      join->index = other->index;
      return absl::OkStatus();
    }
    LARDER_ASSIGN_OR_RETURN(join->index,
                            SpineIndex::Make(*times, join->view.spine_keys, join->view.key_types,
                                             options.thread_count));
    return absl::OkStatus();
  }

  absl::Status Start(ViewJoin& join, const EventBatch& events) {
    LARDER_ASSIGN_OR_RETURN(EventLayout layout, EventLayout::Make(join.view, events, options.audit));
    join.layout = std::make_unique<EventLayout>(std::move(layout));
    join.other_known_at =
        join.view.count_other_known_at && join.layout->known_source != KnownSource::kNone;
    for (int i = 0; i < options.thread_count; ++i)
      join.scatters.emplace_back(join.layout.get(), join.index->partition_bits());
    const std::vector<PartitionIndex>& partitions = join.index->partitions();
    std::size_t count = 0;
    for (const PartitionIndex& partition : partitions)
      count += SpinePartition::CountWinners(join.view, partition, *join.layout);
    join.winners.resize(count);
    if (join.other_known_at) join.other_winners.resize(count);
    join.partitions.reserve(partitions.size());
    count = 0;
    for (const PartitionIndex& partition : partitions) {
      const std::size_t own = SpinePartition::CountWinners(join.view, partition, *join.layout);
      const auto others = join.other_known_at ? std::span(join.other_winners).subspan(count, own)
                                              : std::span<Winner>();
      join.partitions.emplace_back(&join.view, &partition, join.layout.get(),
                                   std::span(join.winners).subspan(count, own), others);
      count += own;
    }
    return absl::OkStatus();
  }

  void Scatter(ViewJoin& join, const EventBatch& events, const KeyReader& keys, std::size_t begin,
               std::size_t end) {
    const std::size_t pieces = end - begin < kParallelRowsMin ? 1 : join.scatters.size();
    const std::size_t each = (end - begin + pieces - 1) / pieces;
    RunPieces(options.thread_count, pieces, [&](std::size_t piece, std::size_t) {
      const std::size_t from = std::min(begin + piece * each, end);
      join.scatters[piece].Add(events, keys, from, std::min(from + each, end), join.events_seen);
    });
  }

  void Flush(ViewJoin& join) {
    RunPieces(options.thread_count, join.partitions.size(), [&](std::size_t p, std::size_t) {
      for (EventScatter& scatter : join.scatters) {
        join.partitions[p].Offer(scatter.buffer(p));
        scatter.buffer(p).Clear();
      }
    });
    for (EventScatter& scatter : join.scatters) scatter.Cleared();
  }

  // Few events would find nothing of a partition in the cache.
  [[nodiscard]] bool IsLarge(const ViewJoin& join, const EventBatch& events) const {
    return events.row_count > 0 &&
           events.row_count / join.partitions.size() >= options.large_batch_rows &&
           std::max(events.row_count, join.winners.size()) < kIsRow &&
           SpinePartition::CanOfferRows(join.view, *join.layout);
  }

  absl::Status AddLargeBatch(std::size_t view, const EventBatch& events, const KeyReader& keys) {
    ViewJoin& join = *views[view];
    LargeBatch batch;
    batch.events = &events;
    batch.keys = &keys;
    batch.layout = join.layout.get();
    batch.first_ordinal = join.events_seen;
    batch.partition_bits = join.index->partition_bits();
    batch.partitions = &join.partitions;
    batch.thread_count = options.thread_count;
    batch.buffer_bytes = options.buffer_bytes;
    const absl::Status offered =
        OfferLargeBatch(batch, &join.space, &join.counts,
                        [&](std::size_t rows) { return Report(view, join.events_seen + rows, 0); });
    join.events_seen += events.row_count;
    return offered;
  }

  [[nodiscard]] absl::Status Report(std::size_t view, uint64_t events, std::size_t rows) const {
    if (!options.progress) return absl::OkStatus();
    return options.progress({view, static_cast<int64_t>(events), static_cast<int64_t>(rows)});
  }
};

PointInTimeJoin::PointInTimeJoin(std::unique_ptr<State> state) : state_(std::move(state)) {}
PointInTimeJoin::PointInTimeJoin(PointInTimeJoin&&) noexcept = default;
PointInTimeJoin& PointInTimeJoin::operator=(PointInTimeJoin&&) noexcept = default;
PointInTimeJoin::~PointInTimeJoin() = default;

absl::StatusOr<PointInTimeJoin> PointInTimeJoin::Make(const Column& times,
                                                      std::vector<JoinView> views,
                                                      const JoinOptions& options) {
  if (times.type().id() != TypeId::kTimestamp || times.CountNulls() > 0) {
    return InvalidArgumentError("the spine's instants must be timestamps without nulls");
  }
  if (times.size() >= std::numeric_limits<uint32_t>::max()) {
    return WithKind(
        InvalidArgumentError("a spine of ", times.size(), " rows, expected fewer than 2^32"),
        ErrorKind::kTooLarge);
  }
  auto state = std::make_unique<State>();
  state->times = &times;
  state->options = options;
  state->options.thread_count = std::clamp(options.thread_count, 1, 256);
  for (JoinView& view : views) {
    auto join = std::make_unique<ViewJoin>();
    join->view = std::move(view);
    const absl::Status indexed = state->Index(join.get());
    if (!indexed.ok()) return Annotate(indexed, Concat("view ", join->view.name));
    state->views.push_back(std::move(join));
  }
  return PointInTimeJoin(std::move(state));
}

absl::Status PointInTimeJoin::Add(std::size_t view, const EventBatch& events) {
  if (view >= state_->views.size())
    return InvalidArgumentError("no view number ", view, " in this join");
  ViewJoin& join = *state_->views[view];
  if (join.layout == nullptr) {
    LARDER_RETURN_IF_ERROR(state_->Start(join, events));
  } else {
    LARDER_RETURN_IF_ERROR(join.layout->Check(join.view, events));
  }
  const auto keys = KeyReader::Make(events.keys, join.view.key_types);
  if (!keys.ok()) return Annotate(keys.status(), Concat("view ", join.view.name));
  if (state_->IsLarge(join, events)) return state_->AddLargeBatch(view, events, *keys);

  const std::size_t budget = std::max<std::size_t>(state_->options.buffer_bytes, 1);
  const std::size_t step = std::max<std::size_t>(budget / join.layout->record_size, 4096);
  for (std::size_t begin = 0; begin < events.row_count; begin += step) {
    state_->Scatter(join, events, *keys, begin, std::min(begin + step, events.row_count));
    std::size_t held = 0;
    for (const EventScatter& scatter : join.scatters) held += scatter.bytes();
    if (held >= budget) state_->Flush(join);
    const std::size_t end = std::min(begin + step, events.row_count);
    LARDER_RETURN_IF_ERROR(state_->Report(view, join.events_seen + end, 0));
  }
  join.events_seen += events.row_count;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JoinedView>> PointInTimeJoin::Finish() && {
  std::vector<JoinedView> joined;
  for (const std::unique_ptr<ViewJoin>& join : state_->views) {
    if (join->layout != nullptr) state_->Flush(*join);
    LARDER_RETURN_IF_ERROR(state_->Report(joined.size(), join->events_seen, 0));
    JoinCounts counts;
    counts.events = static_cast<int64_t>(join->events_seen);
    for (const EventScatter& scatter : join->scatters) join->counts += scatter.counts;
    counts.events_null_key = join->counts.null_key;
    counts.events_null_time = join->counts.null_time;
    counts.events_bad_key = join->counts.bad_key;
    counts.events_null_arrival = join->counts.null_arrival;
    join->scatters.clear();
    join->space = {};
    JoinOutputInputs in;
    in.view = &join->view;
    in.layout = join->layout.get();
    in.times = state_->times;
    in.row_partitions = &join->index->row_partitions();
    in.partitions = &join->partitions;
    in.winners = &join->winners;
    in.other_known_at = join->other_known_at;
    in.audit = state_->options.audit;
    in.thread_count = state_->options.thread_count;
    if (join->view.exclude_event_id != nullptr) {
      in.own_ids.resize(state_->times->size());
      for (std::size_t row = 0; row < in.own_ids.size(); ++row) {
        AppendIdBytes(*join->view.exclude_event_id, row, &in.own_ids[row]);
      }
    }
    JoinedView result = MakeJoinOutput(in, counts);
    LARDER_RETURN_IF_ERROR(state_->Report(joined.size(), join->events_seen, state_->times->size()));
    joined.push_back(std::move(result));
    // The winners of this view are no longer needed while the next one's columns are made.
    join->partitions.clear();
    join->index.reset();
    join->other_winners = std::vector<Winner>();
  }
  return joined;
}

absl::StatusOr<JoinedView> JoinPointInTime(const Column& times, JoinView view, EventReader& events,
                                           const JoinOptions& options) {
  std::vector<JoinView> views;
  views.push_back(std::move(view));
  LARDER_ASSIGN_OR_RETURN(PointInTimeJoin join,
                          PointInTimeJoin::Make(times, std::move(views), options));
  for (;;) {
    EventBatch batch;
    LARDER_ASSIGN_OR_RETURN(const bool more, events.Next(&batch));
    if (!more) break;
    LARDER_RETURN_IF_ERROR(join.Add(0, batch));
  }
  LARDER_ASSIGN_OR_RETURN(std::vector<JoinedView> joined, std::move(join).Finish());
  return std::move(joined[0]);
}

}  // namespace larder::inline LARDER_ABI
