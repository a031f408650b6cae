// A feature's history the other way round: not its value at instants, but the instants of each value (SEMANTICS 6).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store/source_rows.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

struct ValidityRequest {
  std::string project;
  std::vector<std::string> features;  // `view:feature` or `view@2:feature`
  // Intervals are cut to [start, end).
  Timestamp start;
  Timestamp end;
  // As HistoricalRequest's: under `spine` a value is valid once it was known.
  std::optional<KnownAt> known_at;
  std::vector<SourceRows> sources;  // as HistoricalRequest::sources
  int thread_count = 1;
};

struct FeatureIntervals {
  std::string feature;  // `card_profile@2:limit`
  // The view's join keys, `valid_from`, `valid_to` and `value`; ordered by key as keys are first met in the source, then by
  // time. At every instant t of [start, end) with valid_from <= t < valid_to the value is what a training row of the key
  // at t has, null included; where no interval holds t, the row is NOT_FOUND or OUTSIDE_MAX_AGE. Intervals that meet differ
  // in value. valid_to is `end` where the value lasts.
  Batch rows;
};

}  // namespace larder::inline LARDER_ABI
