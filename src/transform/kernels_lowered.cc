// lower(x) = constant and lower(trim(x)) = constant, without making lower(x).
#include <string>
#include <string_view>

#include "transform/builtin.h"
#include "transform/loops.h"
#include "transform/short_text.h"
#include "transform/trim.h"
#include "transform/utf8.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

struct LoweredText {
  std::string text;
  ShortText short_text;  // equal to no text when `text` is not ASCII or too long
};

// Compares as far as the first difference. One code point may be lowered to fewer or more bytes.
bool LoweredEquals(std::string_view text, std::string_view wanted) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::size_t k = 0;
  while (at < end) {
    const auto c = static_cast<unsigned char>(*at);
    if (c < 0x80) {
      const unsigned char lowered = static_cast<unsigned char>(c - 'A') < 26 ? c | 0x20U : c;
      if (k == wanted.size() || static_cast<unsigned char>(wanted[k]) != lowered) return false;
      ++k;
      ++at;
      continue;
    }
    char bytes[4];
    const char* const bytes_end = PutCodePoint(LowerCodePoint(NextCodePoint(&at, end)), bytes);
    for (const char* byte = bytes; byte < bytes_end; ++byte) {
      if (k == wanted.size() || wanted[k] != *byte) return false;
      ++k;
    }
  }
  return k == wanted.size();
}

// Most texts differ in their first letter: that takes no loop to see. True when more must be looked at.
bool MayStartLike(std::string_view text, bool trimmed, std::string_view wanted) {
  const ShortText head = LoadShort(text.data(), kShortText);
  const std::size_t blanks = trimmed ? LeadingSpaces(head) : 0;
  if (!IsAscii(head) || blanks == kShortText) return true;
  const auto first = static_cast<unsigned char>((Lowered(head).bytes >> (8 * blanks)) & 0xFFU);
  return !wanted.empty() && static_cast<unsigned char>(wanted[0]) == first;
}

template <bool kTrimmed>
__attribute__((noinline)) bool MatchesLong(TextRef text, const LoweredText& wanted) {
  const std::string_view view(text.data, text.size);
  if (text.size > kShortText && !MayStartLike(view, kTrimmed, wanted.text)) return false;
  return LoweredEquals(kTrimmed ? TrimRight(TrimLeft(view)) : view, wanted.text);
}

template <bool kTrimmed>
inline bool Matches(TextRef text, const LoweredText& wanted) {
  if (text.size <= kShortText) {
    const ShortText all = LoadShort(text.data, text.size);
    if (IsAscii(all)) return Lowered(kTrimmed ? Trimmed(all) : all) == wanted.short_text;
  }
  return MatchesLong<kTrimmed>(text, wanted);
}

template <bool kTrimmed, bool kEqual>
void CompareLowered(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& wanted = call.aux<LoweredText>();
  const Argument<TextRef> a(call, 0);
  auto* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t found = 0;
    ForEachSetBit(call.valid_word(0, w) & call.active_word(w), [&](std::size_t j) {
      found |= static_cast<uint64_t>(Matches<kTrimmed>(a[64 * w + j], wanted) == kEqual) << j;
    });
    out[w] = found;
  }
  call.ValidLike(0);
}

}  // namespace

InSet MakeLoweredComparison(const Constant& wanted, bool equal, bool trimmed) {
  LoweredText text = {wanted.text, {0, kShortText + 1}};
  if (wanted.text.size() <= kShortText) {
    const ShortText loaded = LoadShort(wanted.text.data(), wanted.text.size());
    if (IsAscii(loaded)) text.short_text = loaded;
  }
  InSet form;
  if (trimmed) {
    form.kernel = equal ? CompareLowered<true, true> : CompareLowered<true, false>;
  } else {
    form.kernel = equal ? CompareLowered<false, true> : CompareLowered<false, false>;
  }
  form.aux = std::make_shared<const LoweredText>(std::move(text));
  form.key = wanted.text;
  return form;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
