// Building and cutting text: lower, upper, trim, concat, substr, replace, split_part, lengths.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "transform/builtin.h"
#include "transform/find_text.h"
#include "transform/loops.h"
#include "transform/trim.h"
#include "transform/utf8.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kText = TypeId::kString;
constexpr TypeId kInt = TypeId::kInt64;

// The largest result; longer ones are null and counted as overflow.
struct SizeLimit {
  std::size_t bytes = 0;
};
absl::StatusOr<Prepared> PrepareLimit(const PrepareContext& context) {
  Prepared prepared;
  prepared.aux = std::make_shared<const SizeLimit>(SizeLimit{context.limits->result_bytes});
  prepared.aux_key = Concat(context.limits->result_bytes);
  return prepared;
}

std::string_view View(TextRef text) { return {text.data, text.size}; }
TextRef Ref(std::string_view text) { return {text.data(), text.size()}; }

// Op::Do(view) -> view into the argument: no copy.
template <class Op>
void Cut(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  auto* out = call.result<TextRef>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = Ref(Op::Do(View(a[i])));
    return true;
  });
}

template <class R, class Op>
void Measure(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  R* out = call.result<R>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = Op::Do(View(a[i]));
    return true;
  });
}

struct Characters {
  static int64_t Do(std::string_view text) { return CountCodePoints(text); }
};
struct ByteCount {
  static int64_t Do(std::string_view text) { return static_cast<int64_t>(text.size()); }
};

struct Trim {
  static std::string_view Do(std::string_view text) { return TrimRight(TrimLeft(text)); }
};
struct LeftTrim {
  static std::string_view Do(std::string_view text) { return TrimLeft(text); }
};
struct RightTrim {
  static std::string_view Do(std::string_view text) { return TrimRight(text); }
};

bool IsAscii(const char* data, std::size_t size) {
  unsigned char any = 0;
  for (std::size_t i = 0; i < size; ++i) any |= static_cast<unsigned char>(data[i]);
  return any < 0x80;
}

template <bool kUpper>
void ChangeCase(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t limit = call.aux<SizeLimit>().bytes;
  const Argument<TextRef> a(call, 0);
  auto* out = call.result<TextRef>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    const TextRef text = a[i];
    if (IsAscii(text.data, text.size)) {
      if (text.size > limit) return false;
      char* to = call.arena().Allocate(text.size);
      constexpr unsigned char kFirst = kUpper ? 'a' : 'A';
      for (std::size_t j = 0; j < text.size; ++j) {
        const auto c = static_cast<unsigned char>(text.data[j]);
        to[j] = static_cast<char>(c ^ (static_cast<unsigned char>(c - kFirst) < 26 ? 0x20U : 0U));
      }
      out[i] = {to, text.size};
      return true;
    }
    // A mapped code point may take up to 4 bytes where 2 stood.
    const auto characters = static_cast<std::size_t>(CountCodePoints(View(text)));
    if (characters > limit) return false;
    const std::size_t room = 4 * characters;
    char* to = call.arena().Allocate(room);
    char* at = to;
    const char* from = text.data;
    while (from < text.data + text.size) {
      const uint32_t code = NextCodePoint(&from, text.data + text.size);
      at = PutCodePoint(kUpper ? UpperCodePoint(code) : LowerCodePoint(code), at);
    }
    const auto size = static_cast<std::size_t>(at - to);
    call.arena().Trim(room - size);
    out[i] = {to, size};
    return size <= limit;
  });
}

void Reverse(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t limit = call.aux<SizeLimit>().bytes;
  const Argument<TextRef> a(call, 0);
  auto* out = call.result<TextRef>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    const TextRef text = a[i];
    if (text.size > limit) return false;
    char* to = call.arena().Allocate(text.size);
    std::size_t end = text.size;
    for (std::size_t at = 0; at < text.size;) {
      const std::size_t size =
          std::min(CodePointBytes(static_cast<unsigned char>(text.data[at])), text.size - at);
      end -= size;
      std::memcpy(to + end, text.data + at, size);
      at += size;
    }
    out[i] = {to, text.size};
    return true;
  });
}

