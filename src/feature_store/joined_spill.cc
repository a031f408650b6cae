#include "feature_store/joined_spill.h"

#include <algorithm>
#include <utility>

#include "larder/column/take_rows.h"
#include "training/join_key.h"

namespace larder::inline LARDER_ABI {
namespace {

// Joins part the same keys by other bits of the same hash: without a word of its own each would see one partition.
constexpr uint64_t kSalt = 0x9E3779B97F4A7C15U;

Column Part(const Column& column, std::size_t begin, std::size_t end) {
  Column part(column.type());
  part.Reserve(end - begin);
  for (std::size_t row = begin; row < end; ++row) part.AppendFrom(column, row);
  return part;
}

}  // namespace

absl::StatusOr<std::vector<uint16_t>> PartitionKeys(std::span<const Column* const> keys,
                                                    std::span<const DataType> types,
                                                    std::size_t row_count, std::size_t partitions,
                                                    bool explain_bad, uint64_t first_row) {
  LARDER_ASSIGN_OR_RETURN(const KeyReader reader, KeyReader::Make(keys, types));
  std::vector<uint16_t> parts(row_count, 0);
  std::string bytes;
  for (std::size_t row = 0; row < row_count; ++row) {
    uint64_t word = 0;
    const KeyState state = reader.Read(row, &word, &bytes);
    if (state == KeyState::kBad && explain_bad) {
      return Annotate(reader.Explain(row), Concat("spine row ", first_row + row, ", join key"));
    }
    if (state == KeyState::kUsable)
      parts[row] = static_cast<uint16_t>(MixWord(word ^ kSalt) % partitions);
  }
  return parts;
}

absl::StatusOr<JoinedSpill> JoinedSpill::Create(const std::string& folder, std::size_t partitions,
                                                std::size_t block_rows,
                                                std::vector<DataType> key_types, bool audit) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<BatchSpill> spill,
                          BatchSpill::Create(folder, partitions, 0));
  return JoinedSpill(std::move(spill), block_rows, std::move(key_types), audit);
}

absl::Status JoinedSpill::Add(const JoinedView& joined, std::size_t begin, std::size_t end,
                              std::size_t partition) {
  features_ = joined.features.size();
  outcomes_ = joined.outcomes.size();
  // Columns are told also where there are no rows.
  if (begin == end && spill_->shape().column_count() > 0) return absl::OkStatus();
  std::size_t at = begin;
  do {
    const std::size_t block_end = std::min(at + block_rows_, end);
    LARDER_ASSIGN_OR_RETURN(const Batch block, ToBatch(joined, at, block_end));
    LARDER_RETURN_IF_ERROR(spill_->AddBlock(block, partition));
    at = block_end;
  } while (at < end);
  return absl::OkStatus();
}

// Features, then of each outcome the status, the event's time, and with an audit when it was known and its id.
absl::StatusOr<Batch> JoinedSpill::ToBatch(const JoinedView& joined, std::size_t begin,
                                           std::size_t end) const {
  Batch batch;
  const auto add = [&batch](Column column) {
    return batch.AddColumn(Concat(batch.column_count()), std::move(column));
  };
  for (const Column& feature : joined.features)
    LARDER_RETURN_IF_ERROR(add(Part(feature, begin, end)));
  for (const JoinOutcome& outcome : joined.outcomes) {
    Column status(TypeId::kInt32);
    status.Reserve(end - begin);
    for (std::size_t row = begin; row < end; ++row)
      status.AppendFixed(static_cast<int32_t>(outcome.status[row]));
    LARDER_RETURN_IF_ERROR(add(std::move(status)));
    LARDER_RETURN_IF_ERROR(add(Part(outcome.event_time, begin, end)));
    if (!audit_) continue;
    LARDER_RETURN_IF_ERROR(add(Part(outcome.known_time, begin, end)));
    LARDER_RETURN_IF_ERROR(add(Part(outcome.event_id, begin, end)));
  }
  return batch;
}

JoinedView JoinedSpill::ToView(Batch rows) const {
  JoinedView view;
  std::size_t at = 0;
  const auto take = [&] { return std::move(rows.mutable_column(at++)); };
  for (std::size_t f = 0; f < features_; ++f) view.features.push_back(take());
  for (std::size_t o = 0; o < outcomes_; ++o) {
    JoinOutcome& outcome = view.outcomes.emplace_back();
    const Column statuses = take();
    for (const int32_t status : statuses.Values<int32_t>())
      outcome.status.push_back(static_cast<FeatureStatus>(status));
    outcome.event_time = take();
    if (!audit_) continue;
    outcome.known_time = take();
    outcome.event_id = take();
  }
  return view;
}

JoinedSpill::Reader::Reader(const JoinedSpill* spill) : spill_(spill) {
  for (std::size_t p = 0; p < spill->spill_->partitions(); ++p)
    places_.push_back({spill->spill_->Read(p), {}, 0});
}

// At least `rows` rows from `at` on.
absl::Status JoinedSpill::Reader::Ensure(Place* place, std::size_t rows) {
  while (place->rows.row_count() - place->at < rows) {
    Batch block;
    LARDER_ASSIGN_OR_RETURN(const bool more, place->reader.Next(&block));
    if (!more) return InternalError("a view gave fewer rows than the spine has");
    if (place->at == place->rows.row_count()) {
      place->rows = std::move(block);
    } else {
      place->rows = TakeRange(place->rows, place->at, place->rows.row_count());
      place->rows.AppendRows(block);
    }
    place->at = 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<JoinedView> JoinedSpill::Reader::Next(std::span<const Column* const> keys,
                                                     std::size_t row_count) {
  LARDER_ASSIGN_OR_RETURN(
      const std::vector<uint16_t> parts,
      PartitionKeys(keys, spill_->key_types_, row_count, places_.size(), false, 0));
  std::vector<std::size_t> wanted(places_.size());
  for (const uint16_t part : parts) ++wanted[part];
  for (std::size_t p = 0; p < places_.size(); ++p)
    LARDER_RETURN_IF_ERROR(Ensure(&places_[p], wanted[p]));
  const Batch& shape = spill_->spill_->shape();
  Batch rows;
  for (std::size_t c = 0; c < shape.column_count(); ++c) {
    std::vector<std::size_t> at;
    for (const Place& place : places_) at.push_back(place.at);
    Column column(shape.column(c).type());
    column.Reserve(row_count);
    for (const uint16_t part : parts) column.AppendFrom(places_[part].rows.column(c), at[part]++);
    LARDER_RETURN_IF_ERROR(rows.AddColumn(shape.name(c), std::move(column)));
  }
  for (std::size_t p = 0; p < places_.size(); ++p) places_[p].at += wanted[p];
  return spill_->ToView(std::move(rows));
}

}  // namespace larder::inline LARDER_ABI
