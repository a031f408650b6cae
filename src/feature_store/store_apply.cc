#include <algorithm>
#include <functional>
#include <utility>

#include "feature_store/store_impl.h"
#include "feature_store/tables.h"
#include "larder/feature_store/plan_cost.h"
#include "larder/registry/rollback.h"

namespace larder::inline LARDER_ABI {

namespace {

absl::StatusOr<uint64_t> NumberIn(const WriteTransaction& transaction, std::string_view key) {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> record,
                          transaction.GetRecord(kCatalogTable, key));
  return record.has_value() ? FromBigEndianKey(*record) : 0;
}

}  // namespace

absl::StatusOr<uint64_t> NextHistoryNumber(const WriteTransaction& transaction) {
  LARDER_ASSIGN_OR_RETURN(const uint64_t last, NumberIn(transaction, kLastNumber));
  return last + 1;
}

absl::Status PutHistory(WriteTransaction& transaction, const HistoryEntry& entry) {
  const std::string number = BigEndianKey(entry.number);
  LARDER_RETURN_IF_ERROR(transaction.PutRecord(kCatalogTable, kLastNumber, number));
  return transaction.PutRecord(kHistoryTable, number, entry.Serialize());
}

absl::StatusOr<std::vector<HistoryEntry>> HistoryFrom(const ReadSession& session, uint64_t number) {
  std::vector<HistoryEntry> entries;
  absl::Status damage;
  const auto visit = [&](std::string_view, std::string_view bytes) {
    absl::StatusOr<HistoryEntry> entry = HistoryEntry::Parse(bytes);
    if (entry.ok()) {
      entries.push_back(*std::move(entry));
    } else {
      damage = entry.status();
    }
    return damage.ok();
  };
  LARDER_RETURN_IF_ERROR(session.ListRecords(kHistoryTable, visit, BigEndianKey(number)));
  if (!damage.ok()) return damage;
  return entries;
}

absl::StatusOr<uint64_t> LastChangeIn(const WriteTransaction& transaction) {
  return NumberIn(transaction, kLastChange);
}

absl::Status CheckUnchanged(const WriteTransaction& transaction, const Catalog& catalog) {
  LARDER_ASSIGN_OR_RETURN(const uint64_t number, LastChangeIn(transaction));
  if (number == catalog.last_change().number) return absl::OkStatus();
  return WithKind(AbortedError("definitions or holds changed (history entry ", number,
                               ") while the data was being read; run it again"),
                  ErrorKind::kConflict);
}

namespace {

// Stores the catalog that `change` makes of `current`, the present one, with its history entry. Returns the entry's number.
absl::StatusOr<uint64_t> WriteCatalog(
    WriteTransaction& transaction, const Catalog& current, ApplyOptions options,
    const std::function<absl::StatusOr<Catalog>(const Catalog&, ApplyOptions)>& change) {
  LARDER_ASSIGN_OR_RETURN(options.number, NextHistoryNumber(transaction));
  options.time = transaction.commit_time();
  LARDER_ASSIGN_OR_RETURN(const Catalog next, change(current, std::move(options)));
  if (next.last_change() == current.last_change()) return current.last_change().number;
  LARDER_RETURN_IF_ERROR(transaction.PutRecord(kCatalogTable, kCurrentCatalog, next.Serialize()));
  LARDER_RETURN_IF_ERROR(PutHistory(transaction, next.last_change()));
  LARDER_RETURN_IF_ERROR(
      transaction.PutRecord(kCatalogTable, kLastChange, BigEndianKey(next.last_change().number)));
  transaction.MarkLayoutChanged();
  return next.last_change().number;
}

}  // namespace

absl::Status AddCosts(const ReadSession& session, const Catalog& catalog, ChangePlan* plan) {
  AddSourceSizes(plan);
  for (Change& change : plan->changes) {
    if (!change.cost || change.version_before == 0) continue;
    const absl::StatusOr<const ViewVersion*> before =
        catalog.GetView(plan->project, Concat(change.name, "@", change.version_before));
    if (!before.ok()) continue;
    LARDER_ASSIGN_OR_RETURN(const LoadRecord record, LoadRecordIn(session, (*before)->data_id));
    if (record.loaded) change.cost->rows = record.rows_read;
  }
  return absl::OkStatus();
}

