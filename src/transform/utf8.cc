#include "transform/utf8.h"

#include <algorithm>
#include <iterator>

#include "transform/unicode_case_tables.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

template <std::size_t kSize>
uint32_t Mapped(const CaseRange (&ranges)[kSize], uint32_t code) {
  const CaseRange* at =
      std::upper_bound(std::begin(ranges), std::end(ranges), code,
                       [](uint32_t c, const CaseRange& range) { return c < range.first; });
  if (at == std::begin(ranges)) return code;
  --at;
  if (code > at->last || (code - at->first) % at->stride != 0) return code;
  return static_cast<uint32_t>(static_cast<int64_t>(code) + at->offset);
}

}  // namespace

uint32_t LowerCodePoint(uint32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  return Mapped(kToLower, code);
}

uint32_t UpperCodePoint(uint32_t code) {
  if (code < 0x80) return code >= 'a' && code <= 'z' ? code - 32 : code;
  return Mapped(kToUpper, code);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
