// plan and apply.
#include <algorithm>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
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

// The store's catalog, or an empty one where no store is yet.
absl::StatusOr<Catalog> CurrentCatalog(const ChangeArguments& arguments, const Console& console) {
  const absl::StatusOr<FeatureStore> store = OpenStore(arguments.target, Access::kRead, console);
  if (store.ok()) return store->GetCatalog();
  if (store.status().code() == absl::StatusCode::kNotFound) return Catalog();
  return store.status();
}

absl::StatusOr<ChangePlan> WorkOut(const ChangeArguments& arguments, bool from_file,
                                   const Console& console) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, CurrentCatalog(arguments, console));
  CompileOptions compile;
  compile.functions = console.functions;
  const TransformChecker checker(compile);
  if (from_file) {
    LARDER_ASSIGN_OR_RETURN(const std::string text, ReadText(arguments.plan_file));
    return ParsePlan(catalog, text, arguments.plan_file, checker);
  }
  LARDER_ASSIGN_OR_RETURN(const Definitions definitions, ReadDefinitions(arguments, console));
  PlanOptions options;
  options.prune = arguments.prune;
  options.stage = arguments.stage;
  return MakePlan(catalog, definitions, checker, options);
}

// Keeps the plan's own colours and nothing else that drives a terminal: JSON texts in it escape ESC.
std::string PrintableColored(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t escape = text.find("\033[");
    out.append(Printable(text.substr(0, escape), true));
    if (escape == std::string_view::npos) break;
    const std::size_t end = text.find_first_not_of("0123456789;", escape + 2);
    if (end == std::string_view::npos || text[end] != 'm') break;
    out.append(text.substr(escape, end + 1 - escape));
    text.remove_prefix(end + 1);
  }
  return out;
}

void PrintApplied(const ApplyResult& result, const ChangeArguments& arguments, Console& console) {
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("changed", result.changed);
    json.Member("revision", result.revision);
    json.Member("commit_seq", result.commit_seq);
    json.Key("plan");
    json.Raw(TrimAscii(result.plan.ToJson()));
    json.EndObject();
    console.out << std::move(json).Finish();
    return;
  }
  console.out << (console.color() ? PrintableColored(result.plan.ToText(true))
                                  : Printable(result.plan.ToText(false), true));
  if (!result.changed) {
    console.out << "nothing to change: still revision " << result.revision << '\n';
    return;
  }
  console.out << "applied: revision " << result.revision << ", commit " << result.commit_seq << '\n';
  const bool loads =
      std::any_of(result.plan.changes.begin(), result.plan.changes.end(),
                  [](const Change& change) { return change.work == DataWork::kMaterialize; });
  if (loads) console.out << "next: larder materialize\n";
}

}  // namespace

absl::Status Plan(const ChangeArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, WorkOut(arguments, false, console));
  if (!arguments.plan_file.empty())
    LARDER_RETURN_IF_ERROR(WriteText(arguments.plan_file, plan.ToPlanFile()));
  if (arguments.format == Format::kJson) {
    console.out << TrimAscii(plan.ToJson()) << '\n';
  } else {
    console.out << (console.color() ? PrintableColored(plan.ToText(true))
                                    : Printable(plan.ToText(false), true));
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
  ApplyInfo info;
  info.author = arguments.author.empty() ? console.variable("USER").value_or("") : arguments.author;
  info.message = arguments.message;
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kCreate, console));
  LARDER_ASSIGN_OR_RETURN(const ApplyResult result, store.Apply(plan, info));
  PrintApplied(result, arguments, console);
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
