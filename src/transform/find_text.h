// Finding a text in a text in time linear in both, which std::string_view::find is not.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// As text.find(part, from). Requires: from <= text.size().
inline std::size_t FindText(std::string_view text, std::string_view part, std::size_t from = 0) {
  if (part.empty()) return from;
  if (text.size() - from < part.size()) return std::string_view::npos;
  const void* at = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (at == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
