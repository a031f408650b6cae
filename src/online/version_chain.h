// One key's versions while some are added: kept in the order of SEMANTICS 3, without those that no answer needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"
#include "larder/online/write_transaction.h"
#include "online/row_arena.h"

namespace larder::inline LARDER_ABI {

class VersionChain {
 public:
  struct Rules {
    TieOrder tie_order = TieOrder::kCanonicalBytes;
    Timestamp commit_time;  // what is visible now: decides what counts as older
    Timestamp cutoff;       // instants before it need no exact answer
    // A row that the other layer has is not taken: right for loads, since pushes outlive generations.
    bool skips_others_rows = false;
  };
  struct Outcome {
    enum Kind { kWritten, kOlder, kDuplicate } kind = kWritten;
    bool ambiguous = false;
    std::size_t dropped = 0;
    void CountIn(RowsResult* result) const;
  };

  // Lifetime: `layout` and `arena`, which takes the bytes of rows that change, must outlive the chain.
  VersionChain(const RowLayout& layout, const Rules& rules, RowArena* arena)
      : layout_(layout), rules_(rules), arena_(arena) {}

  // Starts with the versions stored of a key, newest first, which Insert changes in place, and those of the other layer
  // beside them: they count when rows are compared. Borrows both.
  void Reset(std::vector<RowView>* versions, std::span<const RowView> others);
  // Errors: kCorrupt.
  absl::StatusOr<Outcome> Insert(std::string_view row);

  [[nodiscard]] bool changed() const { return changed_; }
  // What the rows dropped since construction say about the instants still answered.
  [[nodiscard]] const ViewFloors& floors() const { return floors_; }

 private:
  absl::Status KeepEarliestKnown(std::size_t at, const RowView& row);
  std::size_t DropSuperseded();

  const RowLayout& layout_;
  Rules rules_;
  RowArena* arena_;
  std::vector<RowView>* versions_ = nullptr;
  std::span<const RowView> others_;
  bool changed_ = false;
  ViewFloors floors_;
  absl::InlinedVector<uint8_t, 64> covered_;
};

}  // namespace larder::inline LARDER_ABI
