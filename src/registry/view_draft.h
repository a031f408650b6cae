// A feature view on its way to a version.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {

struct Resolver::ViewDraft {
  ViewVersion view;
  ViewMeaning meaning;
  const Source* source = nullptr;  // whose fields the definition names
  const Source* rows = nullptr;    // whose rows are read: of a derived view its base's
  const Source* batch = nullptr;
  std::vector<const Source*> unions;
  const ViewVersion* base = nullptr;
  std::map<std::string, std::string> computed;  // the base's features that are no fields of `rows`
  std::set<std::string> reads;                  // source fields
  std::vector<std::pair<StoredColumn, std::string>> stored;  // with canonical expressions
  std::vector<std::string> stored_as;  // beside features: its stored column's name
  std::set<std::string> names;         // of features, lower case

  StoredColumn* FindStored(std::string_view name) {
    for (auto& [column, canonical] : stored) {
      if (column.name == name) return &column;
    }
    return nullptr;
  }
};

}  // namespace larder::inline LARDER_ABI
