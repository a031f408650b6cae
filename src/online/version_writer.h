// Adding one version to a key's history, in the order of SEMANTICS 3, and dropping what no answer needs any more.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/online/row_layout.h"
#include "larder/online/write_transaction.h"
#include "online/row_key.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {

// Requires: the state outlives it, and nothing else writes rows meanwhile.
class VersionWriter {
 public:
  struct Outcome {
    enum Kind { kWritten, kOlder, kDuplicate } kind = kWritten;
    bool ambiguous = false;
    std::size_t dropped = 0;
  };

  // `cutoff`: instants before it need no exact answer.
  VersionWriter(WriteTransaction::State* state, uint32_t view_id, const RowLayout& layout,
                TieOrder tie_order, Timestamp cutoff);
  VersionWriter(const VersionWriter&) = delete;
  VersionWriter& operator=(const VersionWriter&) = delete;
  ~VersionWriter();

  // `row` is an encoded row without its check; `order` without a rank. Errors: LMDB's; kCorrupt for damaged neighbours.
  absl::StatusOr<Outcome> Insert(std::string_view entity_key, VersionOrder order, std::string* row);

 private:
  struct Member {
    VersionOrder order;
    std::string canonical;
    int64_t known_time = 0;
  };
  // The cursor's next version of `key` from where `op` leads; false when there is none. Sets at_ and value_.
  absl::StatusOr<bool> Move(const RowKey& key, MDB_cursor_op op);
  absl::StatusOr<std::string> CanonicalOf(std::string_view row) const;
  absl::Status ReadGroup(RowKey* key, const VersionOrder& order, std::vector<Member>* group);
  absl::StatusOr<uint64_t> RankBetween(RowKey* key, std::vector<Member>* ties, std::size_t place);
  absl::Status KeepEarliestKnown(RowKey* key, const Member& member, std::string_view row);
  absl::StatusOr<std::size_t> DropSuperseded(RowKey* key);

  WriteTransaction::State* state_;
  uint32_t view_id_;
  const RowLayout& layout_;
  TieOrder tie_order_;
  Timestamp cutoff_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val at_{};
  MDB_val value_{};
  std::vector<std::string> doomed_;
  std::vector<uint64_t> covered_;
};

}  // namespace larder::inline LARDER_ABI
