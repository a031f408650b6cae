#include "transform/diagnostics.h"

#include <algorithm>
#include <string>

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

// Control bytes would move the caret or the terminal's cursor.
std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text)
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  return out;
}

constexpr std::size_t kShownBytes = 90;

}  // namespace

absl::Status ErrorAt(std::string_view source, std::size_t begin, std::size_t end,
                     std::string_view message) {
  begin = std::min(begin, source.size());
  end = std::clamp(end, begin, source.size());
  const std::size_t line_number =
      1 + static_cast<std::size_t>(std::count(
              source.begin(), source.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
  const std::size_t newline = begin == 0 ? std::string_view::npos : source.rfind('\n', begin - 1);
  const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t line_end = std::min(source.find('\n', begin), source.size());
  end = std::min(end, line_end);
  const std::size_t column = 1 + CountCharacters(source.substr(line_begin, begin - line_begin));

  std::size_t from = begin - line_begin > kShownBytes / 2 ? begin - kShownBytes / 2 : line_begin;
  while (from > line_begin && IsContinuation(source[from])) --from;
  std::size_t to = std::min(line_end, from + kShownBytes);
  while (to < line_end && IsContinuation(source[to])) ++to;
  end = std::min(end, to);

  const std::string_view lead = from > line_begin ? "..." : "";
  const std::string shown =
      Concat(lead, Printable(source.substr(from, to - from)), to < line_end ? "..." : "");
  const std::string blanks(lead.size() + CountCharacters(source.substr(from, begin - from)), ' ');
  const std::string carets(
      std::max<std::size_t>(1, CountCharacters(source.substr(begin, end - begin))), '^');
  return InvalidArgumentError("line ", line_number, ", column ", column, ": ", message, "\n  ",
                              shown, "\n  ", blanks, carets);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
