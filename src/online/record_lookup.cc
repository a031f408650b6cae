#include "online/record_lookup.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "larder/base/bytes.h"
#include "online/environment_impl.h"
#include "online/file_check.h"
#include "online/lmdb_page.h"
#include "online/record_key.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kTreeHeadSize = 48;
constexpr std::size_t kLine = 64;

void Fetch(const char* from, std::size_t size) {
  for (std::size_t at = 0; at < size; at += kLine) __builtin_prefetch(from + at);
}

const char* NodeOf(const char* page, std::size_t i) { return page + PlaceOfNode(page, i); }

// As LMDB compares them. Requires: sizes are multiples of 8, as those of all keys of records are.
int Compare(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < size; i += sizeof(uint64_t)) {
    const uint64_t x = LoadBigEndian(a.data() + i);
    const uint64_t y = LoadBigEndian(b.data() + i);
    if (x != y) return x < y ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

}  // namespace

std::optional<RecordTree> RecordTree::Of(MDB_txn* txn, std::string_view name) {
  MDB_val key = ToVal(name);
  MDB_val value{};
  MDB_stat stat;
  if (mdb_get(txn, kMainDatabase, &key, &value) != 0 || value.mv_size != kTreeHeadSize ||
      mdb_stat(txn, kMainDatabase, &stat) != 0) {
    return {};
  }
  const auto* const bytes = static_cast<const char*>(value.mv_data);
  const TreeHead head = ParseTreeHead(bytes);
  if (head.flags != 0 || head.depth == 0 || head.root == kNoPage) return {};
  // The map begins with a page of the system: those of a file from elsewhere may be larger.
  MDB_envinfo info;
  if (mdb_env_info(mdb_txn_env(txn), &info) != 0 ||
      stat.ms_psize > static_cast<unsigned long>(sysconf(_SC_PAGESIZE))) {
    return {};
  }
  RecordTree tree;
  tree.page_size_ = stat.ms_psize;
  tree.page_count_ = std::min<uint64_t>(info.me_last_pgno + 1, info.me_mapsize / stat.ms_psize);
  // Every page begins with its own number.
  const char* const page = bytes - reinterpret_cast<uintptr_t>(bytes) % tree.page_size_;
  if (LoadAs<uint64_t>(page) >= tree.page_count_) return {};
  tree.map_ = page - LoadAs<uint64_t>(page) * tree.page_size_;
  tree.root_ = head.root;
  tree.depth_ = head.depth;
  return tree;
}

// One key on its way down: first a page's list of nodes is there, then one node of it after the other.
class RecordTree::Descent {
 public:
  Descent() = default;
  Descent(const RecordTree& tree, std::string_view key)
      : tree_(&tree), key_(key), levels_below_(tree.depth_) {
    Enter(tree.root_);
  }

  // False at its end. What it looks at was asked for by the step before.
  bool Step() {
    if (damaged_) return false;
    if (node_ == nullptr) {
      if (!OpenPage()) return Damaged();
    } else {
      if (!HasKey(node_)) return Damaged();
      const int order = Compare(key_, NodeKey(node_));
      if (order == 0 && levels_below_ == 0) {
        if (!HasValue(node_)) return Damaged();
        found_ = node_;
        FetchValue();
        return false;
      }
      if (order >= 0) {
        low_ = middle_ + 1;
      } else {
        high_ = middle_;
      }
    }
    if (low_ < high_) {
      middle_ = (low_ + high_) / 2;
      node_ = NodeOf(page_, middle_);
      __builtin_prefetch(node_ + kNodeHeader);
      return true;
    }
    if (levels_below_ == 0) return false;
    const char* const child = NodeOf(page_, low_ - 1);
    if (!HasKey(child)) return Damaged();
    Enter(ChildPage(child));
    return !damaged_;
  }

