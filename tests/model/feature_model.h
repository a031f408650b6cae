// f(key, as_of, known_at) of the semantics page, written the slow, obvious way: one pass over a plain vector of
// events per question, sentence by sentence from sections 3, 4 and 6. Nothing here is fast and nothing is shared with
// larder's own joins and stores: that is the point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/time.h"
#include "larder/schema/definitions.h"
#include "larder/schema/feature_status.h"
#include "larder/schema/value.h"

namespace larder_test {

struct ModelEvent {
  std::optional<std::string> key;  // any encoding that tells keys apart; absent: a join key is null
  std::optional<larder::Timestamp> event_time;  // absent in a timed source: the row is refused
  std::optional<int64_t> sequence;
  std::optional<larder::Timestamp> arrival_time;
  std::optional<std::string> event_id;
  std::optional<larder::Timestamp> valid_to;
  bool is_delete = false;
  std::vector<larder::Value> features;
  std::vector<bool> carries;  // partial updates: which features the row carries; empty: all
  uint64_t commit_seq = 0;
  larder::Timestamp commit_time;
};

struct ModelView {
  std::size_t feature_count = 1;
  bool is_timeless = false;
  bool has_arrival_time = false;
  bool is_push = false;  // without arrival_time and available_after known by its commit
  std::optional<larder::Duration> available_after;
  std::optional<larder::Duration> ttl;  // absent or 0: forever
  larder::Boundary boundary = larder::Boundary::kAt;
  bool partial_updates = false;
  bool ordered_by_commit =
      false;  // order: commit; ties go to the later commit, then the later event of the vector
};

// Which events count as known: all, those known by an instant, or those committed by a commit.
struct ModelKnownAt {
  std::optional<larder::Timestamp> time;
  std::optional<uint64_t> commit;
  static ModelKnownAt Any() { return {}; }
  static ModelKnownAt Time(larder::Timestamp t) { return {t, std::nullopt}; }
  static ModelKnownAt Commit(uint64_t seq) { return {std::nullopt, seq}; }
};

struct ModelAnswer {
  larder::FeatureStatus status = larder::FeatureStatus::kNotFound;
  larder::Value value;        // the effective value
  larder::Value stale_value;  // of kOutsideMaxAge
  std::optional<larder::Timestamp> event_time;
  const ModelEvent* event =
      nullptr;                // the winner, even if it is a delete (then the status is kNotFound)
  bool is_ambiguous = false;  // tied with a different row, settled below the sequence
};

// When the event could be known; absent: at no time.
std::optional<larder::Timestamp> KnownTimeOf(const ModelView& view, const ModelEvent& event);

// The bytes ties are settled by, of the whole row.
std::string CanonicalRowOf(const ModelView& view, const ModelEvent& event);

// One answer per feature. An event whose id is `exclude_event_id` does not count. A key that is absent is not found.
std::vector<ModelAnswer> AskModel(const ModelView& view, const std::vector<ModelEvent>& events,
                                  const std::optional<std::string>& key, larder::Timestamp as_of,
                                  const ModelKnownAt& known_at,
                                  const std::optional<std::string>& exclude_event_id = std::nullopt);

}  // namespace larder_test
