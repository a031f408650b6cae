// Standard base64 (RFC 4648, section 4): the text form of bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Padded with `=`.
[[nodiscard]] std::string EncodeBase64(std::string_view bytes);

// Nothing unless `text` is exactly what EncodeBase64 writes: padded, no blanks, no stray bits in
// the last digit.
[[nodiscard]] std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace larder::inline LARDER_ABI
