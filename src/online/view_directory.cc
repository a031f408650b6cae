#include "online/view_directory.h"

#include <algorithm>

#include "larder/base/bytes.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint32_t kForm = 1;

}  // namespace

void ViewDirectory::Index() {
  depth_ = 0;
  for (const Partition& partition : partitions_) depth_ = std::max(depth_, partition.depth);
  index_.assign(std::size_t{1} << depth_, 0);
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    const auto shift = static_cast<uint8_t>(depth_ - partitions_[i].depth);
    const std::size_t first = std::size_t{partitions_[i].prefix} << shift;
    std::fill_n(index_.begin() + static_cast<std::ptrdiff_t>(first), std::size_t{1} << shift,
                static_cast<uint32_t>(i));
  }
}

void ViewDirectory::Split(std::size_t i) {
  Partition low;
  low.depth = static_cast<uint8_t>(partitions_[i].depth + 1);
  low.prefix = partitions_[i].prefix << 1;
  Partition high = low;
  high.prefix |= 1;
  partitions_[i] = std::move(low);
  partitions_.insert(partitions_.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(high));
  Index();
}

Partition& ViewDirectory::PartitionFor(uint32_t prefix, uint8_t depth) {
  const uint64_t hash = depth == 0 ? 0 : uint64_t{prefix} << (64 - depth);
  while (partitions_[PartitionOf(hash)].depth < depth) Split(PartitionOf(hash));
  return partitions_[PartitionOf(hash)];
}

ViewDirectory ViewDirectory::OfDepth(uint8_t depth) {
  ViewDirectory directory;
  directory.partitions_.resize(std::size_t{1} << depth);
  for (std::size_t i = 0; i < directory.partitions_.size(); ++i) {
    directory.partitions_[i].prefix = static_cast<uint32_t>(i);
    directory.partitions_[i].depth = depth;
  }
  directory.Index();
  return directory;
}

std::string ViewDirectory::Serialize() const {
  ByteWriter out;
  out.Put(kForm);
  out.Put(static_cast<uint32_t>(partitions_.size()));
  out.Put(changed_at);
  out.Put(row_count);
  out.Put(number);
  for (const Partition& partition : partitions_) {
    out.Put(partition.prefix);
    out.Put(static_cast<uint16_t>(partition.depth));
    out.Put(static_cast<uint16_t>(partition.segments.size()));
    for (const SegmentRef& segment : partition.segments) {
      out.Put(segment.id);
      out.Put(segment.size);
      out.Put(segment.key_count);
    }
  }
  return std::move(out).Take();
}

absl::StatusOr<ViewDirectory> ViewDirectory::Parse(std::string_view bytes) {
  const auto damaged = [] {
    return WithKind(DataLossError("a view's list of segments is damaged"), ErrorKind::kCorrupt);
  };
  ByteReader in(bytes);
  ViewDirectory directory;
  const auto form = in.Get<uint32_t>();
  const auto count = in.Get<uint32_t>();
  directory.changed_at = in.Get<uint64_t>();
  directory.row_count = in.Get<uint64_t>();
  directory.number = in.Get<uint64_t>();
  if (!in.ok() || form != kForm || count == 0 || count > in.remaining() / 8) return damaged();
  directory.partitions_.resize(count);
  uint64_t covered = 0;  // of the hashes' leading 32 bits
  for (Partition& partition : directory.partitions_) {
    partition.prefix = in.Get<uint32_t>();
    const auto depth = in.Get<uint16_t>();
    const auto segments = in.Get<uint16_t>();
    if (!in.ok() || depth > kDepthMax || segments > in.remaining() / 16) return damaged();
    partition.depth = static_cast<uint8_t>(depth);
    if (uint64_t{partition.prefix} << (32 - depth) != covered) return damaged();
    covered += uint64_t{1} << (32 - depth);
    for (uint16_t i = 0; i < segments; ++i) {
      SegmentRef& segment = partition.segments.emplace_back();
      segment.id = in.Get<uint64_t>();
      segment.size = in.Get<uint32_t>();
      segment.key_count = in.Get<uint32_t>();
    }
  }
  if (!in.ok() || covered != uint64_t{1} << 32) return damaged();
  directory.Index();
  return directory;
}

}  // namespace larder::inline LARDER_ABI
