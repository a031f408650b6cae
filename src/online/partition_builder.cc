#include "online/partition_builder.h"

#include <algorithm>
#include <utility>

#include "online/layer_writer.h"

namespace larder::inline LARDER_ABI {

void BuildSegments(SegmentPlace place, std::span<const SegmentEntry> entries,
                   std::vector<BuiltSegment>* out) {
  if (entries.empty()) return;
  std::size_t size = 0;
  for (const SegmentEntry& entry : entries) {
    for (const std::string_view row : entry.rows) size += row.size();
  }
  if (size <= kPartitionSizeMax || place.depth >= ViewDirectory::kDepthMax ||
      entries.front().hash == entries.back().hash) {
    out->push_back({place.prefix, place.depth, BuildSegment(place, entries)});
    return;
  }
  ++place.depth;
  place.prefix <<= 1;
  const uint64_t middle = uint64_t{place.prefix + 1} << (64 - place.depth);
  const auto cut = static_cast<std::size_t>(
      std::partition_point(entries.begin(), entries.end(),
                           [middle](const SegmentEntry& entry) { return entry.hash < middle; }) -
      entries.begin());
  BuildSegments(place, entries.first(cut), out);
  ++place.prefix;
  BuildSegments(place, entries.subspan(cut), out);
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
