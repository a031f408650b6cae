// Type names as people write them in casts.
#pragma once

#include <optional>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// `float64` and SQL's words for the same types (double, bigint, varchar, ...), lower case. Scalars only.
std::optional<TypeId> TypeNamed(std::string_view name);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
