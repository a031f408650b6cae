#include "larder/aggregate/node_store.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<std::string_view> MemoryNodeStore::Read(NodeId id) const {
  if (!IsInUse(id)) return DataLossError("no aggregate page ", id);
  return std::string_view(pages_[id - 1].bytes);
}

absl::StatusOr<NodeId> MemoryNodeStore::Allocate() {
  if (free_.empty()) {
    pages_.push_back({true, {}});
    return pages_.size();
  }
  const NodeId id = free_.back();
  free_.pop_back();
  pages_[id - 1].in_use = true;
  return id;
}

absl::Status MemoryNodeStore::Write(NodeId id, std::string_view page) {
  if (!IsInUse(id)) return DataLossError("no aggregate page ", id);
  pages_[id - 1].bytes = page;
  return {};
}

absl::Status MemoryNodeStore::Free(NodeId id) {
  if (!IsInUse(id)) return DataLossError("no aggregate page ", id);
  pages_[id - 1] = {};
  free_.push_back(id);
  return {};
}

}  // namespace larder::inline LARDER_ABI
