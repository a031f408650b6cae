// From a load's rows to segments, partition by partition.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/row_layout.h"
#include "online/load_rows.h"
#include "online/partition_merge.h"
#include "online/segment.h"
#include "online/view_directory.h"

namespace larder::inline LARDER_ABI {

// A segment built and not yet written: the only one of the partition of these leading bits.
struct BuiltSegment {
  uint32_t prefix = 0;
  uint8_t depth = 0;
  std::string bytes;
};

// Appends the entries, whose hashes begin with `place.prefix`, as one segment, or more where they are too large for one.
void BuildSegments(SegmentPlace place, std::span<const SegmentEntry> entries,
                   std::vector<BuiltSegment>* out);

// What every partition of a load is built with.
struct PartitionTerms {
  uint32_t view_id = 0;
  const RowLayout* layout = nullptr;
  VersionChain::Rules rules;
};

// Partitions in the order of their prefixes. Threads: thread-bound, but several may share a LoadRows as long as no two of
// them have partitions of one LoadRows::GroupOf.
class PartitionBuilder {
 public:
  PartitionBuilder(const PartitionTerms& terms, LoadRows* rows)
      : terms_(terms), rows_(rows), merge_(*terms.layout, terms.rules) {}

  // The new rows of a partition. Valid until the next call.
  std::span<const NewRow> RowsOf(const Partition& partition) {
    return rows_.RowsOf(partition.prefix, partition.depth);
  }
  // Appends the segments of a partition: `rows`, as RowsOf gave them, and what is stored of it. Returns whether there is
  // anything in it. Errors: kCorrupt.
  absl::StatusOr<bool> Build(const Partition& partition, std::span<const NewRow> rows,
                             std::vector<SegmentEntry> stored, const PushedRows& pushed,
                             std::vector<BuiltSegment>* out);
  // What became of the rows so far.
  [[nodiscard]] const PartitionMerge& merge() const { return merge_; }

 private:
  PartitionTerms terms_;
  SortedLoadRows rows_;
  PartitionMerge merge_;
  std::vector<SegmentEntry> merged_;
};

}  // namespace larder::inline LARDER_ABI
