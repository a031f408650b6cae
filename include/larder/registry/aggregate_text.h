// A window aggregate in one line, for people.
#pragma once

#include <string>

#include "larder/base/config.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

// `sum(amount) over 1h where amount > 0`.
[[nodiscard]] std::string AggregateText(const AggregateColumn& aggregate);

}  // namespace larder::inline LARDER_ABI