  [[nodiscard]] bool damaged() const { return damaged_; }
  [[nodiscard]] std::optional<std::string_view> value() const {
    if (found_ == nullptr) return {};
    return std::string_view(Value(), ValueSize(found_));
  }

 private:
  bool Damaged() {
    damaged_ = true;
    return false;
  }
  void Enter(uint64_t page) {
    if (page >= tree_->page_count_) {
      damaged_ = true;
      return;
    }
    page_ = tree_->Page(page);
    node_ = nullptr;
    --levels_below_;
    Fetch(page_, 3 * kLine);
  }
  bool OpenPage() {
    const uint16_t kind = levels_below_ > 0 ? kPageBranch : kPageLeaf;
    const std::size_t places_end = LoadAs<uint16_t>(page_ + kPlacesEndAt);
    if ((LoadAs<uint16_t>(page_ + kPageFlagsAt) & (kPageBranch | kPageLeaf)) != kind ||
        places_end < kPageHeader || places_end > tree_->page_size_) {
      return false;
    }
    // The first node of a page with others below it begins before all keys.
    low_ = levels_below_ > 0 ? 1 : 0;
    high_ = (places_end - kPageHeader) / 2;
    return low_ <= high_;
  }
  [[nodiscard]] std::size_t RoomBehind(const char* at) const {
    const auto used = static_cast<std::size_t>(at - page_);
    return used < tree_->page_size_ ? tree_->page_size_ - used : 0;
  }
  // Whether its key, and its value, are where it says.
  [[nodiscard]] bool HasKey(const char* node) const {
    if (RoomBehind(node) < kNodeHeader) return false;
    const std::size_t size = NodeKey(node).size();
    return size % sizeof(uint64_t) == 0 && size <= RoomBehind(node + kNodeHeader);
  }
  [[nodiscard]] bool HasValue(const char* node) const {
    const char* const inside = node + kNodeHeader + NodeKey(node).size();
    const std::size_t room = RoomBehind(inside);
    const uint64_t size = ValueSize(node);
    if ((NodeFlags(node) & kNodeBig) == 0) return size <= room;
    if (room < sizeof(uint64_t)) return false;
    const auto page = LoadAs<uint64_t>(inside);
    const uint64_t pages = PagesOfLongValue(size, tree_->page_size_);
    return page < tree_->page_count_ && pages <= tree_->page_count_ - page;
  }
  [[nodiscard]] const char* Value() const {
    const char* const inside = found_ + kNodeHeader + NodeKey(found_).size();
    if ((NodeFlags(found_) & kNodeBig) == 0) return inside;
    return tree_->Page(LoadAs<uint64_t>(inside)) + kPageHeader;
  }
  // Its first part: the processor sees by itself that the rest is read in order.
  void FetchValue() const { Fetch(Value(), std::min<std::size_t>(ValueSize(found_), 8 * kLine)); }

  const RecordTree* tree_ = nullptr;
  std::string_view key_;
  int levels_below_ = 0;
  bool damaged_ = false;
  const char* page_ = nullptr;
  const char* node_ = nullptr;
  const char* found_ = nullptr;
  std::size_t low_ = 0;
  std::size_t high_ = 0;
  std::size_t middle_ = 0;
};

bool RecordTree::Find(std::span<const std::string_view> keys,
                      std::span<std::optional<std::string_view>> values) const {
  LARDER_DCHECK(keys.size() == values.size() && keys.size() <= kTogether);
  std::array<Descent, kTogether> descents;
  std::array<std::size_t, kTogether> under_way{};
  std::size_t count = keys.size();
  for (std::size_t i = 0; i < count; ++i) {
    descents[i] = Descent(*this, keys[i]);
    under_way[i] = i;
  }
  while (count > 0) {
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (descents[under_way[i]].Step()) under_way[left++] = under_way[i];
    }
    count = left;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (descents[i].damaged()) return false;
    values[i] = descents[i].value();
  }
  return true;
}

}  // namespace larder::inline LARDER_ABI
