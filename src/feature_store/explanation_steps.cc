#include "feature_store/explanation_steps.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "feature_store/explained_inputs.h"
#include "feature_store/key_encoding.h"
#include "feature_store/service_cast.h"
#include "feature_store/widen.h"
#include "larder/base/text.h"
#include "larder/transform/expression_steps.h"

namespace larder::inline LARDER_ABI {
namespace {

using Kind = ExplanationStep::Kind;

std::size_t Index(int i) { return static_cast<std::size_t>(i); }

std::optional<Timestamp> InstantIn(const Column& times) {
  if (times.size() == 0 || !times.IsValid(0)) return std::nullopt;
  return Timestamp{times.Values<int64_t>()[0]};
}

template <class Features>
std::string NameOf(const Features& view, int feature) {
  return Concat(view.ToString(), ":", view.features[Index(feature)].name);
}

// What an expression reads: the step that gives a field, and its value.
struct FieldValue {
  std::size_t step = 0;
  const Column* value = nullptr;
};
using FieldValues = std::map<std::string, FieldValue, std::less<>>;

class Builder {
 public:
  Builder(const ExplainedRead& read, ValueOrigins& origins)
      : service_(read.service),
        read_(read),
        origins_(origins),
        on_demand_expressions_(read.service, read.compile) {}

  absl::StatusOr<std::vector<ExplanationStep>> Run(std::size_t number) {
    const ServiceOutput& output = service_.service->outputs[number];
    LARDER_ASSIGN_OR_RETURN(columns_, StoredColumnsOf(service_, output, on_demand_expressions_));
    LARDER_ASSIGN_OR_RETURN(const std::size_t last, output.on_demand
                                                        ? AddOnDemand(output.use, output.feature)
                                                        : AddFeature(output.use, output.feature));
    AddPolicies(output, last);
    const Value& explained = steps_.back().value;
    const Value served = read_.computed.outputs[number].values.ValueAt(0);
    if (!(explained == served)) return Differs(output.name, explained, served);
    return std::move(steps_);
  }

 private:
  static absl::Status Differs(std::string_view name, const Value& explained, const Value& served) {
    return InternalError("the steps of ", name, " give ", FormatValue(explained),
                         ", it was read as ", FormatValue(served));
  }

  std::size_t Add(ExplanationStep step) {
    steps_.push_back(std::move(step));
    return steps_.size() - 1;
  }
  static ExplanationStep Step(Kind kind, std::string name, std::vector<std::size_t> inputs = {}) {
    ExplanationStep step;
    step.kind = kind;
    step.name = std::move(name);
    step.inputs = std::move(inputs);
    return step;
  }

  // ---- what is given, and rows

  std::size_t AddInput(int input) {
    const auto [at, is_new] = inputs_.try_emplace(input, 0);
    if (!is_new) return at->second;
    ExplanationStep step = Step(Index(input) < service_.key_count ? Kind::kKey : Kind::kRequest,
                                service_.inputs[Index(input)].name);
    step.value = read_.inputs.column(Index(input)).ValueAt(0);
    return at->second = Add(std::move(step));
  }

  // The keys of a use, and where they come from.
  absl::StatusOr<std::vector<std::size_t>> AddKeys(const BoundUse& use) {
    std::vector<std::size_t> steps;
    for (const BoundKey& key : use.keys) {
      if (key.use < 0) {
        steps.push_back(AddInput(key.input));
        continue;
      }
      LARDER_ASSIGN_OR_RETURN(const std::size_t step, AddFeature(key.use, key.feature));
      steps.push_back(step);
    }
    return steps;
  }

  // Null data(): a key is null.
  std::string_view KeyOf(const BoundUse& use) {
    std::vector<const Column*> columns;
    for (const BoundKey& key : use.keys) {
      columns.push_back(key.use < 0 ? &read_.inputs.column(Index(key.input))
                                    : &FeatureValue(key.use, key.feature).values);
    }
    key_.Encode(columns, 1);
    return key_.views()[0];
  }

  struct RowSteps {
    std::vector<std::size_t> keys;
    std::vector<std::size_t> versions;
    ValueOrigins::Versions found;
    std::vector<int> columns;              // that are read of it
    std::map<int, std::size_t> by_column;  // the row that counts; -1: for all of them
    bool null_key = false;
  };

