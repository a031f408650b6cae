#include "larder/feature_store/contract.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "feature_store/store_impl.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status Check(const Catalog& catalog, const ServiceVersion& service,
                   const ServiceContract& contract) {
  if (contract.terms != nullptr) return CheckTerms(catalog, service, *contract.terms);
  return CheckSchema(service, contract.outputs, contract.keys, contract.request);
}

std::vector<SchemaColumn> ColumnsOf(const std::vector<NamedType>& types) {
  std::vector<SchemaColumn> columns;
  for (const NamedType& type : types) columns.push_back({type.name, type.type});
  return columns;
}

}  // namespace

absl::StatusOr<const ServiceVersion*> FeatureStore::Impl::ServiceOf(const Catalog& catalog,
                                                                    const ServiceContract& contract) {
  LARDER_ASSIGN_OR_RETURN(const VersionedName name, ParseVersionedName(contract.service));
  const absl::StatusOr<const ServiceVersion*> named =
      catalog.GetService(contract.project, contract.service);
  if (named.ok() && Check(catalog, **named, contract).ok()) return *named;
  if (!name.version) {
    const ServiceVersion* newest = nullptr;
    for (const ServiceVersion* service : catalog.Services(contract.project, true)) {
      if (service->name == name.name && Check(catalog, *service, contract).ok()) newest = service;
    }
    if (newest != nullptr) return newest;
  }
  if (!named.ok()) {
    return Annotate(named.status(),
                    Concat("this program was built for feature service ", contract.service));
  }
  return Check(catalog, **named, contract);
}

absl::StatusOr<ServiceContract> LoadContract(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFoundError("cannot open the contract file ", path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return UnavailableError("cannot read the contract file ", path);
  absl::StatusOr<ServiceTerms> parsed = ParseServiceTerms(text, path);
  if (!parsed.ok()) return parsed.status();
  const auto terms = std::make_shared<const ServiceTerms>(*std::move(parsed));
  return ServiceContract{terms->project,
                         terms->service,
                         terms->schema_hash,
                         ColumnsOf(terms->outputs),
                         ColumnsOf(terms->keys),
                         ColumnsOf(terms->request),
                         terms};
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
