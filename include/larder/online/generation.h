// Generations: complete materialized copies of a view's rows, built beside the live one and made live in one small
// transaction. The last few stay, so that going back is a change of one record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/write_transaction.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// Stored: never renumber.
enum class GenerationState : uint8_t {
  kBuilding = 1,  // being written; without its builder it is garbage
  kReady = 2,     // whole, not yet published; without its builder it is garbage
  kLive = 3,
  kRetained = 4,  // was live, may be again
};

struct GenerationInfo {
  uint64_t number = 0;  // of its view, from 1
  GenerationState state = GenerationState::kBuilding;
  uint64_t base = 0;  // the generation it was built on; 0: from nothing
  uint64_t row_count = 0;
  uint64_t published_commit = 0;  // of the first publication
  Timestamp published_at = Timestamp::Min();
};

// Of a view, oldest first; live, retained and unfinished ones.
absl::StatusOr<std::vector<GenerationInfo>> ListGenerations(const ReadSession& session,
                                                            uint32_t view_id);

// The number of the view's live generation; 0: none.
absl::StatusOr<uint64_t> LiveGeneration(const ReadSession& session, uint32_t view_id);

// The right to build generations: one holder per store, over all processes; it ends with the holder, however that ends.
// Taking it frees what holders before left unfinished.
class LoadLease {
 public:
  // Errors: kBusy naming the process that holds it; kForked; kFailedPrecondition when read-only.
  static absl::StatusOr<LoadLease> Acquire(std::shared_ptr<Environment> environment);
  // Frees what was built and is not to be published.
  absl::Status FreeUnfinished() const;
  LoadLease(LoadLease&& other) noexcept;
  LoadLease& operator=(LoadLease&&) = delete;
  ~LoadLease();
  [[nodiscard]] const std::shared_ptr<Environment>& environment() const LARDER_LIFETIME_BOUND {
    return environment_;
  }

 private:
  LoadLease(std::shared_ptr<Environment> environment, int fd)
      : environment_(std::move(environment)), fd_(fd) {}
  std::shared_ptr<Environment> environment_;
  int fd_ = -1;
};

struct GenerationOptions {
  uint32_t view_id = 0;
  const RowLayout* layout = nullptr;
  // Starts from nothing instead of the live generation.
  bool replace = false;
  // Encodes many rows, and builds rows that meet none that are stored, on so many threads, the calling one among them;
  // below 1 is 1. What is stored is the same whatever it is.
  int thread_count = 1;
};

// A feature over the keys of a generation.
struct FeatureSummary {
  uint64_t nulls = 0;
  // Of numbers, times and dates, but NaN; null when there is none.
  Value min;
  Value max;
};

// What a generation holds of every key: its newest version. Keys whose newest version is a delete are left out.
struct GenerationSummary {
  uint64_t keys = 0;
  uint64_t keys_before = 0;  // of the live one it was built on
  std::vector<FeatureSummary> features;
};

// Builds one generation of one view: rows are added, sorted in memory, merged with the live generation by SEMANTICS 3
// and written partition by partition, large ones in transactions of their own; partitions without new rows are shared
// with the live one. Nothing is visible until Publish.
//
// Memory: the rows added, each with 8 bytes more, twice that where threads encode small batches, and a few partitions. Threads: thread-bound. Lifetime: the lease and the layout must outlive it.
class GenerationBuilder {
 public:
  static absl::StatusOr<GenerationBuilder> Begin(const LoadLease& lease,
                                                 const GenerationOptions& options);
  GenerationBuilder(GenerationBuilder&&) noexcept;
  GenerationBuilder& operator=(GenerationBuilder&&) = delete;
  ~GenerationBuilder();

  // Rows that cannot be taken are counted and the first of them named. RowsToWrite::reference_time is required.
  // Errors: kInvalidArgument when columns do not fit.
  absl::Status Add(const RowsToWrite& rows);
  [[nodiscard]] const RowsResult& rejected() const;

  // Makes its segments. Returns how rows fared against those already there. Errors: kDiskFull, kIoError, kCorrupt; kBusy.
  // Requires: the calling thread holds no snapshot and no write transaction.
  absl::StatusOr<RowsResult> Build();
  // Cost: reads the whole generation, and the keys of the one before. Requires: Build.
  absl::StatusOr<GenerationSummary> Summarize() const;
  // Makes it the view's live one with the transaction's commit. Earlier ones stay while they are among the last
  // kGenerationsKept; pushed rows are not touched. May be called again in another transaction when the first one is given
  // up. Requires: Build.
  // Errors: kAborted (kConflict) when another generation has become live since Begin.
  absl::Status Publish(WriteTransaction& transaction) const;
  // Of the generation, and of the one it is built on (0: none).
  [[nodiscard]] uint64_t number() const;
  [[nodiscard]] uint64_t base() const;

 private:
  struct State;
  explicit GenerationBuilder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace larder::inline LARDER_ABI
