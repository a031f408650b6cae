// `name`, `name@3` and `name@3#hash`: how expressions name C++ functions and fitted constants.
#pragma once

#include <optional>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

struct VersionedName {
  std::string_view name;
  int version = 0;             // 0: the latest
  std::string_view reference;  // `name` or `name@3`, for messages
  std::string_view identity;   // the whole `name@3#hash`; empty without a hash
};

// None when the version is no number from 1.
std::optional<VersionedName> ReadVersionedName(std::string_view text);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
