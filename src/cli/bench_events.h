// Real rows for a background writer: events of a source's own file, pushed as if they happened now.
#pragma once

#include <cstddef>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// What to push, and where.
struct BenchEvents {
  std::string project;
  std::string source;      // a push source
  std::string event_time;  // its column of instants; empty: none
  Batch rows;

  // `count` rows from `first` on, beginning again at the end, as events of `now`: one microsecond apart, the last at `now`.
  [[nodiscard]] absl::StatusOr<Batch> Take(std::size_t first, std::size_t count,
                                           Timestamp now) const;
};

// Of the push source named, else the first that a view of the service reads; from the file named, else that of its batch
// source. Reads at most `rows_max`. Errors: usage, when there is no such source or file; kInvalidArgument for bad rows.
[[nodiscard]] absl::StatusOr<BenchEvents> ReadBenchEvents(
    const FeatureStore& store, const std::string& project, const std::string& service,
    const std::string& source, const std::string& file, std::size_t rows_max);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