  absl::StatusOr<RowSteps*> RowsOf(int use) {
    const auto [at, is_new] = rows_.try_emplace(use);
    RowSteps& rows = at->second;
    if (!is_new) return &rows;
    const BoundUse& bound = service_.uses[Index(use)];
    LARDER_ASSIGN_OR_RETURN(rows.keys, AddKeys(bound));
    rows.columns.assign(columns_[use].begin(), columns_[use].end());
    const std::string_view key = KeyOf(bound);
    rows.null_key = key.data() == nullptr;
    if (rows.null_key) return &rows;
    LARDER_ASSIGN_OR_RETURN(rows.found, origins_.VersionsOf(bound, key, rows.columns));
    for (const ExplanationStep& version : rows.found.steps) rows.versions.push_back(Add(version));
    return &rows;
  }

  // The row that a stored column is read from; -1: the one row of a view.
  absl::StatusOr<std::size_t> AddRow(int use, int column) {
    LARDER_ASSIGN_OR_RETURN(RowSteps* const rows, RowsOf(use));
    const BoundUse& bound = service_.uses[Index(use)];
    const bool is_partial = bound.view->definition.partial_updates && column >= 0;
    const auto [at, is_new] = rows->by_column.try_emplace(is_partial ? column : -1, 0);
    if (!is_new) return at->second;
    std::size_t place = 0;
    if (is_partial) {
      const auto found = std::find(rows->columns.begin(), rows->columns.end(), column);
      place = static_cast<std::size_t>(found - rows->columns.begin());
    }
    const JoinedView& joined = read_.computed.uses[Index(use)].rows;
    const JoinOutcome& outcome = joined.OutcomeOf(Index(std::max(column, 0)));
    ExplanationStep step = Step(Kind::kRow, Concat("row of ", bound.view->ToString()), rows->keys);
    if (is_partial) step.name.append(Concat(" with ", bound.view->stored[Index(column)].name));
    if (place < rows->found.chosen.size() && rows->found.chosen[place]) {
      const std::size_t version = rows->versions[*rows->found.chosen[place]];
      step.inputs.push_back(version);
      step.known_time = steps_[version].known_time;
      step.commit_seq = steps_[version].commit_seq;
    }
    step.status = outcome.status[0];
    step.event_time = InstantIn(outcome.event_time);
    step.note = RowNote(bound, outcome.status[0], *rows);
    return at->second = Add(std::move(step));
  }

  static std::string RowNote(const BoundUse& use, FeatureStatus status, const RowSteps& rows) {
    std::vector<std::string> notes;
    if (status == FeatureStatus::kOutsideMaxAge)
      notes.push_back(Concat("older than the ttl, ",
                             FormatDuration(use.view->definition.ttl.value_or(Duration{}))));
    if (status == FeatureStatus::kNotFound)
      notes.emplace_back(rows.null_key ? "a join key is null"
                         : rows.versions.empty() && rows.found.left_out == 0
                             ? "nothing is stored for this key"
                             : "no version gives a row");
    if (rows.found.left_out > 0)
      notes.push_back(Concat(rows.found.left_out, " versions are not shown"));
    return Join(notes, "; ");
  }

  absl::StatusOr<FieldValue> AddColumn(int use, int column) {
    const BoundUse& bound = service_.uses[Index(use)];
    const FetchedUse& fetched = read_.computed.uses[Index(use)];
    const FieldValue of{0, &fetched.rows.features[Index(column)]};
    const auto known = column_steps_.find({use, column});
    if (known != column_steps_.end()) return FieldValue{known->second, of.value};
    LARDER_ASSIGN_OR_RETURN(const std::size_t row, AddRow(use, column));
    const StoredColumn& stored = bound.view->stored[Index(column)];
    ExplanationStep step =
        Step(Kind::kColumn, stored.field.empty() ? stored.name : stored.field, {row});
    step.value = of.value->ValueAt(0);
    step.status = fetched.rows.StatusOf(Index(column), 0);
    step.event_time = InstantIn(fetched.rows.OutcomeOf(Index(column)).event_time);
    const std::size_t added = Add(std::move(step));
    column_steps_.emplace(std::pair(use, column), added);
    return FieldValue{added, of.value};
  }

  // ---- features

  [[nodiscard]] const FeatureValues& FeatureValue(int use, int feature) const {
    return read_.computed.features[Index(use)][Index(feature)];
  }

  static void TakeOutcome(const FeatureValues& values, ExplanationStep* step) {
    step->value = values.values.ValueAt(0);
    step->status = values.statuses[0];
    step->event_time = InstantIn(values.event_times);
  }

