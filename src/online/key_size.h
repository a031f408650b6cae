// The one limit of entity keys, as an error.
#pragma once

#include <cstddef>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {

inline absl::Status KeyTooLarge(std::size_t size) {
  return WithKind(
      InvalidArgumentError("an entity key of ", size, " bytes: at most ", kEntityKeySizeMax),
      ErrorKind::kTooLarge);
}

}  // namespace larder::inline LARDER_ABI
