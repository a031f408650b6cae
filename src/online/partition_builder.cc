#include "online/partition_builder.h"

#include <utility>

#include "online/layer_writer.h"

namespace larder::inline LARDER_ABI {

void BuildSegments(SegmentPlace place, std::span<const SegmentEntry> entries,
                   std::vector<BuiltSegment>* out) {
  if (entries.empty()) return;
  const auto cut = CutOf(place.prefix, place.depth, entries);
  if (!cut) {
    out->push_back({place.prefix, place.depth, BuildSegment(place, entries)});
    return;
  }
  ++place.depth;
  place.prefix <<= 1;
  BuildSegments(place, entries.first(*cut), out);
  ++place.prefix;
  BuildSegments(place, entries.subspan(*cut), out);
}

absl::StatusOr<bool> PartitionBuilder::Build(const Partition& partition,
                                             std::span<const NewRow> rows,
                                             std::vector<SegmentEntry> stored,
                                             const PushedRows& pushed,
                                             std::vector<BuiltSegment>* out) {
  LARDER_RETURN_IF_ERROR(merge_.Merge(rows, std::move(stored), pushed, &merged_));
  SegmentPlace place;
  place.view_id = terms_.view_id;
  place.shape = ShapeOf(*terms_.layout);
  place.depth = partition.depth;
  place.prefix = partition.prefix;
  BuildSegments(place, merged_, out);
  return !merged_.empty();
}

}  // namespace larder::inline LARDER_ABI