absl::StatusOr<ChangePlan> FeatureStore::Plan(const Definitions& definitions,
                                              const PlanOptions& options) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(ChangePlan plan, MakePlan(catalog, definitions, impl_->checker, options));
  LARDER_RETURN_IF_ERROR(AddCosts(session, catalog, &plan));
  return plan;
}

absl::StatusOr<ApplyResult> FeatureStore::Apply(const Definitions& definitions,
                                                const PlanOptions& options, const ApplyInfo& info) {
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, Plan(definitions, options));
  return Apply(plan, info);
}

absl::StatusOr<ApplyResult> FeatureStore::Apply(const ChangePlan& plan, const ApplyInfo& info) {
  return impl_->ApplyAs(HistoryKind::kApply, {}, plan, info);
}

absl::StatusOr<ApplyResult> FeatureStore::Impl::ApplyAs(HistoryKind kind, std::string detail,
                                                        const ChangePlan& plan,
                                                        const ApplyInfo& info,
                                                        const std::map<uint32_t, LiveBefore>& data,
                                                        bool only_data) const {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  ApplyResult result;
  result.plan = plan;
  if (plan.empty() && data.empty()) {
    LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(environment));
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, CatalogIn(session));
    result.revision = catalog.revision();
    result.commit_seq = session.commit_seq();
    return result;
  }
  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    ApplyOptions entry;
    entry.kind = kind;
    entry.detail = detail;
    entry.author = info.author;
    entry.message = info.message;
    LARDER_ASSIGN_OR_RETURN(const Catalog current, CatalogIn(transaction));
    result.restored.clear();
    result.not_restored.clear();
    std::map<uint32_t, LiveBefore> kept = data;
    for (const ViewVersion* view : current.Views(plan.project, true)) {
      const auto back = data.find(view->data_id);
      if (back == data.end()) continue;
      const std::string what = Concat(view->ToString(), ": generation ", back->second.generation);
      LARDER_ASSIGN_OR_RETURN(const bool has,
                              transaction.HasGeneration(view->data_id, back->second.generation));
      if (!has) {
        kept.erase(view->data_id);
        result.not_restored.push_back(what);
        continue;
      }
      result.restored.push_back(what);
      if (std::find(entry.holds.begin(), entry.holds.end(), view->name) == entry.holds.end())
        entry.holds.push_back(view->name);
    }
    if (only_data && !result.not_restored.empty()) {
      return WithKind(
          FailedPreconditionError("rows are no longer kept: ", Join(result.not_restored, ", "),
                                  "; the last ", kGenerationsKept, " loads of a view are"),
          ErrorKind::kNotReady);
    }
    result.changed = !plan.empty() || !kept.empty();
    if (!result.changed) return absl::OkStatus();
    const auto apply = [&](const Catalog& before, const ApplyOptions& numbered) {
      return plan.empty() ? HoldViews(before, plan.project, numbered)
                          : ApplyPlan(before, plan, numbered);
    };
    LARDER_ASSIGN_OR_RETURN(const uint64_t number,
                            WriteCatalog(transaction, current, std::move(entry), apply));
    if (!plan.empty()) result.revision = number;
    return RestoreGenerations(transaction, number, kept);
  };
  LARDER_ASSIGN_OR_RETURN(result.commit_seq, RunWriteTransaction(environment, change));
  return result;
}

absl::StatusOr<uint64_t> FeatureStore::Impl::ChangeCatalog(
    const ApplyInfo& info,
    const std::function<absl::StatusOr<Catalog>(const Catalog&, ApplyOptions)>& change) const {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  uint64_t number = 0;
  LARDER_RETURN_IF_ERROR(
      RunWriteTransaction(environment, [&](WriteTransaction& transaction) -> absl::Status {
        ApplyOptions entry;
        entry.author = info.author;
        entry.message = info.message;
        LARDER_ASSIGN_OR_RETURN(const Catalog current, CatalogIn(transaction));
        LARDER_ASSIGN_OR_RETURN(number,
                                WriteCatalog(transaction, current, std::move(entry), change));
        return absl::OkStatus();
      }).status());
  return number;
}

}  // namespace larder::inline LARDER_ABI
