// Error messages that show the place: line, column, the line itself and a caret.
#pragma once

#include <cstddef>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// `line 1, column 8: unknown name "amuont" (did you mean "amount"?)`, then the source line and a line of carets below
// the bytes [begin, end). Columns count characters, from 1. Long lines are cut around the place.
absl::Status ErrorAt(std::string_view source, std::size_t begin, std::size_t end,
                     std::string_view message);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
