#include "registry/problems.h"

#include <algorithm>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kLinesMax = 200;

std::string Indented(std::string_view text, std::string_view indent) {
  std::string out;
  for (const char c : text) {
    out.push_back(c);
    if (c == '\n') out.append(indent);
  }
  return out;
}

}  // namespace

void Problems::AddStatus(std::string_view place, const absl::Status& status) {
  Add(place, MessageOf(status));
}

void Problems::Append(Problems other) {
  for (std::string& line : other.lines_) lines_.push_back(std::move(line));
}

absl::Status Problems::ToStatus(std::string_view origin) const {
  if (lines_.empty()) return absl::OkStatus();
  const std::string head = origin.empty() ? std::string() : Concat(origin, ": ");
  if (lines_.size() == 1) return InvalidArgumentError(head, Indented(lines_.front(), "  "));
  std::string out = Concat(head, lines_.size(), " problems");
  for (std::size_t i = 0; i < std::min(lines_.size(), kLinesMax); ++i) {
    out.append("\n  ").append(Indented(lines_[i], "    "));
  }
  if (lines_.size() > kLinesMax) {
    out.append(Concat("\n  and ", lines_.size() - kLinesMax, " more"));
  }
  return InvalidArgumentError(out);
}

}  // namespace larder::inline LARDER_ABI
