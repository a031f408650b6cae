#include "larder/aggregate/tree_check.h"

#include <string>

#include "aggregate/tree_page.h"

namespace larder::inline LARDER_ABI {
namespace {

using aggregate::CompareInTree;
using aggregate::TreeChild;
using aggregate::TreeNode;

class TreeCheck {
 public:
  TreeCheck(const AccumulatorSet& set, const NodeStore& store) : set_(set), store_(store) {
    if (!set.specs().empty() && set.specs()[0].input) input_ = *set.specs()[0].input;
  }

  // What the events of a page and of all below it give. Lifetime: orders borrow from the store.
  struct Below {
    uint64_t events = 0;
    uint64_t items = 0;
    EventOrder first;
    EventOrder last;
    std::string state;
  };
  absl::StatusOr<Below> Page(NodeId id, uint32_t height) {
    ++pages_;
    LARDER_ASSIGN_OR_RETURN(const std::string_view page, store_.Read(id));
    absl::StatusOr<TreeNode> read = aggregate::ReadPage(page, height == 0, input_);
    if (!read.ok()) return Annotate(read.status(), Concat("page ", id));
    const TreeNode node = *std::move(read);
    AccumulatorSet sums = set_.NewEmpty();
    Below below;
    below.items = node.size();
    const auto put = [&](const EventOrder& first, const EventOrder& last) -> absl::Status {
      if (below.events > 0) {
        const auto order = CompareInTree(below.last, first);
        if (order > 0) return Wrong(id, "events are not in order");
        if (order == 0 && !first.event_id.empty()) return Wrong(id, "an event is there twice");
      } else {
        below.first = first;
      }
      below.last = last;
      return absl::OkStatus();
    };
    for (const AggregateEvent& event : node.events) {
      LARDER_RETURN_IF_ERROR(put(event.order, event.order));
      ++below.events;
      sums.Add(event);
    }
    for (const TreeChild& child : node.children) {
      LARDER_ASSIGN_OR_RETURN(const Below found, Page(child.id, height - 1));
      LARDER_RETURN_IF_ERROR(CheckChild(id, child, found));
      LARDER_RETURN_IF_ERROR(put(found.first, found.last));
      below.events += found.events;
      ByteReader state(found.state);
      LARDER_RETURN_IF_ERROR(sums.MergeEncoded(&state));
    }
    ByteWriter state;
    sums.Encode(&state);
    below.state = std::move(state).Take();
    return below;
  }

  [[nodiscard]] uint64_t pages() const { return pages_; }

 private:
  static absl::Status Wrong(NodeId id, std::string_view what) {
    return WithKind(DataLossError("page ", id, ": ", what), ErrorKind::kCorrupt);
  }

  static absl::Status CheckChild(NodeId id, const TreeChild& child, const Below& found) {
    const auto wrong = [&](std::string_view what) {
      return Wrong(id, Concat(what, " of page ", child.id));
    };
    if (child.events != found.events || child.items != found.items)
      return wrong(Concat("says ", child.events, ", expected ", found.events, " events"));
    if (!(child.first == found.first)) return wrong("says another first event");
    if (child.last_us != found.last.time_us) return wrong("says another last time");
    if (child.state != found.state) return wrong("says other sums than the events");
    return absl::OkStatus();
  }

  const AccumulatorSet& set_;
  const NodeStore& store_;
  DataType input_;
  uint64_t pages_ = 0;
};

}  // namespace

absl::StatusOr<uint64_t> CheckTree(const AccumulatorSet& set, const NodeStore& store,
                                   const TreeRoot& root) {
  if (root.id == 0 && root.event_count == 0) return uint64_t{0};
  if (root.id == 0 || root.height > aggregate::kHeightMax)
    return WithKind(DataLossError("a tree's root is damaged"), ErrorKind::kCorrupt);
  TreeCheck check(set, store);
  LARDER_ASSIGN_OR_RETURN(const TreeCheck::Below all, check.Page(root.id, root.height));
  if (all.events != root.event_count) {
    return WithKind(DataLossError("page ", root.id, ": there are ", all.events,
                                  " events, expected ", root.event_count),
                    ErrorKind::kCorrupt);
  }
  return check.pages();
}

}  // namespace larder::inline LARDER_ABI
