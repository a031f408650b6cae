// Partitions of a load that starts from nothing, built on several threads ahead of the one that writes them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "online/partition_builder.h"

namespace larder::inline LARDER_ABI {

// Threads: Take on one thread, that of the constructor. No more than twice as many units as there are threads are built
// and not yet taken.
class PartitionsAhead {
 public:
  // Begins to build on `thread_count` - 1 threads of its own, or as many as the system gives. Borrows all it is given.
  PartitionsAhead(int thread_count, const PartitionTerms& terms,
                  std::span<const Partition> partitions, LoadRows* rows);
  PartitionsAhead(const PartitionsAhead&) = delete;
  PartitionsAhead& operator=(const PartitionsAhead&) = delete;
  ~PartitionsAhead();

  // The segments of the next partitions, in order; nullopt once there are no more. The calling thread builds too, while
  // the next ones are not ready. Errors: kCorrupt.
  absl::StatusOr<std::optional<std::vector<BuiltSegment>>> Take();

  // What became of all rows. Requires: Take gave nullopt.
  [[nodiscard]] const RowsResult& result() const { return result_; }
  [[nodiscard]] int64_t added() const { return added_; }
  [[nodiscard]] const ViewFloors& floors() const { return floors_; }

 private:
  // Partitions whose rows are in one group of LoadRows, or one partition of several.
  struct Unit {
    std::span<const Partition> partitions;
    bool is_done = false;
    absl::Status status;
    std::vector<BuiltSegment> segments;
  };
  [[nodiscard]] bool HasOneToBegin() const {
    return next_ < units_.size() && next_ < taken_ + ahead_max_;
  }
  // Builds the next unit that nobody has begun. `lock` is let go meanwhile.
  void BuildNext(PartitionBuilder& builder, std::unique_lock<std::mutex>& lock);
  void Count(const PartitionMerge& merge);
  void Run();

  const PartitionTerms terms_;
  LoadRows* const rows_;
  std::size_t ahead_max_ = 1;
  PartitionBuilder own_;

  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::vector<Unit> units_;
  std::size_t next_ = 0;   // the first that nobody has begun
  std::size_t taken_ = 0;  // the first that is not taken
  bool stops_ = false;
  RowsResult result_;
  int64_t added_ = 0;
  ViewFloors floors_;
  std::vector<std::thread> threads_;
};

}  // namespace larder::inline LARDER_ABI
