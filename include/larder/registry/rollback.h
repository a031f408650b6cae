// Going back: definitions at an earlier moment, the way between two moments, and holds.
//
// Nothing is undone in place. A rollback is a plan whose target is what a project was, applied as a new history entry;
// because versions are named by their meaning, names move back to the very versions, rows and programs of that time.
//
// `later` is always every entry with a number above the moment asked for, in any order; entries that changed no
// definition may be left out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/catalog.h"
#include "larder/registry/history.h"
#include "larder/registry/plan.h"
#include "larder/schema/definitions.h"
#include "larder/schema/expression_checker.h"

namespace larder::inline LARDER_ABI {

// What `project`'s bare names meant just after entry `number`. base_path is today's: where files lie is not history.
// Errors: kDataLoss when `later` lacks an entry that changed definitions.
// Cost: grows with the project and with the changes since.
[[nodiscard]] absl::StatusOr<Definitions> DefinitionsAt(const Catalog& current,
                                                        std::span<const HistoryEntry> later,
                                                        std::string_view project, uint64_t number);

// The plan that takes `project` back to `number`, or only `view` when it is not empty. Apply it with
// ApplyOptions::kind = kRollback; every feature view whose version it changes is then on hold.
// Errors: as DefinitionsAt; kNotFound when `view` did not exist then; kFailedPrecondition when `view` alone cannot go back
// because what it is made from has changed (the message says what).
[[nodiscard]] absl::StatusOr<ChangePlan> PlanRollback(const Catalog& current,
                                                      std::span<const HistoryEntry> later,
                                                      std::string_view project, uint64_t number,
                                                      const ExpressionChecker& checker,
                                                      std::string_view view = {});

// What changed between two moments, as a plan that cannot be applied: ToText and ToJson show it. `later` begins after
// the smaller number.
[[nodiscard]] absl::StatusOr<ChangePlan> DiffRevisions(const Catalog& current,
                                                       std::span<const HistoryEntry> later,
                                                       std::string_view project, uint64_t from,
                                                       uint64_t to);

// A view on hold is loaded and checked but not published.
struct Hold {
  std::string project;
  std::string view;
  uint64_t number = 0;  // the entry that holds it
  friend bool operator==(const Hold&, const Hold&) = default;
};
[[nodiscard]] std::vector<Hold> Holds(const Catalog& catalog);
[[nodiscard]] bool IsHeld(const Catalog& catalog, std::string_view project, std::string_view view);

// Give the catalog itself when nothing changes. The entry's kind and detail are set; definitions keep their revision.
// Errors: kNotFound for an unknown view.
[[nodiscard]] absl::StatusOr<Catalog> HoldView(const Catalog& current, std::string_view project,
                                               std::string_view view, ApplyOptions options);
// One entry of options.kind that puts options.holds on hold and changes no definition.
[[nodiscard]] absl::StatusOr<Catalog> HoldViews(const Catalog& current, std::string_view project,
                                                const ApplyOptions& options);
[[nodiscard]] absl::StatusOr<Catalog> ReleaseView(const Catalog& current, std::string_view project,
                                                  std::string_view view, ApplyOptions options);

}  // namespace larder::inline LARDER_ABI
