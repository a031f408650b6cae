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
#include "larder/feature_store/contract.h"
#include "larder/feature_store/loading.h"
#include "larder/feature_store/online.h"
#include "larder/feature_store/plan_sample.h"
#include "larder/feature_store/serving.h"
#include "larder/feature_store/training_set.h"
#include "larder/feature_store/validity.h"
#include "larder/online/compaction.h"
#include "larder/online/environment.h"
#include "larder/online/vacuum.h"
#include "larder/registry/catalog.h"
#include "larder/registry/feature_edits.h"
#include "larder/registry/plan.h"
#include "larder/schema/definitions.h"
#include "larder/transform/fitted.h"

namespace larder::inline LARDER_ABI {

class FunctionRegistry;
class RecordReader;     // io/record_reader.h
struct Explanation;     // feature_store/explain.h
struct ExplainRequest;  // the same

struct StoreOptions {
  bool create_if_missing = true;
  bool read_only = false;
  Durability durability = Durability::kDurable;
  PushBudget push_budget;
  // The only clock: it stamps commits and is the default as_of. Absent: the system's.
  std::function<Timestamp()> clock;
  // C++ functions that expressions may use. Lifetime: must outlive the store.
  const FunctionRegistry* functions = nullptr;
  // Services this program was compiled against, of generated headers, or its models were trained with, of contract
  // files: Open fails when one of them is not there or not what it was. See FeatureStore::CheckContract.
  std::vector<ServiceContract> contracts;
};

struct ApplyInfo {
  std::string author;
  std::string message;
};

// What goes back.
enum class RollbackPart : uint8_t {
  // Definitions, and the loaded rows that were live then. Where there were none, or they are no longer kept, rows stay.
  kAll,
  kDefinitions,  // only what names mean, however old the rows are
  kData,         // only loaded rows: names stay
};

struct RollbackOptions {
  std::string project;  // empty: the only one
  std::string view;     // only this view; empty: everything the project defines
  RollbackPart part = RollbackPart::kAll;
};

struct ApplyResult {
  ChangePlan plan;
  uint64_t revision = 0;  // unchanged when there was nothing to do
  uint64_t commit_seq = 0;
  bool changed = false;
  // Of a rollback, by `card_profile@2: generation 3`: versions whose loaded rows went back, and those whose rows of then
  // are no longer kept, and stayed.
  std::vector<std::string> restored;
  std::vector<std::string> not_restored;
};

struct FitResult {
  FittedEntry entry;
  bool fresh = false;  // false: the latest version holds these very values, and stays the latest
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
  // Opens the store, making it when it is not there. Errors: as Environment::Open; kFailedPrecondition in a thread whose
  // floating-point settings would change bits, see CheckFloatEnvironment.
  static absl::StatusOr<FeatureStore> Open(const std::string& path, StoreOptions options = {});

  // ---- definitions

  // Everything the store knows about definitions now. Cost: a snapshot; the catalog itself is shared until it changes.
  [[nodiscard]] absl::StatusOr<Catalog> GetCatalog() const;
  // What applying would change. Errors: every problem of the input at once, see MakePlan.
  [[nodiscard]] absl::StatusOr<ChangePlan> Plan(const Definitions& definitions,
                                                const PlanOptions& options = {}) const;
  // What the plan would do to values: for every view, on-demand view and service that gets another version, old and new
  // programs on up to `options.keys` stored keys, chosen by hash. Writes nothing.
  // Errors: kAborted (kConflict) when the definitions have changed since the plan. What cannot be sampled says why.
  // Cost: a pass over the keys of the views concerned, and one over the source of each that needs a load.
  [[nodiscard]] absl::StatusOr<PlanSample> SamplePlan(const ChangePlan& plan,
                                                      const SampleOptions& options = {}) const;
  // Applies in one transaction, all or nothing. The same definitions again change nothing and make no entry.
  absl::StatusOr<ApplyResult> Apply(const Definitions& definitions, const PlanOptions& options = {},
                                    const ApplyInfo& info = {});
  // Applies exactly what was planned. Errors: kAborted (kConflict) when the definitions have changed since.
  absl::StatusOr<ApplyResult> Apply(const ChangePlan& plan, const ApplyInfo& info = {});
  // Reads ChangePlan::ToPlanFile's text. Errors: kAborted (kConflict) when the outcome is not the one reviewed.
  [[nodiscard]] absl::StatusOr<ChangePlan> LoadPlan(std::string_view text,
                                                    std::string_view origin) const;

