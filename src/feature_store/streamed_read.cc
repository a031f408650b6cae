#include "feature_store/streamed_read.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "feature_store/source_batches.h"
#include "feature_store/source_join.h"
#include "larder/column/take_rows.h"
#include "larder/io/csv_reader.h"
#include "larder/io/remote_path.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kPartitionsMax = 1024;
constexpr std::size_t kPieceRowsMin = 1024;
// Of the budget: what the rows of one group of partitions may take while they are joined, what waits to be written, and
// what a walk over all partitions holds of them.
constexpr std::size_t kGroupShare = 2;
constexpr std::size_t kBufferShare = 16;
constexpr std::size_t kWalkShare = 8;

// In memory, of one value; a guess for text.
std::size_t WidthOf(const DataType& type) { return type.is_fixed_width() ? type.byte_width() : 48; }

// Events as columns of a batch of their own, and back.
constexpr std::pair<const char*, const Column * MappedEvents::*> kEventColumns[] = {
    {"event_time", &MappedEvents::event_time},     {"sequence", &MappedEvents::sequence},
    {"arrival_time", &MappedEvents::arrival_time}, {"event_id", &MappedEvents::event_id},
    {"valid_to", &MappedEvents::valid_to},         {"is_delete", &MappedEvents::is_delete}};

absl::StatusOr<Batch> ToBatch(const MappedEvents& events) {
  Batch batch;
  for (std::size_t k = 0; k < events.keys.size(); ++k)
    LARDER_RETURN_IF_ERROR(batch.AddColumn(Concat("key ", k), *events.keys[k]));
  for (std::size_t s = 0; s < events.stored.size(); ++s)
    LARDER_RETURN_IF_ERROR(batch.AddColumn(Concat("stored ", s), *events.stored[s]));
  for (const auto& [name, member] : kEventColumns) {
    if (events.*member != nullptr) LARDER_RETURN_IF_ERROR(batch.AddColumn(name, *(events.*member)));
  }
  return batch;
}

// Borrows from `batch`.
MappedEvents ToEvents(const Batch& batch, std::size_t keys, std::size_t stored) {
  MappedEvents events;
  events.row_count = batch.row_count();
  for (std::size_t k = 0; k < keys; ++k) events.keys.push_back(&batch.column(k));
  for (std::size_t s = 0; s < stored; ++s) events.stored.push_back(&batch.column(keys + s));
  for (const auto& [name, member] : kEventColumns) events.*member = batch.Find(name);
  return events;
}

void AddCounts(const JoinCounts& from, bool with_events, JoinCounts* to) {
  if (with_events) {
    to->events += from.events;
    to->events_null_key += from.events_null_key;
    to->events_null_time += from.events_null_time;
    to->events_bad_key += from.events_bad_key;
    to->events_null_arrival += from.events_null_arrival;
  }
  to->rows_found += from.rows_found;
  to->rows_outside_max_age += from.rows_outside_max_age;
  to->rows_not_found += from.rows_not_found;
  to->rows_null_key += from.rows_null_key;
  to->rows_ambiguous += from.rows_ambiguous;
  to->cells_refused += from.cells_refused;
  if (from.cells_changed_by_other_known_at) {
    to->cells_changed_by_other_known_at =
        to->cells_changed_by_other_known_at.value_or(0) + *from.cells_changed_by_other_known_at;
  }
}

// Of the source's files as they are; absent where that cannot be told.
std::optional<uint64_t> FileBytes(const Source& source, const std::string& base_path) {
  if (source.path.empty() || IsRemotePath(source.path)) return std::nullopt;
  const auto paths = ExpandPath(source.path, base_path);
  if (!paths.ok()) return std::nullopt;
  uint64_t bytes = 0;
  for (const std::string& path : *paths) {
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(path, error);
    if (error) return std::nullopt;
    bytes += path.ends_with(".gz") || path.ends_with(".parquet") ? 8 * size : size;
  }
  return bytes;
}

}  // namespace

