#include "larder/feature_store/contract.h"

#include "feature_store/store_impl.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status CheckTables(const ServiceVersion& service, const ServiceContract& contract) {
  return CheckSchema(service, contract.outputs, contract.keys, contract.request);
}

}  // namespace

absl::StatusOr<const ServiceVersion*> FeatureStore::Impl::ServiceOf(const Catalog& catalog,
                                                                    const ServiceContract& contract) {
  LARDER_ASSIGN_OR_RETURN(const VersionedName name, ParseVersionedName(contract.service));
  const absl::StatusOr<const ServiceVersion*> named =
      catalog.GetService(contract.project, contract.service);
  if (named.ok() && CheckTables(**named, contract).ok()) return *named;
  if (!name.version) {
    const ServiceVersion* newest = nullptr;
    for (const ServiceVersion* service : catalog.Services(contract.project, true)) {
      if (service->name == name.name && CheckTables(*service, contract).ok()) newest = service;
    }
    if (newest != nullptr) return newest;
  }
  if (!named.ok()) {
    return Annotate(named.status(),
                    Concat("this program was built for feature service ", contract.service));
  }
  return CheckTables(**named, contract);
}

absl::Status FeatureStore::CheckContract(const ServiceContract& contract) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  return Impl::ServiceOf(catalog, contract).status();
}

absl::StatusOr<ServingPlan> FeatureStore::Bind(const ServiceContract& contract) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* service, Impl::ServiceOf(catalog, contract));
  return Bind(service->ToString(), service->project);
}

}  // namespace larder::inline LARDER_ABI
