// Rows set apart by the hash of their key, with no more of each than what finds its place in the spine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "training/join_key.h"

namespace larder::inline LARDER_ABI {

// A row of some columns: its key's KeyHash, its time, and where to find the rest.
struct KeyedRow {
  uint64_t hash;
  int64_t time;
  uint32_t row;
};

// Of rows left out, and of those without an arrival time.
struct RowCounts {
  int64_t null_key = 0;
  int64_t null_time = 0;
  int64_t bad_key = 0;
  int64_t null_arrival = 0;

  RowCounts& operator+=(const RowCounts& other) {
    null_key += other.null_key;
    null_time += other.null_time;
    bad_key += other.bad_key;
    null_arrival += other.null_arrival;
    return *this;
  }
};

// What one thread needs; reusable from batch to batch.
class KeyScatter {
 public:
  // Room for about `row_count` rows at once; more take more memory as they come.
  KeyScatter(KeyForm form, int partition_bits, std::size_t row_count);

  // Borrowed.
  struct Columns {
    // `arrivals` may be null: then none is counted.
    static Columns Of(const KeyReader& keys, const Column& times, const Column* arrivals);
    const KeyReader* keys = nullptr;
    const Column* times = nullptr;
    const Column* arrivals = nullptr;
    bool raw_without_nulls = false;
  };
  // Adds rows [begin, end) that have a usable key and a time. `partitions`, where not null, is told each one's.
  void Add(const Columns& columns, std::size_t begin, std::size_t end, uint16_t* partitions);
  void Clear();

  // In the order of rows.
  [[nodiscard]] std::span<const KeyedRow> rows(std::size_t partition) const {
    const Buffer& buffer = buffers_[partition];
    return {buffer.begin, buffer.next};
  }
  [[nodiscard]] std::size_t row_count() const { return row_count_; }  // that there is room for
  // Since the last time.
  [[nodiscard]] RowCounts TakeCounts() { return std::exchange(counts_, {}); }
  [[nodiscard]] std::optional<std::size_t> first_bad_key() const { return first_bad_key_; }

 private:
  struct Buffer {
    KeyedRow* begin = nullptr;
    KeyedRow* next = nullptr;
    KeyedRow* end = nullptr;
    std::unique_ptr<KeyedRow[]> own;  // once its share of the common room is full
  };
  // To its share of the common room.
  void Place(std::size_t partition);
  void Put(const KeyedRow& row, uint16_t* partitions);
  static void Grow(Buffer* buffer);
  template <class T>
  void AddRaw(const Columns& columns, std::size_t begin, std::size_t end, uint16_t* partitions);

  KeyForm form_;
  int partition_bits_;
  std::size_t row_count_;
  std::size_t share_;  // rows of each partition in the common room
  std::unique_ptr<KeyedRow[]> room_;
  std::vector<Buffer> buffers_;
  RowCounts counts_;
  std::optional<std::size_t> first_bad_key_;
};

}  // namespace larder::inline LARDER_ABI
