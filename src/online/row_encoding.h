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
#include "online/row_arena.h"

namespace larder::inline LARDER_ABI {

// A row to be written, as it will be stored but for its check. Borrows its bytes.
struct NewRow {
  uint64_t hash = 0;
  const char* data = nullptr;
  uint32_t size = 0;
  uint32_t key_offset = 0;
  uint32_t key_size = 0;
  [[nodiscard]] std::string_view bytes() const { return {data, size}; }
  [[nodiscard]] std::string_view key() const { return {data + key_offset, key_size}; }
};

// Rows to be written, with their bytes.
struct NewRows {
  std::vector<NewRow> rows;
  RowArena arena;
  std::string scratch;

  // Keeps the memory.
  void Clear() {
    rows.clear();
    arena.Clear();
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

// `ranked`: how many that commit has given so far. Errors: kTooLarge.
absl::StatusOr<uint64_t> NextRankOf(uint64_t commit_seq, uint64_t* ranked);

// Appends the rows that can be taken; others are counted and named in `result`, the first ones only.
// Errors: kInvalidArgument when columns do not fit the layout or each other; kTooLarge.
absl::Status EncodeRows(const RowsToWrite& rows, RowEncoding* encoding, NewRows* encoded,
                        RowsResult* result);

// In the order of (hash, key); rows of one key keep their order.
void SortByKey(std::vector<NewRow>* rows);

}  // namespace larder::inline LARDER_ABI
