// The new rows of a partition, key by key with those that are stored: what its segments are made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/write_transaction.h"
#include "online/row_arena.h"
#include "online/row_encoding.h"
#include "online/segment.h"
#include "online/version_chain.h"
#include "online/view_rows.h"

namespace larder::inline LARDER_ABI {

// Where a view's pushed rows are. Borrows.
struct PushedRows {
  ViewRows* rows = nullptr;  // null: nothing was pushed
  const SegmentSource* source = nullptr;
};

class PartitionMerge {
 public:
  // Lifetime: `layout` must outlive it.
  PartitionMerge(const RowLayout& layout, const VersionChain::Rules& rules)
      : layout_(layout), rules_(rules), chain_(layout, rules, &arena_) {}
  PartitionMerge(const PartitionMerge&) = delete;
  PartitionMerge& operator=(const PartitionMerge&) = delete;

  // Replaces `merged` by what there is to store of `rows` and `stored`, both in the order of (hash, key).
  // Errors: kCorrupt. Lifetime: the entries borrow from what is given and from this.
  absl::Status Merge(std::span<const NewRow> rows, std::vector<SegmentEntry> stored,
                     const PushedRows& pushed, std::vector<SegmentEntry>* merged);

  // Of all rows given since construction.
  [[nodiscard]] const RowsResult& result() const { return result_; }
  [[nodiscard]] int64_t added() const { return added_; }  // versions more than there were
  [[nodiscard]] ViewFloors floors() const;

 private:
  absl::Status FindPushed(const PushedRows& pushed, const NewRow& row);
  // Rows of one key of which nothing is stored, as the chain would take them. False, and nothing done, where they are not
  // of the kind that is simple.
  bool AddPlain(std::span<const NewRow> rows, std::vector<SegmentEntry>* merged);
  absl::Status AddAny(std::span<const NewRow> rows, std::vector<SegmentEntry>* merged);

  struct Version {
    int64_t event_time = 0;
    const NewRow* row = nullptr;
  };
  const RowLayout& layout_;
  VersionChain::Rules rules_;
  RowArena arena_;
  VersionChain chain_;
  std::vector<RowView> versions_;
  std::vector<RowView> pushed_;
  std::vector<Version> plain_;
  RowsResult result_;
  int64_t added_ = 0;
  Timestamp plain_floor_ = Timestamp::Min();
};

}  // namespace larder::inline LARDER_ABI