// concat(a, b, ...) skips nulls; a || b gives null with any.
template <bool kSkipNulls>
void Concatenate(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t limit = call.aux<SizeLimit>().bytes;
  auto* out = call.result<TextRef>();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words() && !call.arena().exhausted(); ++w) {
    uint64_t rows = call.active_word(w);
    if (!kSkipNulls) {
      for (std::size_t k = 0; k < call.argument_count(); ++k) rows &= call.valid_word(k, w);
    }
    uint64_t good = rows;
    ForEachSetBit(rows, [&](std::size_t j) {
      const std::size_t i = 64 * w + j;
      std::size_t size = 0;
      const auto piece = [&](std::size_t k) -> TextRef {
        if (kSkipNulls && ((call.valid_word(k, w) >> j) & 1U) == 0) return {nullptr, 0};
        return Argument<TextRef>(call, k)[i];
      };
      for (std::size_t k = 0; k < call.argument_count(); ++k)
        size += std::min(piece(k).size, limit + 1);
      if (size > limit) {
        good &= ~(uint64_t{1} << j);
        return;
      }
      char* to = call.arena().Allocate(size);
      char* at = to;
      for (std::size_t k = 0; k < call.argument_count(); ++k) {
        const TextRef text = piece(k);
        if (text.size != 0) std::memcpy(at, text.data, text.size);
        at += text.size;
      }
      out[i] = {to, size};
    });
    call.counts().overflow += std::popcount(rows & ~good);
    valid[w] = good;
  }
}

// substr(text, start, count): start counts characters from 1; negative starts count from the end.
template <bool kHasCount>
void Substring(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<int64_t> start(call, 1);
  const Argument<int64_t> count(call, kHasCount ? 2 : 1);
  auto* out = call.result<TextRef>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    const std::string_view text = View(a[i]);
    constexpr auto kMost = int64_t{1} << 62U;
    int64_t first = std::clamp(start[i], -kMost, kMost);
    if (first < 0) {
      first += CountCodePoints(text) + 1;
    }
    int64_t end = kMost;
    if (kHasCount) {
      const int64_t wanted = std::clamp(count[i], -kMost, kMost);
      end = first + wanted;
      if (wanted < 0) std::swap(first, end);
    }
    first = std::max<int64_t>(first, 1);
    if (end <= first) return out[i] = {text.data(), 0}, true;
    const std::size_t from = ByteOfCodePoint(text, first - 1);
    const std::size_t size = ByteOfCodePoint(text.substr(from), end - first);
    out[i] = Ref(text.substr(from, size));
    return true;
  });
}

// left(text, n), right(text, n); negative n: all but that many.
template <bool kLeft>
void Side(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<int64_t> count(call, 1);
  auto* out = call.result<TextRef>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    const std::string_view text = View(a[i]);
    int64_t n = count[i];
    if (n < 0 || !kLeft) {
      const int64_t all = CountCodePoints(text);
      n = n < 0 ? std::max<int64_t>(0, n < -all ? 0 : all + n) : std::min(n, all);
      if (!kLeft) n = all - n;
    }
    const std::size_t at = ByteOfCodePoint(text, n);
    out[i] = Ref(kLeft ? text.substr(0, at) : text.substr(at));
    return true;
  });
}

void Replace(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const std::size_t limit = call.aux<SizeLimit>().bytes;
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> from(call, 1);
  const Argument<TextRef> to(call, 2);
  auto* out = call.result<TextRef>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    const std::string_view text = View(a[i]);
    const std::string_view old = View(from[i]);
    const std::string_view fresh = View(to[i]);
    std::size_t hits = 0;
    if (!old.empty()) {
      for (std::size_t at = FindText(text, old); at != std::string_view::npos;
           at = FindText(text, old, at + old.size()))
        ++hits;
    }
    if (hits == 0) return out[i] = a[i], true;
    const std::size_t kept = text.size() - hits * old.size();
    if (kept > limit || (!fresh.empty() && hits > (limit - kept) / fresh.size())) return false;
    const std::size_t size = kept + hits * fresh.size();
    char* result = call.arena().Allocate(size);
    char* put = result;
    std::size_t done = 0;
    for (std::size_t at = FindText(text, old); at != std::string_view::npos;
         at = FindText(text, old, done)) {
      put = std::copy(text.begin() + static_cast<std::ptrdiff_t>(done),
                      text.begin() + static_cast<std::ptrdiff_t>(at), put);
      put = std::copy(fresh.begin(), fresh.end(), put);
      done = at + old.size();
    }
    std::copy(text.begin() + static_cast<std::ptrdiff_t>(done), text.end(), put);
    out[i] = {result, size};
    return true;
  });
}

