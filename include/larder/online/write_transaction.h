// Changing the store: everything written between Begin and Commit becomes visible together, or not at all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/column.h"
#include "larder/online/environment.h"
#include "larder/online/row_layout.h"

namespace larder::inline LARDER_ABI {

// What settles rows of one key, event time, sequence and arrival time that differ.
enum class TieOrder : uint8_t {
  kCanonicalBytes,  // the greatest bytes (RowView::AppendCanonicalBytes): no order of writing matters
  kCommit,          // the last written: later commit, then later row of the batch
};

// Rows of one view, as columns. Everything is borrowed for the length of the call; every column given must have
// keys.size() entries.
struct RowsToWrite {
  uint32_t view_id = 0;
  const RowLayout* layout = nullptr;
  std::span<const std::string_view>
      keys;  // schema/entity_key.h's bytes; a null data() marks a null join key
  std::span<const Column* const> columns;  // one per feature, of the layout's types

  const Column* event_time = nullptr;  // timestamp; null: the source is timeless
  const Column* sequence = nullptr;  // int32, int64 or uint64; null entries come before all others
  const Column* arrival_time = nullptr;     // timestamp; a null entry is known at no time
  std::optional<Duration> available_after;  // without arrival_time: known at event time + this
  bool is_push = false;  // with neither: known at the commit's time (else: at event time)
  const Column* valid_to = nullptr;   // timestamp; null entries have no end
  const Column* is_delete = nullptr;  // bool; true and not null: a delete at its event time

  // Rows carry only the features whose bit is set: one bitmap per feature, null meaning all rows. A view is written
  // with partial updates always or never.
  bool partial_updates = false;
  std::span<const Validity* const> presence;

  TieOrder tie_order = TieOrder::kCanonicalBytes;
  Duration max_future = Duration::Minutes(10);    // later than commit time + this is refused
  Duration version_horizon = Duration::Hours(1);  // how far back as_of and known_at stay answerable
  // What the horizon is counted back from: the end of a batch load. Absent: the commit's time.
  std::optional<Timestamp> reference_time;
  bool all_or_none = false;  // one refused row, and nothing is written
};

enum class RowRejection : uint8_t { kNullKey, kKeyTooLarge, kNullEventTime, kFuture, kRowTooLarge };
inline constexpr std::size_t kRowRejectionCount = 5;
[[nodiscard]] std::string_view RowRejectionName(RowRejection reason);  // `null key`, `future`, ...

struct RowsResult {
  std::size_t written = 0;    // stored, and the winner of its key now or once its time comes
  std::size_t older = 0;      // lost to a row already there; kept while within the horizon
  std::size_t duplicate = 0;  // the same row was there
  std::size_t ambiguous =
      0;  // of the others: tied with a different row and settled below the sequence
  std::size_t dropped = 0;  // versions no longer needed for any answer within the horizon
  std::array<std::size_t, kRowRejectionCount> rejected{};  // by RowRejection
  struct Rejected {
    std::size_t row = 0;
    RowRejection reason{};
  };
  std::vector<Rejected> first_rejected;  // at most 10

  [[nodiscard]] std::size_t rejected_count() const;
  RowsResult& operator+=(const RowsResult& other);
};

struct RetractedRows {
  uint64_t rows = 0;
  uint64_t keys = 0;  // that had them
  // Of these, keys of which an earlier row may have been dropped meanwhile because a removed one had won over it.
  uint64_t keys_unsure = 0;
};

// A rank is a commit's number and a place among what it ranked, so that later ones are greater.
inline constexpr uint64_t kRanksOfCommit = uint64_t{1} << 24;
inline uint64_t CommitOfRank(uint64_t rank) { return rank / kRanksOfCommit; }

// At most one write transaction exists at a time, over all processes; Begin waits for its turn. Aborts when destroyed
// without Commit. After an error of any call but a rejected row only Abort is useful.
//
// Memory grows with the pages changed: about 225 MB for a million random rows. Values given are copied.
//
// Threads: thread-bound: begins, writes and ends on one thread, and that thread must not begin a second one.
class WriteTransaction {
 public:
  // Errors: kBusy naming the process that writes; kStoreReplaced; kForked; kFailedPrecondition when read-only;
  //   kDiskFull, kIoError.
  static absl::StatusOr<WriteTransaction> Begin(std::shared_ptr<Environment> environment);
  WriteTransaction(WriteTransaction&& other) noexcept;
  WriteTransaction& operator=(WriteTransaction&&) = delete;
  ~WriteTransaction();

  // The number and time the commit will have: the clock's, but later than the last commit's.
  [[nodiscard]] uint64_t commit_seq() const;
  [[nodiscard]] Timestamp commit_time() const;

  // Greater with each call. Errors: kTooLarge after kRanksOfCommit calls and ranked rows.
  absl::StatusOr<uint64_t> NextRank();

