#include "cli/percent.h"

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {

std::string PercentText(std::size_t part, std::size_t whole) {
  if (part == 0 || whole == 0) return "0%";
  if (part == whole) return "100%";
  const std::size_t tenths = (part * 2000 + whole) / (whole * 2);
  if (tenths == 0) return "<0.1%";
  if (tenths >= 1000) return ">99.9%";
  return Concat(tenths / 10, ".", tenths % 10, "%");
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
