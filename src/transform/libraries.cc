#include "larder/transform/libraries.h"

#include <fstream>
#include <string_view>

#include "larder/base/status.h"
#include "transform/elementary.h"
#include "transform/unicode_case_tables.h"

namespace larder::inline LARDER_ABI {
namespace {

// As the database itself says: `# version 2025b` in its source text, or a file of its own.
std::string ZoneDataVersion() {
  constexpr std::string_view kFirst = "# version ";
  std::string line;
  std::ifstream source("/usr/share/zoneinfo/tzdata.zi");
  if (std::getline(source, line) && line.starts_with(kFirst)) return line.substr(kFirst.size());
  std::ifstream version("/usr/share/zoneinfo/+VERSION");
  if (std::getline(version, line) && !line.empty()) return line;
  return "unknown";
}

}  // namespace

std::vector<std::string> LibraryVersions() {
  return {transform::ElementaryVersion(), Concat("tzdata ", ZoneDataVersion()),
          Concat("unicode ", transform::kUnicodeVersion)};
}

}  // namespace larder::inline LARDER_ABI
