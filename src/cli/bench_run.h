// Threads that serve requests one after another, and what that took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/bench_requests.h"
#include "cli/key_draw.h"
#include "larder/base/config.h"
#include "larder/base/latency_histogram.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct LoadShape {
  std::size_t threads = 1;
  std::size_t batch = 100;  // rows of a request
  Duration warm_up;
  Duration duration;
  double rate = 0;  // requests a second, all threads together; 0: each thread as fast as it can
  uint64_t seed = 1;
  // The instant requests ask for. Threads: called by all at once.
  std::function<Timestamp()> as_of;
};

// Of the measured time, all threads together.
struct LoadResult {
  LatencyHistogram latency;  // Refresh and Fill
  double seconds = 0;
  uint64_t errors = 0;
  std::string first_error;
  uint64_t late = 0;           // requests begun after they were due, with a rate
  uint64_t commits_first = 0;  // the oldest and newest commit that was served
  uint64_t commits_last = 0;
  // getrusage of the serving threads alone.
  uint64_t minor_faults = 0;  // pages that were in memory, mapped at first touch
  uint64_t major_faults = 0;  // pages read from disk
  uint64_t switches = 0;      // times the system took the processor away
  double cpu_seconds = 0;
};

struct LoadMoment {
  bool warming_up = false;
  double seconds = 0;  // of this part
  uint64_t requests = 0;
};

// Runs the load, then returns. `progress` is called from time to time, on this thread. With a rate, a request's time counts from the moment it was due, so that a stall shows in all requests it held
// up, not in one. Keys are put in place before the clock starts.
// Errors: what opening a session answers. Errors of requests are in the result.
[[nodiscard]] absl::StatusOr<LoadResult> RunLoad(
    const FeatureStore& store, const ServingPlan& plan, const RequestTable& table,
    const KeyDraw& draw, const LoadShape& shape,
    const std::function<void(const LoadMoment&)>& progress);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