absl::Status CountedFrom(uint64_t first_row, const absl::Status& status) {
  return first_row == 0 ? status
                        : Annotate(status, Concat("rows counted from spine row ", first_row));
}

// One use while it is joined.
struct StreamedRead::UseJoin {
  const BoundUse* use = nullptr;
  SourcePlaces places;
  JoinView join;  // but the spine's columns
  std::size_t key_count = 0;
  std::size_t stored_count = 0;
  std::unique_ptr<BatchSpill> keys;  // of the spine: the keys, the instants, own event ids
  std::vector<std::unique_ptr<BatchSpill>> history;  // by source; none: read where it is
  JoinedSpill* out = nullptr;
  TrainingViewReport* report = nullptr;
  int64_t rows_joined = 0;
};

std::size_t StreamedRead::BytesPerRow(const ViewVersion& view) const {
  std::size_t bytes = 128;
  for (const Field& key : view.keys) bytes += 2 * WidthOf(key.type);
  for (const FeatureColumn& feature : view.features)
    bytes += 3 * WidthOf(feature.type) + (view.definition.partial_updates ? 128 : 0);
  return bytes;
}

std::size_t StreamedRead::PartitionsFor(const BoundUse& use) const {
  const std::size_t limit = request_.memory_budget / kGroupShare;
  uint64_t bytes = rows_ * BytesPerRow(*use.view);
  if (use.view->is_aggregate()) {
    const std::string& base_path = service_.catalog.DefinitionsOf(use.view->project).base_path;
    for (const Source* source : use.view->offline_sources())
      bytes += 3 * FileBytes(*source, base_path).value_or(16 * limit);
  }
  std::size_t partitions = 1;
  // Hashes part keys unevenly: more of them than would just do.
  while (bytes > limit && partitions < kPartitionsMax && partitions * limit < 4 * bytes)
    partitions *= 2;
  return partitions;
}

absl::Status StreamedRead::Report(const UseJoin& of, int64_t events, int64_t rows) const {
  if (!request_.progress) return absl::OkStatus();
  return request_.progress({of.use->view->ToString(), events, rows, static_cast<int64_t>(rows_)});
}

absl::Status StreamedRead::TakeSpine(RecordReader& spine) {
  LARDER_ASSIGN_OR_RETURN(spine_, BatchSpill::Create(request_.temporary_folder, 1, 0));
  std::size_t row_bytes = 64 * (service_.service->outputs.size() + spine.fields().size());
  const std::size_t piece_rows =
      std::clamp(request_.memory_budget / kBufferShare / row_bytes, kPieceRowsMin, kBatchRowsMax);
  Batch none;
  for (const Field& field : spine.fields())
    LARDER_RETURN_IF_ERROR(none.AddColumn(field.name, Column(field.type)));
  DatasetHasher hasher;
  hasher.Add(none);
  auto skip = static_cast<uint64_t>(request_.first_row);
  while (true) {
    Batch batch;
    LARDER_ASSIGN_OR_RETURN(const bool more, spine.Next(&batch));
    if (!more) break;
    if (request_.manifest) hasher.Add(batch);
    const std::size_t skipped = std::min<uint64_t>(skip, batch.row_count());
    skip -= skipped;
    rows_ += batch.row_count() - skipped;
    for (std::size_t at = skipped; at < batch.row_count(); at += piece_rows) {
      const std::size_t end = std::min(at + piece_rows, batch.row_count());
      LARDER_RETURN_IF_ERROR(spine_->AddBlock(TakeRange(batch, at, end), 0));
    }
    if (request_.progress)
      LARDER_RETURN_IF_ERROR(request_.progress({"", 0, 0, static_cast<int64_t>(rows_)}));
  }
  if (skip > 0 || request_.first_row < 0) {
    return InvalidArgumentError("first_row is ", request_.first_row, ", the spine has ",
                                static_cast<uint64_t>(request_.first_row) - skip, " rows");
  }
  if (rows_ == 0) LARDER_RETURN_IF_ERROR(spine_->AddBlock(none, 0));
  if (request_.manifest) spine_sha256_ = std::move(hasher).Finish().sha256;
  return spine_->Finish();
}

