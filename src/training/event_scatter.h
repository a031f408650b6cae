// Turns batches of event columns into records, sorted apart by the hash of their key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/training/event_reader.h"
#include "training/event_layout.h"
#include "training/join_key.h"
#include "training/key_scatter.h"

namespace larder::inline LARDER_ABI {

// Records of one partition, and their text.
class EventBuffer {
 public:
  // Room for `size` more bytes, not yet written.
  char* Grow(std::size_t size);
  void Clear();
  [[nodiscard]] std::size_t size() const { return size_; }
  // Lifetime: until the next Grow or Clear.
  [[nodiscard]] EventRef at(std::size_t i, std::size_t record_size) const LARDER_LIFETIME_BOUND {
    return {data_.get() + i * record_size, text.data()};
  }
  std::string text;

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// What one thread needs; reusable from batch to batch.
class EventScatter {
 public:
  EventScatter(const EventLayout* layout, int partition_bits);

  // Adds rows [begin, end). `first_ordinal` is the place in the whole stream of the batch's first row.
  void Add(const EventBatch& batch, const KeyReader& keys, std::size_t begin, std::size_t end,
           uint64_t first_ordinal);
  // Adds these rows, whose keys are usable and times not null, in this order.
  void AddRows(const EventBatch& batch, const KeyReader& keys, std::span<const uint32_t> rows,
               uint64_t first_ordinal);
  [[nodiscard]] EventBuffer& buffer(std::size_t partition) { return buffers_[partition]; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void Cleared() { bytes_ = 0; }
  RowCounts counts;

 private:
  static constexpr std::size_t kBlockRows = 4096;
  void AddBlock(const EventBatch& batch, std::size_t count, uint64_t first_ordinal);
  std::size_t ReadKeys(const EventBatch& batch, const KeyReader& keys, std::size_t begin,
                       std::size_t end);
  void WriteTimes(const EventBatch& batch, std::size_t count, uint64_t first_ordinal);
  void WriteFeature(const Column& column, const FeatureSlot& slot, std::size_t feature,
                    std::size_t count);
  void WriteTexts(const EventBatch& batch, std::size_t count);
  template <class T>
  void CopyFixed(const Column& column, uint32_t offset, std::size_t count);

  const EventLayout* layout_;
  int partition_bits_;
  std::size_t bytes_ = 0;
  std::vector<EventBuffer> buffers_;

  // Of the block at hand, one entry per usable row.
  std::vector<std::size_t> rows_;
  std::vector<uint32_t> partitions_;
  std::vector<uint64_t> words_;
  std::vector<char*> records_;
  std::vector<std::string> key_bytes_;
  std::vector<std::size_t> room_;  // per partition
  std::vector<char*> next_;        // per partition
};

}  // namespace larder::inline LARDER_ABI
