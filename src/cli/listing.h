// The objects of a catalog as `list` shows and filters them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "larder/base/config.h"
#include "larder/registry/catalog.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct ListedObject {
  std::string kind;  // `entity`, `source`, `feature view`, ..., `feature`, `project`
  std::string project;
  std::string name;    // with `@version` where there are versions; of a feature `view:feature`
  std::string detail;  // of a feature its type
  std::vector<std::string> entities;
  Metadata metadata;
};

// Which kinds `list KIND` knows: what is typed, and ListedObject::kind.
struct ListableKind {
  std::string_view typed;
  std::string_view kind;
};
[[nodiscard]] const std::vector<ListableKind>& ListableKinds();

// Everything of a kind (a ListedObject::kind; empty: all but features and projects), filtered, by kind and name.
// Requires: filters.type is as DataType::ToString has it, and then `kind` is `feature`.
[[nodiscard]] std::vector<ListedObject> ListObjects(const Catalog& catalog, std::string_view kind,
                                                    const ListArguments& filters);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
