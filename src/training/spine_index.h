// A spine by key and instant, in partitions small enough for one to stay in a core's cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "training/join_key.h"
#include "training/key_scatter.h"
#include "training/key_table.h"

namespace larder::inline LARDER_ABI {

// One partition: its keys are groups, the distinct instants of a group its slots. Slots are numbered through the whole
// partition, those of a group together and in the order of time.
class PartitionIndex {
 public:
  explicit PartitionIndex(KeyForm form) : keys_(form) {}

  // `rows` in ascending order, whose keys `keys` can read.
  void Index(const KeyReader& keys, std::span<const std::span<const KeyedRow>> rows);

  struct Group {
    std::size_t begin = 0;  // of its slots
    std::size_t end = 0;
  };
  [[nodiscard]] std::size_t group_count() const { return group_begin_.size() - 1; }
  [[nodiscard]] Group group(std::size_t number) const {
    return {group_begin_[number], group_begin_[number + 1]};
  }
  [[nodiscard]] std::size_t slot_count() const { return group_begin_.back(); }
  [[nodiscard]] const int64_t* slot_times() const { return slot_times_.data(); }
  // The first slot of [begin, end), of one group, that is not before `at`, or, with `after`, that is after it.
  [[nodiscard]] std::size_t FirstSlot(std::size_t begin, std::size_t end, int64_t at,
                                      bool after) const;

  // By KeyHash; of a key that is bytes these too.
  [[nodiscard]] std::optional<uint32_t> FindGroup(uint64_t hash, std::string_view bytes) const {
    return keys_.FindHash(hash, bytes);
  }
  // For what FindGroup reads first.
  void FetchGroup(uint64_t hash) const { keys_.FetchHash(hash); }
  // In the form of words: 0, or the group's number plus one.
  void FindGroups(std::span<const uint64_t> hashes, uint32_t* found) const {
    keys_.FindHashes(hashes, found);
  }

  static constexpr uint32_t kNoSlot = std::numeric_limits<uint32_t>::max();
  static constexpr std::size_t kRowsTogether = 64;
  static constexpr uint32_t kTimesPadding = 16;  // that can be read behind the last slot's time
  // In the form of words: the first slot of each row's key that is not before its time, or, with `after`, that is after
  // it; kNoSlot where there is none. Requires: at most kRowsTogether rows.
  void FindSlots(std::span<const KeyedRow> rows, bool after, uint32_t* slots) const;

  // The partition's rows of the spine, by group and instant, and the slot of each.
  [[nodiscard]] std::span<const uint32_t> rows() const { return rows_; }
  [[nodiscard]] std::span<const uint32_t> slots() const { return slots_; }

 private:
  KeyTable keys_;
  std::vector<uint32_t> rows_;
  std::vector<uint32_t> slots_;
  std::vector<int64_t> slot_times_;          // and the padding
  std::vector<uint32_t> group_begin_ = {0};  // one more at the end
};

// Most groups are small: then counting them all costs less than the branches of a search that nothing predicts.
inline std::size_t PartitionIndex::FirstSlot(std::size_t begin, std::size_t end, int64_t at,
                                             bool after) const {
  constexpr std::size_t kOneByOne = 32;
  const int64_t* const first = slot_times_.data() + begin;
  const int64_t* const last = slot_times_.data() + end;
  if (end - begin > kOneByOne) {
    const int64_t* const found =
        after ? std::upper_bound(first, last, at) : std::lower_bound(first, last, at);
    return begin + static_cast<std::size_t>(found - first);
  }
  std::size_t slot = begin;
  if (after) {
    for (const int64_t* time = first; time != last; ++time) slot += *time <= at ? 1 : 0;
  } else {
    for (const int64_t* time = first; time != last; ++time) slot += *time < at ? 1 : 0;
  }
  return slot;
}

inline constexpr uint16_t kNoPartition = 0xFFFF;  // of a spine row whose key is null

class SpineIndex {
 public:
  // Errors: kInvalidArgument when a key column cannot be read as its type, or a key of the spine cannot (the first).
  static absl::StatusOr<std::shared_ptr<const SpineIndex>> Make(const Column& times,
                                                                std::span<const Column* const> keys,
                                                                std::span<const DataType> types,
                                                                int thread_count);

  [[nodiscard]] int partition_bits() const { return partition_bits_; }
  [[nodiscard]] const std::vector<PartitionIndex>& partitions() const { return partitions_; }
  // Of each row of the spine.
  [[nodiscard]] const std::vector<uint16_t>& row_partitions() const { return row_partitions_; }
  [[nodiscard]] std::size_t slot_count() const;

 private:
  int partition_bits_ = 0;
  std::vector<PartitionIndex> partitions_;
  std::vector<uint16_t> row_partitions_;
};

}  // namespace larder::inline LARDER_ABI
