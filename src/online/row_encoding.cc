#include "online/row_encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>

#include "base/worker_threads.h"
#include "larder/base/hash.h"
#include "larder/schema/entity_key.h"
#include "online/load_rows.h"
#include "online/plain_rows.h"
#include "online/row_codec.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kRejectedNamedMax = 10;

absl::Status CheckColumn(std::string_view name, const Column* column, std::size_t rows,
                         std::initializer_list<TypeId> types) {
  if (column == nullptr) return absl::OkStatus();
  if (std::none_of(types.begin(), types.end(),
                   [&](TypeId type) { return column->type() == DataType(type); })) {
    return InvalidArgumentError("the ", name, " column is ", column->type().ToString(),
                                ", expected ", TypeName(*types.begin()));
  }
  if (column->size() != rows) {
    return InvalidArgumentError("the ", name, " column has ", column->size(), " entries for ", rows,
                                " rows");
  }
  return absl::OkStatus();
}

absl::Status CheckFit(const RowsToWrite& rows) {
  if (rows.layout == nullptr)
    return InvalidArgumentError("rows of view ", rows.view_id, " without a layout");
  const RowLayout& layout = *rows.layout;
  const std::size_t count = rows.keys.size();
  if (rows.columns.size() != layout.size()) {
    return InvalidArgumentError("view ", rows.view_id, " has ", layout.size(), " features, got ",
                                rows.columns.size(), " columns");
  }
  if (!rows.presence.empty() && (!rows.partial_updates || rows.presence.size() != layout.size())) {
    return InvalidArgumentError("view ", rows.view_id, ": presence for ", rows.presence.size(),
                                " of ", layout.size(), " features",
                                rows.partial_updates ? "" : " of a view without partial updates");
  }
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (rows.columns[i]->type() != layout.type(i) || rows.columns[i]->size() != count) {
      return InvalidArgumentError("view ", rows.view_id, ", feature ", i, ": ",
                                  rows.columns[i]->size(), " values of ",
                                  rows.columns[i]->type().ToString(), ", expected ", count, " of ",
                                  layout.type(i).ToString());
    }
    if (!rows.presence.empty() && rows.presence[i] != nullptr && rows.presence[i]->size() != count) {
      return InvalidArgumentError("view ", rows.view_id, ", feature ", i, ": presence of ",
                                  rows.presence[i]->size(), " rows, expected ", count);
    }
  }
  LARDER_RETURN_IF_ERROR(CheckColumn("event time", rows.event_time, count, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn("arrival time", rows.arrival_time, count, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(CheckColumn("valid_to", rows.valid_to, count, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(CheckColumn("operation", rows.is_delete, count, {TypeId::kBool}));
  return CheckColumn("sequence", rows.sequence, count,
                     {TypeId::kInt64, TypeId::kInt32, TypeId::kUint64});
}

int64_t TimeAt(const Column& column, std::size_t i) { return column.Values<int64_t>()[i]; }

// When the row happened and was known. False when it has no event time though it should.
bool StampRow(const RowsToWrite& rows, std::size_t i, const RowEncoding& encoding, RowStamp* stamp) {
  *stamp = {};
  if (encoding.keeps_commit) stamp->flags = kRowHasCommitSeq;
  stamp->commit_seq = encoding.commit_seq;
  if (rows.partial_updates) stamp->flags |= kRowPartial;
  if (rows.event_time == nullptr) {
    stamp->flags |= kRowTimeless;
    stamp->event_time = Timestamp::Min().us;
  } else if (!rows.event_time->IsValid(i)) {
    return false;
  } else {
    stamp->event_time = TimeAt(*rows.event_time, i);
  }
  if (rows.sequence != nullptr && rows.sequence->IsValid(i)) {
    stamp->flags |= kRowHasSequence;
    if (rows.sequence->type() == DataType(TypeId::kUint64)) {
      stamp->flags |= kRowSequenceUnsigned;
      stamp->sequence = static_cast<int64_t>(rows.sequence->Values<uint64_t>()[i]);
    } else {
      stamp->sequence = rows.sequence->type() == DataType(TypeId::kInt32)
                            ? rows.sequence->Values<int32_t>()[i]
                            : TimeAt(*rows.sequence, i);
    }
  }
  stamp->known_time = stamp->event_time;
  if (rows.arrival_time != nullptr && rows.arrival_time->IsValid(i)) {
    stamp->flags |= kRowKnownByArrival;
    stamp->known_time = TimeAt(*rows.arrival_time, i);
  } else if (rows.arrival_time != nullptr) {
    stamp->flags |= kRowArrivalNull;
    stamp->known_time = Timestamp::Max().us;
  } else if (rows.available_after && rows.event_time != nullptr) {
    stamp->known_time = Timestamp{stamp->event_time}.Plus(*rows.available_after).us;
  } else if (!rows.available_after && rows.is_push) {
    stamp->flags |= kRowKnownByCommit;
    stamp->known_time = encoding.commit_time.us;
  }
  if (stamp->known_time != stamp->event_time) stamp->flags |= kRowHasKnownTime;
  if (rows.valid_to != nullptr && rows.valid_to->IsValid(i)) {
    stamp->flags |= kRowHasValidTo;
    stamp->valid_to = TimeAt(*rows.valid_to, i);
  }
  if (rows.is_delete != nullptr && rows.is_delete->IsValid(i) &&
      rows.is_delete->Values<uint8_t>()[i] != 0) {
    stamp->flags |= kRowDelete;
  }
  return true;
}

void Reject(std::size_t row, RowRejection reason, RowsResult* result) {
  ++result->rejected[static_cast<std::size_t>(reason)];
  result->first_rejected.push_back({row, reason});
}

}  // namespace

std::string_view RowRejectionName(RowRejection reason) {
  switch (reason) {
    case RowRejection::kNullKey:
      return "null key";
    case RowRejection::kKeyTooLarge:
      return "key too large";
    case RowRejection::kNullEventTime:
      return "null event time";
    case RowRejection::kFuture:
      return "future";
    case RowRejection::kRowTooLarge:
      return "row too large";
  }
  return "unknown";
}

std::size_t RowsResult::rejected_count() const {
  return std::accumulate(rejected.begin(), rejected.end(), std::size_t{0});
}

RowsResult& RowsResult::operator+=(const RowsResult& other) {
  written += other.written;
  older += other.older;
  duplicate += other.duplicate;
  ambiguous += other.ambiguous;
  dropped += other.dropped;
  for (std::size_t i = 0; i < rejected.size(); ++i) rejected[i] += other.rejected[i];
  for (const Rejected& row : other.first_rejected) {
    if (first_rejected.size() < kRejectedNamedMax) first_rejected.push_back(row);
  }
  return *this;
}

absl::StatusOr<uint64_t> NextRankOf(uint64_t commit_seq, uint64_t* ranked) {
  if (*ranked < kRanksOfCommit) return commit_seq * kRanksOfCommit + (*ranked)++;
  return WithKind(InvalidArgumentError("more than ", kRanksOfCommit,
                                       " rows in commit order in one transaction"),
                  ErrorKind::kTooLarge);
}

namespace {

// One by one, whatever they say.
template <class Rows>
absl::Status EncodeEach(const RowsToWrite& rows, std::size_t begin, std::size_t end,
                        RowEncoding* encoding, Rows* encoded, RowsResult* result) {
  const Timestamp latest = encoding->commit_time.Plus(rows.max_future);
  std::string& scratch = encoded->scratch;
  RowStamp stamp;
  for (std::size_t i = begin; i < end; ++i) {
    const std::string_view key = rows.keys[i];
    if (key.data() == nullptr) {
      Reject(i, RowRejection::kNullKey, result);
    } else if (key.size() > kEntityKeySizeMax) {
      Reject(i, RowRejection::kKeyTooLarge, result);
    } else if (!StampRow(rows, i, *encoding, &stamp)) {
      Reject(i, RowRejection::kNullEventTime, result);
    } else if (stamp.event_time > latest.us) {
      Reject(i, RowRejection::kFuture, result);
    } else {
      if (rows.tie_order == TieOrder::kCommit) {
        LARDER_ASSIGN_OR_RETURN(stamp.rank,
                                NextRankOf(encoding->commit_seq, &encoding->ranked_rows));
        stamp.flags |= kRowHasRank;
      }
      EncodeRow(*rows.layout, stamp, key, rows.columns, rows.presence, i, &scratch);
      if (scratch.size() > kRowSizeMax) {
        Reject(i, RowRejection::kRowTooLarge, result);
        continue;
      }
      char* const row = encoded->Add(Hash64(key, encoding->hash_seed),
                                     TrailerOffset(*rows.layout, stamp.flags) + kRowTrailerSize,
                                     key.size(), scratch.size());
      std::memcpy(row, scratch.data(), scratch.size());
    }
  }
  return absl::OkStatus();
}

// Requires: rows that fit. `result` may name more rejected rows than it should.
template <class Rows>
absl::Status EncodeRange(const RowsToWrite& rows, const PlainRows& plain, std::size_t begin,
                         std::size_t end, RowEncoding* encoding, Rows* encoded, RowsResult* result) {
  for (; begin < end; begin += PlainRows::kBlockRows) {
    const std::size_t block_end = std::min(begin + PlainRows::kBlockRows, end);
    if (plain.AreAllOf(begin, block_end)) {
      plain.Encode(begin, block_end, encoded);
    } else {
      LARDER_RETURN_IF_ERROR(EncodeEach(rows, begin, block_end, encoding, encoded, result));
    }
  }
  return absl::OkStatus();
}

void NameTheFirst(RowsResult* result) {
  if (result->first_rejected.size() > kRejectedNamedMax)
    result->first_rejected.resize(kRejectedNamedMax);
}

}  // namespace

template <class Rows>
absl::Status EncodeRows(const RowsToWrite& rows, RowEncoding* encoding, Rows* encoded,
                        RowsResult* result) {
  LARDER_RETURN_IF_ERROR(CheckFit(rows));
  LARDER_RETURN_IF_ERROR(EncodeRange(rows, PlainRows(rows, *encoding), 0, rows.keys.size(),
                                     encoding, encoded, result));
  NameTheFirst(result);
  return absl::OkStatus();
}
template absl::Status EncodeRows(const RowsToWrite&, RowEncoding*, NewRows*, RowsResult*);
template absl::Status EncodeRows(const RowsToWrite&, RowEncoding*, LoadRows*, RowsResult*);

absl::Status EncodeLoad(const RowsToWrite& rows, int thread_count, RowEncoding* encoding,
                        LoadRows* encoded, RowsResult* result) {
  constexpr std::size_t kRowsOfThread = 32'768;  // of fewer each group would be mostly empty memory
  const std::size_t count = rows.keys.size();
  const std::size_t threads =
      std::min(static_cast<std::size_t>(std::max(thread_count, 1)), count / kRowsOfThread);
  // Rows in commit order are numbered one behind the other.
  if (threads < 2 || rows.tie_order == TieOrder::kCommit)
    return EncodeRows(rows, encoding, encoded, result);
  LARDER_RETURN_IF_ERROR(CheckFit(rows));
  const PlainRows plain(rows, *encoding);
  struct Part {
    RowEncoding encoding;
    LoadRows rows;
    RowsResult result;
    absl::Status status;
  };
  std::vector<Part> parts;
  for (std::size_t i = 0; i < threads; ++i)
    parts.push_back({*encoding, LoadRows(rows.layout->trailer_offset()), {}, {}});
  RunPieces(thread_count, threads, [&](std::size_t i, std::size_t) {
    Part& part = parts[i];
    part.status = EncodeRange(rows, plain, count * i / threads, count * (i + 1) / threads,
                              &part.encoding, &part.rows, &part.result);
  });
  for (Part& part : parts) {
    LARDER_RETURN_IF_ERROR(part.status);
    encoded->Append(std::move(part.rows));
    *result += part.result;
  }
  NameTheFirst(result);
  return absl::OkStatus();
}

namespace {

bool IsBefore(const NewRow& a, const NewRow& b) {
  return a.hash != b.hash ? a.hash < b.hash : a.key() < b.key();
}

constexpr std::size_t kScatteredMin = 4'096;  // fewer rows are sorted by comparing
constexpr unsigned kFirstBits = 10;

// Copies rows to where `bits` bits of their hashes, below the first `skip`, put them, in the order they came. `ends` gets
// where each group ends.
void Scatter(std::span<const NewRow> rows, unsigned skip, unsigned bits, std::span<NewRow> out,
             std::vector<std::size_t>* ends) {
  const auto group_of = [skip, bits](const NewRow& row) {
    return static_cast<std::size_t>((row.hash << skip) >> (64 - bits));
  };
  ends->assign(std::size_t{1} << bits, 0);
  for (const NewRow& row : rows) ++(*ends)[group_of(row)];
  std::size_t begin = 0;
  for (std::size_t& end : *ends) begin += std::exchange(end, begin);
  for (const NewRow& row : rows) out[(*ends)[group_of(row)]++] = row;
}

// For a few rows, mostly.
template <class Before>
void SortGroup(std::span<NewRow> rows, const Before& is_before) {
  constexpr std::size_t kInsertedMax = 32;
  if (rows.size() > kInsertedMax) {
    std::stable_sort(rows.begin(), rows.end(), is_before);
    return;
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const NewRow row = rows[i];
    std::size_t at = i;
    for (; at > 0 && is_before(row, rows[at - 1]); --at) rows[at] = rows[at - 1];
    rows[at] = row;
  }
}

// In the order of their hashes, into `out`. Hashes are evenly spread: a step of scattering leaves a handful together.
void SortByHashInto(std::span<const NewRow> rows, unsigned shared_bits, std::span<NewRow> out,
                    std::vector<std::size_t>* ends) {
  constexpr unsigned kBitsMax = 14;
  const auto bits = std::clamp(static_cast<unsigned>(std::bit_width(rows.size() / 4)), 1U, kBitsMax);
  Scatter(rows, shared_bits, bits, out, ends);
  std::size_t begin = 0;
  for (const std::size_t end : *ends) {
    SortGroup(out.subspan(begin, end - begin),
              [](const NewRow& a, const NewRow& b) { return a.hash < b.hash; });
    begin = end;
  }
}

// Rows in the order of their hashes, into that of (hash, key). Keys are looked at where hashes are equal only, and asked
// for before, since rows lie anywhere.
void SortEqualHashes(std::span<NewRow> rows) {
  constexpr std::size_t kAhead = 16;
  for (std::size_t begin = 0, fetched = 0; begin < rows.size();) {
    for (; fetched + 1 < rows.size() && fetched < begin + kAhead; ++fetched) {
      if (rows[fetched].hash != rows[fetched + 1].hash) continue;
      __builtin_prefetch(rows[fetched].key().data());
      __builtin_prefetch(rows[fetched + 1].key().data());
    }
    std::size_t end = begin + 1;
    bool is_one_key = true;
    for (; end < rows.size() && rows[end].hash == rows[begin].hash; ++end)
      is_one_key = is_one_key && rows[end].HasKeyOf(rows[begin]);
    if (!is_one_key) SortGroup(rows.subspan(begin, end - begin), IsBefore);
    begin = end;
  }
}

}  // namespace

void SortByKeyInto(std::span<const NewRow> rows, unsigned shared_bits, std::span<NewRow> out) {
  std::vector<std::size_t> ends;
  SortByHashInto(rows, shared_bits, out, &ends);
  SortEqualHashes(out);
}

void SortByKey(std::vector<NewRow>* rows) {
  if (rows->size() < kScatteredMin) return SortGroup(std::span(*rows), IsBefore);
  std::vector<NewRow> scattered(rows->size());
  std::vector<std::size_t> ends;
  std::vector<std::size_t> inner_ends;
  Scatter(*rows, 0, kFirstBits, scattered, &ends);
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    SortByHashInto(std::span(scattered).subspan(begin, end - begin), kFirstBits,
                   std::span(*rows).subspan(begin, end - begin), &inner_ends);
    begin = end;
  }
  SortEqualHashes(*rows);
}

}  // namespace larder::inline LARDER_ABI
