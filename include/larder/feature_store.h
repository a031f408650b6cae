// The facade: one object that holds definitions, online data and the transformation engine of a store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store/loading.h"
#include "larder/feature_store/online.h"
#include "larder/feature_store/serving.h"
#include "larder/feature_store/training_set.h"
#include "larder/online/environment.h"
#include "larder/registry/catalog.h"
#include "larder/registry/plan.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

class FunctionRegistry;

struct StoreOptions {
  bool create_if_missing = true;
  bool read_only = false;
  Durability durability = Durability::kDurable;
  // The only clock: it stamps commits and is the default as_of. Absent: the system's.
  std::function<Timestamp()> clock;
  // C++ functions that expressions may use. Lifetime: must outlive the store.
  const FunctionRegistry* functions = nullptr;
};

struct ApplyInfo {
  std::string author;
  std::string message;
};

struct ApplyResult {
  ChangePlan plan;
  uint64_t revision = 0;  // unchanged when there was nothing to do
  uint64_t commit_seq = 0;
  bool changed = false;
};

// A feature store in a directory. Copies share it. Threads: thread-safe.
//
// Example:
//   LARDER_ASSIGN_OR_RETURN(FeatureStore store, FeatureStore::Open("features"));
//   LARDER_ASSIGN_OR_RETURN(Definitions definitions, LoadDefinitions("definitions.json"));
//   LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
//   LARDER_RETURN_IF_ERROR(store.Materialize().status());
//   OnlineRequest request{.what = {.service = "user_model"}, .rows = {{{"user_id", 12345}}}};
//   LARDER_ASSIGN_OR_RETURN(OnlineResponse response, store.GetOnlineFeatures(request));
class FeatureStore {
 public:
  // Opens the store, making it when it is not there. Errors: as Environment::Open.
  static absl::StatusOr<FeatureStore> Open(const std::string& path, StoreOptions options = {});

  // ---- definitions

  // Everything the store knows about definitions now. Cost: a snapshot; the catalog itself is shared until it changes.
  [[nodiscard]] absl::StatusOr<Catalog> GetCatalog() const;
  // What applying would change. Errors: every problem of the input at once, see MakePlan.
  [[nodiscard]] absl::StatusOr<ChangePlan> Plan(const Definitions& definitions,
                                                const PlanOptions& options = {}) const;
  // Applies in one transaction, all or nothing. The same definitions again change nothing and make no entry.
  absl::StatusOr<ApplyResult> Apply(const Definitions& definitions, const PlanOptions& options = {},
                                    const ApplyInfo& info = {});
  // Applies exactly what was planned. Errors: kAborted (kConflict) when the definitions have changed since.
  absl::StatusOr<ApplyResult> Apply(const ChangePlan& plan, const ApplyInfo& info = {});
  // Oldest first.
  [[nodiscard]] absl::StatusOr<std::vector<HistoryEntry>> History() const;

  // ---- data in

  // Loads views from their sources. All views in one transaction: when one fails, nothing has changed.
  absl::StatusOr<MaterializeResult> Materialize(const MaterializeOptions& options = {});
  // Stores events of `source` in every view that reads it, in one transaction. Column names are the source's fields.
  // A view with partial_updates takes rows that lack some of its fields; others need all.
  absl::StatusOr<PushResult> Push(std::string_view source, const Batch& events,
                                  const PushOptions& options = {});
  absl::StatusOr<PushResult> Push(std::string_view source, std::span<const Row> events,
                                  const PushOptions& options = {});

  // ---- features out

  [[nodiscard]] absl::StatusOr<OnlineResponse> GetOnlineFeatures(const OnlineRequest& request) const;
  [[nodiscard]] absl::StatusOr<TrainingSet> GetHistoricalFeatures(
      const HistoricalRequest& request) const;
  // Reads a spine from a CSV file with the types the request needs: declared ones for keys and request fields, a
  // timestamp for the time column, inferred ones for the rest. Fills request->spine and, when the file is a source's
  // own, request->spine_source.
  absl::Status LoadSpine(const std::string& path, HistoricalRequest* request) const;

  // Errors: kNotFound for an unknown service; kFailedPrecondition (kNotReady) naming what to materialize.
  [[nodiscard]] absl::StatusOr<ServingPlan> Bind(std::string_view service,
                                                 std::string_view project = {}) const;
  [[nodiscard]] absl::StatusOr<ServingSession> OpenSession(const ServingPlan& plan) const;

  // ---- looking around

  [[nodiscard]] absl::StatusOr<std::vector<ViewState>> ViewStates(std::string_view project = {}) const;
  [[nodiscard]] const std::shared_ptr<Environment>& environment() const LARDER_LIFETIME_BOUND;
  [[nodiscard]] Timestamp Now() const;

  struct Impl;

 private:
  explicit FeatureStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace larder::inline LARDER_ABI
