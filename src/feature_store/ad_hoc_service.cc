#include <string>
#include <utility>
#include <vector>

#include "feature_store/store_impl.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::string_view kAdHocName = "_request";

// The only project, or the only one that knows the view.
absl::StatusOr<std::string> ProjectOf(const Catalog& catalog, const FeatureRequest& request,
                                      const FeatureReference& first) {
  if (!request.project.empty()) return request.project;
  const std::vector<std::string> projects = catalog.Projects();
  if (projects.size() == 1) return projects[0];
  const absl::StatusOr<const ViewVersion*> view = catalog.GetView({}, first.view.name);
  if (view.ok()) return (*view)->project;
  const absl::StatusOr<const OnDemandVersion*> on_demand =
      catalog.GetOnDemandView({}, first.view.name);
  if (on_demand.ok()) return (*on_demand)->project;
  return view.status();
}

// The caller wrote no file: what is wrong, without the place in one.
absl::Status WithoutPlaces(const absl::Status& status) {
  constexpr std::string_view kPlace = "/feature_services/0/";
  const std::string_view message = MessageOf(status);
  const std::size_t place = message.find(kPlace);
  const std::size_t colon = place == std::string_view::npos ? place : message.find(": ", place);
  if (colon == std::string_view::npos) return status;
  const std::string_view problem = message.substr(colon + 2);
  return WithKind(MakeStatus(status.code(), problem.substr(0, problem.find('\n'))), KindOf(status));
}

// A service that lives only as long as the request: resolved and checked by the same code as a stored one.
absl::StatusOr<Catalog> WithAdHocService(const Catalog& catalog, const FeatureRequest& request,
                                         const ExpressionChecker& checker, std::string* project) {
  Definitions definitions;
  FeatureService service;
  service.name = kAdHocName;
  service.full_feature_names = request.full_feature_names;
  for (const std::string& text : request.features) {
    LARDER_ASSIGN_OR_RETURN(const FeatureReference reference, ParseFeatureReference(text));
    if (service.features.empty()) {
      LARDER_ASSIGN_OR_RETURN(definitions.project, ProjectOf(catalog, request, reference));
    }
    FeatureSelection selection;
    selection.view = reference.view.ToString();
    selection.features = {reference.feature};
    service.features.push_back(std::move(selection));
  }
  definitions.feature_services.push_back(std::move(service));
  *project = definitions.project;
  const absl::StatusOr<ChangePlan> plan = MakePlan(catalog, definitions, checker);
  if (!plan.ok()) return WithoutPlaces(plan.status());
  return Catalog(plan->outcome);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const BoundService>> FeatureStore::Impl::Resolve(
    const Catalog& catalog, const FeatureRequest& request) const {
  if (!request.service.empty() && !request.features.empty()) {
    return InvalidArgumentError("a request names a service or features, not both: found service ",
                                request.service, " and ", request.features.size(), " features");
  }
  if (!request.service.empty()) {
    LARDER_ASSIGN_OR_RETURN(const ServiceVersion* service,
                            catalog.GetService(request.project, request.service));
    return BoundService::Make(catalog, *service, service->ToString(), compile);
  }
  if (request.features.empty())
    return InvalidArgumentError("a request names a service or at least one feature");
  std::string project;
  LARDER_ASSIGN_OR_RETURN(const Catalog extended,
                          WithAdHocService(catalog, request, checker, &project));
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* service, extended.GetService(project, kAdHocName));
  return BoundService::Make(extended, *service, "", compile);
}

}  // namespace larder::inline LARDER_ABI
