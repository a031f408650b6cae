// What a FeatureStore shares between its copies.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "feature_store/bound_service.h"
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
  Impl(std::shared_ptr<Environment> env, StoreOptions store_options, CompileOptions compile_options)
      : environment(std::move(env)),
        options(std::move(store_options)),
        compile(compile_options),
        checker(compile_options) {}

  // Constant after construction.
  const std::shared_ptr<Environment> environment;
  const StoreOptions options;
  const CompileOptions compile;
  const TransformChecker checker;

  // The catalog as of `session`'s snapshot, parsed once per change.
  absl::StatusOr<Catalog> CatalogIn(const ReadSession& session) const;
  // The service a request names, or one made for its single features, with everything resolved.
  absl::StatusOr<std::shared_ptr<const BoundService>> Resolve(const Catalog& catalog,
                                                              const FeatureRequest& request) const;
  // Refuses views that nothing was loaded into or pushed to yet.
  absl::Status CheckReady(const ReadSession& session, const BoundService& service) const;

 private:
  mutable std::mutex mutex_;
  mutable std::optional<uint64_t> cached_layout_seq_;  // guarded by mutex_
  mutable Catalog cached_;                             // guarded by mutex_
};

// The catalog inside a write transaction; empty before the first apply.
absl::StatusOr<Catalog> CatalogIn(const WriteTransaction& transaction);
absl::StatusOr<LoadRecord> LoadRecordIn(const ReadSession& session, uint32_t data_id);
absl::StatusOr<LoadRecord> LoadRecordIn(const WriteTransaction& transaction, uint32_t data_id);
// One more than the greatest number in use.
absl::StatusOr<uint64_t> NextHistoryNumber(const WriteTransaction& transaction);
absl::Status PutHistory(WriteTransaction& transaction, const HistoryEntry& entry);

}  // namespace larder::inline LARDER_ABI
