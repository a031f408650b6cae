#include <algorithm>

#include "aggregate/tree_page.h"
#include "larder/aggregate/aggregate_tree.h"

namespace larder::inline LARDER_ABI {

using aggregate::CompareInTree;
using aggregate::TreeChild;
using aggregate::TreeNode;

struct AggregateTree::Edit {
  bool remove = false;
  std::span<const AggregateEvent> events;  // all that come or go, in order
  std::vector<bool> gone;                  // of those that go: taken out of one page already
  int64_t changed = 0;                     // events that came or went
  int64_t replaced = 0;
  std::deque<std::string> kept;  // pages as they were and new states: what nodes borrow from

  [[nodiscard]] int64_t touched() const { return changed + replaced; }
  std::string_view Keep(std::string bytes) { return kept.emplace_back(std::move(bytes)); }
};

AggregateTree::AggregateTree(const AccumulatorSet& set, NodeStore* store, TreeRoot root)
    : scratch_(set.NewEmpty()), store_(store), root_(root) {
  if (set.specs().empty() || !set.specs()[0].input) return;
  has_input_ = true;
  input_ = *set.specs()[0].input;
}

absl::StatusOr<int64_t> AggregateTree::Insert(std::span<const AggregateEvent> events) {
  return Change(events, false);
}
absl::StatusOr<int64_t> AggregateTree::Remove(std::span<const AggregateEvent> events) {
  return Change(events, true);
}

absl::StatusOr<TreeNode> AggregateTree::ReadNode(NodeId id, uint32_t height) const {
  LARDER_ASSIGN_OR_RETURN(const std::string_view page, store_->Read(id));
  return aggregate::ReadPage(page, height == 0, input_);
}

absl::StatusOr<TreeNode> AggregateTree::ReadForEdit(NodeId id, uint32_t height, Edit* edit) const {
  LARDER_ASSIGN_OR_RETURN(const std::string_view page, store_->Read(id));
  return aggregate::ReadPage(edit->Keep(std::string(page)), height == 0, input_);
}

absl::StatusOr<int64_t> AggregateTree::Change(std::span<const AggregateEvent> events, bool remove) {
  if (events.empty()) return 0;
  std::vector<AggregateEvent> sorted(events.begin(), events.end());
  if (!has_input_) {
    for (AggregateEvent& event : sorted) event.input = {};
  }
  std::sort(sorted.begin(), sorted.end(), [](const AggregateEvent& a, const AggregateEvent& b) {
    const auto order = CompareInTree(a.order, b.order);
    return order != 0 ? order < 0 : a.order.row < b.order.row;
  });
  Edit edit{.remove = remove, .events = sorted, .gone = {}, .kept = {}};
  edit.gone.resize(remove ? sorted.size() : 0);
  std::vector<TreeChild> tops;
  TreeRoot root = root_;
  if (root.id != 0) {
    TreeChild self;
    self.id = root.id;
    LARDER_RETURN_IF_ERROR(Apply(self, root.height, sorted, &edit, &tops));
  } else if (!remove) {
    LARDER_RETURN_IF_ERROR(ApplyToLeaf({}, sorted, &edit, &tops));
  }
  // Grow until there is one root, or shrink while it has one child.
  while (tops.size() > 1) {
    TreeNode above{false, {}, std::move(tops)};
    tops.clear();
    LARDER_RETURN_IF_ERROR(WritePages(0, above, true, &edit, &tops));
    ++root.height;
  }
  root.id = tops.empty() ? 0 : tops[0].id;
  while (root.id != 0 && root.height > 0 && remove) {
    LARDER_ASSIGN_OR_RETURN(const TreeNode node, ReadNode(root.id, root.height));
    if (node.children.size() > 1) break;
    const NodeId only = node.children[0].id;
    LARDER_RETURN_IF_ERROR(store_->Free(root.id));
    root.id = only;
    --root.height;
  }
  if (root.id == 0) root.height = 0;
  root.event_count += static_cast<uint64_t>(remove ? -edit.changed : edit.changed);
  root_ = root;
  return edit.changed;
}

absl::Status AggregateTree::Apply(const TreeChild& self, uint32_t height,
                                  std::span<const AggregateEvent> events, Edit* edit,
                                  std::vector<TreeChild>* out) {
  if (height == 0) return ApplyToLeaf(self, events, edit, out);
  return ApplyToInner(self, height, events, edit, out);
}

absl::Status AggregateTree::ApplyToLeaf(const TreeChild& self,
                                        std::span<const AggregateEvent> events, Edit* edit,
                                        std::vector<TreeChild>* out) {
  TreeNode node{true, {}, {}};
  if (self.id != 0) {
    LARDER_ASSIGN_OR_RETURN(node, ReadForEdit(self.id, 0, edit));
  }
  std::vector<AggregateEvent> merged;
  merged.reserve(node.events.size() + events.size());
  const int64_t touched_before = edit->touched();
  auto old = node.events.begin();
  const bool appended =
      node.events.empty() || CompareInTree(node.events.back().order, events.front().order) < 0;
  for (const AggregateEvent& event : events) {
    // Everything before the event stays; equal ones too, but for one that goes.
    while (old != node.events.end() && CompareInTree(old->order, event.order) < 0) {
      merged.push_back(*old++);
    }
    const bool there = old != node.events.end() && CompareInTree(old->order, event.order) == 0;
    if (edit->remove) {
      const auto place = static_cast<std::size_t>(&event - edit->events.data());
      if (!there || edit->gone[place]) continue;
      edit->gone[place] = true;
      ++old;
      ++edit->changed;
      continue;
    }
    // Of two events with one id the greater row stays, whichever came first.
    const bool just_now = !merged.empty() && CompareInTree(merged.back().order, event.order) == 0;
    if (!event.order.event_id.empty() && (there || just_now)) {
      AggregateEvent& present = there ? *old : merged.back();
      if (present.order.row < event.order.row) {
        present = event;
        ++edit->replaced;
      }
      continue;
    }
    merged.push_back(event);
    ++edit->changed;
  }
  if (edit->touched() == touched_before) {
    out->push_back(self);
    return {};
  }
  merged.insert(merged.end(), old, node.events.end());
  node.events = std::move(merged);
  return WritePages(self.id, node, appended, edit, out);
}

absl::Status AggregateTree::ApplyToInner(const TreeChild& self, uint32_t height,
                                         std::span<const AggregateEvent> events, Edit* edit,
                                         std::vector<TreeChild>* out) {
  LARDER_ASSIGN_OR_RETURN(TreeNode node, ReadForEdit(self.id, height, edit));
  const int64_t touched_before = edit->touched();
  std::vector<TreeChild> children;
  children.reserve(node.children.size() + 1);
  bool appended = false;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    // A child takes what comes before the first event of the next one.
    auto rest = events.end();
    auto end = events.end();
    if (i + 1 < node.children.size()) {
      const EventOrder& next = node.children[i + 1].first;
      rest = end = std::lower_bound(events.begin(), events.end(), next,
                                    [](const AggregateEvent& event, const EventOrder& order) {
                                      return CompareInTree(event.order, order) < 0;
                                    });
      // Of events that are alike some may be at the end of this one.
      while (edit->remove && end != events.end() && end->order.event_id.empty() &&
             CompareInTree(end->order, next) == 0) {
        ++end;
      }
    }
    if (end == events.begin()) {
      children.push_back(node.children[i]);
      continue;
    }
    appended = i + 1 == node.children.size();
    LARDER_RETURN_IF_ERROR(Apply(node.children[i], height - 1,
                                 events.first(static_cast<std::size_t>(end - events.begin())), edit,
                                 &children));
    events = events.subspan(static_cast<std::size_t>(rest - events.begin()));
  }
  if (edit->touched() == touched_before) {
    out->push_back(self);
    return {};
  }
  if (edit->remove) LARDER_RETURN_IF_ERROR(JoinSmall(height, edit, &children));
  node.children = std::move(children);
  return WritePages(self.id, node, appended, edit, out);
}

