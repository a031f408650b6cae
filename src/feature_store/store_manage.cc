// Managing definitions one step at a time: single features, plans from files, time travel, rollback and holds.
#include <algorithm>
#include <utility>

#include "feature_store/store_impl.h"
#include "feature_store/tables.h"
#include "feature_store/upkeep.h"
#include "larder/registry/feature_edits.h"
#include "larder/registry/rollback.h"

namespace larder::inline LARDER_ABI {
namespace {

// Entries above `number`, which the registry works backwards through.
absl::StatusOr<std::vector<HistoryEntry>> EntriesAfter(const ReadSession& session, uint64_t number) {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> record,
                          session.GetRecord(kCatalogTable, kLastNumber));
  const uint64_t last = record ? FromBigEndianKey(*record) : 0;
  if (number > last) {
    return NotFoundError("history has no entry ", number, ": the last one is ", last);
  }
  return HistoryFrom(session, number + 1);
}

}  // namespace

absl::StatusOr<std::string> FeatureStore::Impl::ProjectOrOnly(const Catalog& catalog,
                                                              std::string_view project) {
  if (!project.empty()) return std::string(project);
  const std::vector<std::string> projects = catalog.Projects();
  if (projects.size() == 1) return projects[0];
  if (projects.empty()) return NotFoundError("the store has no definitions yet");
  return InvalidArgumentError("the store has several projects, name one: ", Join(projects, ", "));
}

absl::StatusOr<ChangePlan> FeatureStore::LoadPlan(std::string_view text,
                                                  std::string_view origin) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(ChangePlan plan, ParsePlan(catalog, text, origin, impl_->checker));
  LARDER_RETURN_IF_ERROR(AddCosts(session, catalog, &plan));
  return plan;
}

absl::StatusOr<ApplyResult> FeatureStore::CreateFeature(const NewFeature& feature,
                                                        const ApplyInfo& info) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan,
                          PlanCreateFeature(catalog, feature, impl_->checker));
  return Apply(plan, info);
}

absl::StatusOr<ApplyResult> FeatureStore::UpdateFeature(std::string_view view,
                                                        const Feature& feature,
                                                        std::string_view project,
                                                        const ApplyInfo& info) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(catalog, project));
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan,
                          PlanUpdateFeature(catalog, owner, view, feature, impl_->checker));
  return Apply(plan, info);
}

absl::StatusOr<ApplyResult> FeatureStore::DeleteFeature(std::string_view view,
                                                        std::string_view feature, bool force,
                                                        std::string_view project,
                                                        const ApplyInfo& info) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(catalog, project));
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan,
                          PlanDeleteFeature(catalog, owner, view, feature, impl_->checker, force));
  return Apply(plan, info);
}

absl::StatusOr<Definitions> FeatureStore::DefinitionsAt(uint64_t number,
                                                        std::string_view project) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(catalog, project));
  LARDER_ASSIGN_OR_RETURN(const std::vector<HistoryEntry> later, EntriesAfter(session, number));
  return larder::DefinitionsAt(catalog, later, owner, number);
}

absl::StatusOr<ChangePlan> FeatureStore::Diff(uint64_t from, uint64_t to,
                                              std::string_view project) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(catalog, project));
  LARDER_RETURN_IF_ERROR(EntriesAfter(session, std::max(from, to)).status());
  LARDER_ASSIGN_OR_RETURN(const std::vector<HistoryEntry> later,
                          EntriesAfter(session, std::min(from, to)));
  return DiffRevisions(catalog, later, owner, from, to);
}

absl::StatusOr<ChangePlan> FeatureStore::PlanRollback(uint64_t number,
                                                      const RollbackOptions& options) const {
  if (number == 0) {
    return InvalidArgumentError(
        "history begins with entry 1, and before it there is nothing to go back to; to remove what "
        "a "
        "project defines, apply an empty definitions file of it with prune");
  }
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(catalog, options.project));
  LARDER_ASSIGN_OR_RETURN(const std::vector<HistoryEntry> later, EntriesAfter(session, number));
  if (options.part == RollbackPart::kData) {
    if (!options.view.empty())
      LARDER_RETURN_IF_ERROR(catalog.GetView(owner, options.view).status());
    // Names stay: a plan that changes nothing.
    return MakePlan(catalog, catalog.DefinitionsOf(owner), impl_->checker);
  }
  LARDER_ASSIGN_OR_RETURN(ChangePlan plan, larder::PlanRollback(catalog, later, owner, number,
                                                                impl_->checker, options.view));
  if (options.part == RollbackPart::kAll)
    LARDER_RETURN_IF_ERROR(CheckKeptUp(session, catalog, plan, Now()));
  return plan;
}

absl::StatusOr<ApplyResult> FeatureStore::Rollback(uint64_t number, const RollbackOptions& options,
                                                   const ApplyInfo& info) {
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, PlanRollback(number, options));
  std::map<uint32_t, LiveBefore> data;
  if (options.part != RollbackPart::kDefinitions) {
    LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
    LARDER_ASSIGN_OR_RETURN(
        data, GenerationsToRestore(session, catalog, number, plan.project, options.view));
  }
  const std::string what = options.view.empty() ? "" : Concat(" of ", options.view);
  const char* part = options.part == RollbackPart::kDefinitions ? ", definitions only"
                     : options.part == RollbackPart::kData      ? ", rows only"
                                                                : "";
  return impl_->ApplyAs(HistoryKind::kRollback, Concat("to ", number, what, part), plan, info, data,
                        options.part == RollbackPart::kData);
}

absl::StatusOr<uint64_t> FeatureStore::Hold(std::string_view view, std::string_view project,
                                            const ApplyInfo& info) {
  return impl_->ChangeCatalog(
      info, [&](const Catalog& current, ApplyOptions options) -> absl::StatusOr<Catalog> {
        LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(current, project));
        return HoldView(current, owner, view, std::move(options));
      });
}

absl::StatusOr<uint64_t> FeatureStore::Release(std::string_view view, std::string_view project,
                                               const ApplyInfo& info) {
  return impl_->ChangeCatalog(
      info, [&](const Catalog& current, ApplyOptions options) -> absl::StatusOr<Catalog> {
        LARDER_ASSIGN_OR_RETURN(const std::string owner, Impl::ProjectOrOnly(current, project));
        return ReleaseView(current, owner, view, std::move(options));
      });
}

}  // namespace larder::inline LARDER_ABI
