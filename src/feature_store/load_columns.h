// Which rows of a batch a load takes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feature_store/event_mapper.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

// Which events of a source a load takes.
struct LoadRange {
  std::optional<Timestamp> start;
  // Incremental loads of sources with an arrival time take what arrived since, and what lay after the last end.
  std::optional<Timestamp> arrived_since;
  Timestamp loaded_to = Timestamp::Min();
  Timestamp end;
};

// The columns of a batch that decide it. Borrows all it is given.
class LoadColumns {
 public:
  static absl::StatusOr<LoadColumns> Find(const ViewVersion& view, const EventMapper& mapper,
                                          const Batch& batch);

  // Why the row cannot be loaded; empty when it can.
  [[nodiscard]] std::string ProblemOf(std::size_t row) const;
  [[nodiscard]] bool IsIn(const LoadRange& range, std::size_t row) const;
  // Whether that is so of all rows, as the columns tell without a look at each of them; false where they do not tell.
  [[nodiscard]] bool AllAreIn(const LoadRange& range) const;

 private:
  [[nodiscard]] const Column* times() const { return converted_ ? &*converted_ : times_; }
  std::optional<Column> converted_;  // event times of another type
  const Column* times_ = nullptr;
  const Column* operations_ = nullptr;
  std::string_view operation_;
  const Column* arrivals_ = nullptr;
  std::vector<std::pair<std::string_view, const Column*>> keys_;
};

}  // namespace larder::inline LARDER_ABI
