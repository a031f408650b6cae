// Large batches: most of their events lose, so none is copied before all have been offered by key and time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/training/event_reader.h"
#include "training/event_layout.h"
#include "training/event_scatter.h"
#include "training/join_key.h"
#include "training/key_scatter.h"
#include "training/spine_partition.h"

namespace larder::inline LARDER_ABI {

// All of it is borrowed.
struct LargeBatch {
  const EventBatch* events = nullptr;
  const KeyReader* keys = nullptr;
  const EventLayout* layout = nullptr;
  uint64_t first_ordinal = 0;  // the place in the whole stream of the batch's first row
  int partition_bits = 0;
  std::vector<SpinePartition>* partitions = nullptr;
  int thread_count = 1;
  std::size_t buffer_bytes = 0;
};

// What is used again from batch to batch of a view, by thread.
struct LargeBatchSpace {
  std::vector<std::optional<KeyScatter>> scatters;
  std::vector<std::optional<EventScatter>> writers;
};

// Offers the batch to the partitions, for which CanOfferRows must hold. `report` is told how many rows have been
// offered; when that is not OK the rest is left out, and the status returned.
[[nodiscard]] absl::Status OfferLargeBatch(const LargeBatch& batch, LargeBatchSpace* space,
                                           RowCounts* counts,
                                           const std::function<absl::Status(std::size_t)>& report);

}  // namespace larder::inline LARDER_ABI
