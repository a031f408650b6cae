// contract.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "larder/registry/service_terms.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

absl::Status Check(const ContractArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const ServiceContract contract, LoadContract(arguments.check_file));
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_RETURN_IF_ERROR(store.CheckContract(contract));
  console.out << "the store keeps the contract of " << Printable(contract.service) << " in "
              << Printable(arguments.check_file) << '\n';
  return absl::OkStatus();
}

}  // namespace

absl::Status Contract(const ContractArguments& arguments, Console& console) {
  if (arguments.service.empty() == arguments.check_file.empty())
    return UsageError("give either a service, or --check FILE");
  if (!arguments.check_file.empty()) return Check(arguments, console);
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* service,
                          catalog.GetService(arguments.target.project, arguments.service));
  ServiceTerms terms = TermsOf(catalog, *service);
  if (arguments.any_version) terms.service = service->name;
  const std::string text = ToJson(terms);
  if (arguments.output_file.empty()) {
    console.out << text;
    return absl::OkStatus();
  }
  LARDER_ASSIGN_OR_RETURN(const bool changed, WriteTextIfChanged(arguments.output_file, text));
  console.out << Printable(arguments.output_file) << (changed ? " now is" : " is")
              << " the contract of " << service->ToString() << '\n';
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
