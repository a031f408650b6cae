// What a FeatureStore shares between its copies.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "feature_store/bound_service.h"
#include "feature_store/fitted_records.h"
#include "feature_store/generation_history.h"
#include "feature_store/load_record.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store.h"
#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "larder/registry/catalog.h"
#include "larder/transform/checker.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

struct FeatureStore::Impl {
  Impl(std::shared_ptr<Environment> env, StoreOptions store_options)
      : environment(std::move(env)),
        options(std::move(store_options)),
        fitted(environment),
        compile(CompileOf(options, &fitted)),
        checker(CheckOf(options, &fitted)) {}

  // Constant after construction.
  const std::shared_ptr<Environment> environment;
  const StoreOptions options;
  const FittedRecords fitted;
  const CompileOptions compile;
  const TransformChecker checker;

  // The catalog as of `session`'s snapshot, parsed once per change.
  absl::StatusOr<Catalog> CatalogIn(const ReadSession& session) const;
  // The present one, as it was parsed for readers if that is no older.
  absl::StatusOr<Catalog> CatalogIn(const WriteTransaction& transaction) const;
  // The service a request names, or one made for its single features, with everything resolved.
  absl::StatusOr<std::shared_ptr<const BoundService>> Resolve(const Catalog& catalog,
                                                              const FeatureRequest& request) const;
  // The version that a program compiled against `contract` may use. Errors: as FeatureStore::CheckContract.
  static absl::StatusOr<const ServiceVersion*> ServiceOf(const Catalog& catalog,
                                                         const ServiceContract& contract);
  // Refuses views that nothing was loaded into or pushed to yet.
  absl::Status CheckReady(const ReadSession& session, const BoundService& service) const;

  // Applies `plan` in one transaction as a history entry of `kind`.
  // `data`, if given, are generations that become live with it; where one is no longer kept, rows stay as they are and
  // ApplyResult::not_restored says so, or, when `only_data`, nothing is done (kNotReady).
  absl::StatusOr<ApplyResult> ApplyAs(HistoryKind kind, std::string detail, const ChangePlan& plan,
                                      const ApplyInfo& info,
                                      const std::map<uint32_t, LiveBefore>& data = {},
                                      bool only_data = false) const;
  // One change of the catalog, as an entry.
  absl::StatusOr<uint64_t> ChangeCatalog(
      const ApplyInfo& info,
      const std::function<absl::StatusOr<Catalog>(const Catalog& current, ApplyOptions options)>&
          change) const;
  // `project`, or the only one there is.
  static absl::StatusOr<std::string> ProjectOrOnly(const Catalog& catalog, std::string_view project);

  static CompileOptions CheckOf(const StoreOptions& options, const FittedLookup* fitted) {
    CompileOptions check;
    check.functions = options.functions;
    check.fitted = fitted;
    return check;
  }
  // What was checked is compiled with every function's and constant's exact name written out, which is longer.
  static CompileOptions CompileOf(const StoreOptions& options, const FittedLookup* fitted) {
    CompileOptions compile = CheckOf(options, fitted);
    compile.limits.text_bytes *= 16;
    return compile;
  }

  // A read-only open may share an environment that is writable: the promise is kept here.
  [[nodiscard]] absl::Status CheckWritable() const {
    if (!options.read_only) return absl::OkStatus();
    return FailedPreconditionError("the store ", environment->path(), " was opened read-only");
  }

 private:
  mutable std::mutex mutex_;
  mutable std::optional<uint64_t> cached_layout_seq_;  // guarded by mutex_
  mutable Catalog cached_;                             // guarded by mutex_
};

// The catalog inside a write transaction; empty before the first apply.
absl::StatusOr<Catalog> CatalogIn(const WriteTransaction& transaction);
absl::StatusOr<LoadRecord> LoadRecordIn(const ReadSession& session, uint32_t data_id);
absl::StatusOr<LoadRecord> LoadRecordIn(const WriteTransaction& transaction, uint32_t data_id);
// What each load of a plan made from `catalog` would read.
absl::Status AddCosts(const ReadSession& session, const Catalog& catalog, ChangePlan* plan);
// One more than the greatest number in use.
absl::StatusOr<uint64_t> NextHistoryNumber(const WriteTransaction& transaction);
// The entry that last changed the catalog; 0: none has.
absl::StatusOr<uint64_t> LastChangeIn(const WriteTransaction& transaction);
// Entry `number` and those after it, oldest first. Errors: kCorrupt.
absl::StatusOr<std::vector<HistoryEntry>> HistoryFrom(const ReadSession& session, uint64_t number);
// Refuses (kConflict) when the catalog is no longer `catalog`: what was mapped with it must not be written.
absl::Status CheckUnchanged(const WriteTransaction& transaction, const Catalog& catalog);
absl::Status PutHistory(WriteTransaction& transaction, const HistoryEntry& entry);

}  // namespace larder::inline LARDER_ABI
