#include "cli/console.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/cord.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

constexpr char kUsageUrl[] = "larder.cli/usage";

bool DrivesTerminal(uint32_t point) {
  if (point < 0x20 || (point >= 0x7F && point <= 0x9F)) return true;
  return point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

std::size_t SequenceSize(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

}  // namespace

absl::Status AsUsageError(absl::Status status) {
  if (!status.ok()) status.SetPayload(kUsageUrl, absl::Cord());
  return status;
}

bool IsUsageError(const absl::Status& status) { return status.GetPayload(kUsageUrl).has_value(); }

std::string Printable(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = SequenceSize(lead);
    if (size == 0 || i + size > text.size() || !IsValidUtf8(text.substr(i, size))) {
      out.append("\xEF\xBF\xBD");
      ++i;
      continue;
    }
    uint32_t point = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    if (!DrivesTerminal(point) || (keep_lines && (point == '\n' || point == '\t'))) {
      out.append(text.substr(i, size));
    }
    i += size;
  }
  return out;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
