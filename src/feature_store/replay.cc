#include "larder/feature_store/replay.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <system_error>
#include <utility>

#include "feature_store/replay_feed.h"
#include "feature_store/replay_sides.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {
namespace {

// At least this many requests between two calls of the caller's progress.
constexpr std::size_t kProgressStep = 100;

// The folder of both stores. Gone with the object.
class ReplayFolder {
 public:
  static absl::StatusOr<ReplayFolder> Make(const std::string& path) {
    std::error_code error;
    if (std::filesystem::exists(path, error))
      return AlreadyExistsError("a replay makes its own folder, and there is one: ", path);
    std::filesystem::create_directories(path, error);
    if (error) return UnavailableError("cannot make ", path, ": ", error.message());
    return ReplayFolder(path);
  }
  ReplayFolder(ReplayFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ReplayFolder& operator=(ReplayFolder&&) = delete;
  ~ReplayFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string File(const char* name) const {
    return (std::filesystem::path(path_) / name).string();
  }

 private:
  explicit ReplayFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Both stores read one clock, which stands until it is told.
class VirtualClock {
 public:
  explicit VirtualClock(Timestamp start) : now_(std::make_shared<Timestamp>(start)) {}
  void MoveTo(Timestamp now) { *now_ = std::max(*now_, now); }
  [[nodiscard]] Timestamp now() const { return *now_; }
  [[nodiscard]] std::function<Timestamp()> reader() const {
    return [now = now_] { return *now; };
  }

 private:
  std::shared_ptr<Timestamp> now_;
};

absl::StatusOr<FeatureStore> OpenSide(const std::string& path, const Definitions& definitions,
                                      const VirtualClock& clock, const ReplayOptions& options) {
  StoreOptions store_options;
  // Nothing of it outlives the replay.
  store_options.durability = Durability::kRelaxed;
  store_options.clock = clock.reader();
  store_options.functions = options.functions;
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, FeatureStore::Open(path, store_options));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
  return store;
}

absl::StatusOr<TrainingSet> Train(const FeatureStore& store, const std::string& project,
                                  const std::string& service, const std::string& requests,
                                  const std::string& time_column) {
  HistoricalRequest request;
  request.what.project = project;
  request.what.service = service;
  request.time_column = time_column;
  LARDER_RETURN_IF_ERROR(store.LoadSpine(requests, &request));
  return store.GetHistoricalFeatures(request);
}

// Serves the rows of a training set again, and compares.
class Comparison {
 public:
  Comparison(const TrainingSet& trained, std::string project, std::string service,
             std::span<const Field> inputs, std::size_t mismatches_max)
      : trained_(trained), inputs_(inputs), mismatches_max_(mismatches_max) {
    request_.what.project = std::move(project);
    request_.what.service = std::move(service);
    for (const TrainingFeature& feature : trained.features)
      features_.emplace_back().name = feature.name;
  }

  // Rows of one instant.
  absl::Status Serve(const FeatureStore& store, Timestamp as_of, std::span<const std::size_t> rows) {
    request_.as_of = as_of;
    request_.rows.clear();
    for (const std::size_t row : rows) request_.rows.push_back(InputsOf(row));
    LARDER_ASSIGN_OR_RETURN(const OnlineResponse response, store.GetOnlineFeatures(request_));
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const FeatureValues* served = response.Find(features_[f].name);
      if (served == nullptr) return InternalError("nothing was served as ", features_[f].name);
      for (std::size_t i = 0; i < rows.size(); ++i) Compare(f, *served, i, rows[i], as_of);
    }
    return absl::OkStatus();
  }

  std::vector<ReplayedFeature> TakeFeatures() && { return std::move(features_); }

 private:
  [[nodiscard]] Row InputsOf(std::size_t row) const {
    Row inputs;
    for (const Field& input : inputs_)
      inputs.emplace_back(input.name, trained_.rows.Find(input.name)->ValueAt(row));
    return inputs;
  }

