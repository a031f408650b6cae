#include "aggregate/tree_page.h"

#include "aggregate/event_bytes.h"
#include "aggregate/varint.h"
#include "larder/base/bytes.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kLeaf = 0;
constexpr uint8_t kInner = 1;

bool GetChild(ByteReader* in, TreeChild* child) {
  uint64_t size = 0;
  if (!GetVarint(in, &child->id) || !GetVarint(in, &child->events) ||
      !GetVarint(in, &child->items)) {
    return false;
  }
  child->last_us = in->Get<int64_t>();
  if (!GetOrder(in, &child->first) || !GetVarint(in, &size)) return false;
  child->state = in->GetRaw(size);
  return in->ok() && child->id != 0 && child->events > 0 && child->items > 0 &&
         child->first.time_us <= child->last_us;
}

}  // namespace

std::strong_ordering CompareInTree(const EventOrder& a, const EventOrder& b) {
  if (a.time_us != b.time_us) return a.time_us <=> b.time_us;
  if (a.has_sequence != b.has_sequence) return a.has_sequence <=> b.has_sequence;
  if (a.sequence != b.sequence) return a.sequence <=> b.sequence;
  if (const int c = a.event_id.compare(b.event_id); c != 0) return c <=> 0;
  return a.event_id.empty() ? a.row.compare(b.row) <=> 0 : std::strong_ordering::equal;
}

std::string WritePage(const TreeNode& node, std::size_t begin, std::size_t end) {
  ByteWriter out;
  out.Put(kVersion);
  out.Put(node.is_leaf ? kLeaf : kInner);
  PutVarint(end - begin, &out);
  for (std::size_t i = begin; i < end; ++i) {
    if (node.is_leaf) {
      PutOrder(node.events[i].order, &out);
      PutInput(node.events[i].input, &out);
      continue;
    }
    const TreeChild& child = node.children[i];
    PutVarint(child.id, &out);
    PutVarint(child.events, &out);
    PutVarint(child.items, &out);
    out.Put(child.last_us);
    PutOrder(child.first, &out);
    PutVarint(child.state.size(), &out);
    out.PutRaw(child.state);
  }
  return std::move(out).Take();
}

absl::StatusOr<TreeNode> ReadPage(std::string_view page, bool is_leaf, const DataType& input) {
  TreeNode node;
  LARDER_RETURN_IF_ERROR(ReadPage(page, is_leaf, input, &node));
  return node;
}

absl::Status ReadPage(std::string_view page, bool is_leaf, const DataType& input, TreeNode* node) {
  node->is_leaf = is_leaf;
  node->events.clear();
  node->children.clear();
  ByteReader in(page);
  const auto version = in.Get<uint8_t>();
  const auto kind = in.Get<uint8_t>();
  if (in.ok() && version != kVersion) {
    return DataLossError("aggregate page has version ", int{version}, ", this build reads ",
                         int{kVersion});
  }
  uint64_t count = 0;
  bool good = in.ok() && kind == (is_leaf ? kLeaf : kInner) && GetVarint(&in, &count) &&
              count > 0 && count <= in.remaining();
  if (good) is_leaf ? node->events.reserve(count) : node->children.reserve(count);
  const EventOrder* before = nullptr;
  for (uint64_t i = 0; good && i < count; ++i) {
    const EventOrder* order = nullptr;
    if (is_leaf) {
      AggregateEvent& event = node->events.emplace_back();
      good = GetOrder(&in, &event.order) && GetInput(&in, input, &event.input);
      order = &event.order;
    } else {
      TreeChild& child = node->children.emplace_back();
      good = GetChild(&in, &child);
      order = &child.first;
    }
    good = good && (before == nullptr || CompareInTree(*before, *order) <= 0);
    before = order;
  }
  if (!good || in.remaining() != 0) return DataLossError("aggregate page is damaged");
  return absl::OkStatus();
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
