#include "feature_store/load_checks.h"

#include <string>
#include <utility>
#include <vector>

#include "larder/registry/validators.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {
namespace {

Row RowOf(const ViewVersion& view, const LoadSummary& summary) {
  Row row;
  row.emplace_back("keys", static_cast<int64_t>(summary.keys));
  row.emplace_back("keys_before", static_cast<int64_t>(summary.keys_before));
  for (std::size_t i = 0; i < view.stored.size(); ++i) {
    const LoadSummary::PerFeature& feature = summary.features[i];
    row.emplace_back(Concat("null_share_", feature.name), feature.null_share);
    if (!HasRange(view.stored[i].type)) continue;
    row.emplace_back(Concat("min_", feature.name), feature.min);
    row.emplace_back(Concat("max_", feature.name), feature.max);
  }
  return row;
}

}  // namespace

LoadSummary SummaryOf(const ViewVersion& view, GenerationSummary generation) {
  LoadSummary summary;
  summary.view = view.ToString();
  summary.keys = generation.keys;
  summary.keys_before = generation.keys_before;
  for (std::size_t i = 0; i < view.stored.size(); ++i) {
    FeatureSummary& from = generation.features[i];
    LoadSummary::PerFeature& feature = summary.features.emplace_back();
    feature.name = view.stored[i].name;
    if (generation.keys > 0)
      feature.null_share = static_cast<double>(from.nulls) / static_cast<double>(generation.keys);
    feature.min = std::move(from.min);
    feature.max = std::move(from.max);
  }
  return summary;
}

absl::Status CheckValidators(const ViewVersion& view, const LoadSummary& summary,
                             const CompileOptions& compile, Timestamp as_of) {
  if (view.definition.validators.empty()) return absl::OkStatus();
  const std::vector<Field> fields = ValidatorFields(view);
  const Row row = RowOf(view, summary);
  std::vector<std::string> failed;
  for (const std::string& text : view.definition.validators) {
    const NamedExpression expression{"", text};
    const absl::StatusOr<Program> program = Program::Compile({&expression, 1}, fields, compile);
    if (!program.ok())
      return Annotate(program.status(), Concat("feature view ", view.ToString(), ", validators"));
    LARDER_ASSIGN_OR_RETURN(const std::vector<Value> holds, EvaluateRow(*program, row, as_of));
    const bool* const is_true = holds[0].As<bool>();
    if (is_true != nullptr && *is_true) continue;
    std::vector<std::string> figures;
    for (const Field& input : program->inputs()) {
      for (const auto& [name, value] : row) {
        if (name == input.name) figures.push_back(Concat(name, " ", FormatValue(value)));
      }
    }
    failed.push_back(Concat(text, "  (", Join(figures, ", "), ")"));
  }
  if (failed.empty()) return absl::OkStatus();
  return FailedPreconditionError("feature view ", view.ToString(),
                                 ": the load is refused and the rows that are live stay, because "
                                 "its validators do not hold:\n  ",
                                 Join(failed, "\n  "));
}

}  // namespace larder::inline LARDER_ABI