  // One feature at a time. A feature made here belongs to the API: a later apply of files leaves it alone.
  // Deleting one that is still used is refused with its users' names, unless forced.
  absl::StatusOr<ApplyResult> CreateFeature(const NewFeature& feature, const ApplyInfo& info = {});
  absl::StatusOr<ApplyResult> UpdateFeature(std::string_view view, const Feature& feature,
                                            std::string_view project = {},
                                            const ApplyInfo& info = {});
  absl::StatusOr<ApplyResult> DeleteFeature(std::string_view view, std::string_view feature,
                                            bool force = false, std::string_view project = {},
                                            const ApplyInfo& info = {});

  // Every change readers can notice, oldest first.
  [[nodiscard]] absl::StatusOr<std::vector<HistoryEntry>> History() const;
  // What a project's names meant just after history entry `number`; and what changed between two entries, as a plan to
  // be shown. Errors: kNotFound for a number there is not.
  [[nodiscard]] absl::StatusOr<Definitions> DefinitionsAt(uint64_t number,
                                                          std::string_view project = {}) const;
  [[nodiscard]] absl::StatusOr<ChangePlan> Diff(uint64_t from, uint64_t to,
                                                std::string_view project = {}) const;

  // Takes definitions back to what they were just after entry `number`, as a new entry, in one transaction whose time
  // does not depend on the amount of data: names move back to the versions, rows and programs of that time. Views whose
  // version changes are then on hold: Materialize checks their sources but writes nothing until Release.
  // Errors: kFailedPrecondition (kNotReady) for a version that neither its rollback_window, a service nor a label kept up
  //   and whose rows are behind those of the version it would replace, with how far and the command that mends it;
  //   kUnimplemented for kData over a load; kNotFound for an entry there is not; kInvalidArgument for entry 0.
  [[nodiscard]] absl::StatusOr<ChangePlan> PlanRollback(uint64_t number,
                                                        const RollbackOptions& options = {}) const;
  absl::StatusOr<ApplyResult> Rollback(uint64_t number, const RollbackOptions& options = {},
                                       const ApplyInfo& info = {});
  // Return the number of the entry, or of the last one when nothing changed.
  absl::StatusOr<uint64_t> Hold(std::string_view view, std::string_view project = {},
                                const ApplyInfo& info = {});
  absl::StatusOr<uint64_t> Release(std::string_view view, std::string_view project = {},
                                   const ApplyInfo& info = {});

  // Fits constants on a column of training rows and keeps them as the next version of `name`, for expressions:
  // `zscore(amount, amount_fit)`. A definition keeps the version that was the latest when its text was first applied, so
  // fitting again changes nothing that is served: write `amount_fit@2` to move to it. Names are the store's, shared by its
  // projects. Errors: as larder::Fit.
  absl::StatusOr<FitResult> Fit(std::string_view name, const Column& values,
                                const FitOptions& options = {}, const ApplyInfo& info = {});
  // Everything fitted, by name and version.
  [[nodiscard]] absl::StatusOr<std::vector<FittedEntry>> Fitted() const;

  // ---- data in

  // Loads views from their sources. All views in one transaction: when one fails, nothing has changed.
  absl::StatusOr<MaterializeResult> Materialize(const MaterializeOptions& options = {});
  // Stores events of `source` in every view that reads it, in one transaction. Column names are the source's fields.
  // A view with partial_updates takes rows that lack some of its fields; others need all.
  absl::StatusOr<PushResult> Push(std::string_view source, const Batch& events,
                                  const PushOptions& options = {});
  absl::StatusOr<PushResult> Push(std::string_view source, std::span<const Row> events,
                                  const PushOptions& options = {});

  // Takes back what some commits pushed of a source, out of every version of every view that stores it, in one
  // transaction and as a history entry. What those events had won over wins again, aggregates are as if they had never
  // come. What retention dropped meanwhile does not come back: RetractedRows::keys_unsure says how many keys that may
  // concern; load those views again. Batch ids of the commits stay known.
  // Errors: kFailedPrecondition for a source that is not pushed to; kInvalidArgument for commits there are not.
  absl::StatusOr<RetractResult> Retract(const RetractOptions& options, const ApplyInfo& info = {});

  // ---- keeping it small

  // Rewrites the store without its free pages while others read and write, see VacuumStore.
  absl::StatusOr<VacuumResult> Vacuum(const VacuumOptions& options = {});

