// Training rows: for every spine row the feature values that could have been read at its instant (SEMANTICS 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/column.h"
#include "larder/schema/data_type.h"
#include "larder/schema/definitions.h"
#include "larder/schema/feature_status.h"
#include "larder/training/event_reader.h"

namespace larder::inline LARDER_ABI {

// Which events count: those known by the spine row's instant, or all there are now.
enum class KnownAt : uint8_t { kAny, kSpine };

// What settles events of one key, event time, sequence and arrival time that differ.
enum class JoinTieOrder : uint8_t {
  kCanonicalBytes,  // the greatest bytes: the order of reading does not matter
  kCommit,          // the last one: greater commit_seq, then later in the stream
};

// One use of a view. The same view may be used several times with other key columns.
struct JoinView {
  std::string name;  // for messages
  // Columns aligned with the spine, one per join key; borrowed until Finish. A feature joined before may serve.
  std::vector<const Column*> spine_keys;
  std::vector<DataType> key_types;  // as declared; empty for a global view
  std::vector<Field> features;      // name and type of the stored features

  std::optional<Duration> ttl;  // absent or 0: forever
  Boundary boundary = Boundary::kAt;
  KnownAt known_at = KnownAt::kAny;
  std::optional<Duration> available_after;  // without arrival_time: known at event time + this
  JoinTieOrder tie_order = JoinTieOrder::kCanonicalBytes;
  bool partial_updates = false;
  // exclude_self: the spine's column of event ids; events with a row's own id do not count for that row.
  const Column* exclude_event_id = nullptr;
  std::size_t exclude_source = 0;  // of a window over several sources: the one whose ids they are
  // Also joins under the other KnownAt, to count what it would change. Doubles time and memory; does nothing for
  // sources whose events carry no known time.
  bool count_other_known_at = true;
};

struct JoinProgress {
  std::size_t view = 0;  // of PointInTimeJoin::Make's
  int64_t events = 0;    // of it, taken so far
  int64_t rows = 0;      // of the spine, whose result is made
};

struct JoinOptions {
  int thread_count = 1;
  // Also returns which event each value came from.
  bool audit = false;
  // Bytes of events gathered before they are matched with the spine; more is a little faster.
  std::size_t buffer_bytes = std::size_t{64} << 20;
  // A batch of so many events for every 8,192 rows of the spine is matched by keys and times alone where the view allows
  // that, and only the events that win are copied. The result is the same.
  std::size_t large_batch_rows = 256;
  // Called on the calling thread, after every few ten thousand events or rows. What is not OK, kCancelled by convention,
  // ends the join and is what it returns.
  std::function<absl::Status(const JoinProgress&)> progress;
};

struct JoinCounts {
  int64_t events = 0;               // read
  int64_t events_null_key = 0;      // of those left out: a join key is null
  int64_t events_null_time = 0;     // or the event time is
  int64_t events_bad_key = 0;       // or a key is not of its declared type or too long
  int64_t events_null_arrival = 0;  // known at no time: used under KnownAt::kAny only
  int64_t rows_found = 0;  // spine rows with a visible row in time; partial updates: for any feature
  int64_t rows_outside_max_age = 0;  // of the others: the newest row is older than the TTL
  int64_t rows_not_found = 0;        // no visible row
  int64_t rows_null_key = 0;         // of those: the spine's key is null
  // Rows whose value came from a tie between different values settled below `sequence`.
  int64_t rows_ambiguous = 0;
  // Window aggregates that are null because they have no exact answer within bounds: a sum outside int64, a number outside
  // the range of moments, too many different values or categories. By spine row; each category of a map by itself.
  int64_t cells_refused = 0;
  // Values that differ under the other KnownAt; absent when not counted or the source has no known time.
  std::optional<int64_t> cells_changed_by_other_known_at;
};

// What became of each spine row: for the whole row, or for one feature of a view with partial updates.
struct JoinOutcome {
  // kNotFound, kOutsideMaxAge, or kPresent: a row is there; each feature's null then makes it kNullValue.
  std::vector<FeatureStatus> status;
  Column event_time{
      TypeId::kTimestamp};  // of the row; null when there is none or the source is timeless
  // With JoinOptions::audit only, of the event the value came from: when it became known (null: not recorded) and its
  // id in schema/entity_key.h's bytes (null: none).
  Column known_time{TypeId::kTimestamp};
  Column event_id{TypeId::kBytes};
};

// One view's part of the training set, aligned with the spine.
class JoinedView {
 public:
  // One per feature: the effective value (SEMANTICS 4).
  std::vector<Column> features;
  std::vector<JoinOutcome> outcomes;  // one; with partial updates one per feature
  JoinCounts counts;

  [[nodiscard]] const JoinOutcome& OutcomeOf(std::size_t feature) const LARDER_LIFETIME_BOUND {
    return outcomes.size() == 1 ? outcomes[0] : outcomes[feature];
  }
  [[nodiscard]] FeatureStatus StatusOf(std::size_t feature, std::size_t row) const {
    const FeatureStatus status = OutcomeOf(feature).status[row];
    if (status != FeatureStatus::kPresent || features[feature].IsValid(row)) return status;
    return FeatureStatus::kNullValue;
  }
};

// Joins one view, or several over one pass of their common history.
//
// The spine is indexed first; events then stream through in any order, each once; for every distinct (key, instant)
// the best event so far is kept, and Finish carries winners forward in time. Hence memory is a small multiple of
// spine and output, however long the history.
//
// The result is a function of spine and set of events: the same bytes at any thread count, batch size and order of
// events (but for JoinTieOrder::kCommit, whose order is meant to matter).
//
// Example:
//   LARDER_ASSIGN_OR_RETURN(auto join, PointInTimeJoin::Make(spine.times(), views));
//   while (more events) LARDER_RETURN_IF_ERROR(join.Add(0, batch));
//   LARDER_ASSIGN_OR_RETURN(std::vector<JoinedView> joined, std::move(join).Finish());
//
// Threads: thread-bound; works on its own threads besides the caller's when thread_count > 1.
class PointInTimeJoin {
 public:
  // `times` are the spine's instants, borrowed until Finish.
  // Errors: kInvalidArgument for null instants, key columns of another length or a type that cannot be the declared
  //   one, or a negative TTL.
  static absl::StatusOr<PointInTimeJoin> Make(const Column& times LARDER_LIFETIME_BOUND,
                                              std::vector<JoinView> views,
                                              const JoinOptions& options = {});
  PointInTimeJoin(PointInTimeJoin&&) noexcept;
  PointInTimeJoin& operator=(PointInTimeJoin&&) noexcept;
  ~PointInTimeJoin();

  // Takes events of view number `view`. A batch may be added to several views. Values are copied where they matter.
  // Errors: kInvalidArgument when columns do not fit the view; KnownAt::kSpine without any known time; a TTL on a
  //   timeless source; exclude_event_id without event ids; what JoinOptions::progress returns.
  absl::Status Add(std::size_t view, const EventBatch& events);

  // One result per view. A view that was given no events is NOT_FOUND everywhere.
  absl::StatusOr<std::vector<JoinedView>> Finish() &&;

 private:
  struct State;
  explicit PointInTimeJoin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Make, Add everything `events` has, Finish: for one view.
[[nodiscard]] absl::StatusOr<JoinedView> JoinPointInTime(const Column& times, JoinView view,
                                                         EventReader& events,
                                                         const JoinOptions& options = {});

}  // namespace larder::inline LARDER_ABI
