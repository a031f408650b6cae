// Which segments hold a view's rows: one record per view and layer.
//
// A layer is cut into partitions by the leading bits of the keys' hashes, each as fine as its size needs (extendible
// hashing). A partition is a short list of segments, oldest first; a key's versions are those of the newest segment that
// has the key, complete. Segments are written once: a change writes a new one and the list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// A view's rows come from two layers; the winner of both answers (SEMANTICS 3 and 9).
enum class Layer : uint8_t {
  kLoaded = 0,  // the live generation
  kPushed = 1,  // what was pushed, whatever generation is live
};
inline constexpr std::size_t kLayerCount = 2;

struct SegmentRef {
  uint64_t id = 0;
  uint32_t size = 0;
  uint32_t key_count = 0;
  friend bool operator==(const SegmentRef&, const SegmentRef&) = default;
};

struct Partition {
  uint32_t prefix = 0;  // the leading `depth` bits of every hash in it
  uint8_t depth = 0;
  std::vector<SegmentRef> segments;
};

class ViewDirectory {
 public:
  // One partition without segments.
  ViewDirectory() : partitions_(1) { Index(); }
  // Errors: kCorrupt.
  static absl::StatusOr<ViewDirectory> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;

  [[nodiscard]] bool empty() const { return row_count == 0; }
  [[nodiscard]] const std::vector<Partition>& partitions() const { return partitions_; }
  [[nodiscard]] Partition& partition(std::size_t i) { return partitions_[i]; }
  [[nodiscard]] std::size_t PartitionOf(uint64_t hash) const { return index_[PlaceOf(hash)]; }
  // The hash's leading bits that tell every partition from the others, below
  // place_count(); and the first place of a partition, which has as many as it
  // is coarser.
  [[nodiscard]] std::size_t PlaceOf(uint64_t hash) const {
    return depth_ == 0 ? 0 : hash >> (64 - depth_);
  }
  [[nodiscard]] std::size_t place_count() const { return index_.size(); }
  [[nodiscard]] std::size_t FirstPlaceOf(std::size_t partition) const {
    return std::size_t{partitions_[partition].prefix} << (depth_ - partitions_[partition].depth);
  }
  [[nodiscard]] std::size_t PlacesOf(std::size_t partition) const {
    return std::size_t{1} << (depth_ - partitions_[partition].depth);
  }
  // Replaces partition `i` by its two halves, without segments. Requires: depth < kDepthMax.
  void Split(std::size_t i);
  // The partition of these leading bits, once those it lies in are split. Requires: no finer ones there.
  Partition& PartitionFor(uint32_t prefix, uint8_t depth);
  static constexpr uint8_t kDepthMax = 20;

  // Partitions of equal depth, in the order of their prefixes.
  static ViewDirectory OfDepth(uint8_t depth);

  uint64_t changed_at = 0;  // commit_seq of the last change
  uint64_t row_count = 0;   // versions
  uint64_t number = 0;      // of the generation; 0 in the pushed layer

 private:
  void Index();
  std::vector<Partition> partitions_;  // by prefix
  std::vector<uint32_t> index_;        // leading depth_ bits of the hash -> partition
  uint8_t depth_ = 0;
};

}  // namespace larder::inline LARDER_ABI
