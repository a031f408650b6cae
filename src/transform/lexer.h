// Text to tokens. Total: any bytes give tokens or an error, never more tokens than bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {
namespace transform {

enum class TokenKind : uint8_t {
  kEnd,
  kName,  // identifier or keyword; one token with dots (`request.x`) and a version (`score@2`, `score@2#hash`)
  kQuotedName,  // "with any characters"
  kInteger,
  kDecimal,
  kString,
  kDuration,  // 2h, 1h30m
  kSymbol,    // operators and punctuation, in `text`
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t begin = 0;  // byte offsets into the source
  uint32_t end = 0;
  std::string_view text;  // the source bytes; of kString and kQuotedName with the quotes
};

// Comments `-- to the end of the line` and blanks are skipped. The last token is kEnd.
// Errors: kInvalidArgument with a caret (see diagnostics.h).
absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source);

// The text of a kString or kQuotedName token without quotes, doubled quotes made single.
std::string Unquote(std::string_view token);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
