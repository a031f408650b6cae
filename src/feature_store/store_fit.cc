// Fitting constants on training rows, and keeping them.
#include <utility>

#include "feature_store/fitted_records.h"
#include "feature_store/store_impl.h"
#include "feature_store/tables.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<FitResult> FeatureStore::Fit(std::string_view name, const Column& values,
                                            const FitOptions& options, const ApplyInfo& info) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  absl::StatusOr<FittedValues> fitted = larder::Fit(values, options);
  if (!fitted.ok()) return Annotate(fitted.status(), Concat("fit ", name));
  LARDER_ASSIGN_OR_RETURN(FittedEntry first, FittedEntry::Make(std::string(name), 1, *fitted));
  FitResult result;
  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    std::optional<std::string> latest;
    const std::string prefix = FittedKey(name, 0).substr(0, name.size() + 1);
    LARDER_RETURN_IF_ERROR(transaction.ListRecords(
        kFittedTable,
        [&](std::string_view key, std::string_view bytes) {
          if (key.substr(0, prefix.size()) != prefix) return false;
          latest = bytes;
          return true;
        },
        prefix));
    result = {first, true};
    if (latest.has_value()) {
      LARDER_ASSIGN_OR_RETURN(FittedEntry before, FittedEntry::Parse(*latest));
      if (before.hash == first.hash) {
        result = {std::move(before), false};
        return absl::OkStatus();
      }
      result.entry.version = before.version + 1;
    }
    const FittedEntry& entry = result.entry;
    LARDER_RETURN_IF_ERROR(transaction.PutRecord(kFittedTable, FittedKey(entry.name, entry.version),
                                                 entry.Serialize()));
    HistoryEntry history;
    LARDER_ASSIGN_OR_RETURN(history.number, NextHistoryNumber(transaction));
    history.time = transaction.commit_time();
    history.kind = HistoryKind::kFit;
    history.author = info.author;
    history.message = info.message;
    history.detail = Concat(entry.name, "@", entry.version, " on ", entry.values.count, " values");
    return PutHistory(transaction, history);
  };
  LARDER_RETURN_IF_ERROR(RunWriteTransaction(impl_->environment, change).status());
  return result;
}

absl::StatusOr<std::vector<FittedEntry>> FeatureStore::Fitted() const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  return ListFitted(session);
}

}  // namespace larder::inline LARDER_ABI