  void Compare(std::size_t f, const FeatureValues& values, std::size_t served_row, std::size_t row,
               Timestamp as_of) {
    ReplayedFeature& feature = features_[f];
    const TrainingFeature& trained = trained_.features[f];
    ReplayMismatch found;
    found.served = values.values.ValueAt(served_row);
    found.served_status = values.statuses[served_row];
    found.trained = trained_.rows.Find(feature.name)->ValueAt(row);
    found.trained_status = trained.statuses[row];
    ++feature.checked;
    if (found.served.is_null()) ++feature.nulls;
    if (found.served == found.trained && found.served_status == found.trained_status) return;
    if (feature.mismatches++ >= mismatches_max_) return;
    found.request = row;
    found.time = as_of;
    found.keys = InputsOf(row);
    feature.first_mismatches.push_back(std::move(found));
  }

  const TrainingSet& trained_;
  const std::span<const Field> inputs_;
  const std::size_t mismatches_max_;
  OnlineRequest request_;
  std::vector<ReplayedFeature> features_;
};

std::size_t Sum(const std::vector<ReplayedFeature>& features, std::size_t ReplayedFeature::*count) {
  std::size_t sum = 0;
  for (const ReplayedFeature& feature : features) sum += feature.*count;
  return sum;
}

}  // namespace

std::size_t ReplayReport::checked() const { return Sum(features, &ReplayedFeature::checked); }
std::size_t ReplayReport::mismatches() const { return Sum(features, &ReplayedFeature::mismatches); }

absl::StatusOr<ReplayReport> Replay(const Definitions& definitions, const std::string& service,
                                    const std::string& requests, const ReplayOptions& options) {
  const std::string& project = definitions.project;
  LARDER_ASSIGN_OR_RETURN(const ReplaySides sides, ReplaySides::Make(definitions, service, options));
  LARDER_ASSIGN_OR_RETURN(const ReplayFolder folder, ReplayFolder::Make(options.folder));
  LARDER_ASSIGN_OR_RETURN(ReplayFeed feed,
                          ReplayFeed::Read(sides.streams, definitions.base_path, options));
  VirtualClock clock(feed.FirstKnown(Timestamp{}).Minus(Duration::Seconds(1)));
  LARDER_ASSIGN_OR_RETURN(const FeatureStore training,
                          OpenSide(folder.File("trained"), sides.trained, clock, options));
  LARDER_ASSIGN_OR_RETURN(const TrainingSet trained,
                          Train(training, project, service, requests, options.time_column));
  LARDER_ASSIGN_OR_RETURN(FeatureStore store,
                          OpenSide(folder.File("served"), sides.served, clock, options));
  LARDER_ASSIGN_OR_RETURN(const ServingPlan plan, store.Bind(service, project));

  const std::span<const int64_t> times = trained.rows.Find(trained.time_column)->Values<int64_t>();
  std::vector<std::size_t> rows(times.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
  Comparison comparison(trained, project, service, plan.inputs(), options.mismatches_max);
  ReplayReport report;
  report.service = plan.service();
  report.requests = rows.size();
  std::size_t shown = 0;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t end = first;
    while (end < rows.size() && times[rows[end]] == times[rows[first]]) ++end;
    const Timestamp now{times[rows[first]]};
    LARDER_RETURN_IF_ERROR(
        feed.PushUntil(now, project, &store, [&clock](Timestamp at) { clock.MoveTo(at); }));
    clock.MoveTo(now);
    LARDER_RETURN_IF_ERROR(
        comparison.Serve(store, now, std::span(rows).subspan(first, end - first)));
    ++report.instants;
    first = end;
    if (options.progress && (first - shown >= kProgressStep || first == rows.size())) {
      shown = first;
      options.progress({now, feed.pushed_count(), feed.size(), first, rows.size()});
    }
  }
  report.pushes = feed.push_count();
  report.sources = feed.Report();
  report.features = std::move(comparison).TakeFeatures();
  return report;
}

}  // namespace larder::inline LARDER_ABI
