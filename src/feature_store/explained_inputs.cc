#include "feature_store/explained_inputs.h"

#include <algorithm>
#include <span>
#include <vector>

namespace larder::inline LARDER_ABI {
namespace {

std::size_t Index(int i) { return static_cast<std::size_t>(i); }

class Marks {
 public:
  Marks(const BoundService& service, OnDemandExpressions& expressions)
      : service_(service), expressions_(expressions) {}

  void AddFeature(int use, int feature) {
    const BoundUse& bound = service_.uses[Index(use)];
    const FeatureColumn& column = bound.view->features[Index(feature)];
    if (column.stored >= 0) columns[use].insert(column.stored);
    for (const FeatureColumn::Input& input : column.inputs) columns[use].insert(input.stored);
    for (const BoundKey& key : bound.keys) {
      if (key.use >= 0) AddFeature(key.use, key.feature);
    }
  }

  absl::Status AddOnDemand(int use, int feature) {
    LARDER_ASSIGN_OR_RETURN(const ExpressionSteps* const steps, expressions_.Of(use, feature));
    for (const Field& field : steps->program().inputs()) {
      const BoundOnDemand::Input& from = expressions_.InputOf(use, field.name);
      if (from.use >= 0) AddFeature(from.use, from.feature);
      if (from.on_demand >= 0) LARDER_RETURN_IF_ERROR(AddOnDemand(from.on_demand, from.feature));
    }
    return absl::OkStatus();
  }

  ReadColumns columns;

 private:
  const BoundService& service_;
  OnDemandExpressions& expressions_;
};

}  // namespace

absl::StatusOr<const ExpressionSteps*> OnDemandExpressions::Of(int use, int feature) {
  const auto known = steps_.find({use, feature});
  if (known != steps_.end()) return &known->second;
  const OnDemandVersion& view = *service_.on_demand[Index(use)].view;
  std::vector<Field> fields;
  for (const OnDemandInput& input : view.inputs) {
    Field& field = fields.emplace_back();
    field.name = input.name;
    field.type = input.type;
  }
  const FeatureColumn& column = view.features[Index(feature)];
  LARDER_ASSIGN_OR_RETURN(ExpressionSteps steps,
                          ExpressionSteps::Make({column.name, column.expr}, fields, options_));
  return &steps_.emplace(std::pair(use, feature), std::move(steps)).first->second;
}

const BoundOnDemand::Input& OnDemandExpressions::InputOf(int use, std::string_view name) const {
  const BoundOnDemand& bound = service_.on_demand[Index(use)];
  const std::span<const Field> inputs = bound.program->inputs();
  const auto at = std::find_if(inputs.begin(), inputs.end(),
                               [&](const Field& input) { return input.name == name; });
  return bound.inputs[static_cast<std::size_t>(at - inputs.begin())];
}

absl::StatusOr<ReadColumns> StoredColumnsOf(const BoundService& service, const ServiceOutput& output,
                                            OnDemandExpressions& expressions) {
  Marks marks(service, expressions);
  if (output.on_demand) {
    LARDER_RETURN_IF_ERROR(marks.AddOnDemand(output.use, output.feature));
  } else {
    marks.AddFeature(output.use, output.feature);
  }
  return std::move(marks.columns);
}

}  // namespace larder::inline LARDER_ABI
