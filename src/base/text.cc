#include "larder/base/text.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool IsLetter(char c) {
  const char lower = LowerAscii(c);
  return lower >= 'a' && lower <= 'z';
}

constexpr bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

// Insertions, deletions, substitutions and swaps of neighbours, ignoring case; `limit` + 1 when
// above `limit`.
std::size_t EditDistance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t best = i;
    const char ca = LowerAscii(a[i - 1]);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char cb = LowerAscii(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (ca == cb ? 0 : 1)});
      if (i > 1 && j > 1 && ca == LowerAscii(b[j - 2]) && LowerAscii(a[i - 2]) == cb) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
    std::swap(before, above);
    std::swap(above, row);
  }
  return std::min(above[b.size()], limit + 1);
}

// The length of the sequence at the start of `text`, or 0 when it is ill-formed (Unicode 15, table
// 3-7).
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return text.size() >= 2 && is_tail(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (text.size() < 3 || !is_tail(1) || !is_tail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead > 0xF4) return 0;
  if (text.size() < 4 || !is_tail(1) || !is_tail(2) || !is_tail(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return 4;
}

}  // namespace

std::string ClosestName(std::string_view name, std::span<const std::string> candidates) {
  const std::string* closest = nullptr;
  std::size_t closest_distance = name.size() + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t limit = std::max(name.size(), candidate.size()) / 3;
    const std::size_t distance = EditDistance(name, candidate, limit);
    if (distance <= limit && distance < closest_distance) {
      closest = &candidate;
      closest_distance = distance;
    }
  }
  return closest == nullptr ? std::string() : *closest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string> candidates) {
  const std::string closest = ClosestName(name, candidates);
  return closest.empty() ? std::string() : Concat(" (did you mean \"", closest, "\"?)");
}

bool IsValidName(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  if (!IsLetter(name[0]) && name[0] != '_') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLetter(c) || c == '_' || (c >= '0' && c <= '9'); });
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  std::size_t at = 0;
  while (at < text.size() && at < kShown) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    const std::size_t length = SequenceLength(text.substr(at));
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      quoted.append({'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]});
      ++at;
      continue;
    }
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.append(text.substr(at, length));
    at += length;
  }
  quoted.append(at < text.size() ? "...\"" : "\"");
  return quoted;
}

std::string ToLowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerAscii(c);
  return lower;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return LowerAscii(x) == LowerAscii(y);
         });
}

std::string_view TrimAscii(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    // Most text is ASCII: eight bytes at a time.
    uint64_t word = 0;
    while (text.size() >= sizeof(word)) {
      std::memcpy(&word, text.data(), sizeof(word));
      if ((word & 0x8080808080808080U) != 0) break;
      text.remove_prefix(sizeof(word));
    }
    if (text.empty()) break;
    const std::size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace larder::inline LARDER_ABI