// Keeps pages from being nearly empty after many removals.
absl::Status AggregateTree::JoinSmall(uint32_t height, Edit* edit,
                                      std::vector<TreeChild>* children) {
  const std::size_t items_max = height == 1 ? kLeafEventsMax : kFanOutMax;
  std::vector<TreeChild> joined;
  for (const TreeChild& child : *children) {
    const bool small = !joined.empty() && joined.back().items + child.items <= items_max / 2;
    if (!small) {
      joined.push_back(child);
      continue;
    }
    LARDER_ASSIGN_OR_RETURN(TreeNode left, ReadForEdit(joined.back().id, height - 1, edit));
    LARDER_ASSIGN_OR_RETURN(const TreeNode right, ReadForEdit(child.id, height - 1, edit));
    left.events.insert(left.events.end(), right.events.begin(), right.events.end());
    left.children.insert(left.children.end(), right.children.begin(), right.children.end());
    const NodeId id = joined.back().id;
    joined.pop_back();
    LARDER_RETURN_IF_ERROR(store_->Free(child.id));
    LARDER_RETURN_IF_ERROR(WritePages(id, left, false, edit, &joined));
  }
  *children = std::move(joined);
  return {};
}

absl::Status AggregateTree::WritePages(NodeId id, const TreeNode& node, bool appended, Edit* edit,
                                       std::vector<TreeChild>* out) {
  const std::size_t size = node.size();
  if (size == 0) return id == 0 ? absl::Status() : store_->Free(id);
  const std::size_t items_max = node.is_leaf ? kLeafEventsMax : kFanOutMax;
  const std::size_t pieces = (size + items_max - 1) / items_max;
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    // Evenly; but where events come in order pages that are left behind are full.
    const std::size_t begin = appended ? piece * items_max : size * piece / pieces;
    const std::size_t end =
        appended ? std::min(size, begin + items_max) : size * (piece + 1) / pieces;
    TreeChild child;
    child.id = id;
    if (piece > 0 || id == 0) {
      LARDER_ASSIGN_OR_RETURN(child.id, store_->Allocate());
    }
    child.items = end - begin;
    scratch_.Clear();
    if (node.is_leaf) {
      child.events = end - begin;
      child.first = node.events[begin].order;
      child.last_us = node.events[end - 1].order.time_us;
      for (std::size_t i = begin; i < end; ++i) scratch_.Add(node.events[i]);
    } else {
      child.first = node.children[begin].first;
      child.last_us = node.children[end - 1].last_us;
      for (std::size_t i = begin; i < end; ++i) {
        child.events += node.children[i].events;
        ByteReader state(node.children[i].state);
        LARDER_RETURN_IF_ERROR(scratch_.MergeEncoded(&state));
      }
    }
    LARDER_RETURN_IF_ERROR(store_->Write(child.id, WritePage(node, begin, end)));
    ByteWriter state;
    scratch_.Encode(&state);
    child.state = edit->Keep(std::move(state).Take());
    out->push_back(child);
  }
  return {};
}

}  // namespace larder::inline LARDER_ABI