absl::Status StreamedRead::ForEachPiece(const VisitRows& visit) {
  std::vector<JoinedSpill::Reader> readers;
  for (const JoinedSpill& joined : joined_) readers.emplace_back(&joined);
  BatchSpill::Reader pieces = spine_->Read(0);
  auto first_row = static_cast<uint64_t>(request_.first_row);
  while (true) {
    Batch piece;
    LARDER_ASSIGN_OR_RETURN(const bool more, pieces.Next(&piece));
    if (!more) return absl::OkStatus();
    const std::size_t row_count = piece.row_count();
    absl::StatusOr<AskedRows> rows =
        AskedRows::Make(service_, std::move(piece), request_.time_column);
    if (!rows.ok()) return CountedFrom(first_row, rows.status());
    const auto fetch = [&](std::size_t use,
                           std::span<const Column* const> keys) -> absl::StatusOr<FetchedUse> {
      FetchedUse fetched;
      LARDER_ASSIGN_OR_RETURN(fetched.rows, readers[use].Next(keys, row_count));
      return fetched;
    };
    LARDER_RETURN_IF_ERROR(visit(*std::move(rows), fetch));
    first_row += row_count;
  }
}

absl::Status StreamedRead::Join() {
  for (std::size_t use = 0; use < service_.uses.size(); ++use) LARDER_RETURN_IF_ERROR(JoinUse(use));
  return absl::OkStatus();
}

absl::Status StreamedRead::JoinUse(std::size_t use) {
  UseJoin of;
  of.use = &service_.uses[use];
  const ViewVersion& view = *of.use->view;
  of.places = PlacesOf(service_, view, request_);
  const std::size_t partitions = PartitionsFor(*of.use);
  const std::size_t buffer = request_.memory_budget / kBufferShare;
  LARDER_ASSIGN_OR_RETURN(of.keys,
                          BatchSpill::Create(request_.temporary_folder, partitions, buffer));
  if (partitions > 1) {
    for (std::size_t s = 0; s < view.offline_sources().size(); ++s) {
      LARDER_ASSIGN_OR_RETURN(of.history.emplace_back(),
                              BatchSpill::Create(request_.temporary_folder, partitions, buffer));
    }
  }
  LARDER_RETURN_IF_ERROR(SpillKeys(&of));
  LARDER_RETURN_IF_ERROR(SpillHistory(&of));

  // A walk over the spine holds a block of each partition of each use.
  const std::size_t blocks = partitions * service_.uses.size();
  const std::size_t block_rows = std::clamp<std::size_t>(
      request_.memory_budget / kWalkShare / blocks / BytesPerRow(view), 64, 4096);
  LARDER_ASSIGN_OR_RETURN(JoinedSpill out,
                          JoinedSpill::Create(request_.temporary_folder, partitions, block_rows,
                                              of.join.key_types, request_.audit));
  TrainingViewReport report{view.ToString(),
                            of.use->alias,
                            of.join.known_at,
                            view.offline_source().event_time.empty(),
                            false,
                            {}};
  of.out = &out;
  of.report = &report;
  LARDER_RETURN_IF_ERROR(JoinGroups(&of));
  LARDER_RETURN_IF_ERROR(out.Finish());
  joined_.push_back(std::move(out));
  reports_.push_back(std::move(report));
  return absl::OkStatus();
}

