// Building training sets from the same definitions that serve.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store/leakage.h"
#include "larder/feature_store/online.h"
#include "larder/feature_store/source_rows.h"
#include "larder/training/manifest.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

struct TrainingProgress {
  std::string view;  // `card_profile@2`: whose history is being joined; empty before and after that
  int64_t events = 0;    // of it, read so far
  int64_t rows = 0;      // of the spine, with its values found
  int64_t all_rows = 0;  // the spine has
};

struct HistoricalRequest {
  FeatureRequest what;
  // Join keys, an instant, request fields under their bare names, and anything else (labels, ids), which is kept.
  // Key columns may be text, or integers of another width than declared.
  Batch spine;
  std::string time_column;  // empty: the only timestamp column
  // The sources the spine was drawn from, if any: views over them must then exclude the spine row's own event.
  std::vector<std::string> spine_sources;
  // Histories that the caller has, in place of the files of their sources; for a push source, of what was pushed.
  std::vector<SourceRows> sources;
  std::optional<KnownAt>
      known_at;        // absent: spine for sources with arrival_time or available_after, else any
  bool audit = false;  // fill TrainingFeature::event_ids and known_times
  // Whether the finished set is checked against its sources, read once more by another path than the join's: fills
  // TrainingSet::leakage. Cost: a second reading; for windows the events of all windows of all rows together.
  LeakageAudit leakage = LeakageAudit::kNone;
  // Columns that hold what is to be predicted: the audit looks for features made of them, or equal to them.
  std::vector<std::string> labels;
  // Fill TrainingSet::manifest, which reads the sources' files once more.
  bool manifest = false;
  int thread_count = 1;
  // Called on the calling thread, after every few ten thousand events or rows. What is not OK, kCancelled by convention,
  // ends the work and is what is returned.
  std::function<absl::Status(const TrainingProgress&)> progress;
  // StreamHistoricalFeatures only: spine rows before this one (from 0) are hashed for the manifest and otherwise passed
  // over. For who goes on with a set begun earlier.
  int64_t first_row = 0;
  // StreamHistoricalFeatures only: bytes that it may take, about; 0: as many as it needs for all rows at once. Spine,
  // history and values are then parted by the hash of the keys and wait in files without a name. Two things are not
  // divided: the events of one key, where a view has aggregates, and about a thousand rows with their values.
  uint64_t memory_budget = 0;
  std::string temporary_folder;  // where these files are; empty: TMPDIR or /tmp
};

struct TrainingFeature {
  std::string name;
  std::vector<FeatureStatus> statuses;
  std::vector<FeatureStatus> input_statuses;  // as FeatureValues
  Column event_times{TypeId::kTimestamp};
  // With audit, of stored features: which event the value came from, and when it could be known.
  Column event_ids{TypeId::kBytes};  // schema/entity_key.h's bytes
  Column known_times{TypeId::kTimestamp};
};

// What one view contributed.
struct TrainingViewReport {
  std::string view;  // `card_profile@2`
  std::string alias;
  KnownAt known_at = KnownAt::kAny;
  bool timeless = false;    // no event time: values may come from after the spine's instant
  bool from_store = false;  // read from what the store keeps of pushed events
  JoinCounts counts;
};

struct TrainingSet {
  // Every spine row once, in order, with all its columns; then one column per feature.
  Batch rows;
  std::vector<TrainingFeature> features;  // aligned with the feature columns
  std::vector<TrainingViewReport> views;
  std::string service;
  std::string time_column;
  uint64_t revision = 0;
  // Of the snapshot that views were read from whose sources are only pushed to; absent: there are none.
  std::optional<uint64_t> commit_seq;
  std::optional<LeakageReport> leakage;     // where HistoricalRequest::leakage asks for it
  std::optional<DatasetManifest> manifest;  // without DatasetManifest::output: nothing is written yet
  [[nodiscard]] const TrainingFeature* Find(std::string_view name) const& LARDER_LIFETIME_BOUND;
  const TrainingFeature* Find(std::string_view name) const&& = delete;  // Would dangle.
};

// Takes a training set while it is made.
class TrainingSink {
 public:
  virtual ~TrainingSink() = default;
  // Once, when all values are found: what is said of the whole set. `rows` has its columns and no rows, `features` no
  // statuses; the manifest, if asked for, is without DatasetManifest::content.
  virtual absl::Status Begin(const TrainingSet& set) = 0;
  // The next rows of the spine, and what is said of them: `rows` and `features`.
  virtual absl::Status Take(const TrainingSet& piece) = 0;
};

}  // namespace larder::inline LARDER_ABI
