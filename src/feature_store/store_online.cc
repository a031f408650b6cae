#include <utility>

#include "feature_store/compute.h"
#include "feature_store/input_rows.h"
#include "feature_store/online_read.h"
#include "feature_store/store_impl.h"
#include "feature_store/stored_rows.h"
#include "feature_store/window_fetch.h"
#include "larder/feature_store/receipt.h"

namespace larder::inline LARDER_ABI {

const FeatureValues* OnlineResponse::Find(std::string_view name) const& {
  for (const FeatureValues& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

std::string OnlineRead::ReceiptText(std::optional<Timestamp> known_at) const {
  return Receipt{service->receipt_name(), revision, session.commit_seq(), as_of, known_at}.ToString();
}

absl::StatusOr<OnlineRead> BeginRead(const FeatureStore::Impl& store, const FeatureRequest& what) {
  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(store.environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(std::shared_ptr<const BoundService> service, store.Resolve(catalog, what));
  return OnlineRead{std::move(session), catalog.revision(), std::move(service), {}, {}, {}, 0};
}

absl::Status FinishRead(const FeatureStore::Impl& store, const OnlineRequest& request,
                        const ReadBounds& bounds, OnlineRead* read) {
  const BoundService& service = *read->service;
  LARDER_RETURN_IF_ERROR(store.CheckReady(read->session, service));
  LARDER_ASSIGN_OR_RETURN(read->inputs,
                          InputsFromRows(service, request.rows, request.ignore_unknown_columns));
  const Timestamp as_of = request.as_of ? *request.as_of : store.options.clock();
  read->as_of = as_of;
  const std::size_t rows = request.rows.size();
  const auto fetch = [&](std::size_t use, std::span<const Column* const> keys) {
    const BoundUse& bound = service.uses[use];
    const std::optional<Timestamp> known_at = bounds.KnownAt(request, bound);
    absl::StatusOr<FetchedUse> fetched =
        bound.windows != nullptr
            ? FetchWindows(read->session, bound, as_of, known_at,
                           service.service->definition.partial, keys, rows, bounds.commit_max)
            : FetchStored(read->session, bound, as_of, known_at, keys, rows, bounds.commit_max);
    if (!fetched.ok())
      fetched = Annotate(fetched.status(), Concat("feature view ", bound.view->ToString()));
    if (fetched.ok()) read->cells_refused += fetched->rows.counts.cells_refused;
    return fetched;
  };
  LARDER_ASSIGN_OR_RETURN(read->computed,
                          ComputeService(service, read->inputs, rows, {&as_of, 1}, fetch));
  return absl::OkStatus();
}

absl::StatusOr<OnlineResponse> FeatureStore::GetOnlineFeatures(const OnlineRequest& request) const {
  LARDER_ASSIGN_OR_RETURN(OnlineRead read, BeginRead(*impl_, request.what));
  LARDER_RETURN_IF_ERROR(FinishRead(*impl_, request, {}, &read));
  OnlineResponse response;
  response.service = read.service->name;
  response.revision = read.revision;
  response.commit_seq = read.session.commit_seq();
  response.as_of = read.as_of;
  response.receipt = read.ReceiptText(request.known_at);
  response.row_count = request.rows.size();
  response.cells_refused = read.cells_refused;
  response.features = std::move(read.computed.outputs);
  for (std::size_t i = 0; i < read.service->key_count; ++i) {
    LARDER_RETURN_IF_ERROR(
        response.keys.AddColumn(read.inputs.name(i), std::move(read.inputs.mutable_column(i))));
  }
  return response;
}

}  // namespace larder::inline LARDER_ABI