  absl::StatusOr<std::size_t> AddFeature(int use, int feature) {
    const auto known = feature_steps_.find({use, feature});
    if (known != feature_steps_.end()) return known->second;
    const BoundUse& bound = service_.uses[Index(use)];
    const FeatureColumn& column = bound.view->features[Index(feature)];
    ExplanationStep step = Step(Kind::kFeature, NameOf(*bound.view, feature));
    TakeOutcome(FeatureValue(use, feature), &step);
    if (bound.windows != nullptr) {
      LARDER_RETURN_IF_ERROR(AddWindow(bound, feature, &step));
    } else if (column.stored >= 0) {
      LARDER_ASSIGN_OR_RETURN(const std::size_t row, AddRow(use, column.stored));
      step.inputs = {row};
      if (!column.expr.empty()) step.note = "computed when the row was written";
      const auto& stale = FeatureValue(use, feature).stale_values;
      if (!stale.empty()) step.note = Concat("was ", FormatValue(stale.begin()->second));
    } else {
      LARDER_RETURN_IF_ERROR(AddOnRead(use, feature, &step));
    }
    const std::size_t added = Add(std::move(step));
    feature_steps_.emplace(std::pair(use, feature), added);
    return added;
  }

  absl::Status AddWindow(const BoundUse& use, int feature, ExplanationStep* step) {
    LARDER_ASSIGN_OR_RETURN(step->inputs, AddKeys(use));
    const std::string_view key = KeyOf(use);
    if (key.data() == nullptr) {
      step->note = "a join key is null";
      return absl::OkStatus();
    }
    LARDER_ASSIGN_OR_RETURN(WindowSteps steps, origins_.WindowOf(use, key, Index(feature)));
    steps.window.inputs = std::move(step->inputs);
    for (ExplanationStep& part : steps.parts) steps.window.inputs.push_back(Add(std::move(part)));
    step->inputs = {Add(std::move(steps.window))};
    const bool is_hidden = step->status == FeatureStatus::kPartialWindow &&
                           service_.service->definition.partial == PartialPolicy::kNull;
    if (is_hidden) step->note = "null: the service says partial: null";
    return absl::OkStatus();
  }

  absl::Status AddOnRead(int use, int feature, ExplanationStep* step) {
    const BoundUse& bound = service_.uses[Index(use)];
    const FeatureColumn& column = bound.view->features[Index(feature)];
    std::vector<Field> fields;
    FieldValues values;
    for (const FeatureColumn::Input& input : column.inputs) {
      Field& field = fields.emplace_back();
      field.name = input.name;
      field.type = bound.view->stored[Index(input.stored)].type;
      LARDER_ASSIGN_OR_RETURN(values[input.name], AddColumn(use, input.stored));
    }
    LARDER_ASSIGN_OR_RETURN(
        const ExpressionSteps steps,
        ExpressionSteps::Make({column.name, column.expr}, fields, read_.compile));
    LARDER_ASSIGN_OR_RETURN(const Computed computed, AddExpression(steps, values));
    step->inputs = {computed.step};
    if (column.inputs.empty()) {
      LARDER_ASSIGN_OR_RETURN(const std::size_t row, AddRow(use, -1));
      step->inputs.push_back(row);
    }
    if (step->status == FeatureStatus::kNotFound || step->status == FeatureStatus::kOutsideMaxAge) {
      step->note = "null, whatever the expression gives: there is no row in time";
      return absl::OkStatus();
    }
    return CheckValue(computed.value, column, *step);
  }

  static absl::Status CheckValue(const Column& value, const FeatureColumn& column,
                                 const ExplanationStep& step) {
    LARDER_ASSIGN_OR_RETURN(const Column widened, WidenColumn(value, column.type, column.name));
    const Value explained = widened.ValueAt(0);
    return explained == step.value ? absl::OkStatus() : Differs(step.name, explained, step.value);
  }

  // ---- on demand

