// plan and apply.
#include <map>
#include <optional>
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/plan_output.h"
#include "cli/sample_output.h"
#include "larder/feature_store/plan_cost.h"
#include "larder/registry/definitions_json.h"
#include "larder/registry/plan.h"
#include "larder/transform/checker.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

absl::Status SetVariables(const ChangeArguments& arguments, const Console& console,
                          Definitions* definitions) {
  std::map<std::string, std::string> set;
  for (const std::string& text : arguments.variables) {
    LARDER_ASSIGN_OR_RETURN(auto assignment, SplitAssignment(text, "--set"));
    set.insert_or_assign(std::move(assignment.first), std::move(assignment.second));
  }
  return ExpandVariables(
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = set.find(std::string(name));
        return found != set.end() ? found->second : console.variable(name);
      },
      definitions);
}

absl::StatusOr<Definitions> ReadDefinitions(const ChangeArguments& arguments,
                                            const Console& console) {
  LARDER_ASSIGN_OR_RETURN(Definitions definitions, LoadDefinitions(arguments.definitions));
  definitions.base_path = AbsolutePath(definitions.base_path);
  LARDER_RETURN_IF_ERROR(SetVariables(arguments, console, &definitions));
  return definitions;
}

// Nothing where no store is yet: what it would hold is planned all the same.
absl::StatusOr<std::optional<FeatureStore>> OpenIfThere(const ChangeArguments& arguments,
                                                        const Console& console) {
  absl::StatusOr<FeatureStore> store = OpenStore(arguments.target, Access::kRead, console);
  if (store.ok()) return std::optional<FeatureStore>(*std::move(store));
  if (store.status().code() == absl::StatusCode::kNotFound) return std::optional<FeatureStore>();
  return store.status();
}

absl::StatusOr<ChangePlan> WorkOut(const ChangeArguments& arguments, bool from_file,
                                   const std::optional<FeatureStore>& store,
                                   const Console& console) {
  CompileOptions compile;
  compile.functions = console.functions;
  const TransformChecker checker(compile);
  if (from_file) {
    LARDER_ASSIGN_OR_RETURN(const std::string text, ReadText(arguments.plan_file));
    if (store) return store->LoadPlan(text, arguments.plan_file);
    return ParsePlan(Catalog(), text, arguments.plan_file, checker);
  }
  LARDER_ASSIGN_OR_RETURN(const Definitions definitions, ReadDefinitions(arguments, console));
  PlanOptions options;
  options.prune = arguments.prune;
  options.stage = arguments.stage;
  if (store) return store->Plan(definitions, options);
  LARDER_ASSIGN_OR_RETURN(ChangePlan plan, MakePlan(Catalog(), definitions, checker, options));
  AddSourceSizes(&plan);
  return plan;
}

absl::StatusOr<PlanSample> Sample(const ChangeArguments& arguments, const ChangePlan& plan,
                                  const std::optional<FeatureStore>& store) {
  if (!store) return FailedPreconditionError("--sample: there is no store yet to take keys from");
  SampleOptions options;
  options.keys = *arguments.sample;
  for (const std::string& text : arguments.request) {
    LARDER_ASSIGN_OR_RETURN(auto assignment, SplitAssignment(text, "--request"));
    options.request.emplace_back(std::move(assignment.first), std::move(assignment.second));
  }
  return store->SamplePlan(plan, options);
}

}  // namespace

absl::Status Plan(const ChangeArguments& arguments, Console& console) {
  if (!arguments.request.empty() && !arguments.sample)
    return UsageError("--request gives values for --sample");
  LARDER_ASSIGN_OR_RETURN(const std::optional<FeatureStore> store, OpenIfThere(arguments, console));
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, WorkOut(arguments, false, store, console));
  std::optional<PlanSample> sample;
  if (arguments.sample) {
    LARDER_ASSIGN_OR_RETURN(sample, Sample(arguments, plan, store));
  }
  if (!arguments.plan_file.empty())
    LARDER_RETURN_IF_ERROR(WriteText(arguments.plan_file, plan.ToPlanFile()));
  if (arguments.format == Format::kJson) {
    console.out << (sample ? PlanJson(plan, *sample) : Concat(TrimAscii(plan.ToJson()), "\n"));
  } else {
    console.out << PlanText(plan, console) << (sample ? SampleText(*sample) : std::string());
  }
  return absl::OkStatus();
}

absl::Status Apply(const ChangeArguments& arguments, Console& console) {
  const bool from_file = !arguments.plan_file.empty();
  if (from_file == !arguments.definitions.empty())
    return UsageError("give either definitions or --plan FILE");
  if (from_file && (arguments.prune || arguments.stage || !arguments.variables.empty())) {
    return UsageError("--prune, --stage and --set were settled when the plan was made");
  }
  // Worked out before the store is opened for writing, so that bad definitions do not leave an empty store behind.
  ChangePlan plan;
  {
    // One process does not hold a store open read-only and for writing at once.
    LARDER_ASSIGN_OR_RETURN(const std::optional<FeatureStore> present,
                            OpenIfThere(arguments, console));
    LARDER_ASSIGN_OR_RETURN(plan, WorkOut(arguments, from_file, present, console));
  }
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kCreate, console));
  LARDER_ASSIGN_OR_RETURN(const ApplyResult result,
                          store.Apply(plan, MakeInfo(arguments.note, console)));
  PrintApplied(result, arguments.format, console);
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
