#include <chrono>
#include <utility>

#include "feature_store/store_impl.h"
#include "feature_store/tables.h"
#include "larder/base/float_environment.h"

namespace larder::inline LARDER_ABI {
namespace {

// The edge where time comes in; everything below is given instants.
Timestamp SystemClock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

absl::StatusOr<Catalog> ParseCatalog(const absl::StatusOr<std::optional<std::string_view>>& record) {
  if (!record.ok()) return record.status();
  if (!record->has_value()) return Catalog();
  return Catalog::Parse(**record);
}

absl::StatusOr<LoadRecord> ParseLoad(const absl::StatusOr<std::optional<std::string_view>>& record) {
  if (!record.ok()) return record.status();
  if (!record->has_value()) return LoadRecord{};
  return LoadRecord::Parse(**record);
}

absl::StatusOr<ViewState> StateOf(const ReadSession& session, const ViewVersion& view) {
  LARDER_ASSIGN_OR_RETURN(const LoadRecord record, LoadRecordIn(session, view.data_id));
  ViewState state;
  state.view = view.ToString();
  state.has_data = record.loaded || record.pushed_rows > 0;
  state.pushed_rows = record.pushed_rows;
  if (record.loaded) {
    if (record.from > Timestamp::Min()) state.loaded_from = record.from;
    state.loaded_to = record.to;
    state.loaded_at = record.at;
  }
  LARDER_RETURN_IF_ERROR(session.ForEachKey(view.data_id, [&](std::string_view) {
    ++state.keys;
    return true;
  }));
  return state;
}

}  // namespace

absl::StatusOr<FeatureStore> FeatureStore::Open(const std::string& path, StoreOptions options) {
  LARDER_RETURN_IF_ERROR(CheckFloatEnvironment());
  if (!options.clock) options.clock = SystemClock;
  EnvironmentOptions environment_options;
  environment_options.create_if_missing = options.create_if_missing && !options.read_only;
  environment_options.read_only = options.read_only;
  environment_options.durability = options.durability;
  environment_options.push_budget = options.push_budget;
  environment_options.clock = options.clock;
  LARDER_ASSIGN_OR_RETURN(std::shared_ptr<Environment> environment,
                          Environment::Open(path, environment_options));
  const std::vector<ServiceContract> contracts = options.contracts;
  FeatureStore store(std::make_shared<Impl>(std::move(environment), std::move(options)));
  for (const ServiceContract& contract : contracts) {
    const absl::Status status = store.CheckContract(contract);
    if (!status.ok()) return Annotate(status, path);
  }
  return store;
}

absl::StatusOr<Catalog> FeatureStore::Impl::CatalogIn(const ReadSession& session) const {
  const uint64_t layout_seq = session.layout_seq();
  {
    const std::lock_guard lock(mutex_);
    if (cached_layout_seq_ == layout_seq) return cached_;
  }
  LARDER_ASSIGN_OR_RETURN(Catalog catalog,
                          ParseCatalog(session.GetRecord(kCatalogTable, kCurrentCatalog)));
  const std::lock_guard lock(mutex_);
  cached_layout_seq_ = layout_seq;
  cached_ = catalog;
  return catalog;
}

absl::StatusOr<Catalog> FeatureStore::Impl::CatalogIn(const WriteTransaction& transaction) const {
  LARDER_ASSIGN_OR_RETURN(const uint64_t last_change, LastChangeIn(transaction));
  {
    const std::lock_guard lock(mutex_);
    if (last_change > 0 && cached_layout_seq_ && cached_.last_change().number == last_change)
      return cached_;
  }
  return larder::CatalogIn(transaction);
}

absl::StatusOr<Catalog> CatalogIn(const WriteTransaction& transaction) {
  return ParseCatalog(transaction.GetRecord(kCatalogTable, kCurrentCatalog));
}

absl::StatusOr<LoadRecord> LoadRecordIn(const ReadSession& session, uint32_t data_id) {
  return ParseLoad(session.GetRecord(kLoadTable, BigEndianKey(data_id)));
}

absl::StatusOr<LoadRecord> LoadRecordIn(const WriteTransaction& transaction, uint32_t data_id) {
  return ParseLoad(transaction.GetRecord(kLoadTable, BigEndianKey(data_id)));
}

absl::Status FeatureStore::Impl::CheckReady(const ReadSession& session,
                                            const BoundService& service) const {
  std::vector<std::string> missing;
  for (const BoundUse& use : service.uses) {
    LARDER_ASSIGN_OR_RETURN(const LoadRecord record, LoadRecordIn(session, use.view->data_id));
    // Pushed rows are data too: a view may be fed by its stream before its history is loaded, or without.
    const bool push_only =
        use.view->source.kind == SourceKind::kPush && !use.view->batch.has_value();
    if (!record.loaded && record.pushed_rows == 0 && !push_only)
      missing.push_back(use.view->ToString());
  }
  if (missing.empty()) return absl::OkStatus();
  return WithKind(
      FailedPreconditionError("no data yet in ", Join(missing, ", "),
                              ": run larder materialize --view ", Join(missing, " --view ")),
      ErrorKind::kNotReady);
}

absl::StatusOr<Catalog> FeatureStore::GetCatalog() const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  return impl_->CatalogIn(session);
}

absl::StatusOr<std::vector<HistoryEntry>> FeatureStore::History() const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  return HistoryFrom(session, 0);
}

absl::StatusOr<std::vector<ViewState>> FeatureStore::ViewStates(std::string_view project) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  std::vector<ViewState> states;
  for (const ViewVersion* view : catalog.Views(project)) {
    LARDER_ASSIGN_OR_RETURN(ViewState state, StateOf(session, *view));
    states.push_back(std::move(state));
  }
  return states;
}

absl::StatusOr<ViewState> FeatureStore::GetViewState(std::string_view view,
                                                     std::string_view project) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(const ViewVersion* version, catalog.GetView(project, view));
  return StateOf(session, *version);
}

const std::shared_ptr<Environment>& FeatureStore::environment() const { return impl_->environment; }

Timestamp FeatureStore::Now() const { return impl_->options.clock(); }

}  // namespace larder::inline LARDER_ABI
