// From columns to stored rows: what both ways of writing, pushes and generations, have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/write_transaction.h"
#include "online/row_arena.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {

class LoadRows;

// A row to be written, as it will be stored but for its check. Borrows its bytes.
struct NewRow {
  uint64_t hash = 0;
  const char* data = nullptr;
  uint32_t size = 0;
  uint32_t key_offset = 0;
  uint32_t key_size = 0;
  [[nodiscard]] std::string_view bytes() const { return {data, size}; }
  [[nodiscard]] std::string_view key() const { return {data + key_offset, key_size}; }
  [[nodiscard]] bool HasKeyOf(const NewRow& other) const {
    return hash == other.hash && key_size == other.key_size &&
           SameKey(data + key_offset, other.key());
  }
};

// Rows to be written, with their bytes.
struct NewRows {
  std::vector<NewRow> rows;
  RowArena arena;
  std::string scratch;

  // Room for a row, to be filled before the next call of anything.
  char* Add(uint64_t hash, std::size_t key_offset, std::size_t key_size, std::size_t size) {
    char* const room = arena.Allocate(size);
    rows.push_back({hash, room, static_cast<uint32_t>(size), static_cast<uint32_t>(key_offset),
                    static_cast<uint32_t>(key_size)});
    return room;
  }
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

// Appends the rows that can be taken; others are counted and named in `result`, the first ones only. `Rows`: NewRows, or
// LoadRows.
// Errors: kInvalidArgument when columns do not fit the layout or each other; kTooLarge.
template <class Rows>
absl::Status EncodeRows(const RowsToWrite& rows, RowEncoding* encoding, Rows* encoded,
                        RowsResult* result);
// The same on at most `thread_count` threads.
absl::Status EncodeLoad(const RowsToWrite& rows, int thread_count, RowEncoding* encoding,
                        LoadRows* encoded, RowsResult* result);

// In the order of (hash, key); rows of one key keep their order.
void SortByKey(std::vector<NewRow>* rows);
// The same of hashes that agree in their first `shared_bits`, copied to `out`, which is as long.
void SortByKeyInto(std::span<const NewRow> rows, unsigned shared_bits, std::span<NewRow> out);

}  // namespace larder::inline LARDER_ABI
