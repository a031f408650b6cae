#include "feature_store/explained_output.h"

#include <utility>
#include <vector>

#include "larder/base/text.h"
#include "larder/registry/aggregate_text.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

// `view@version:feature` that an output gives.
struct Definition {
  std::string view;
  int version = 0;
  const FeatureColumn* column = nullptr;
};

Definition DefinitionOf(const BoundService& service, const ServiceOutput& output) {
  const auto use = static_cast<std::size_t>(output.use);
  const auto feature = static_cast<std::size_t>(output.feature);
  if (output.on_demand) {
    const OnDemandVersion& view = *service.on_demand[use].view;
    return {view.name, view.version, &view.features[feature]};
  }
  const ViewVersion& view = *service.uses[use].view;
  return {view.name, view.version, &view.features[feature]};
}

}  // namespace

absl::StatusOr<std::size_t> FindOutput(const BoundService& service, const std::string& name) {
  const std::vector<ServiceOutput>& outputs = service.service->outputs;
  std::vector<std::string> names;
  for (const ServiceOutput& output : outputs) names.push_back(output.name);
  const std::string_view what = service.receipt_name();
  if (name.empty()) {
    if (outputs.size() == 1) return std::size_t{0};
    return InvalidArgumentError(what, " has ", outputs.size(),
                                " features, say which one to explain: ", Join(names, ", "));
  }
  if (const int at = service.service->FindOutput(name); at >= 0)
    return static_cast<std::size_t>(at);
  if (name.find(':') != std::string::npos) {
    LARDER_ASSIGN_OR_RETURN(const FeatureReference reference, ParseFeatureReference(name));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const Definition definition = DefinitionOf(service, outputs[o]);
      if (definition.view == reference.view.name && definition.column->name == reference.feature &&
          reference.view.version.value_or(definition.version) == definition.version)
        return o;
    }
  }
  return NotFoundError(what, " gives no feature ", name, DidYouMean(name, names), "; it gives ",
                       Join(names, ", "));
}

void DescribeOutput(const BoundService& service, const FeatureValues& read,
                    Explanation* explanation) {
  const ServiceOutput& output = service.service->outputs[0];
  const Definition definition = DefinitionOf(service, output);
  explanation->feature = output.name;
  explanation->definition =
      Concat(definition.view, "@", definition.version, ":", definition.column->name);
  const FeatureColumn& column = *definition.column;
  explanation->expression = column.aggregate ? AggregateText(*column.aggregate) : column.expr;
  explanation->type = output.served_type();
  explanation->service = service.name;
  explanation->value = read.values.ValueAt(0);
  explanation->status = read.statuses[0];
  if (read.event_times.IsValid(0))
    explanation->event_time = Timestamp{read.event_times.Values<int64_t>()[0]};
  if (!read.stale_values.empty()) explanation->stale_value = read.stale_values.begin()->second;
}

std::string_view StepKindName(ExplanationStep::Kind kind) {
  switch (kind) {
    case ExplanationStep::Kind::kKey:
      return "key";
    case ExplanationStep::Kind::kRequest:
      return "request";
    case ExplanationStep::Kind::kVersion:
      return "version";
    case ExplanationStep::Kind::kRow:
      return "row";
    case ExplanationStep::Kind::kColumn:
      return "column";
    case ExplanationStep::Kind::kEvent:
      return "event";
    case ExplanationStep::Kind::kTile:
      return "tile";
    case ExplanationStep::Kind::kWindow:
      return "window";
    case ExplanationStep::Kind::kExpression:
      return "expression";
    case ExplanationStep::Kind::kFeature:
      return "feature";
    case ExplanationStep::Kind::kCast:
      return "cast";
    case ExplanationStep::Kind::kMissing:
      return "missing";
  }
  return "unknown";
}

}  // namespace larder::inline LARDER_ABI
