// generate-header.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "larder/registry/generate_header.h"

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

}  // namespace

absl::Status WriteHeader(const HeaderArguments& arguments, Console& console) {
  if (!IsNamespace(arguments.name_space)) {
    return UsageError("--namespace: expected a C++ namespace, found ", Quoted(arguments.name_space));
  }
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* service,
                          catalog.GetService(arguments.target.project, arguments.service));
  const std::string header = GenerateHeader(*service, arguments.name_space);
  if (arguments.output_file.empty()) {
    console.out << header;
    return absl::OkStatus();
  }
  // A header that is as it should be keeps its time, so that a build does not compile its readers again.
  const absl::StatusOr<std::string> present = ReadText(arguments.output_file);
  const bool same = present.ok() && *present == header;
  if (!same) LARDER_RETURN_IF_ERROR(WriteText(arguments.output_file, header));
  console.out << Printable(arguments.output_file) << (same ? " is" : " now is") << " the header of "
              << service->ToString() << '\n';
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
