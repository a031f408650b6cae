// Rows set aside in a file while something larger than memory is worked on, to be read back partition by partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"

namespace larder::inline LARDER_ABI {

// The file has no name, so that nothing is left of it however the process ends. Threads: thread-bound.
class BatchSpill {
 public:
  // `folder`: where the file is; empty: TMPDIR or /tmp. `buffer_bytes`: rows gathered before they are written, about.
  // Errors: kNotFound, kUnavailable (kind kIoError) or kResourceExhausted (kind kDiskFull), from here and from writing.
  static absl::StatusOr<std::unique_ptr<BatchSpill>> Create(const std::string& folder,
                                                            std::size_t partitions,
                                                            std::size_t buffer_bytes);
  ~BatchSpill();
  BatchSpill(const BatchSpill&) = delete;
  BatchSpill& operator=(const BatchSpill&) = delete;

  // Row i goes to `partitions[i]`, behind those that are there. All batches have the columns of the first.
  absl::Status Add(Batch batch, std::span<const uint16_t> partitions);
  // All rows to one partition, as one block: Next gives them together.
  absl::Status AddBlock(const Batch& batch, std::size_t partition);

  // Must be the last call before reading.
  absl::Status Finish();

  [[nodiscard]] std::size_t partitions() const { return partitions_.size(); }
  [[nodiscard]] uint64_t rows(std::size_t partition) const { return partitions_[partition].rows; }
  [[nodiscard]] uint64_t bytes(std::size_t partition) const { return partitions_[partition].bytes; }
  // The columns, without rows; none where nothing was added.
  [[nodiscard]] const Batch& shape() const LARDER_LIFETIME_BOUND { return shape_; }

  // One partition's rows in the order they were added. Lifetime: not beyond the spill.
  class Reader {
   public:
    Reader(const BatchSpill* spill, std::size_t partition) : spill_(spill), partition_(partition) {}
    // The next block; false at the end.
    absl::StatusOr<bool> Next(Batch* out);

   private:
    const BatchSpill* spill_;
    std::size_t partition_;
    std::size_t block_ = 0;
  };
  [[nodiscard]] Reader Read(std::size_t partition) const LARDER_LIFETIME_BOUND {
    return {this, partition};
  }

 private:
  struct Block {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  struct Partition {
    std::vector<Block> blocks;
    uint64_t rows = 0;
    uint64_t bytes = 0;
  };
  BatchSpill(int fd, std::string folder, std::size_t partitions, std::size_t buffer_bytes)
      : fd_(fd), folder_(std::move(folder)), buffer_bytes_(buffer_bytes), partitions_(partitions) {}
  absl::Status Scatter();
  absl::Status Write();

  int fd_;
  std::string folder_;  // for errors
  std::size_t buffer_bytes_;
  std::vector<Partition> partitions_;
  Batch shape_;
  // Not yet in blocks.
  Batch held_;
  std::vector<uint16_t> held_partitions_;
  std::size_t held_bytes_ = 0;
  // Blocks that are not yet in the file.
  std::string unwritten_;
  uint64_t written_ = 0;
};

// What the rows of `batch` take in memory, about.
[[nodiscard]] std::size_t BytesOf(const Batch& batch);

}  // namespace larder::inline LARDER_ABI