absl::Status StreamedRead::SpillKeys(UseJoin* of) {
  const std::size_t use = joined_.size();
  auto first_row = static_cast<uint64_t>(request_.first_row);
  const auto add = [&](AskedRows rows, const FetchUse& fetch) -> absl::Status {
    const std::size_t row_count = rows.spine.row_count();
    LARDER_ASSIGN_OR_RETURN(std::vector<Column> keys,
                            ComputeKeys(service_, use, rows.inputs, row_count, rows.as_of, fetch));
    std::vector<const Column*> borrowed;
    for (const Column& key : keys) borrowed.push_back(&key);
    LARDER_ASSIGN_OR_RETURN(of->join, MakeHistoricalJoin(*of->use, request_, rows.spine, borrowed));
    LARDER_ASSIGN_OR_RETURN(const std::vector<uint16_t> partitions,
                            PartitionKeys(borrowed, of->join.key_types, row_count,
                                          of->keys->partitions(), true, first_row));
    Batch batch;
    LARDER_RETURN_IF_ERROR(batch.AddColumn("time", rows.spine.times()));
    if (of->join.exclude_event_id != nullptr)
      LARDER_RETURN_IF_ERROR(batch.AddColumn("own id", *of->join.exclude_event_id));
    for (std::size_t k = 0; k < keys.size(); ++k)
      LARDER_RETURN_IF_ERROR(batch.AddColumn(Concat("key ", k), std::move(keys[k])));
    first_row += row_count;
    LARDER_RETURN_IF_ERROR(of->keys->Add(std::move(batch), partitions));
    return Report(*of, 0, 0);
  };
  LARDER_RETURN_IF_ERROR(ForEachPiece(add));
  return of->keys->Finish();
}

absl::Status StreamedRead::SpillHistory(UseJoin* of) {
  const VisitHistory history = HistoryOf(*of->use->view, of->places, store_.compile);
  int64_t read = 0;
  for (std::size_t s = 0; s < of->history.size(); ++s) {
    BatchSpill& spill = *of->history[s];
    const auto add = [&](MappedBatch& mapped) -> absl::Status {
      const MappedEvents& events = mapped.events;
      of->key_count = events.keys.size();
      of->stored_count = events.stored.size();
      LARDER_ASSIGN_OR_RETURN(const std::vector<uint16_t> partitions,
                              PartitionKeys(events.keys, of->join.key_types, events.row_count,
                                            spill.partitions(), false, 0));
      LARDER_ASSIGN_OR_RETURN(Batch batch, ToBatch(events));
      read += static_cast<int64_t>(events.row_count);
      LARDER_RETURN_IF_ERROR(spill.Add(std::move(batch), partitions));
      return Report(*of, read, 0);
    };
    const absl::Status visited = history(s, add);
    if (!visited.ok()) return Annotate(visited, Concat("feature view ", of->use->view->ToString()));
    LARDER_RETURN_IF_ERROR(spill.Finish());
  }
  return absl::OkStatus();
}

// As many partitions at a time as the budget has room for; one that is larger goes in slices of its rows.
absl::Status StreamedRead::JoinGroups(UseJoin* of) {
  const std::size_t limit = request_.memory_budget / kGroupShare;
  const std::size_t row_bytes = BytesPerRow(*of->use->view);
  const std::size_t rows_max = std::max<std::size_t>(limit / row_bytes, kPieceRowsMin);
  const auto cost = [&](std::size_t p) {
    uint64_t bytes = of->keys->rows(p) * row_bytes;
    if (!of->use->view->is_aggregate()) return bytes;
    for (const auto& history : of->history) bytes += 2 * history->bytes(p);
    return bytes;
  };
  const std::size_t partitions = of->keys->partitions();
  for (std::size_t begin = 0, end = 0; begin < partitions; begin = end) {
    uint64_t bytes = cost(begin);
    for (end = begin + 1; end < partitions && bytes + cost(end) <= limit; ++end) bytes += cost(end);
    Batch rows = of->keys->shape();
    std::vector<std::size_t> row_counts(end - begin);
    bool with_events = true;
    for (std::size_t p = begin; p < end; ++p) {
      BatchSpill::Reader reader = of->keys->Read(p);
      while (true) {
        Batch block;
        LARDER_ASSIGN_OR_RETURN(const bool more, reader.Next(&block));
        if (!more) break;
        if (rows.row_count() > 0 && rows.row_count() + block.row_count() > rows_max) {
          LARDER_RETURN_IF_ERROR(JoinGroup(of, begin, rows, row_counts, with_events));
          with_events = false;
          rows.Truncate(0);
          std::fill(row_counts.begin(), row_counts.end(), std::size_t{0});
        }
        row_counts[p - begin] += block.row_count();
        rows.AppendRows(block);
      }
    }
    LARDER_RETURN_IF_ERROR(JoinGroup(of, begin, rows, row_counts, with_events));
  }
  return absl::OkStatus();
}

