#include "online/record_lookup.h"

#include <algorithm>
#include <array>

#include "larder/base/bytes.h"
#include "online/environment_impl.h"
#include "online/file_check.h"
#include "online/record_key.h"

namespace larder::inline LARDER_ABI {
namespace {

// Of LMDB 0.9's pages and their nodes.
constexpr std::size_t kPageHeader = 16;
constexpr std::size_t kPlacesEndAt = 12;
constexpr std::size_t kNodeHeader = 8;
constexpr uint16_t kNodeBig = 1;
constexpr std::size_t kTreeHeadSize = 48;
constexpr std::size_t kLine = 64;

void Fetch(const char* from, std::size_t size) {
  for (std::size_t at = 0; at < size; at += kLine) __builtin_prefetch(from + at);
}

const char* NodeOf(const char* page, std::size_t i) {
  return page + LoadAs<uint16_t>(page + kPageHeader + 2 * i);
}
uint64_t LowBitsOf(const char* node) {
  return LoadAs<uint16_t>(node) | (uint64_t{LoadAs<uint16_t>(node + 2)} << 16U);
}
uint16_t FlagsOf(const char* node) { return LoadAs<uint16_t>(node + 4); }
std::string_view KeyOf(const char* node) {
  return {node + kNodeHeader, LoadAs<uint16_t>(node + 6)};
}

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
  RecordTree tree;
  tree.page_size_ = stat.ms_psize;
  // Every page begins with its own number.
  const char* const page = bytes - reinterpret_cast<uintptr_t>(bytes) % tree.page_size_;
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
    if (node_ == nullptr) {
      const auto nodes = (LoadAs<uint16_t>(page_ + kPlacesEndAt) - kPageHeader) / 2;
      // The first node of a page with others below it begins before all keys.
      low_ = levels_below_ > 0 ? 1 : 0;
      high_ = nodes;
    } else {
      const int order = Compare(key_, KeyOf(node_));
      if (order == 0 && levels_below_ == 0) {
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
    Enter(LowBitsOf(child) | (uint64_t{FlagsOf(child)} << 32U));
    return true;
  }

  [[nodiscard]] std::optional<std::string_view> value() const {
    if (found_ == nullptr) return {};
    return std::string_view(Value(), LowBitsOf(found_));
  }

 private:
  void Enter(uint64_t page) {
    page_ = tree_->Page(page);
    node_ = nullptr;
    --levels_below_;
    Fetch(page_, 3 * kLine);
  }
  [[nodiscard]] const char* Value() const {
    const char* const inside = found_ + kNodeHeader + KeyOf(found_).size();
    if ((FlagsOf(found_) & kNodeBig) == 0) return inside;
    return tree_->Page(LoadAs<uint64_t>(inside)) + kPageHeader;
  }
  // Its first part: the processor sees by itself that the rest is read in order.
  void FetchValue() const { Fetch(Value(), std::min<std::size_t>(LowBitsOf(found_), 8 * kLine)); }

  const RecordTree* tree_ = nullptr;
  std::string_view key_;
  int levels_below_ = 0;
  const char* page_ = nullptr;
  const char* node_ = nullptr;
  const char* found_ = nullptr;
  std::size_t low_ = 0;
  std::size_t high_ = 0;
  std::size_t middle_ = 0;
};

void RecordTree::Find(std::span<const std::string_view> keys,
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
  for (std::size_t i = 0; i < keys.size(); ++i) values[i] = descents[i].value();
}

}  // namespace larder::inline LARDER_ABI
