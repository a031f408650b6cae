// diff, rollback, hold and release.
#include <algorithm>
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
#include "cli/plan_output.h"
#include "larder/registry/rollback.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::vector<std::string> HeldViews(const Catalog& catalog, const std::string& project) {
  std::vector<std::string> views;
  for (const larder::Hold& hold : Holds(catalog)) {
    if (hold.project == project) views.push_back(hold.view);
  }
  return views;
}

void PrintRolledBack(const ApplyResult& result, uint64_t number,
                     const std::vector<std::string>& held, std::string_view what, Format format,
                     Console& console) {
  if (format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("changed", result.changed);
    json.Member("rolled_back_to", number);
    json.Member("revision", result.revision);
    json.Member("commit_seq", result.commit_seq);
    json.Key("on_hold");
    json.BeginArray(JsonWriter::Layout::kInline);
    for (const std::string& view : held) json.String(view);
    json.EndArray();
    json.Key("restored");
    json.BeginArray(JsonWriter::Layout::kInline);
    for (const std::string& view : result.restored) json.String(view);
    json.EndArray();
    json.Key("not_restored");
    json.BeginArray(JsonWriter::Layout::kInline);
    for (const std::string& view : result.not_restored) json.String(view);
    json.EndArray();
    json.Key("plan");
    json.Raw(TrimAscii(result.plan.ToJson()));
    json.EndObject();
    console.out << std::move(json).Finish();
    return;
  }
  if (!result.changed) {
    console.out << "nothing to change: " << what << " are as they were after entry " << number
                << '\n';
    return;
  }
  console.out << PlanText(result.plan,
                          Concat("project ", result.plan.project, ", back to entry ", number),
                          console)
              << "rolled back: revision " << result.revision << ", commit " << result.commit_seq
              << '\n';
  if (!result.restored.empty()) {
    console.out << "loaded rows are those of then again: " << Printable(Join(result.restored, ", "))
                << '\n';
  }
  if (!result.not_restored.empty()) {
    console.out << "loaded rows stayed, those of then are no longer kept: "
                << Printable(Join(result.not_restored, ", ")) << '\n';
  }
  if (held.empty()) return;
  console.out << "on hold, not loaded until `larder release VIEW`: " << Printable(Join(held, ", "))
              << '\n';
}

absl::Status ChangeHold(const HoldArguments& arguments, bool hold, Console& console) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog before, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, before));
  const ApplyInfo info = MakeInfo(arguments.note, console);
  LARDER_ASSIGN_OR_RETURN(const uint64_t number,
                          hold ? store.Hold(arguments.view, project, info)
                               : store.Release(arguments.view, project, info));
  const bool changed = IsHeld(before, project, arguments.view) != hold;
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("view", arguments.view);
    json.Member("on_hold", hold);
    json.Member("changed", changed);
    json.Member("number", number);
    json.EndObject();
    console.out << std::move(json).Finish();
    return absl::OkStatus();
  }
  const std::string view = Printable(arguments.view);
  if (!changed) {
    console.out << "nothing to change: " << view << (hold ? " is" : " is not") << " on hold\n";
  } else if (hold) {
    console.out << view << " is on hold: entry " << number
                << "; loads check its source but write nothing until `larder release " << view
                << "`\n";
  } else {
    console.out << view << " is released: entry " << number << "\nnext: larder materialize --view "
                << view << '\n';
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Diff(const DiffArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, catalog));
  LARDER_ASSIGN_OR_RETURN(const uint64_t from, ParseMoment(arguments.from, "A", store));
  LARDER_ASSIGN_OR_RETURN(const uint64_t to, ParseMoment(arguments.to, "B", store));
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, store.Diff(from, to, project));
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("from", from);
    json.Member("to", to);
    json.Key("plan");
    json.Raw(TrimAscii(plan.ToJson()));
    json.EndObject();
    console.out << std::move(json).Finish();
  } else if (plan.changes.empty()) {
    console.out << "no difference in project " << Printable(project) << " between entries " << from
                << " and " << to << '\n';
  } else {
    console.out << PlanText(plan, Concat("project ", project, ", entry ", from, " to entry ", to),
                            console);
  }
  return absl::OkStatus();
}

absl::Status Rollback(const RollbackArguments& arguments, Console& console) {
  const Access access = arguments.dry_run ? Access::kRead : Access::kWrite;
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, access, console));
  LARDER_ASSIGN_OR_RETURN(Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, catalog));
  LARDER_ASSIGN_OR_RETURN(const uint64_t number, ParseMoment(arguments.moment, "REV", store));
  const RollbackOptions options{project, arguments.view,
                                arguments.data_only          ? RollbackPart::kData
                                : arguments.definitions_only ? RollbackPart::kDefinitions
                                                             : RollbackPart::kAll};
  if (arguments.dry_run) {
    LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, store.PlanRollback(number, options));
    if (arguments.format == Format::kJson) {
      console.out << TrimAscii(plan.ToJson()) << '\n';
    } else {
      console.out << PlanText(
          plan, Concat("project ", project, ", would go back to entry ", number), console);
    }
    return absl::OkStatus();
  }
  LARDER_ASSIGN_OR_RETURN(const ApplyResult result,
                          store.Rollback(number, options, MakeInfo(arguments.note, console)));
  LARDER_ASSIGN_OR_RETURN(catalog, store.GetCatalog());
  PrintRolledBack(result, number, HeldViews(catalog, project),
                  arguments.data_only ? "rows" : "definitions", arguments.format, console);
  return absl::OkStatus();
}

absl::Status Hold(const HoldArguments& arguments, Console& console) {
  return ChangeHold(arguments, true, console);
}

absl::Status Release(const HoldArguments& arguments, Console& console) {
  return ChangeHold(arguments, false, console);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
