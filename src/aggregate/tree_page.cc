#include "aggregate/tree_page.h"

#include <algorithm>
#include <span>

#include "aggregate/event_bytes.h"
#include "aggregate/scalar.h"
#include "aggregate/varint.h"
#include "larder/base/bytes.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

absl::Status Damaged() { return DataLossError("aggregate page is damaged"); }

constexpr uint8_t kVersion = 1;
constexpr uint8_t kVersionOfColumns = 2;  // leaves only: those of version 1 have event after event
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

// What stands behind the number of events of a leaf in columns.
enum class InputForm : uint8_t { kMixed = 0, kWords = 1 };

// Columns: times, inputs, and what else orders the events.
void PutEvents(std::span<const AggregateEvent> events, ByteWriter* out) {
  const bool has_words = std::all_of(events.begin(), events.end(), [](const AggregateEvent& event) {
    return !event.input.is_null && event.input.bytes.data() == nullptr;
  });
  out->Put(has_words ? InputForm::kWords : InputForm::kMixed);
  for (const AggregateEvent& event : events) out->Put(event.order.time_us);
  for (const AggregateEvent& event : events) {
    if (has_words) {
      out->Put(event.input.word);
    } else {
      PutInput(event.input, out);
    }
  }
  for (const AggregateEvent& event : events) PutOrderBesideTime(event.order, out);
}

bool GetWord(ByteReader* in, const DataType& type, AggregateInput* input) {
  *input = {false, in->Get<uint64_t>(), {}};
  return IsWordType(type) && IsWordOf(input->word, type.id());
}

bool GetEvents(ByteReader* in, const DataType& type, std::span<AggregateEvent> events) {
  const auto form = in->Get<InputForm>();
  if (form > InputForm::kWords) return false;
  for (AggregateEvent& event : events) event.order.time_us = in->Get<int64_t>();
  for (AggregateEvent& event : events) {
    if (form == InputForm::kWords ? !GetWord(in, type, &event.input)
                                  : !GetInput(in, type, &event.input)) {
      return false;
    }
  }
  return std::all_of(events.begin(), events.end(),
                     [&](AggregateEvent& event) { return GetOrderBesideTime(in, &event.order); });
}

bool GetEventsInTurn(ByteReader* in, const DataType& type, std::span<AggregateEvent> events) {
  return std::all_of(events.begin(), events.end(), [&](AggregateEvent& event) {
    return GetOrder(in, &event.order) && GetInput(in, type, &event.input);
  });
}

// The version and number of items of a page of that kind.
struct PageHead {
  uint8_t version = 0;
  uint64_t count = 0;
};
absl::StatusOr<PageHead> GetHead(ByteReader* in, bool is_leaf) {
  PageHead head;
  head.version = in->Get<uint8_t>();
  const auto kind = in->Get<uint8_t>();
  if (in->ok() && head.version != kVersion && head.version != kVersionOfColumns) {
    return DataLossError("aggregate page has version ", int{head.version}, ", this build reads ",
                         int{kVersion}, " and ", int{kVersionOfColumns});
  }
  if (!in->ok() || kind != (is_leaf ? kLeaf : kInner) ||
      (head.version == kVersionOfColumns && !is_leaf) || !GetVarint(in, &head.count) ||
      head.count == 0 || head.count > in->remaining()) {
    return Damaged();
  }
  return head;
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
  out.Put(node.is_leaf ? kVersionOfColumns : kVersion);
  out.Put(node.is_leaf ? kLeaf : kInner);
  PutVarint(end - begin, &out);
  if (node.is_leaf) PutEvents(std::span(node.events).subspan(begin, end - begin), &out);
  for (std::size_t i = begin; i < end && !node.is_leaf; ++i) {
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

std::optional<LeafColumns> ReadLeafColumns(std::string_view page, const DataType& input) {
  ByteReader in(page);
  const absl::StatusOr<PageHead> head = GetHead(&in, true);
  if (!head.ok() || head->version != kVersionOfColumns) return {};
  const uint64_t count = head->count;
  if (in.Get<InputForm>() != InputForm::kWords || !IsWordType(input)) return {};
  if (!in.ok() || count > in.remaining() / (2 * sizeof(uint64_t))) return {};
  const WordColumn times(in.GetRaw(count * sizeof(uint64_t)).data(), count);
  const WordColumn words(in.GetRaw(count * sizeof(uint64_t)).data(), count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsWordOf(words[i], input.id())) return {};
  }
  return LeafColumns{times, words};
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
  LARDER_ASSIGN_OR_RETURN(const PageHead head, GetHead(&in, is_leaf));
  bool good = true;
  if (is_leaf) {
    node->events.resize(head.count);
    good = head.version == kVersion ? GetEventsInTurn(&in, input, node->events)
                                    : GetEvents(&in, input, node->events);
    for (std::size_t i = 1; good && i < head.count; ++i)
      good = CompareInTree(node->events[i - 1].order, node->events[i].order) <= 0;
  } else {
    node->children.resize(head.count);
    for (std::size_t i = 0; good && i < head.count; ++i) {
      good = GetChild(&in, &node->children[i]) &&
             (i == 0 || CompareInTree(node->children[i - 1].first, node->children[i].first) <= 0);
    }
  }
  return good && in.ok() && in.remaining() == 0 ? absl::OkStatus() : Damaged();
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
