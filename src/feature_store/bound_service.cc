#include "feature_store/bound_service.h"

#include <algorithm>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

int FindInput(const std::vector<Field>& inputs, std::string_view name, std::size_t from,
              std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    if (inputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// Which features of views and on-demand views the outputs need, directly or through other features and keys.
class Needs {
 public:
  Needs(const Catalog& catalog, const ServiceVersion& service)
      : catalog_(catalog), service_(service) {
    for (const ViewUse& use : service.views) {
      views.emplace_back(catalog.FindView(use.view_id)->features.size(), false);
      for (const KeyBinding& key : use.keys) {
        if (key.use >= 0) views[Index(key.use)][Index(key.feature)] = true;
      }
    }
    for (const OnDemandUse& use : service.on_demand) {
      on_demand.emplace_back(catalog.FindOnDemandView(use.view_id)->features.size(), false);
    }
    for (const ServiceOutput& output : service.outputs) {
      (output.on_demand ? on_demand : views)[Index(output.use)][Index(output.feature)] = true;
    }
    // Inputs stand before those that read them, so one pass backwards reaches everything.
    for (std::size_t u = service.on_demand.size(); u-- > 0;) AddInputsOf(u);
  }

  std::vector<std::vector<bool>> views;
  std::vector<std::vector<bool>> on_demand;

 private:
  static std::size_t Index(int i) { return static_cast<std::size_t>(i); }
  void AddInputsOf(std::size_t u) {
    if (std::find(on_demand[u].begin(), on_demand[u].end(), true) == on_demand[u].end()) return;
    const OnDemandVersion& version = *catalog_.FindOnDemandView(service_.on_demand[u].view_id);
    for (std::size_t i = 0; i < version.inputs.size(); ++i) {
      const OnDemandInput& input = version.inputs[i];
      if (input.request) continue;
      const int use = service_.on_demand[u].input_uses[i];
      (input.on_demand ? on_demand : views)[Index(use)][Index(input.feature)] = true;
    }
  }
  const Catalog& catalog_;
  const ServiceVersion& service_;
};

absl::Status BindOnRead(const CompileOptions& options, BoundUse* use) {
  std::vector<NamedExpression> expressions;
  std::vector<Field> fields;
  std::vector<int> stored_of;
  for (std::size_t f = 0; f < use->view->features.size(); ++f) {
    const FeatureColumn& feature = use->view->features[f];
    if (!feature.on_read || !use->needed[f]) continue;
    if (use->view->definition.partial_updates && feature.inputs.empty()) {
      return FailedPreconditionError(
          "feature ", use->view->ToString(), ":", feature.name,
          " reads nothing of its row: in a view with partial_updates it has no status of its own");
    }
    expressions.push_back({feature.name, feature.expr});
    use->on_read_features.push_back(static_cast<int>(f));
    for (const FeatureColumn::Input& input : feature.inputs) {
      const bool known = std::any_of(fields.begin(), fields.end(),
                                     [&](const Field& g) { return g.name == input.name; });
      if (known) continue;
      Field field;
      field.name = input.name;
      field.type = use->view->stored[static_cast<std::size_t>(input.stored)].type;
      fields.push_back(std::move(field));
      stored_of.push_back(input.stored);
    }
  }
  if (expressions.empty()) return absl::OkStatus();
  absl::StatusOr<Program> program = Program::Compile(expressions, fields, options);
  if (!program.ok())
    return Annotate(program.status(), Concat("feature view ", use->view->ToString()));
  for (const Field& input : program->inputs()) {
    const int index = FindInput(fields, input.name, 0, fields.size());
    use->on_read_inputs.push_back(stored_of[static_cast<std::size_t>(index)]);
  }
  use->on_read = *std::move(program);
  return absl::OkStatus();
}

absl::StatusOr<BoundUse> BindUse(const BoundService& bound, const ViewUse& use,
                                 std::vector<bool> needed, const CompileOptions& options) {
  const ViewVersion& view = *bound.catalog.FindView(use.view_id);
  std::vector<DataType> types;
  for (const StoredColumn& column : view.stored) types.push_back(column.type);
  LARDER_ASSIGN_OR_RETURN(RowLayout layout, RowLayout::Make(types));
  BoundUse result{&view, use.alias, std::move(layout), {},     std::nullopt,
                  {},    {},        std::move(needed), nullptr};
  if (view.is_aggregate()) {
    LARDER_ASSIGN_OR_RETURN(WindowPlan windows, WindowPlan::Make(view, options));
    result.windows = std::make_shared<const WindowPlan>(std::move(windows));
  }
  for (const KeyBinding& key : use.keys) {
    BoundKey bound_key;
    if (key.use >= 0) {
      bound_key.use = key.use;
      bound_key.feature = key.feature;
    } else {
      bound_key.input = FindInput(bound.inputs, key.column, 0, bound.key_count);
    }
    result.keys.push_back(bound_key);
  }
  LARDER_RETURN_IF_ERROR(BindOnRead(options, &result));
  return result;
}

absl::StatusOr<BoundOnDemand> BindOnDemand(const BoundService& bound, const OnDemandUse& use,
                                           const std::vector<bool>& needed,
                                           const CompileOptions& options) {
  BoundOnDemand result;
  result.view = bound.catalog.FindOnDemandView(use.view_id);
  result.output_of.assign(result.view->features.size(), -1);
  std::vector<NamedExpression> expressions;
  for (std::size_t f = 0; f < needed.size(); ++f) {
    if (!needed[f]) continue;
    result.output_of[f] = static_cast<int>(expressions.size());
    result.features.push_back(static_cast<int>(f));
    expressions.push_back({result.view->features[f].name, result.view->features[f].expr});
  }
  if (expressions.empty()) return result;
  std::vector<Field> fields;
  for (const OnDemandInput& input : result.view->inputs) {
    Field field;
    field.name = input.name;
    field.type = input.type;
    fields.push_back(std::move(field));
  }
  absl::StatusOr<Program> program = Program::Compile(expressions, fields, options);
  if (!program.ok())
    return Annotate(program.status(), Concat("on-demand view ", result.view->ToString()));
  for (const Field& read : program->inputs()) {
    const auto i = static_cast<std::size_t>(FindInput(fields, read.name, 0, fields.size()));
    const OnDemandInput& input = result.view->inputs[i];
    BoundOnDemand::Input from;
    if (input.request) {
      const std::string bare = read.name.substr(std::string_view("request.").size());
      from.input = FindInput(bound.inputs, bare, 0, bound.inputs.size());
    } else {
      (input.on_demand ? from.on_demand : from.use) = use.input_uses[i];
      from.feature = input.feature;
    }
    result.inputs.push_back(from);
  }
  result.program = *std::move(program);
  return result;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const BoundService>> BoundService::Make(
    const Catalog& catalog, const ServiceVersion& service, std::string name,
    const CompileOptions& options) {
  auto bound = std::make_shared<BoundService>();
  bound->catalog = catalog;
  bound->service = &service;
  bound->name = std::move(name);
  bound->inputs = service.keys;
  bound->key_count = service.keys.size();
  for (const Field& field : service.request) {
    // A key that is read as a request field as well is one column.
    if (FindInput(bound->inputs, field.name, 0, bound->key_count) < 0)
      bound->inputs.push_back(field);
  }
  Needs needs(catalog, service);
  for (std::size_t u = 0; u < service.views.size(); ++u) {
    LARDER_ASSIGN_OR_RETURN(BoundUse use,
                            BindUse(*bound, service.views[u], needs.views[u], options));
    bound->uses.push_back(std::move(use));
  }
  for (std::size_t u = 0; u < service.on_demand.size(); ++u) {
    LARDER_ASSIGN_OR_RETURN(
        BoundOnDemand use, BindOnDemand(*bound, service.on_demand[u], needs.on_demand[u], options));
    bound->on_demand.push_back(std::move(use));
  }
  bound->dtype = service.definition.dtype.value_or(TypeId::kFloat64);
  for (std::size_t o = 0; o < service.outputs.size(); ++o) {
    const ServiceOutput& output = service.outputs[o];
    if (!output.in_tensor) continue;
    bound->tensor_outputs.push_back(static_cast<int>(o));
    bound->tensor_names.push_back(output.name);
    bound->tensor_offsets.push_back(bound->tensor_width);
    bound->tensor_width +=
        output.served_type().id() == TypeId::kVector ? output.served_type().length() : 1;
  }
  return std::shared_ptr<const BoundService>(std::move(bound));
}

}  // namespace larder::inline LARDER_ABI