// Of partition `begin` and those behind it `row_counts` rows each. Without rows for the sake of the events' counts.
absl::Status StreamedRead::JoinGroup(UseJoin* of, std::size_t begin, const Batch& rows,
                                     std::span<const std::size_t> row_counts, bool with_events) {
  if (rows.row_count() == 0 && !with_events) return absl::OkStatus();
  JoinView join = of->join;
  const std::size_t first_key = join.exclude_event_id == nullptr ? 1 : 2;
  if (join.exclude_event_id != nullptr) join.exclude_event_id = &rows.column(1);
  for (std::size_t k = 0; k < join.spine_keys.size(); ++k)
    join.spine_keys[k] = &rows.column(first_key + k);
  JoinOptions options;
  options.thread_count = request_.thread_count;
  options.audit = request_.audit;
  options.buffer_bytes = std::clamp<std::size_t>(request_.memory_budget / kBufferShare,
                                                 std::size_t{1} << 20, JoinOptions().buffer_bytes);
  const int64_t events_before = of->report->counts.events;
  options.progress = [&](const JoinProgress& now) {
    return Report(*of, events_before + now.events, of->rows_joined + now.rows);
  };
  VisitHistory history = HistoryOf(*of->use->view, of->places, store_.compile);
  if (!of->history.empty()) {
    history = [&](std::size_t number, const VisitBatch& visit) -> absl::Status {
      for (std::size_t p = begin; p < begin + row_counts.size(); ++p) {
        BatchSpill::Reader reader = of->history[number]->Read(p);
        while (true) {
          MappedBatch mapped;
          auto batch = std::make_shared<Batch>();
          LARDER_ASSIGN_OR_RETURN(const bool more, reader.Next(batch.get()));
          if (!more) break;
          mapped.events = ToEvents(*batch, of->key_count, of->stored_count);
          mapped.batch = std::move(batch);
          LARDER_RETURN_IF_ERROR(visit(mapped));
        }
      }
      return absl::OkStatus();
    };
  }
  LARDER_ASSIGN_OR_RETURN(const JoinedView joined,
                          JoinHistory(*of->use->view, store_.compile, rows.column(0),
                                      std::move(join), options, history));
  AddCounts(joined.counts, with_events, &of->report->counts);
  of->rows_joined += static_cast<int64_t>(rows.row_count());
  std::size_t at = 0;
  for (std::size_t i = 0; i < row_counts.size(); ++i) {
    LARDER_RETURN_IF_ERROR(of->out->Add(joined, at, at + row_counts[i], begin + i));
    at += row_counts[i];
  }
  return absl::OkStatus();
}

absl::Status StreamedRead::Give(const std::function<absl::Status(TrainingSet piece)>& take) {
  int64_t given = 0;
  const auto give = [&](AskedRows rows, const FetchUse& fetch) -> absl::Status {
    const std::size_t row_count = rows.spine.row_count();
    absl::StatusOr<ComputedService> computed =
        ComputeService(service_, rows.inputs, row_count, rows.as_of, fetch);
    if (!computed.ok()) {
      return CountedFrom(static_cast<uint64_t>(request_.first_row + given), computed.status());
    }
    LARDER_ASSIGN_OR_RETURN(
        TrainingSet piece,
        ToTrainingSet(service_, HistoricalRead{std::move(rows), *std::move(computed), reports_, {}},
                      request_.audit));
    LARDER_RETURN_IF_ERROR(take(std::move(piece)));
    given += static_cast<int64_t>(row_count);
    return request_.progress ? request_.progress({"", 0, given, static_cast<int64_t>(rows_)})
                             : absl::OkStatus();
  };
  return ForEachPiece(give);
}

}  // namespace larder::inline LARDER_ABI
