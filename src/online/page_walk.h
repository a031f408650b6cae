// Walking an LMDB 0.9 data file by plain reads. LMDB trusts its pages: a damaged one can end the process or give other
// rows. This trusts none, so damage is found and named instead.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "online/file_check.h"

namespace larder::inline LARDER_ABI {

class PageWalk {
 public:
  // Called for each entry of a named database, in key order. Views are valid during the call.
  using Visitor =
      std::function<void(std::string_view database, std::string_view key, std::string_view value)>;

  // `page_limit`: pages in the file; one past it that a tree refers to is a problem. Borrows `fd`.
  PageWalk(int fd, const MetaPage& meta, uint64_t page_limit);

  // Walks the main tree with its named databases and the free list. False when the file could not be read.
  bool Run(const Visitor& visit);

  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] uint64_t pages_used() const { return used_; }
  [[nodiscard]] uint64_t pages_free() const { return free_; }

 private:
  enum class Tree { kMain, kNamed, kFreeList };
  struct Counts {
    uint64_t branch = 0;
    uint64_t leaf = 0;
    uint64_t overflow = 0;
    uint64_t entries = 0;
    std::string last_key;
    bool has_key = false;
  };
  void WalkTree(const TreeHead& head, Tree kind, std::string_view name, const Visitor& visit);
  void WalkPage(uint64_t number, int level, const TreeHead& head, Tree kind, std::string_view name,
                const Visitor& visit, Counts* counts);
  void WalkLeaf(const std::string& page, uint64_t number, const TreeHead& head, Tree kind,
                std::string_view name, const Visitor& visit, Counts* counts);
  void ReadFreeList(std::string_view value);
  bool Claim(uint64_t first, uint64_t count, std::string_view what);
  bool ReadPages(uint64_t first, uint64_t count, std::string* out);
  void Problem(std::string text);

  int fd_;
  MetaPage meta_;
  uint64_t page_limit_;
  std::vector<bool> seen_;
  uint64_t used_ = 0;
  uint64_t free_ = 0;
  bool readable_ = true;
  std::vector<std::string> problems_;
};

}  // namespace larder::inline LARDER_ABI
