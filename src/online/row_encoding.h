// From columns to stored rows: what both ways of writing, pushes and generations, have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/write_transaction.h"

namespace larder::inline LARDER_ABI {

// A row to be written, as it will be stored but for its check.
struct NewRow {
  uint64_t hash = 0;
  std::size_t key_offset = 0;
  std::size_t key_size = 0;
  std::string bytes;
  [[nodiscard]] std::string_view key() const {
    return std::string_view(bytes).substr(key_offset, key_size);
  }
};

// What the writer knows.
struct RowEncoding {
  uint64_t commit_seq = 0;
  Timestamp commit_time;
  bool keeps_commit = false;  // rows say their commit_seq
  uint64_t hash_seed = 0;
  uint64_t ranked_rows = 0;  // rows given a place by TieOrder::kCommit so far
};

// Appends the rows that can be taken; others are counted and named in `result`, the first ones only.
// Errors: kInvalidArgument when columns do not fit the layout or each other; kTooLarge.
absl::Status EncodeRows(const RowsToWrite& rows, RowEncoding* encoding,
                        std::vector<NewRow>* encoded, RowsResult* result);

// In the order of (hash, key); rows of one key keep their order.
void SortByKey(std::vector<NewRow>* rows);

}  // namespace larder::inline LARDER_ABI