  // Reading what this transaction sees, its own changes included. Valid until its next change.
  [[nodiscard]] absl::StatusOr<std::optional<std::string_view>> GetRecord(
      uint32_t table, std::string_view key) const& LARDER_LIFETIME_BOUND;
  absl::StatusOr<std::optional<std::string_view>> GetRecord(uint32_t,
                                                            std::string_view) const&& = delete;
  // As ReadSession::ListRecords; `visit` must not change the transaction.
  absl::Status ListRecords(
      uint32_t table, const std::function<bool(std::string_view key, std::string_view value)>& visit,
      std::string_view from = {}) const;

  // Tables are the caller's numbers below kRecordTableMax. Errors: kTooLarge for a key over kRecordKeySizeMax.
  absl::Status PutRecord(uint32_t table, std::string_view key, std::string_view value);
  // False when there was no such record.
  absl::StatusOr<bool> DeleteRecord(uint32_t table, std::string_view key);

  // Adds row versions (SEMANTICS 3). Bad rows are refused one by one and reported; whether the rest is written is the
  // caller's choice. Any split and order of the same rows gives the same answers unless TieOrder
  // says otherwise. Errors: kInvalidArgument when columns do not fit the layout or each other.
  absl::StatusOr<RowsResult> WriteRows(const RowsToWrite& rows);

  // Removes every row of a view and its floors. Returns how many versions went.
  absl::StatusOr<uint64_t> DropView(uint32_t view_id);
  // Removes every version of one key. Returns how many went.
  absl::StatusOr<uint64_t> EraseKey(uint32_t view_id, std::string_view key);

  // Removes the rows that commits `first` to `last` wrote with WriteRows; what they had won over wins again, as far as it
  // is still kept. Cost: every partition with such a row is written anew. Errors: kCorrupt.
  absl::StatusOr<RetractedRows> RetractRows(uint32_t view_id, uint64_t first, uint64_t last);

  // The number of the view's live generation; 0: none.
  [[nodiscard]] absl::StatusOr<uint64_t> LiveGeneration(uint32_t view_id) const;
  // Whether it is live or kept.
  [[nodiscard]] absl::StatusOr<bool> HasGeneration(uint32_t view_id, uint64_t number) const;
  // Makes a retained generation live again; 0: none, as before the first load.
  // Errors: kNotFound naming those there are.
  absl::Status MakeGenerationLive(uint32_t view_id, uint64_t number);

  // The commit that carried batch `id`, when it is one of the last kBatchIdsKept commits: repeating it would be
  // doing it twice.
  [[nodiscard]] absl::StatusOr<std::optional<uint64_t>> FindBatch(std::string_view id) const;
  // Ties `id` to this commit. Errors: kAlreadyExists.
  absl::Status RememberBatch(std::string_view id);

  // Tells readers that cached definitions and layouts are out of date: layout_seq becomes this commit's number.
  void MarkLayoutChanged();

  // Makes everything visible and, when durable, safe. Returns commit_seq(). The transaction is over either way.
  // Errors: kDiskFull and kIoError: nothing was changed; kInDoubt: it may have been, repeat with the same batch id.
  absl::StatusOr<uint64_t> Commit();
  void Abort();

  struct State;
  [[nodiscard]] State& state() const { return *state_; }  // for larder's own sources

 private:
  friend absl::StatusOr<uint64_t> RunWriteTransaction(
      const std::shared_ptr<Environment>&, const std::function<absl::Status(WriteTransaction&)>&);
  explicit WriteTransaction(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

inline constexpr uint32_t kRecordTableMax = 0xFFFF0000;
inline constexpr std::size_t kRecordKeySizeMax = 480;
inline constexpr uint64_t kBatchIdsKept = 10'000;
inline constexpr std::size_t kGenerationsKept = 3;  // of a view, the live one among them

// Runs `change` in a write transaction and commits it. When the map is full it is grown, once this process's snapshots
// are released, and `change` runs again from the start on a new transaction: it must not keep results of a run that
// did not return OK. An error of `change` aborts and is returned. Returns the commit's number.
// Requires: the calling thread holds no snapshot, should growth be possible.
absl::StatusOr<uint64_t> RunWriteTransaction(
    const std::shared_ptr<Environment>& environment,
    const std::function<absl::Status(WriteTransaction&)>& change);

// The same, sharing the transaction, and so its sync, with what other threads of this process hand in meanwhile: their
// changes run one after the other, on any of the threads, and have one commit. Each is there whole or not at all, and an
// error of one concerns only that one; an error of the commit is everyone's. A change that returns OK without having
// written needs no commit.
// Requires: the calling thread holds no snapshot; no change waits for another of these threads.
absl::StatusOr<uint64_t> RunGroupedWrite(
    const std::shared_ptr<Environment>& environment,
    const std::function<absl::Status(WriteTransaction&)>& change);

}  // namespace larder::inline LARDER_ABI