// Part `index` from 1, negative from the end; empty when there is none. An empty separator leaves the text whole.
std::string_view SplitPart(std::string_view text, std::string_view separator, int64_t index) {
  const std::string_view none = text.substr(0, 0);
  if (index == 0) return none;
  if (separator.empty()) {  // every character is a part
    if (index < 0) index += CountCodePoints(text) + 1;
    if (index <= 0) return none;
    const std::string_view rest = text.substr(ByteOfCodePoint(text, index - 1));
    return rest.substr(0, ByteOfCodePoint(rest, 1));
  }
  if (index < 0) {
    int64_t parts = 1;
    for (std::size_t at = FindText(text, separator); at != std::string_view::npos;
         at = FindText(text, separator, at + separator.size()))
      ++parts;
    if (index < -parts) return none;
    index += parts + 1;
  }
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = FindText(text, separator, begin);
    if (--index == 0) return text.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (end == std::string_view::npos) return none;
    begin = end + separator.size();
  }
}

void SplitParts(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> separator(call, 1);
  const Argument<int64_t> index(call, 2);
  auto* out = call.result<TextRef>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    out[i] = Ref(SplitPart(View(a[i]), View(separator[i]), index[i]));
    return true;
  });
}

}  // namespace

void AddText(BuiltinTable* table) {
  const auto add = [table](std::string_view name, std::vector<DataType> parameters, TypeId result,
                           Kernel kernel) {
    table->Add({.name = name,
                .parameters = std::move(parameters),
                .result = result,
                .kernel = kernel,
                .flags = kCostly});
  };
  add("length", {kText}, kInt, Measure<int64_t, Characters>);
  add("octet_length", {kText}, kInt, Measure<int64_t, ByteCount>);
  add("octet_length", {TypeId::kBytes}, kInt, Measure<int64_t, ByteCount>);
  add("trim", {kText}, kText, Cut<Trim>);
  add("ltrim", {kText}, kText, Cut<LeftTrim>);
  add("rtrim", {kText}, kText, Cut<RightTrim>);
  add("substr", {kText, kInt}, kText, Substring<false>);
  add("substr", {kText, kInt, kInt}, kText, Substring<true>);
  add("substring", {kText, kInt}, kText, Substring<false>);
  add("substring", {kText, kInt, kInt}, kText, Substring<true>);
  add("left", {kText, kInt}, kText, Side<true>);
  add("right", {kText, kInt}, kText, Side<false>);
  add("split_part", {kText, kText, kInt}, kText, SplitParts);
  constexpr uint8_t kGrows = kCostly | kFallible;
  const auto add_limited = [table](std::string_view name, Kernel kernel) {
    table->Add({.name = name,
                .parameters = {kText},
                .result = kText,
                .kernel = kernel,
                .flags = kGrows,
                .prepare = PrepareLimit});
  };
  add_limited("lower", ChangeCase<false>);
  add_limited("upper", ChangeCase<true>);
  add_limited("reverse", Reverse);
  table->Add({.name = "replace",
              .parameters = {kText, kText, kText},
              .result = kText,
              .kernel = Replace,
              .flags = kGrows,
              .prepare = PrepareLimit});
  table->Add({.name = "concat",
              .parameters = {kText},
              .result = kText,
              .kernel = Concatenate<true>,
              .flags = kGrows,
              .variadic = true,
              .prepare = PrepareLimit});
  table->Add({.name = "concat_op",
              .parameters = {kText, kText},
              .result = kText,
              .kernel = Concatenate<false>,
              .flags = kGrows,
              .prepare = PrepareLimit});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
