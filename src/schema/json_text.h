// The little JSON a value's text form needs: flat arrays and objects of scalars. Numbers stay text,
// so that each is read once, into its own type; a general parser would round float32 twice and
// integers beyond 2^53.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

struct JsonToken {
  std::string text;     // of a quoted string: its content, unescaped
  bool quoted = false;  // else a bare word: a number, true, false, null, NaN
};

struct JsonMember {
  std::string key;
  JsonToken value;
};

// False for anything else: nesting, trailing text, bad escapes, unpaired surrogates.
[[nodiscard]] bool SplitJsonArray(std::string_view text, std::vector<JsonToken>* tokens);
[[nodiscard]] bool SplitJsonObject(std::string_view text, std::vector<JsonMember>* members);

// Quotes and escapes; control characters as \u00NN, everything else as it is.
[[nodiscard]] std::string QuoteJson(std::string_view text);

}  // namespace larder::inline LARDER_ABI
