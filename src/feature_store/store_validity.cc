#include <algorithm>
#include <map>
#include <utility>

#include "feature_store/change_points.h"
#include "feature_store/historical_read.h"
#include "feature_store/source_events.h"
#include "feature_store/store_impl.h"
#include "feature_store/stored_history.h"
#include "larder/feature_store/validity.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr const char* kFrom = "valid_from";

// Whether the value changes without an event coming or going.
bool FollowsTheClock(const ViewVersion& view, const WindowPlan* plan, std::size_t f) {
  if (plan == nullptr) return view.features[f].on_read;
  const WindowFeature& feature = plan->features()[f];
  switch (plan->streams()[feature.stream].specs[feature.spec].function) {
    case AggregateFunction::kTimeSinceFirst:
    case AggregateFunction::kTimeSinceLast:
    case AggregateFunction::kDecayedSum:
    case AggregateFunction::kEwma:
      return true;
    default:
      return false;
  }
}

// One feature of a set whose spine has every instant at which it can change.
class IntervalsOf {
 public:
  IntervalsOf(const TrainingSet& set, std::size_t key_count, std::size_t feature, Timestamp end)
      : set_(set),
        key_count_(key_count),
        feature_(set.features[feature]),
        values_(*set.rows.Find(feature_.name)),
        starts_(*set.rows.Find(kFrom)),
        end_(end),
        from_(TypeId::kTimestamp),
        to_(TypeId::kTimestamp),
        value_(values_.type()) {
    for (std::size_t k = 0; k < key_count; ++k) keys_.emplace_back(set.rows.column(k).type());
  }

  absl::StatusOr<Batch> Make() && {
    const std::size_t rows = starts_.size();
    for (std::size_t row = 0; row < rows;) {
      std::size_t next = row + 1;
      while (next < rows && IsSameKey(row, next) && IsSame(row, next)) ++next;
      if (IsThere(row)) Append(row, next);
      row = next;
    }
    Batch batch;
    for (std::size_t k = 0; k < key_count_; ++k)
      LARDER_RETURN_IF_ERROR(batch.AddColumn(set_.rows.name(k), std::move(keys_[k])));
    LARDER_RETURN_IF_ERROR(batch.AddColumn(kFrom, std::move(from_)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn("valid_to", std::move(to_)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn("value", std::move(value_)));
    return batch;
  }

 private:
  [[nodiscard]] bool IsThere(std::size_t row) const {
    const FeatureStatus status = feature_.statuses[row];
    return status != FeatureStatus::kNotFound && status != FeatureStatus::kOutsideMaxAge;
  }
  // The spine lists a key's instants rising.
  [[nodiscard]] bool IsSameKey(std::size_t row, std::size_t next) const {
    return starts_.Values<int64_t>()[row] < starts_.Values<int64_t>()[next] &&
           std::all_of(set_.rows.names().begin(),
                       set_.rows.names().begin() + static_cast<std::ptrdiff_t>(key_count_),
                       [&](const std::string& name) {
                         const Column& key = *set_.rows.Find(name);
                         return key.ValueAt(row) == key.ValueAt(next);
                       });
  }
  [[nodiscard]] bool IsSame(std::size_t row, std::size_t next) const {
    if (IsThere(row) != IsThere(next)) return false;
    return !IsThere(row) || values_.ValueAt(row) == values_.ValueAt(next);
  }
  void Append(std::size_t row, std::size_t next) {
    for (std::size_t k = 0; k < key_count_; ++k) keys_[k].AppendFrom(set_.rows.column(k), row);
    from_.AppendFixed(starts_.Values<int64_t>()[row]);
    const bool lasts = next == starts_.size() || !IsSameKey(next - 1, next);
    to_.AppendFixed(lasts ? end_.us : starts_.Values<int64_t>()[next]);
    value_.AppendFrom(values_, row);
  }

  const TrainingSet& set_;
  const std::size_t key_count_;
  const TrainingFeature& feature_;
  const Column& values_;
  const Column& starts_;
  const Timestamp end_;
  std::vector<Column> keys_;
  Column from_;
  Column to_;
  Column value_;
};

}  // namespace

absl::StatusOr<std::vector<FeatureIntervals>> FeatureStore::GetValidityIntervals(
    const ValidityRequest& request) const {
  if (request.start >= request.end) {
    return InvalidArgumentError("start ", FormatTimestamp(request.start), " is not before end ",
                                FormatTimestamp(request.end));
  }
  if (request.features.empty()) return InvalidArgumentError("no feature is asked for");
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  std::vector<FeatureIntervals> made;
  for (const std::string& feature : request.features) {
    HistoricalRequest history;
    history.what.project = request.project;
    history.what.features = {feature};
    history.what.full_feature_names = true;
    history.known_at = request.known_at;
    history.sources = request.sources;
    history.thread_count = request.thread_count;
    history.time_column = kFrom;
    LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                            impl_->Resolve(catalog, history.what));
    const ServiceOutput& output = service->service->outputs[0];
    if (output.on_demand || service->uses.size() != 1) {
      return InvalidArgumentError("feature ", feature,
                                  ": only a view's own features have intervals of validity");
    }
    const BoundUse& use = service->uses[0];
    const ViewVersion& view = *use.view;
    if (FollowsTheClock(view, use.windows.get(), static_cast<std::size_t>(output.feature))) {
      return InvalidArgumentError("feature ", feature,
                                  " changes with the clock itself: no interval has one value");
    }
    if (view.definition.exclude_self) {
      return InvalidArgumentError("feature ", feature,
                                  ": what exclude_self leaves out depends on the row that asks");
    }
    if (IsFromStore(view, history)) {
      return FailedPreconditionError("feature ", feature, ": source ", view.offline_source().name,
                                     " is only pushed to: give its history as rows");
    }
    const std::vector<const Source*> sources = view.offline_sources();
    LARDER_RETURN_IF_ERROR(CheckGiven(request.sources, sources));
    ChangePoints points(view, use.windows.get(), KnownAtOf(view, request.known_at), request.start,
                        request.end);
    for (const Source* const source : sources) {
      const auto add = [&](const MappedBatch& batch) {
        points.Add(batch.events, *source);
        return absl::OkStatus();
      };
      LARDER_RETURN_IF_ERROR(VisitEvents(use.windows != nullptr ? use.windows->rows() : view,
                                         *source, PlacesOf(*service, view, history), impl_->compile,
                                         add));
    }
    LARDER_ASSIGN_OR_RETURN(history.spine, std::move(points).ToSpine(kFrom));
    LARDER_ASSIGN_OR_RETURN(const TrainingSet set, GetHistoricalFeatures(history));
    FeatureIntervals& intervals = made.emplace_back();
    intervals.feature =
        Concat(view.ToString(), ":", view.features[static_cast<std::size_t>(output.feature)].name);
    LARDER_ASSIGN_OR_RETURN(intervals.rows,
                            IntervalsOf(set, view.keys.size(), 0, request.end).Make());
  }
  return made;
}

}  // namespace larder::inline LARDER_ABI
