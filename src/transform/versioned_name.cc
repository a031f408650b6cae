#include "transform/versioned_name.h"

#include <charconv>

namespace larder::inline LARDER_ABI {
namespace transform {

std::optional<VersionedName> ReadVersionedName(std::string_view text) {
  VersionedName out;
  const std::size_t at = text.find('@');
  const std::size_t hash = text.find('#');
  out.name = text.substr(0, at);
  out.reference = text.substr(0, hash);
  if (hash != std::string_view::npos) out.identity = text;
  if (at == std::string_view::npos) return out;
  const char* end = out.reference.data() + out.reference.size();
  const auto read = std::from_chars(text.data() + at + 1, end, out.version);
  if (read.ec != std::errc() || read.ptr != end || out.version < 1) return std::nullopt;
  return out;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
