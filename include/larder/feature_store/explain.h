// Where one value comes from, step by step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store/online.h"
#include "larder/feature_store/training_set.h"
#include "larder/schema/feature_status.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

struct ExplainRequest {
  FeatureRequest what;
  // Which of its outputs: by name, or as `view:feature`. Empty: its only one.
  std::string feature;
  Row row;                            // join keys and request fields, as a row of OnlineRequest
  std::optional<Timestamp> as_of;     // absent: the store's clock
  std::optional<Timestamp> known_at;  // absent: everything in the snapshot
  bool ignore_unknown_columns = false;
  // What to replay, instead of all of that: Receipt::ToString's text. Its service counts, as_of and known_at, and only
  // what commits up to its own brought. Of single features it names none: `what.features` does.
  std::string receipt;
  // Instead of all of that, what training makes of the only row of this request's spine: `what`, too, is this one's.
  std::optional<HistoricalRequest> training;
  // Versions listed of a row, and events of a window; others are only counted.
  std::size_t items_max = 20;
};

struct ExplanationStep {
  // Stored nowhere; their names are printed.
  enum class Kind : uint8_t {
    kKey,         // a join key
    kRequest,     // a request field
    kVersion,     // of a key's row: one that is stored, whether or not it is the one that counts
    kRow,         // the one that counts
    kColumn,      // what the row holds
    kEvent,       // of a window: what it gives, whether or not it counts
    kTile,        // of a window: events that were added as one, by their sums
    kWindow,      // how many events count
    kExpression,  // a part of an expression
    kFeature,     // of a view or on-demand view: its effective value
    kCast,        // the service's
    kMissing,     // what the service puts in place of null
  };
  Kind kind = Kind::kKey;
  std::string name;                 // `user_profile@2:age`; of an expression its text
  std::vector<std::size_t> inputs;  // earlier steps that it is made of
  Value value;
  std::optional<FeatureStatus> status;
  std::optional<Timestamp> event_time;
  std::optional<Timestamp> known_time;
  std::optional<uint64_t> commit_seq;  // that brought it
  Row details;       // of a version: what it holds; of an event: `event_id`, `category`
  std::string note;  // `after as_of`; empty where there is nothing to say
};
[[nodiscard]] std::string_view StepKindName(ExplanationStep::Kind kind);  // `version`

struct Explanation {
  std::string feature;       // the output's name
  std::string definition;    // `user_profile@2:age`
  std::string expression;    // as defined; empty: a field as it is
  DataType type;             // as served
  std::string service;       // `fraud_model@2`; empty for single features
  bool is_training = false;  // of a training row: without commit and receipt
  uint64_t revision = 0;
  uint64_t commit_seq = 0;  // of the snapshot, or of the receipt
  Timestamp as_of;
  std::optional<Timestamp> known_at;
  std::string receipt;
  // What is read before what reads it; the last is what was asked for.
  std::vector<ExplanationStep> steps;
  // As GetOnlineFeatures, or GetHistoricalFeatures, gives it, bit for bit.
  Value value;
  FeatureStatus status = FeatureStatus::kNotFound;
  std::optional<Timestamp> event_time;
  std::optional<Value> stale_value;
  // Of a replay: what the store no longer knows of its commit, a line each. Empty: it is what was served.
  std::vector<std::string> limits;
};

}  // namespace larder::inline LARDER_ABI
