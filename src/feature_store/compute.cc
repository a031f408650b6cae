#include "feature_store/compute.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "feature_store/service_cast.h"
#include "feature_store/widen.h"

namespace larder::inline LARDER_ABI {
namespace {

std::size_t Index(int i) { return static_cast<std::size_t>(i); }

// Status and time of a value that depends on several: the worst and the oldest.
class InputSummary {
 public:
  explicit InputSummary(std::size_t rows)
      : statuses_(rows, FeatureStatus::kPresent),
        best_(rows, FeatureStatus::kNotFound),
        times_(rows) {}

  void Add(const FeatureValues& input) {
    any_ = true;
    for (std::size_t row = 0; row < statuses_.size(); ++row) {
      statuses_[row] = std::max(statuses_[row], input.input_statuses[row]);
      best_[row] = std::min(best_[row], input.input_statuses[row]);
      if (!input.event_times.IsValid(row)) continue;
      const Timestamp time{input.event_times.Values<int64_t>()[row]};
      if (!times_[row] || time < *times_[row]) times_[row] = time;
    }
  }
  [[nodiscard]] bool any() const { return any_; }
  [[nodiscard]] FeatureStatus best(std::size_t row) const { return best_[row]; }
  void MoveTo(FeatureValues* out) {
    out->input_statuses = std::move(statuses_);
    for (const std::optional<Timestamp>& time : times_) {
      if (time) {
        out->event_times.AppendFixed(time->us);
      } else {
        out->event_times.AppendNull();
      }
    }
  }

 private:
  std::vector<FeatureStatus> statuses_;
  std::vector<FeatureStatus> best_;
  std::vector<std::optional<Timestamp>> times_;
  bool any_ = false;
};

class Computation {
 public:
  Computation(const BoundService& service, const Batch& inputs, std::size_t row_count,
              std::span<const Timestamp> as_of)
      : service_(service), inputs_(inputs), row_count_(row_count), as_of_(as_of) {}

