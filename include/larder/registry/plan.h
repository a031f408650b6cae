// What applying definitions would change, to be read by people and then applied, or not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/registry/catalog.h"
#include "larder/registry/history.h"
#include "larder/schema/definitions.h"
#include "larder/schema/expression_checker.h"

namespace larder::inline LARDER_ABI {

enum class ChangeKind : uint8_t {
  kUnchanged,
  kMetadata,  // description, owner, tags, location, operational settings: in place, no new version
  kChanged,   // an entity, source or label means something else; versioned objects that use it say
              // so themselves
  kNewVersion,
  kKnownVersion,  // the meaning of a version that exists already (rolled back from, or staged): the
                  // name moves to it
  kAdded,
  kRemoved,
  kUnmanaged,  // in the store, not in the input, and left alone
};
[[nodiscard]] std::string_view ChangeKindName(ChangeKind kind);

// One key that differs.
struct FieldDiff {
  std::string path;    // `features/user_age/expr`, `ttl`
  std::string before;  // JSON; empty when the key was absent
  std::string after;
  bool meaning = true;  // false: changes nothing a reader of values can notice
};

enum class DataWork : uint8_t {
  kNothing,      // no stored rows, or they are untouched
  kShares,       // reads the rows of `shares_with`
  kMaterialize,  // has no rows until a load
  kPush,         // has no rows until something is pushed: its source has no data of its own
};

// Roughly what a load would read.
struct LoadCost {
  uint64_t files = 0;
  uint64_t bytes = 0;            // of the files, compressed as they are
  std::optional<uint64_t> rows;  // that the last load of the view before the change read
};

struct Change {
  ObjectKind kind = ObjectKind::kEntity;
  std::string name;
  ChangeKind change = ChangeKind::kUnchanged;
  int version_before = 0;  // 0: none, or not a versioned kind
  int version_after = 0;
  std::vector<FieldDiff> diffs;  // of the object's own text
  std::vector<std::string>
      causes;  // other objects whose change alone gives this one a new version: `entity card`
  bool fresh = false;  // version_after did not exist before
  DataWork work = DataWork::kNothing;
  int shares_with = 0;           // version of the same view
  uint32_t view_id = 0;          // feature views: the id after the change
  std::optional<LoadCost> cost;  // of kMaterialize, where it is known: MakePlan reads no files
};

// Something legal that experience says is a mistake: leaks first.
struct LintFinding {
  std::string rule;  // `self-join`, `timeless-source`, `day-dated-aggregate`,
                     // `label-source-among-features`, ...
  std::string object;
  std::string message;
};

struct PlanOptions {
  bool prune = false;   // remove what the input lacks, unless it was made by API
  bool stage = false;   // make versions, leave bare names where they are
  bool by_api = false;  // what is added belongs to the API: prune never removes it
};

// Threads: const calls may overlap.
class ChangePlan {
 public:
  std::string project;
  uint64_t base_revision = 0;  // of the project
  PlanOptions options;
  std::vector<Change> changes;  // by kind, then in the input's order; unmanaged and removed last
  std::vector<LintFinding> warnings;

  // Nothing to do: applying makes no entry.
  [[nodiscard]] bool empty() const;

  // For people: one line per object that is not unchanged, with old and new values side by side;
  // then warnings and a summary. `color` adds ANSI colours.
  [[nodiscard]] std::string ToText(bool color = false) const;
  // For machines: {"project", "base_revision", "changes": [...], "warnings": [...], "summary":
  // {...}}.
  [[nodiscard]] std::string ToJson() const;

  // A file to review and apply later: the definitions, the options and a hash of the outcome
  // (ParsePlan).
  [[nodiscard]] std::string ToPlanFile() const;

  // What MakePlan worked out; null in a default-made plan.
  std::shared_ptr<const CatalogState> outcome;
  Definitions input;
};

// Compares the input with what its project is now, after resolving and checking everything: names,
// types, expressions, keys, services. Other projects are not touched. What the input lacks stays
// (unmanaged) and still takes part in the checks. Errors: kInvalidArgument listing every problem, a
// line each, with its JSON path in the input (or, for unmanaged objects, `stored feature view
// card_spend`). Cost: grows with the project, plus one expression check per new or changed text.
[[nodiscard]] absl::StatusOr<ChangePlan> MakePlan(const Catalog& current, const Definitions& next,
                                                  const ExpressionChecker& checker,
                                                  const PlanOptions& options = {});

// Reads ToPlanFile's text and works the plan out again on `current`.
// Errors: kAborted (kind kConflict) when the project has changed since, or the outcome is not the
// one reviewed.
[[nodiscard]] absl::StatusOr<ChangePlan> ParsePlan(const Catalog& current, std::string_view text,
                                                   std::string_view origin,
                                                   const ExpressionChecker& checker);

struct ApplyOptions {
  uint64_t number = 0;  // of the history entry; 0: the next after current.revision()
  Timestamp time;
  std::string author;
  std::string message;
  HistoryKind kind = HistoryKind::kApply;
  std::string detail;              // of the entry: what a rollback went back to, for example
  std::vector<std::string> holds;  // feature views of the project to put on hold with it
};

// The catalog after the plan. An empty plan gives `current` itself, with the same revision.
// Errors: kAborted (kind kConflict) when `current` is not the catalog the plan was made from.
[[nodiscard]] absl::StatusOr<Catalog> ApplyPlan(const Catalog& current, const ChangePlan& plan,
                                                const ApplyOptions& options = {});

}  // namespace larder::inline LARDER_ABI
