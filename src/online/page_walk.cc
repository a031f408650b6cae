#include "online/page_walk.h"

#include <algorithm>
#include <utility>

#include "larder/base/bytes.h"
#include "larder/base/text.h"
#include "online/lmdb_page.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint16_t kKindMask = 0x6F;
constexpr uint16_t kNodeTree = 0x02;
constexpr uint16_t kNodeDuplicates = 0x04;
constexpr uint16_t kIntegerKeys = 0x08;
constexpr int kDepthMax = 32;
constexpr std::size_t kProblemsMax = 100;

struct Node {
  std::size_t at = 0;
  uint16_t flags = 0;
  uint64_t number = 0;  // branch: the child; leaf: the value's size
  std::string_view key;
};

// The page's node places, or false when they leave the page.
bool NodeCount(const std::string& page, std::size_t* count) {
  const auto lower = LoadAs<uint16_t>(page.data() + kPlacesEndAt);
  const auto upper = LoadAs<uint16_t>(page.data() + 14);
  if (lower < kPageHeader || lower % 2 != 0 || lower > upper || upper > page.size()) return false;
  *count = (lower - kPageHeader) / 2;
  return true;
}

bool ReadNode(const std::string& page, std::size_t i, bool branch, Node* node) {
  node->at = PlaceOfNode(page.data(), i);
  if (node->at < kPageHeader || node->at + kNodeHeader > page.size()) return false;
  const char* raw = page.data() + node->at;
  node->flags = NodeFlags(raw);
  node->number = branch ? ChildPage(raw) : ValueSize(raw);
  node->key = NodeKey(raw);
  return node->at + kNodeHeader + node->key.size() <= page.size();
}

bool KeyLess(std::string_view a, std::string_view b, bool integers) {
  if (integers && a.size() == 8 && b.size() == 8) {
    return LoadAs<uint64_t>(a.data()) < LoadAs<uint64_t>(b.data());
  }
  return a < b;
}

}  // namespace

PageWalk::PageWalk(int fd, const MetaPage& meta, uint64_t page_limit)
    : fd_(fd), meta_(meta), page_limit_(page_limit) {}

void PageWalk::Problem(std::string text) {
  if (problems_.size() < kProblemsMax) problems_.push_back(std::move(text));
}

bool PageWalk::Run(const Visitor& visit) {
  seen_.assign(page_limit_, false);
  Claim(0, 2, "the meta pages");
  WalkTree(meta_.main, Tree::kMain, "", visit);
  WalkTree(meta_.free_list, Tree::kFreeList, "the free list", nullptr);
  return readable_;
}

bool PageWalk::Claim(uint64_t first, uint64_t count, std::string_view what) {
  if (first + count < first || first + count > std::min(page_limit_, meta_.last_page + 1)) {
    Problem(Concat(what, " refers to page ", first, " of a file of ", page_limit_, " pages"));
    return false;
  }
  for (uint64_t i = first; i < first + count; ++i) {
    if (seen_[i]) {
      Problem(Concat(what, " refers to page ", i, ", which is used elsewhere"));
      return false;
    }
    seen_[i] = true;
  }
  used_ += count;
  return true;
}

bool PageWalk::ReadPages(uint64_t first, uint64_t count, std::string* out) {
  out->resize(count * meta_.page_size);
  if (ReadExactly(fd_, out->data(), out->size(), first * meta_.page_size)) return true;
  readable_ = false;
  Problem(Concat("page ", first, " cannot be read"));
  return false;
}

void PageWalk::WalkTree(const TreeHead& head, Tree kind, std::string_view name,
                        const Visitor& visit) {
  Counts counts;
  if (head.root != kNoPage) {
    if (head.depth == 0 || head.depth > kDepthMax) {
      Problem(Concat("database \"", name, "\" says it is ", head.depth, " pages deep"));
      return;
    }
    WalkPage(head.root, 1, head, kind, name, visit, &counts);
  }
  if (counts.entries != head.entries || counts.branch != head.branch_pages ||
      counts.leaf != head.leaf_pages || counts.overflow != head.overflow_pages) {
    Problem(Concat("database \"", name, "\" says it holds ", head.entries, " entries on ",
                   head.branch_pages, "+", head.leaf_pages, "+", head.overflow_pages,
                   " pages, found ", counts.entries, " on ", counts.branch, "+", counts.leaf, "+",
                   counts.overflow));
  }
}

