// generate-header.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "larder/registry/definitions_json.h"
#include "larder/registry/generate_header.h"
#include "larder/registry/plan.h"
#include "larder/transform/checker.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

bool IsIdentifier(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !is_letter(text[0])) return false;
  for (const char c : text) {
    if (!is_letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

// `features`, `acme::features`.
bool IsNamespace(std::string_view text) {
  while (true) {
    const std::size_t colons = text.find("::");
    if (!IsIdentifier(text.substr(0, colons))) return false;
    if (colons == std::string_view::npos) return true;
    text.remove_prefix(colons + 2);
  }
}

absl::StatusOr<Catalog> CatalogOfStore(const HeaderArguments& arguments, const Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  return store.GetCatalog();
}

// What a new store would hold after applying the definitions.
absl::StatusOr<Catalog> CatalogOfFile(const HeaderArguments& arguments, const Console& console) {
  LARDER_ASSIGN_OR_RETURN(const Definitions definitions, LoadDefinitions(arguments.definitions));
  CompileOptions compile;
  compile.functions = console.functions;
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan,
                          MakePlan(Catalog(), definitions, TransformChecker(compile)));
  return Catalog(plan.outcome);
}

}  // namespace

absl::Status WriteHeader(const HeaderArguments& arguments, Console& console) {
  if (!IsNamespace(arguments.name_space)) {
    return UsageError("--namespace: expected a C++ namespace, found ", Quoted(arguments.name_space));
  }
  const bool from_definitions = !arguments.definitions.empty();
  if (from_definitions && arguments.service.find('@') != std::string::npos) {
    return UsageError("definitions have no versions: name the service without one, found ",
                      Quoted(arguments.service));
  }
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, from_definitions
                                                     ? CatalogOfFile(arguments, console)
                                                     : CatalogOfStore(arguments, console));
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* service,
                          catalog.GetService(arguments.target.project, arguments.service));
  const std::string header = GenerateHeader(*service, arguments.name_space, from_definitions);
  if (arguments.output_file.empty()) {
    console.out << header;
    return absl::OkStatus();
  }
  LARDER_ASSIGN_OR_RETURN(const bool changed, WriteTextIfChanged(arguments.output_file, header));
  console.out << Printable(arguments.output_file) << (changed ? " now is" : " is")
              << " the header of " << service->ToString() << '\n';
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
