#include "online/partitions_ahead.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace larder::inline LARDER_ABI {

PartitionsAhead::PartitionsAhead(int thread_count, const PartitionTerms& terms,
                                 std::span<const Partition> partitions, LoadRows* rows)
    : terms_(terms), rows_(rows), own_(terms, rows) {
  for (std::size_t begin = 0; begin < partitions.size();) {
    const auto group_of = [&](std::size_t i) {
      const Partition& partition = partitions[i];
      return partition.depth <= LoadRows::kGroupBits
                 ? SIZE_MAX
                 : std::size_t{partition.prefix >> (partition.depth - LoadRows::kGroupBits)};
    };
    std::size_t end = begin + 1;
    while (end < partitions.size() && group_of(begin) != SIZE_MAX &&
           group_of(end) == group_of(begin))
      ++end;
    units_.emplace_back().partitions = partitions.subspan(begin, end - begin);
    begin = end;
  }
  const auto wanted = std::min(static_cast<std::size_t>(std::max(thread_count, 1)), units_.size());
  if (wanted > 1) ahead_max_ = 2 * wanted;
  for (std::size_t i = 1; i < wanted; ++i) {
    try {
      threads_.emplace_back([this] { Run(); });
    } catch (const std::system_error&) {
      break;  // those there are do it
    }
  }
}

PartitionsAhead::~PartitionsAhead() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PartitionsAhead::BuildNext(PartitionBuilder& builder, std::unique_lock<std::mutex>& lock) {
  Unit& unit = units_[next_++];
  lock.unlock();
  absl::Status status;
  std::vector<BuiltSegment> segments;
  for (const Partition& partition : unit.partitions) {
    const std::span<const NewRow> rows = builder.RowsOf(partition);
    if (rows.empty()) continue;
    status = builder.Build(partition, rows, {}, {}, &segments).status();
    if (!status.ok()) break;
  }
  lock.lock();
  unit.status = std::move(status);
  unit.segments = std::move(segments);
  unit.is_done = true;
  changed_.notify_all();
}

void PartitionsAhead::Run() {
  PartitionBuilder builder(terms_, rows_);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stops_ || next_ == units_.size() || HasOneToBegin(); });
    if (stops_ || next_ == units_.size()) break;
    BuildNext(builder, lock);
  }
  Count(builder.merge());
}

void PartitionsAhead::Count(const PartitionMerge& merge) {
  result_ += merge.result();
  added_ += merge.added();
  const ViewFloors floors = merge.floors();
  floors_.as_of = std::max(floors_.as_of, floors.as_of);
  floors_.known_at = std::max(floors_.known_at, floors.known_at);
}

absl::StatusOr<std::optional<std::vector<BuiltSegment>>> PartitionsAhead::Take() {
  std::unique_lock lock(mutex_);
  if (taken_ == units_.size()) {
    lock.unlock();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    Count(own_.merge());
    return std::optional<std::vector<BuiltSegment>>();
  }
  Unit& unit = units_[taken_];
  while (!unit.is_done) {
    if (HasOneToBegin()) {
      BuildNext(own_, lock);
    } else {
      changed_.wait(lock);
    }
  }
  ++taken_;
  changed_.notify_all();
  if (!unit.status.ok()) return unit.status;
  return std::optional<std::vector<BuiltSegment>>(std::move(unit.segments));
}

}  // namespace larder::inline LARDER_ABI
