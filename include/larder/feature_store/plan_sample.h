// What a plan would do to values: old and new programs run on keys the store has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/registry/history.h"

namespace larder::inline LARDER_ABI {

struct SampleOptions {
  std::size_t keys = 1000;         // of each view, at most
  std::optional<Timestamp> as_of;  // absent: the store's clock
  // Request fields of on-demand views: one value for all sampled keys. A feature that reads one not given here is not
  // sampled. Text is read as the field's type.
  Row request;
};

// One feature of a view, or one output of a service, under both versions.
struct SampledFeature {
  std::string name;
  std::string type_before;  // empty: the old version has no such feature
  std::string type_after;   // empty: the new one has none
  std::size_t rows = 0;
  // Rows with another effective value: null counts as a value, all NaNs as one, and 1 as 1.0.
  std::size_t changed = 0;
  // The greatest distance between two numbers of one row, infinite ones included; of vectors, between two elements.
  std::optional<double> largest_change;
  std::size_t nulls_before = 0;
  std::size_t nulls_after = 0;
  std::vector<std::string> services;  // that read it: `fraud_model@1 -> @2` where the plan moves one
  std::string not_sampled;            // why there are no figures; empty: there are
};

struct SampledObject {
  ObjectKind kind = ObjectKind::kFeatureView;  // or on-demand view, or feature service
  std::string name;
  int version_before = 0;
  int version_after = 0;
  std::size_t rows = 0;
  // Where rows of versions that were not loaded yet came from, a line each: `card_profile@2: source profiles`.
  std::vector<std::string> rows_from;
  std::vector<SampledFeature> features;
  std::string not_sampled;  // why nothing of it could be
};

struct PlanSample {
  Timestamp as_of;
  uint64_t commit_seq = 0;             // of the snapshot everything was read through
  std::size_t keys = 0;                // asked for
  std::vector<SampledObject> objects;  // what gets another version, in the plan's order
};

}  // namespace larder::inline LARDER_ABI
