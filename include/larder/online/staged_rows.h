// Rows that one session sees before they are committed: what its keys would look like after a push of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
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

// Of one view. Valid for one snapshot: after Renew, Clear and add again. Threads: thread-bound.
class StagedRows {
 public:
  // Adds the rows as WriteRows with all_or_none would, at `commit_time` or just after the snapshot's last commit. When
  // one is refused nothing is added. Errors: as WriteRows.
  absl::StatusOr<RowsResult> Add(const ReadSession& session, const RowsToWrite& rows,
                                 Timestamp commit_time);
  void Clear();
  [[nodiscard]] bool empty() const { return keys_.empty(); }

  // Whether rows of the key are staged; if so, the row that answers in `found`. Errors: kOutsideHistory.
  absl::StatusOr<bool> Find(const KeyRef& key, Timestamp as_of, std::optional<Timestamp> known_at,
                            FoundRow* found) const;
  // The same for views with partial updates.
  absl::StatusOr<bool> FindPartial(const KeyRef& key, const RowLayout& layout, Timestamp as_of,
                                   std::optional<Timestamp> known_at, PartialRow* found) const;

 private:
  struct StagedKey {
    uint64_t hash = 0;
    std::string key;
    std::vector<RowView> pushed;    // with what is staged, newest first
    std::vector<RowView> loaded;    // newest first
    std::vector<RowView> versions;  // both, newest first
  };
  // nullptr when none of the key is staged.
  [[nodiscard]] const StagedKey* KeyOf(uint64_t hash, std::string_view key) const;
  absl::StatusOr<StagedKey*> TakeKey(const ReadSession& session, const RowsToWrite& rows,
                                     uint64_t hash, std::string_view key);
  absl::Status CheckFloors(Timestamp as_of, std::optional<Timestamp> known_at) const;

  std::vector<StagedKey> keys_;   // in the order of (hash, key)
  std::deque<std::string> rows_;  // the bytes that views above point into
  ViewFloors floors_;             // what a commit would raise the view's to
  uint64_t ranked_rows_ = 0;
  std::size_t hint_ = 0;
};

}  // namespace larder::inline LARDER_ABI
