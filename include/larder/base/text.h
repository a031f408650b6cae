// Small text vocabulary: joining pieces, string-keyed maps, near-miss suggestions.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Appends `part` to `out`. Numbers use the shortest form that reads back to the same value.
inline void AppendTo(std::string& out, std::string_view part) { out.append(part); }
inline void AppendTo(std::string& out, const char* part) { out.append(part); }
inline void AppendTo(std::string& out, char part) { out.push_back(part); }
inline void AppendTo(std::string& out, bool part) { out.append(part ? "true" : "false"); }
template <class Number>
requires(std::is_arithmetic_v<Number>) void AppendTo(std::string& out, Number part) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), part);
  out.append(buffer, result.ptr);
}

// Joins its arguments without separators. Exists because Debian's Abseil cannot StrCat a
// std::string_view.
template <class... Parts>
[[nodiscard]] std::string Concat(const Parts&... parts) {
  std::string out;
  (AppendTo(out, parts), ...);
  return out;
}

// Joins `items` with `separator`.
template <class Range>
[[nodiscard]] std::string Join(const Range& items, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out.append(separator);
    first = false;
    AppendTo(out, item);
  }
  return out;
}

// Hash and equality for maps keyed by std::string and looked up by std::string_view without a copy.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
struct StringEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

// Finds the candidate a reader most likely meant: the nearest by edit distance, ignoring case,
// within a third of the length. Empty when none is near.
[[nodiscard]] std::string ClosestName(std::string_view name,
                                      std::span<const std::string> candidates);

// ` (did you mean "x"?)`, or nothing when no candidate is near.
[[nodiscard]] std::string DidYouMean(std::string_view name, std::span<const std::string> candidates);

// Whether `name` matches [A-Za-z_][A-Za-z0-9_]{0,62}: the rule for every name in a definition.
[[nodiscard]] bool IsValidName(std::string_view name);

// `text` in double quotes for a message: control characters and what is not UTF-8 as \xNN, quotes
// and backslashes escaped, cut after 64 bytes with `...`.
[[nodiscard]] std::string Quoted(std::string_view text);

[[nodiscard]] std::string ToLowerAscii(std::string_view text);
[[nodiscard]] bool EqualsIgnoreCase(std::string_view a, std::string_view b);
[[nodiscard]] std::string_view TrimAscii(std::string_view text LARDER_LIFETIME_BOUND);

// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms; Unicode 15, table 3-7).
[[nodiscard]] bool IsValidUtf8(std::string_view text);

}  // namespace larder::inline LARDER_ABI
