#include <utility>

#include "feature_store/store_impl.h"
#include "feature_store/tables.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<uint64_t> NextHistoryNumber(const WriteTransaction& transaction) {
  // Few entries, and only definition changes and publications come here: a scan of keys is cheap enough.
  uint64_t last = 0;
  LARDER_RETURN_IF_ERROR(
      transaction.ListRecords(kHistoryTable, [&](std::string_view key, std::string_view) {
        uint64_t number = 0;
        for (const char c : key) number = number << 8 | static_cast<unsigned char>(c);
        last = std::max(last, number);
        return true;
      }));
  return last + 1;
}

absl::Status PutHistory(WriteTransaction& transaction, const HistoryEntry& entry) {
  return transaction.PutRecord(kHistoryTable, BigEndianKey(entry.number), entry.Serialize());
}

absl::StatusOr<ChangePlan> FeatureStore::Plan(const Definitions& definitions,
                                              const PlanOptions& options) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  return MakePlan(catalog, definitions, impl_->checker, options);
}

absl::StatusOr<ApplyResult> FeatureStore::Apply(const Definitions& definitions,
                                                const PlanOptions& options, const ApplyInfo& info) {
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan, Plan(definitions, options));
  return Apply(plan, info);
}

absl::StatusOr<ApplyResult> FeatureStore::Apply(const ChangePlan& plan, const ApplyInfo& info) {
  ApplyResult result;
  result.plan = plan;
  if (plan.empty()) {
    LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
    result.revision = catalog.revision();
    result.commit_seq = session.commit_seq();
    return result;
  }
  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(const Catalog current, CatalogIn(transaction));
    ApplyOptions options;
    LARDER_ASSIGN_OR_RETURN(options.number, NextHistoryNumber(transaction));
    options.time = transaction.commit_time();
    options.author = info.author;
    options.message = info.message;
    LARDER_ASSIGN_OR_RETURN(const Catalog next, ApplyPlan(current, plan, options));
    LARDER_RETURN_IF_ERROR(transaction.PutRecord(kCatalogTable, kCurrentCatalog, next.Serialize()));
    LARDER_RETURN_IF_ERROR(PutHistory(transaction, next.last_change()));
    transaction.MarkLayoutChanged();
    result.revision = next.revision();
    return absl::OkStatus();
  };
  LARDER_ASSIGN_OR_RETURN(result.commit_seq, RunWriteTransaction(impl_->environment, change));
  result.changed = true;
  return result;
}

}  // namespace larder::inline LARDER_ABI
