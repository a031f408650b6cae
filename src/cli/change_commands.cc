// plan and apply.
#include <map>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/plan_output.h"
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

absl::StatusOr<ChangePlan> WorkOut(const ChangeArguments& arguments, bool from_file,
                                   const Console& console) {
  const absl::StatusOr<FeatureStore> store = OpenStore(arguments.target, Access::kRead, console);
  if (!store.ok() && store.status().code() != absl::StatusCode::kNotFound) return store.status();
  // Where no store is yet, nothing is defined.
  CompileOptions compile;
  compile.functions = console.functions;
  const TransformChecker checker(compile);
  if (from_file) {
    LARDER_ASSIGN_OR_RETURN(const std::string text, ReadText(arguments.plan_file));
    if (store.ok()) return store->LoadPlan(text, arguments.plan_file);
    return ParsePlan(Catalog(), text, arguments.plan_file, checker);
  }
  LARDER_ASSIGN_OR_RETURN(const Definitions definitions, ReadDefinitions(arguments, console));
  PlanOptions options;
  options.prune = arguments.prune;
  options.stage = arguments.stage;
  if (store.ok()) return store->Plan(definitions, options);
  return MakePlan(Catalog(), definitions, checker, options);
}

}  // namespace

absl::Status Plan(const ChangeArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, WorkOut(arguments, false, console));
  if (!arguments.plan_file.empty())
    LARDER_RETURN_IF_ERROR(WriteText(arguments.plan_file, plan.ToPlanFile()));
  if (arguments.format == Format::kJson) {
    console.out << TrimAscii(plan.ToJson()) << '\n';
  } else {
    console.out << PlanText(plan, console);
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
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, WorkOut(arguments, from_file, console));
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kCreate, console));
  LARDER_ASSIGN_OR_RETURN(const ApplyResult result,
                          store.Apply(plan, MakeInfo(arguments.note, console)));
  PrintApplied(result, arguments.format, console);
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
