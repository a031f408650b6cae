// lineage.
#include "larder/registry/lineage.h"

#include "cli/arguments.h"
#include "cli/commands.h"

namespace larder::inline LARDER_ABI {
namespace cli {

absl::Status ShowLineage(const LineageArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, catalog));
  LARDER_ASSIGN_OR_RETURN(const Lineage lineage, LineageOf(catalog, project, arguments.name));
  if (arguments.format == Format::kJson) {
    console.out << TrimAscii(lineage.ToJson()) << '\n';
  } else {
    console.out << Printable(lineage.ToText(), true);
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
