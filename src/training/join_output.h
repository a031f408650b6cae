// From winning events to columns aligned with the spine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "larder/training/point_in_time_join.h"
#include "training/event_layout.h"
#include "training/spine_index.h"
#include "training/spine_partition.h"

namespace larder::inline LARDER_ABI {

// All of it is borrowed.
struct JoinOutputInputs {
  const JoinView* view = nullptr;
  const EventLayout* layout = nullptr;  // null: no events were given
  const Column* times = nullptr;
  const std::vector<uint16_t>* row_partitions = nullptr;
  std::vector<SpinePartition>* partitions = nullptr;
  std::vector<Winner>* winners = nullptr;  // the partitions' own; given back once they are resolved
  std::vector<std::string> own_ids;        // of the spine's rows; empty: nothing is excluded
  bool other_known_at = false;             // winners under the other KnownAt are there too
  bool audit = false;
  int thread_count = 1;
};

// `counts` are those of events; those of rows are added.
[[nodiscard]] JoinedView MakeJoinOutput(const JoinOutputInputs& in, const JoinCounts& counts);

}  // namespace larder::inline LARDER_ABI
