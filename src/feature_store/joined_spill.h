// What a view gives for the rows of a spine, set aside by partition of its keys and handed out again in the spine's order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "feature_store/batch_spill.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// The partition of each row by the hash of its keys; 0 for rows without a usable key. `explain_bad`: a key that cannot be
// of its declared type is an error, which counts rows from `first_row`.
// Errors: kInvalidArgument, also for columns whose type can never be the declared one.
[[nodiscard]] absl::StatusOr<std::vector<uint16_t>> PartitionKeys(
    std::span<const Column* const> keys, std::span<const DataType> types, std::size_t row_count,
    std::size_t partitions, bool explain_bad, uint64_t first_row);

// Threads: thread-bound.
class JoinedSpill {
 public:
  // `block_rows`: of a partition, that a reader holds at a time. `audit`: as JoinOptions, of what is added.
  // Errors: as BatchSpill::Create.
  static absl::StatusOr<JoinedSpill> Create(const std::string& folder, std::size_t partitions,
                                            std::size_t block_rows, std::vector<DataType> key_types,
                                            bool audit);

  // The next rows of a partition, in the order of its rows in the spine.
  absl::Status Add(const JoinedView& joined, std::size_t begin, std::size_t end,
                   std::size_t partition);
  absl::Status Finish() { return spill_->Finish(); }

  // One walk over the spine. Lifetime: not beyond the spill.
  class Reader {
   public:
    explicit Reader(const JoinedSpill* spill);
    // The next rows of the spine, whose keys these are; without counts.
    absl::StatusOr<JoinedView> Next(std::span<const Column* const> keys, std::size_t row_count);

   private:
    struct Place {
      BatchSpill::Reader reader;
      Batch rows;  // read, and given from `at` on
      std::size_t at = 0;
    };
    absl::Status Ensure(Place* place, std::size_t rows);
    const JoinedSpill* spill_;
    std::vector<Place> places_;
  };

 private:
  JoinedSpill(std::unique_ptr<BatchSpill> spill, std::size_t block_rows,
              std::vector<DataType> key_types, bool audit)
      : spill_(std::move(spill)),
        block_rows_(block_rows),
        key_types_(std::move(key_types)),
        audit_(audit) {}
  [[nodiscard]] absl::StatusOr<Batch> ToBatch(const JoinedView& joined, std::size_t begin,
                                              std::size_t end) const;
  [[nodiscard]] JoinedView ToView(Batch rows) const;

  std::unique_ptr<BatchSpill> spill_;
  std::size_t block_rows_;
  std::vector<DataType> key_types_;
  bool audit_;
  std::size_t features_ = 0;
  std::size_t outcomes_ = 0;
};

}  // namespace larder::inline LARDER_ABI
