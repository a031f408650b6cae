#include <charconv>

#include "larder/base/hash.h"
#include "larder/registry/definitions_json.h"
#include "larder/registry/plan.h"
#include "registry/binary.h"
#include "registry/catalog_state.h"
#include "registry/definitions_tree.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {
namespace {

// What the reviewer agreed to: every object's outcome, with the hashes of what versions mean.
std::string OutcomeHash(const ChangePlan& plan) {
  BinaryWriter out;
  out.Put(plan.project);
  for (const Change& change : plan.changes) {
    out.Put(change.kind);
    out.Put(change.name);
    out.Put(change.change);
    out.Put(change.version_before);
    out.Put(change.version_after);
    if (change.view_id != 0 && plan.outcome != nullptr) {
      out.Put(plan.outcome->views[change.view_id - 1]->meaning_hash);
      out.Put(plan.outcome->views[change.view_id - 1]->data_hash);
    }
    for (const FieldDiff& diff : change.diffs) {
      out.Put(diff.path);
      out.Put(diff.before);
      out.Put(diff.after);
    }
  }
  return ToHex(HashWide(std::move(out).Take()));
}

bool ReadFlag(const JsonNode& root, const char* name) {
  const JsonNode* node = root.Find(name);
  return node != nullptr && node->text == "true";
}

std::string ReadText(const JsonNode& root, const char* name) {
  const JsonNode* node = root.Find(name);
  return node != nullptr ? node->text : std::string();
}

}  // namespace

std::string ChangePlan::ToPlanFile() const {
  JsonNode root = JsonObject();
  root.Add("larder_plan", JsonNumber("1"));
  root.Add("project", JsonText(project));
  root.Add("base_revision", JsonNumber(Concat(base_revision)));
  root.Add("prune", JsonBool(options.prune));
  root.Add("stage", JsonBool(options.stage));
  root.Add("by_api", JsonBool(options.by_api));
  root.Add("folder", JsonText(input.base_path));
  root.Add("outcome", JsonText(OutcomeHash(*this)));
  root.Add("definitions", ToTree(input));
  return FormatJson(root);
}

absl::StatusOr<ChangePlan> ParsePlan(const Catalog& current, std::string_view text,
                                     std::string_view origin, const ExpressionChecker& checker) {
  Problems problems;
  absl::StatusOr<JsonNode> root = ParseJson(text, &problems);
  if (!root.ok()) return Annotate(root.status(), origin);
  const JsonNode* body = root->Find("definitions");
  if (ReadText(*root, "larder_plan") != "1" || body == nullptr) {
    return InvalidArgumentError(origin, ": not a plan file of format 1");
  }
  Definitions definitions = DefinitionsFromTree(*body, "/definitions", &problems);
  LARDER_RETURN_IF_ERROR(problems.ToStatus(origin));
  definitions.base_path = ReadText(*root, "folder");
  PlanOptions options;
  options.prune = ReadFlag(*root, "prune");
  options.stage = ReadFlag(*root, "stage");
  options.by_api = ReadFlag(*root, "by_api");
  const uint64_t revision = current.ProjectRevision(definitions.project);
  if (ReadText(*root, "base_revision") != Concat(revision)) {
    return WithKind(AbortedError(origin, ": project ", definitions.project,
                                 " has changed since this plan was made: it starts from revision ",
                                 ReadText(*root, "base_revision"), ", and the project is at ",
                                 revision, "; plan and review again"),
                    ErrorKind::kConflict);
  }
  absl::StatusOr<ChangePlan> plan = MakePlan(current, definitions, checker, options);
  if (!plan.ok()) return Annotate(plan.status(), origin);
  if (OutcomeHash(*plan) != ReadText(*root, "outcome")) {
    return WithKind(AbortedError(origin,
                                 ": applying it now would not do what was reviewed; plan and "
                                 "review again"),
                    ErrorKind::kConflict);
  }
  return plan;
}

}  // namespace larder::inline LARDER_ABI
