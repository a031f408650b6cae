// Where the pages of an aggregate tree are kept.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

using NodeId = uint64_t;  // 0: none

// Threads: thread-bound.
class NodeStore {
 public:
  virtual ~NodeStore() = default;

  // Lifetime: until the next Write or Free.
  // Errors: kDataLoss for an id that is not in use.
  [[nodiscard]] virtual absl::StatusOr<std::string_view> Read(NodeId id) const = 0;
  virtual absl::StatusOr<NodeId> Allocate() = 0;
  virtual absl::Status Write(NodeId id, std::string_view page) = 0;
  virtual absl::Status Free(NodeId id) = 0;
};

class MemoryNodeStore final : public NodeStore {
 public:
  [[nodiscard]] absl::StatusOr<std::string_view> Read(NodeId id) const override;
  absl::StatusOr<NodeId> Allocate() override;
  absl::Status Write(NodeId id, std::string_view page) override;
  absl::Status Free(NodeId id) override;

  [[nodiscard]] std::size_t page_count() const { return pages_.size() - free_.size(); }

 private:
  [[nodiscard]] bool IsInUse(NodeId id) const {
    return id >= 1 && id <= pages_.size() && pages_[id - 1].in_use;
  }
  struct Page {
    bool in_use = false;
    std::string bytes;
  };
  std::deque<Page> pages_;  // of id 1, 2, ...
  std::vector<NodeId> free_;
};

}  // namespace larder::inline LARDER_ABI
