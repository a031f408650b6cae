// Changing one layer of a view inside a write transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/row_layout.h"
#include "larder/online/write_transaction.h"
#include "online/segment.h"
#include "online/view_directory.h"
#include "online/view_rows.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {

// Partitions are cut in two when one segment would be larger than this (by the rows, not by keys that share a hash).
inline constexpr std::size_t kPartitionSizeMax = std::size_t{6} << 20;
// The first entry of the upper half of a partition that is to be cut; nullopt: one segment holds its entries.
std::optional<std::size_t> CutOf(uint32_t prefix, uint8_t depth,
                                 std::span<const SegmentEntry> entries);
// A new segment takes in the ones before it that are less than this many times its size. So a partition has about
// log4(its size / a push's) segments, and a row is written again about as often.
inline constexpr std::size_t kMergeRatio = 4;

// Requires: the state outlives it, and nothing else changes the layer meanwhile.
class LayerWriter {
 public:
  // Without a shape: only to take away.
  LayerWriter(WriteTransaction::State* state, uint32_t view_id, std::optional<SegmentShape> shape,
              Layer layer);
  // Reads what is stored. Errors: kCorrupt.
  absl::Status Open();

  [[nodiscard]] ViewRows& rows() { return rows_; }
  [[nodiscard]] SegmentSource source() const;

  // Replaces the versions of the entries' keys. Requires: entries in the order of (hash, key), none empty.
  // `added`: by how many versions the layer grows.
  absl::Status Put(std::vector<SegmentEntry> entries, int64_t added);
  // How partitions were merged.
  struct MergeCount {
    uint64_t partitions = 0;
    uint64_t segments_before = 0;
    uint64_t segments_after = 0;
    uint64_t bytes = 0;  // of the segments written
  };
  // Makes one segment of every partition that has several, from the one that holds the hash `from` down to the first,
  // until about `size` bytes are written. Returns where to go on; nullopt: all done.
  absl::StatusOr<std::optional<uint64_t>> MergeFrom(uint64_t from, std::size_t size,
                                                    MergeCount* count);
  // Takes a key out of every segment. Returns how many versions it had.
  absl::StatusOr<uint64_t> Erase(uint64_t hash, std::string_view key);
  // Takes out the rows that commits `first` to `last` wrote. `unsure_until`: RetractedRows::keys_unsure counts keys that
  // lose a row which happened by then.
  absl::StatusOr<RetractedRows> Retract(uint64_t first, uint64_t last, Timestamp unsure_until);
  // Deletes everything. Returns how many versions there were.
  absl::StatusOr<uint64_t> Drop();

 private:
  absl::Status PutPartition(std::size_t partition, std::vector<SegmentEntry> entries);
  // Makes one segment of the partition's, or more when they are too large for one.
  absl::Status MergePartition(std::size_t partition, MergeCount* count);
  // `merged`: what its segments hold together.
  absl::Status ReplacePartition(std::size_t partition, const std::vector<SegmentEntry>& merged);
  // Of the partition that a push would touch next.
  absl::Status CheckBudget(std::size_t partition) const;
  // Merges the partition with the most segments when it has more than a push should leave.
  absl::Status KeepBudget();
  // Rewrites partition `partition` as `segments` kept plus one made of `entries`, or several when they are too large.
  absl::Status Rewrite(std::size_t partition, std::size_t kept, const SegmentShape& shape,
                       std::span<const SegmentEntry> entries);
  absl::StatusOr<SegmentRef> PutSegment(const SegmentPlace& place,
                                        std::span<const SegmentEntry> entries);
  absl::Status DeleteSegment(uint64_t id);
  absl::Status PutDirectory();

  WriteTransaction::State* state_;
  Layer layer_;
  ViewRows rows_;
  ViewDirectory directory_;
};

// All keys of `segments` (oldest first), each with its versions from the newest segment that has it, except those in
// `newer`, which come as they are. In the order of (hash, key). Rows are loose. Borrows from the segments and
// `arena`. Errors: kCorrupt.
absl::StatusOr<std::vector<SegmentEntry>> MergeSegments(std::span<const SegmentView> segments,
                                                        std::vector<SegmentEntry> newer,
                                                        uint64_t hash_seed, RowArena* arena);

}  // namespace larder::inline LARDER_ABI