void PageWalk::WalkPage(uint64_t number, int level, const TreeHead& head, Tree kind,
                        std::string_view name, const Visitor& visit, Counts* counts) {
  const std::string what = Concat("database \"", name, "\"");
  std::string page;
  if (!Claim(number, 1, what) || !ReadPages(number, 1, &page)) return;
  const auto own_number = LoadAs<uint64_t>(page.data());
  const auto kind_bits =
      static_cast<uint16_t>(LoadAs<uint16_t>(page.data() + kPageFlagsAt) & kKindMask);
  const bool leaf = level == head.depth;
  if (own_number != number || kind_bits != (leaf ? kPageLeaf : kPageBranch)) {
    Problem(
        Concat(what, ": page ", number, " says it is page ", own_number, " of kind ", kind_bits));
    return;
  }
  if (leaf) {
    ++counts->leaf;
    WalkLeaf(page, number, head, kind, name, visit, counts);
    return;
  }
  ++counts->branch;
  std::size_t nodes = 0;
  if (!NodeCount(page, &nodes) || nodes == 0) {
    Problem(Concat(what, ": page ", number, " has a damaged head"));
    return;
  }
  const bool integers = (head.flags & kIntegerKeys) != 0;
  std::string last;
  for (std::size_t i = 0; i < nodes; ++i) {
    Node node;
    if (!ReadNode(page, i, true, &node)) {
      Problem(Concat(what, ": entry ", i, " of page ", number, " leaves the page"));
      return;
    }
    // The first key of a branch page is never compared and may be empty.
    if (i > 1 && !KeyLess(last, node.key, integers)) {
      Problem(Concat(what, ": the keys of page ", number, " are out of order"));
    }
    last = node.key;
    const bool bounded = i > 0 && counts->has_key;
    if (bounded && !KeyLess(counts->last_key, node.key, integers)) {
      Problem(Concat(what, ": page ", number, " leads to keys that belong elsewhere"));
    }
    WalkPage(node.number, level + 1, head, kind, name, visit, counts);
  }
}

void PageWalk::WalkLeaf(const std::string& page, uint64_t number, const TreeHead& head, Tree kind,
                        std::string_view name, const Visitor& visit, Counts* counts) {
  const std::string what = Concat("database \"", name, "\"");
  std::size_t nodes = 0;
  if (!NodeCount(page, &nodes)) {
    Problem(Concat(what, ": page ", number, " has a damaged head"));
    return;
  }
  const bool integers = (head.flags & kIntegerKeys) != 0;
  std::string overflow;
  for (std::size_t i = 0; i < nodes; ++i) {
    Node node;
    const bool inside = ReadNode(page, i, false, &node);
    const bool big = (node.flags & kNodeBig) != 0;
    const std::size_t value_at = node.at + kNodeHeader + node.key.size();
    if (!inside || (node.flags & kNodeDuplicates) != 0 ||
        value_at + (big ? 8 : node.number) > page.size()) {
      Problem(Concat(what, ": entry ", i, " of page ", number, " is damaged"));
      return;
    }
    if (counts->has_key && !KeyLess(counts->last_key, node.key, integers)) {
      Problem(Concat(what, ": the keys of page ", number, " are out of order"));
    }
    counts->last_key = node.key;
    counts->has_key = true;
    ++counts->entries;
    std::string_view value(page.data() + value_at, big ? 8 : static_cast<std::size_t>(node.number));
    if (big) {
      const auto first = LoadAs<uint64_t>(value.data());
      const uint64_t pages = PagesOfLongValue(node.number, meta_.page_size);
      if (!Claim(first, pages, what) || !ReadPages(first, pages, &overflow)) continue;
      const auto kind_bits =
          static_cast<uint16_t>(LoadAs<uint16_t>(overflow.data() + kPageFlagsAt) & kKindMask);
      if (LoadAs<uint64_t>(overflow.data()) != first || kind_bits != kPageLong ||
          LoadAs<uint32_t>(overflow.data() + kPlacesEndAt) != pages) {
        Problem(Concat(what, ": page ", first, " is not the start of a long value of ", pages,
                       " pages"));
        continue;
      }
      counts->overflow += pages;
      value = {overflow.data() + kPageHeader, static_cast<std::size_t>(node.number)};
    }
    if (kind == Tree::kFreeList) {
      ReadFreeList(value);
    } else if (kind == Tree::kMain && (node.flags & kNodeTree) != 0) {
      if (value.size() != 48) {
        Problem(Concat("the head of database \"", node.key, "\" is damaged"));
        continue;
      }
      WalkTree(ParseTreeHead(value.data()), Tree::kNamed, std::string(node.key), visit);
    } else if (visit) {
      visit(name, node.key, value);
    }
  }
}

void PageWalk::ReadFreeList(std::string_view value) {
  if (value.size() < 8 || LoadAs<uint64_t>(value.data()) > value.size() / 8 - 1) {
    Problem("an entry of the free list is damaged");
    return;
  }
  const auto count = LoadAs<uint64_t>(value.data());
  for (uint64_t i = 1; i <= count; ++i) {
    const auto page = LoadAs<uint64_t>(value.data() + 8 * i);
    // Free pages at the file's end may never have been written: they need not be in the file.
    if (page < 2 || page > meta_.last_page || (page < page_limit_ && seen_[page])) {
      Problem(Concat("the free list names page ", page, ", which is in use or outside the file"));
      continue;
    }
    if (page < page_limit_) seen_[page] = true;
    ++free_;
  }
}

}  // namespace larder::inline LARDER_ABI
