// Rows that one session sees before they are committed: what its keys would look like after a push of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"
#include "larder/online/write_transaction.h"

namespace larder::inline LARDER_ABI {

// Of one view. Valid for one snapshot: after Renew, Clear and add again. Keeps its memory over Clear: once as many keys
// and versions have been staged as ever will be, adding does not allocate. Threads: thread-bound.
class StagedRows {
 public:
  StagedRows();
  StagedRows(StagedRows&&) noexcept;
  StagedRows& operator=(StagedRows&&) noexcept;
  ~StagedRows();

  // Takes rows that Merge is to add, as WriteRows with all_or_none would at `commit_time` or just after the snapshot's last
  // commit. When one is refused none is taken. Lifetime: borrows the layout until the next Prepare or Clear.
  absl::StatusOr<RowsResult> Prepare(const ReadSession& session, const RowsToWrite& rows,
                                     Timestamp commit_time);
  // Adds what was prepared last. Errors: as WriteRows; what is staged is then undefined until Clear.
  absl::Status Merge(const ReadSession& session);
  void Clear();
  [[nodiscard]] bool empty() const { return order_.empty(); }

  // Whether rows of the key are staged; if so, the row that answers in `found`. Errors: kOutsideHistory.
  absl::StatusOr<bool> Find(const KeyRef& key, Timestamp as_of, std::optional<Timestamp> known_at,
                            FoundRow* found) const;
  // The same for views with partial updates.
  absl::StatusOr<bool> FindPartial(const KeyRef& key, const RowLayout& layout, Timestamp as_of,
                                   std::optional<Timestamp> known_at, PartialRow* found) const;

 private:
  struct StagedKey {
    std::string key;
    std::vector<RowView> pushed;    // with what is staged, newest first
    std::vector<RowView> loaded;    // newest first
    std::vector<RowView> versions;  // both, newest first
  };
  struct Place {
    uint64_t hash = 0;
    std::size_t at = 0;  // in keys_
  };
  // Encoded rows, the bytes that views point into.
  struct Memory;
  [[nodiscard]] std::vector<Place>::const_iterator PlaceOf(uint64_t hash,
                                                           std::string_view key) const;
  // nullptr when none of the key is staged.
  [[nodiscard]] const StagedKey* KeyOf(uint64_t hash, std::string_view key) const;
  absl::StatusOr<StagedKey*> TakeKey(const ReadSession& session, uint64_t hash,
                                     std::string_view key);
  absl::Status CheckFloors(Timestamp as_of, std::optional<Timestamp> known_at) const;

  std::deque<StagedKey> keys_;  // the first order_.size() are in use
  std::vector<Place> order_;    // by (hash, key)
  std::unique_ptr<Memory> memory_;
  ViewFloors floors_;  // what a commit would raise the view's to
  uint64_t ranked_rows_ = 0;
  RowsHint hint_;
};

}  // namespace larder::inline LARDER_ABI
