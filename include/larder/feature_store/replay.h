// Lives through history again: events are pushed when they became known, requests served when they came, and what was
// served is held against the training set made from the same events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/schema/definitions.h"
#include "larder/schema/feature_status.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

class FunctionRegistry;

struct ReplayProgress {
  Timestamp now;  // of the virtual clock
  std::size_t events = 0;
  std::size_t events_all = 0;
  std::size_t requests = 0;
  std::size_t requests_all = 0;
};

// Events of a source in a file.
struct ReplayFile {
  std::string source;  // empty: the only one with event times that the service reads
  std::string path;    // CSV, or by its name NDJSON or Parquet, in the source's format
};

struct ReplayOptions {
  // Made for two stores, which are gone with it at the end. Requires: nothing is there yet.
  std::string folder;
  // Instead of the files that definitions name. Other sources the service reads are replayed from their own files, a
  // push source from those of its batch source.
  std::vector<ReplayFile> events;
  std::size_t batch_size = 1000;  // events of a push at most; a request pushes what came before it
  // Events that are pushed together go in in a random order, but those of sources with `order: commit`.
  std::optional<uint64_t> shuffle_seed;
  std::string time_column;          // of the requests; empty: the only timestamp column
  std::size_t mismatches_max = 10;  // how many of each feature are kept
  const FunctionRegistry* functions = nullptr;
  std::function<void(const ReplayProgress&)> progress;  // called from time to time
};

struct ReplayMismatch {
  std::size_t request = 0;  // its row in the file
  Timestamp time;
  Row keys;
  Value served;
  FeatureStatus served_status = FeatureStatus::kNotFound;
  Value trained;
  FeatureStatus trained_status = FeatureStatus::kNotFound;
};

struct ReplayedFeature {
  std::string name;
  std::size_t checked = 0;
  std::size_t nulls = 0;  // among the served
  std::size_t mismatches = 0;
  std::vector<ReplayMismatch> first_mismatches;
};

struct ReplayedSource {
  std::string name;
  std::size_t events = 0;       // pushed
  std::size_t never_known = 0;  // without arrival time, so never pushed
  std::size_t late = 0;         // known after an event with a later event time
  std::size_t after = 0;        // known after the last request, so not pushed
  std::size_t rejected = 0;     // of a view, by the push: no key, no event time
  std::size_t bad_rows = 0;     // skipped by a reader that is not strict
};

struct ReplayReport {
  std::string service;
  std::size_t requests = 0;
  std::size_t instants = 0;  // at which they came
  std::size_t pushes = 0;
  std::vector<ReplayedSource> sources;
  std::vector<ReplayedFeature> features;
  [[nodiscard]] std::size_t checked() const;
  [[nodiscard]] std::size_t mismatches() const;
};

// Replays the events of every source that `service` reads, as pushes into a new store under a virtual clock, and serves
// each row of the file `requests` (a spine: join keys, request fields, an instant) at its instant. Value and status of
// every feature are compared, bit for bit, with the training set for these rows.
//
// An event is pushed when it is known: at its arrival_time, else available_after its event time, else at its event time;
// never before its event time. Sources without event time are there from the beginning.
// Errors: as of plan, push, serving and training; kUnimplemented for a view with exclude_self, which serving has not.
[[nodiscard]] absl::StatusOr<ReplayReport> Replay(const Definitions& definitions,
                                                  const std::string& service,
                                                  const std::string& requests,
                                                  const ReplayOptions& options);

}  // namespace larder::inline LARDER_ABI