  // Puts together what was pushed, see CompactStore: of the views named (every version of them), or of all.
  absl::StatusOr<CompactionResult> Compact(
      std::span<const std::string> views = {}, std::string_view project = {},
      const std::function<void(const CompactionProgress&)>& progress = nullptr);

  // ---- features out

  [[nodiscard]] absl::StatusOr<OnlineResponse> GetOnlineFeatures(const OnlineRequest& request) const;
  // Reads one value as GetOnlineFeatures does, and tells what it was made of.
  // Errors: as GetOnlineFeatures; kNotFound for a feature that the service does not give.
  [[nodiscard]] absl::StatusOr<Explanation> Explain(const ExplainRequest& request) const;
  [[nodiscard]] absl::StatusOr<TrainingSet> GetHistoricalFeatures(
      const HistoricalRequest& request) const;
  // The same set piece by piece: rows in the spine's order, batches of `spine` (of any size) standing for
  // HistoricalRequest::spine. What `sink` returns that is not OK ends the work and is returned.
  absl::Status StreamHistoricalFeatures(const HistoricalRequest& request, RecordReader& spine,
                                        TrainingSink& sink) const;
  // From when to when each value of a feature held, for every key of its view's sources: the training value as a function of
  // time, instead of at instants.
  // Errors: kInvalidArgument for an empty range, features of on-demand views, and those that change with the clock itself
  //   (expressions over current_date; time_since, decayed sums); as GetHistoricalFeatures.
  // Cost: a reading of the view's sources for every feature, then a training set of every instant at which an event of a
  //   key comes or goes.
  [[nodiscard]] absl::StatusOr<std::vector<FeatureIntervals>> GetValidityIntervals(
      const ValidityRequest& request) const;
  // Reads a spine from a CSV file with the types the request needs: declared ones for keys and request fields, a
  // timestamp for the time column, inferred ones for the rest. Fills request->spine and, when the file is a source's
  // own, adds to request->spine_sources.
  absl::Status LoadSpine(const std::string& path, HistoricalRequest* request) const;
  // The same without reading it: request->spine stays as it is.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenSpine(
      const std::string& path, HistoricalRequest* request) const;

  // Errors: kNotFound for an unknown service; kFailedPrecondition (kNotReady) naming what to materialize; both, like
  // Open, kFailedPrecondition for a thread's floating-point settings.
  [[nodiscard]] absl::StatusOr<ServingPlan> Bind(std::string_view service,
                                                 std::string_view project = {}) const;
  // The version the contract names, else the newest one of its service with the same schema.
  // Errors: as CheckContract, and as above.
  [[nodiscard]] absl::StatusOr<ServingPlan> Bind(const ServiceContract& contract) const;
  // Errors: kNotFound for an unknown service or version; kFailedPrecondition with what differs, a line each
  //   (`- output amount: float64`, `+ output amount: int64`).
  [[nodiscard]] absl::Status CheckContract(const ServiceContract& contract) const;
  [[nodiscard]] absl::StatusOr<ServingSession> OpenSession(const ServingPlan& plan) const;
  // Join key columns for requests to `plan` out of stored keys: at most `count` of each view, chosen by hash, so the same
  // keys give the same sample. Parts that one view stores together stay together; independent entities are paired in an
  // arbitrary order. For warming up, checks and load tests. A service without join keys has no columns.
  // Errors: kFailedPrecondition when no value of a key is stored. Cost: a pass over the keys of the views.
  [[nodiscard]] absl::StatusOr<Batch> SampleKeys(const ServingPlan& plan, std::size_t count) const;

  // ---- looking around

  // Of what bare names mean; and of one version.
  [[nodiscard]] absl::StatusOr<std::vector<ViewState>> ViewStates(std::string_view project = {}) const;
  [[nodiscard]] absl::StatusOr<ViewState> GetViewState(std::string_view view,
                                                       std::string_view project = {}) const;
  [[nodiscard]] const std::shared_ptr<Environment>& environment() const LARDER_LIFETIME_BOUND;
  // Whether window aggregates are what the events kept under them give: order, counts and sums of every tree, and where
  // each event's id says it is. What is wrong, at most 100 lines; empty: nothing. VerifyStore checks the bytes.
  // Cost: reads and adds up every event.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> VerifyWindows() const;
  [[nodiscard]] Timestamp Now() const;

  struct Impl;

 private:
  explicit FeatureStore(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace larder::inline LARDER_ABI