  absl::StatusOr<std::size_t> AddOnDemand(int use, int feature) {
    const auto known = on_demand_steps_.find({use, feature});
    if (known != on_demand_steps_.end()) return known->second;
    const OnDemandVersion& view = *service_.on_demand[Index(use)].view;
    LARDER_ASSIGN_OR_RETURN(const ExpressionSteps* const steps,
                            on_demand_expressions_.Of(use, feature));
    FieldValues values;
    for (const Field& field : steps->program().inputs()) {
      const BoundOnDemand::Input& from = on_demand_expressions_.InputOf(use, field.name);
      FieldValue& of = values[field.name];
      if (from.input >= 0) {
        of = {AddInput(from.input), &read_.inputs.column(Index(from.input))};
      } else if (from.use >= 0) {
        LARDER_ASSIGN_OR_RETURN(of.step, AddFeature(from.use, from.feature));
        of.value = &FeatureValue(from.use, from.feature).values;
      } else {
        LARDER_ASSIGN_OR_RETURN(of.step, AddOnDemand(from.on_demand, from.feature));
        of.value = &OnDemandValue(from.on_demand, from.feature).values;
      }
    }
    LARDER_ASSIGN_OR_RETURN(const Computed computed, AddExpression(*steps, values));
    ExplanationStep step = Step(Kind::kFeature, NameOf(view, feature), {computed.step});
    TakeOutcome(OnDemandValue(use, feature), &step);
    const FeatureStatus inputs = OnDemandValue(use, feature).input_statuses[0];
    if (inputs != *step.status) step.note = Concat("inputs ", FeatureStatusName(inputs));
    LARDER_RETURN_IF_ERROR(CheckValue(computed.value, view.features[Index(feature)], step));
    const std::size_t added = Add(std::move(step));
    on_demand_steps_.emplace(std::pair(use, feature), added);
    return added;
  }

  [[nodiscard]] const FeatureValues& OnDemandValue(int use, int feature) const {
    return read_.computed.on_demand[Index(use)][Index(feature)];
  }

  // ---- expressions

  struct Computed {
    std::size_t step;
    Column value;
  };

  absl::StatusOr<Computed> AddExpression(const ExpressionSteps& expression,
                                         const FieldValues& values) {
    std::vector<const Column*> inputs;
    for (const Field& field : expression.program().inputs())
      inputs.push_back(values.find(field.name)->second.value);
    LARDER_ASSIGN_OR_RETURN(std::vector<Column> results,
                            expression.program().EvaluateBatch(inputs, 1, {&read_.as_of, 1}));
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ExpressionStep& part = expression.steps()[i];
      ExplanationStep step = Step(Kind::kExpression, part.text);
      for (const std::string& field : part.fields) {
        // What only a branch reads that is never taken is not read at all.
        if (const auto at = values.find(field); at != values.end())
          step.inputs.push_back(at->second.step);
      }
      for (const std::size_t earlier : part.steps) step.inputs.push_back(places[earlier]);
      std::sort(step.inputs.begin(), step.inputs.end());
      step.value = results[i].ValueAt(0);
      places.push_back(Add(std::move(step)));
    }
    return Computed{places.back(), std::move(results.back())};
  }

  // ---- what the service makes of the feature

  void AddPolicies(const ServiceOutput& output, std::size_t last) {
    const FeatureValues& feature = output.on_demand ? OnDemandValue(output.use, output.feature)
                                                    : FeatureValue(output.use, output.feature);
    // The step asked for stands last.
    Value value = steps_[last].value;
    if (feature.values.type() != output.served_type()) {
      ExplanationStep step =
          Step(Kind::kCast, Concat("cast to ", output.served_type().ToString()), {last});
      step.value = value = CastColumn(feature.values, output.served_type()).ValueAt(0);
      last = Add(std::move(step));
    }
    const bool replaces = service_.service->definition.missing == MissingPolicy::kDefault &&
                          output.default_value.has_value() && value.is_null();
    if (!replaces) return;
    ExplanationStep step = Step(Kind::kMissing, "missing: default", {last});
    step.value = CastValue(*output.default_value, output.served_type());
    Add(std::move(step));
  }

  const BoundService& service_;
  const ExplainedRead& read_;
  ValueOrigins& origins_;
  OnDemandExpressions on_demand_expressions_;
  std::vector<ExplanationStep> steps_;
  EncodedKeys key_;
  ReadColumns columns_;
  std::map<int, std::size_t> inputs_;
  std::map<int, RowSteps> rows_;
  std::map<std::pair<int, int>, std::size_t> column_steps_;
  std::map<std::pair<int, int>, std::size_t> feature_steps_;
  std::map<std::pair<int, int>, std::size_t> on_demand_steps_;
};

}  // namespace

absl::StatusOr<std::vector<ExplanationStep>> ExplainOutput(const ExplainedRead& read,
                                                           std::size_t output,
                                                           ValueOrigins& origins) {
  return Builder(read, origins).Run(output);
}

}  // namespace larder::inline LARDER_ABI
