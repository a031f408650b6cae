// Reading features for a moment in time, as typed columns.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/schema/feature_status.h"

namespace larder::inline LARDER_ABI {

// Names what to read: a service (`fraud_model`, `fraud_model@2`), or single features (`view:feature`,
// `view@3:feature`), but not both.
struct FeatureRequest {
  std::string project;  // empty: the only one that knows the name
  std::string service;
  std::vector<std::string> features;
  bool full_feature_names = false;  // with `features`: outputs are called `view__feature`
};

struct OnlineRequest {
  FeatureRequest what;
  // One row per entity asked for: join key columns, and request fields under their bare names. Every row has the same
  // columns. Keys may be text for any declared type.
  std::vector<Row> rows;
  std::optional<Timestamp> as_of;     // absent: the store's clock
  std::optional<Timestamp> known_at;  // absent: everything in the snapshot
  bool ignore_unknown_columns = false;
};

// One output column. All vectors have one entry per row asked for.
struct FeatureValues {
  std::string name;
  Column values{
      TypeId::kBool};  // effective values (SEMANTICS 4), the service's missing policy applied
  std::vector<FeatureStatus> statuses;  // of a computed feature: PRESENT or NULL_VALUE, by its own value
  Column event_times{
      TypeId::kTimestamp};  // of the row; of a computed feature the oldest input's; null: none
  // The worst status among the inputs of an on-demand feature; equal to `statuses` for the others.
  std::vector<FeatureStatus> input_statuses;
  // The old value behind OUTSIDE_MAX_AGE, by row.
  std::map<std::size_t, Value> stale_values;
};

struct OnlineResponse {
  std::string service;      // `fraud_model@2`; empty for single features
  uint64_t revision = 0;    // of the definitions
  uint64_t commit_seq = 0;  // of the snapshot everything was read through
  Timestamp as_of;
  std::string receipt;  // the above in one line, for logs: Receipt::Parse reads it
  std::size_t row_count = 0;
  int64_t cells_refused = 0;            // window aggregates without an exact answer: JoinCounts
  Batch keys;                           // the join keys as declared, in the caller's row order
  std::vector<FeatureValues> features;  // in the service's order
  // Null when there is no such output. Lifetime: borrows from the response.
  [[nodiscard]] const FeatureValues* Find(std::string_view name) const& LARDER_LIFETIME_BOUND;
  const FeatureValues* Find(std::string_view name) const&& = delete;  // Would dangle.
};

}  // namespace larder::inline LARDER_ABI
