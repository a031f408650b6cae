#include <utility>

#include "feature_store/compute.h"
#include "feature_store/input_rows.h"
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

absl::StatusOr<OnlineResponse> FeatureStore::GetOnlineFeatures(const OnlineRequest& request) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          impl_->Resolve(catalog, request.what));
  LARDER_RETURN_IF_ERROR(impl_->CheckReady(session, *service));
  LARDER_ASSIGN_OR_RETURN(const Batch inputs,
                          InputsFromRows(*service, request.rows, request.ignore_unknown_columns));
  OnlineResponse response;
  response.service = service->name;
  response.revision = catalog.revision();
  response.commit_seq = session.commit_seq();
  response.as_of = request.as_of.value_or(Now());
  response.receipt = Receipt{service->receipt_name(), response.revision, response.commit_seq,
                             response.as_of, request.known_at}
                         .ToString();
  response.row_count = request.rows.size();
  const auto fetch = [&](std::size_t use, std::span<const Column* const> keys) {
    const BoundUse& bound = service->uses[use];
    absl::StatusOr<FetchedUse> fetched =
        bound.windows != nullptr
            ? FetchWindows(session, bound, response.as_of, request.known_at,
                           service->service->definition.partial, keys, response.row_count)
            : FetchStored(session, bound, response.as_of, request.known_at, keys,
                          response.row_count);
    if (!fetched.ok())
      fetched = Annotate(fetched.status(), Concat("feature view ", bound.view->ToString()));
    return fetched;
  };
  LARDER_ASSIGN_OR_RETURN(
      ComputedService computed,
      ComputeService(*service, inputs, response.row_count, {&response.as_of, 1}, fetch));
  response.features = std::move(computed.outputs);
  for (std::size_t i = 0; i < service->key_count; ++i) {
    LARDER_RETURN_IF_ERROR(response.keys.AddColumn(inputs.name(i), inputs.column(i)));
  }
  return response;
}

}  // namespace larder::inline LARDER_ABI