  // The first `count` uses.
  absl::Status Fetch(std::size_t count, const FetchUse& fetch) {
    for (std::size_t u = 0; u < count; ++u) {
      LARDER_ASSIGN_OR_RETURN(FetchedUse fetched, fetch(u, KeysOf(service_.uses[u])));
      LARDER_ASSIGN_OR_RETURN(std::vector<FeatureValues> features,
                              FeaturesOf(service_.uses[u], fetched));
      fetched_.push_back(std::move(fetched));
      features_.push_back(std::move(features));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Column>> Keys(std::size_t use, const FetchUse& fetch) {
    const BoundUse& of = service_.uses[use];
    const bool is_chained = std::any_of(of.keys.begin(), of.keys.end(),
                                        [](const BoundKey& key) { return key.use >= 0; });
    if (is_chained) LARDER_RETURN_IF_ERROR(Fetch(use, fetch));
    std::vector<Column> keys;
    for (const Column* key : KeysOf(of)) keys.push_back(*key);
    return keys;
  }

  absl::StatusOr<ComputedService> Run(const FetchUse& fetch) {
    LARDER_RETURN_IF_ERROR(Fetch(service_.uses.size(), fetch));
    for (const BoundOnDemand& use : service_.on_demand) {
      LARDER_ASSIGN_OR_RETURN(std::vector<FeatureValues> features, Evaluate(use));
      on_demand_.push_back(std::move(features));
    }
    ComputedService result;
    for (const ServiceOutput& output : service_.service->outputs) {
      FeatureValues values = output.on_demand ? on_demand_[Index(output.use)][Index(output.feature)]
                                              : features_[Index(output.use)][Index(output.feature)];
      values.name = output.name;
      Cast(output, &values);
      LARDER_RETURN_IF_ERROR(ReplaceMissing(output, &values));
      result.outputs.push_back(std::move(values));
    }
    result.uses = std::move(fetched_);
    result.features = std::move(features_);
    result.on_demand = std::move(on_demand_);
    return result;
  }

 private:
  [[nodiscard]] std::vector<const Column*> KeysOf(const BoundUse& use) const {
    std::vector<const Column*> columns;
    for (const BoundKey& key : use.keys) {
      columns.push_back(key.use >= 0 ? &features_[Index(key.use)][Index(key.feature)].values
                                     : &inputs_.column(Index(key.input)));
    }
    return columns;
  }

  // One stored column as a feature.
  [[nodiscard]] FeatureValues StoredFeature(const FetchedUse& fetched, std::size_t stored) const {
    FeatureValues values;
    values.values = fetched.rows.features[stored];
    values.event_times = fetched.rows.OutcomeOf(stored).event_time;
    values.statuses.reserve(row_count_);
    for (std::size_t row = 0; row < row_count_; ++row)
      values.statuses.push_back(fetched.rows.StatusOf(stored, row));
    values.input_statuses = values.statuses;
    if (stored < fetched.stale.size()) values.stale_values = fetched.stale[stored];
    return values;
  }

  absl::StatusOr<std::vector<FeatureValues>> FeaturesOf(const BoundUse& use,
                                                        const FetchedUse& fetched) const {
    std::vector<FeatureValues> features(use.view->features.size());
    for (std::size_t f = 0; f < features.size(); ++f) {
      const int stored = use.ColumnOf(f);
      if (use.needed[f] && stored >= 0) features[f] = StoredFeature(fetched, Index(stored));
    }
    if (use.on_read.has_value()) LARDER_RETURN_IF_ERROR(EvaluateOnRead(use, fetched, &features));
    return features;
  }

  // A feature computed on read belongs to its row: where no row is visible in time it has that row's status.
  absl::Status EvaluateOnRead(const BoundUse& use, const FetchedUse& fetched,
                              std::vector<FeatureValues>* features) const {
    std::vector<const Column*> inputs;
    for (const int stored : use.on_read_inputs)
      inputs.push_back(&fetched.rows.features[Index(stored)]);
    LARDER_ASSIGN_OR_RETURN(std::vector<Column> outputs,
                            use.on_read->EvaluateBatch(inputs, row_count_, as_of_));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const FeatureColumn& column = use.view->features[Index(use.on_read_features[i])];
      LARDER_ASSIGN_OR_RETURN(outputs[i], WidenColumn(outputs[i], column.type, column.name));
      InputSummary summary(row_count_);
      for (const FeatureColumn::Input& input : column.inputs)
        summary.Add(StoredFeature(fetched, Index(input.stored)));
      FeatureValues values;
      values.values = Column(outputs[i].type());
      for (std::size_t row = 0; row < row_count_; ++row) {
        const FeatureStatus seen =
            summary.any() ? summary.best(row) : fetched.rows.outcomes[0].status[row];
        const bool visible =
            seen != FeatureStatus::kNotFound && seen != FeatureStatus::kOutsideMaxAge;
        if (visible) {
          values.values.AppendFrom(outputs[i], row);
        } else {
          values.values.AppendNull();
        }
        values.statuses.push_back(!visible                     ? seen
                                  : values.values.IsValid(row) ? FeatureStatus::kPresent
                                                               : FeatureStatus::kNullValue);
      }
      summary.MoveTo(&values);
      values.input_statuses = values.statuses;
      (*features)[Index(use.on_read_features[i])] = std::move(values);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<FeatureValues>> Evaluate(const BoundOnDemand& use) const {
    std::vector<FeatureValues> features(use.view->features.size());
    if (!use.program.has_value()) return features;
    std::vector<const Column*> inputs;
    InputSummary summary(row_count_);
    for (const BoundOnDemand::Input& input : use.inputs) {
      if (input.input >= 0) {
        inputs.push_back(&inputs_.column(Index(input.input)));
        continue;
      }
      const FeatureValues& feature = input.use >= 0
                                         ? features_[Index(input.use)][Index(input.feature)]
                                         : on_demand_[Index(input.on_demand)][Index(input.feature)];
      inputs.push_back(&feature.values);
      summary.Add(feature);
    }
    LARDER_ASSIGN_OR_RETURN(std::vector<Column> outputs,
                            use.program->EvaluateBatch(inputs, row_count_, as_of_));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const FeatureColumn& column = use.view->features[Index(use.features[i])];
      FeatureValues& values = features[Index(use.features[i])];
      LARDER_ASSIGN_OR_RETURN(values.values, WidenColumn(outputs[i], column.type, column.name));
      for (std::size_t row = 0; row < row_count_; ++row) {
        values.statuses.push_back(values.values.IsValid(row) ? FeatureStatus::kPresent
                                                             : FeatureStatus::kNullValue);
      }
      InputSummary copy = summary;
      copy.MoveTo(&values);
    }
    return features;
  }

  // What does not fit is null, and then missing like any other null.
  void Cast(const ServiceOutput& output, FeatureValues* values) const {
    if (values->values.type() == output.served_type()) return;
    Column cast = CastColumn(values->values, output.served_type());
    for (std::size_t row = 0; row < row_count_; ++row) {
      if (values->values.IsValid(row) && !cast.IsValid(row))
        values->statuses[row] = FeatureStatus::kNullValue;
    }
    values->values = std::move(cast);
  }

  absl::Status ReplaceMissing(const ServiceOutput& output, FeatureValues* values) const {
    const MissingPolicy policy = service_.service->definition.missing;
    if (policy == MissingPolicy::kNull || values->values.CountNulls() == 0) return absl::OkStatus();
    if (policy == MissingPolicy::kError) {
      std::size_t row = 0;
      while (values->values.IsValid(row)) ++row;
      return FailedPreconditionError("feature ", output.name, " of service ",
                                     service_.service->ToString(), " is missing in row ", row, " (",
                                     FeatureStatusName(values->statuses[row]),
                                     "), and the service says missing: error");
    }
    if (!output.default_value.has_value()) return absl::OkStatus();
    const Value replacement = CastValue(*output.default_value, output.served_type());
    Column filled(values->values.type());
    filled.Reserve(row_count_);
    for (std::size_t row = 0; row < row_count_; ++row) {
      if (values->values.IsValid(row)) {
        filled.AppendFrom(values->values, row);
      } else {
        LARDER_RETURN_IF_ERROR(filled.Append(replacement));
      }
    }
    values->values = std::move(filled);
    return absl::OkStatus();
  }

  const BoundService& service_;
  const Batch& inputs_;
  const std::size_t row_count_;
  const std::span<const Timestamp> as_of_;
  std::vector<FetchedUse> fetched_;
  std::vector<std::vector<FeatureValues>> features_;   // per use, per feature of its view
  std::vector<std::vector<FeatureValues>> on_demand_;  // per on-demand use, per feature
};

}  // namespace

absl::StatusOr<ComputedService> ComputeService(const BoundService& service, const Batch& inputs,
                                               std::size_t row_count,
                                               std::span<const Timestamp> as_of,
                                               const FetchUse& fetch) {
  return Computation(service, inputs, row_count, as_of).Run(fetch);
}

absl::StatusOr<std::vector<Column>> ComputeKeys(const BoundService& service, std::size_t use,
                                                const Batch& inputs, std::size_t row_count,
                                                std::span<const Timestamp> as_of,
                                                const FetchUse& fetch) {
  return Computation(service, inputs, row_count, as_of).Keys(use, fetch);
}

}  // namespace larder::inline LARDER_ABI
