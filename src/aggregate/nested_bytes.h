// Lists and maps from the bytes that AppendCanonicalBytes makes of them.
#pragma once

#include <optional>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

// Nothing when the bytes are not exactly one list or map of `type`.
[[nodiscard]] std::optional<Value> ReadNested(std::string_view bytes, const DataType& type);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
