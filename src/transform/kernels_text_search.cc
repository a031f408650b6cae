// Searching text: prefixes, like, regular expressions, edit distance.
#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "transform/builtin.h"
#include "transform/find_text.h"
#include "transform/loops.h"
#include "transform/utf8.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kText = TypeId::kString;
constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kBool = TypeId::kBool;

std::string_view View(TextRef text) { return {text.data, text.size}; }

// Bits: out = test(row) where both arguments are valid.
template <class Test>
void TestRows(const Call& call, uint64_t (*rows_of)(const Call&, std::size_t), Test test) {
  auto* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t found = 0;
    ForEachSetBit(rows_of(call, w) & call.active_word(w),
                  [&](std::size_t j) { found |= static_cast<uint64_t>(test(64 * w + j)) << j; });
    out[w] = found;
  }
}
uint64_t BothValid(const Call& call, std::size_t w) {
  return call.valid_word(0, w) & call.valid_word(1, w);
}
uint64_t FirstValid(const Call& call, std::size_t w) { return call.valid_word(0, w); }

template <class Op>
void TestPair(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  TestRows(call, BothValid, [&](std::size_t i) { return Op::Do(View(a[i]), View(b[i])); });
  call.ValidLike(0, 1);
}

struct StartsWith {
  static bool Do(std::string_view text, std::string_view part) {
    return text.substr(0, part.size()) == part;
  }
};
struct EndsWith {
  static bool Do(std::string_view text, std::string_view part) {
    return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
  }
};
struct Contains {
  static bool Do(std::string_view text, std::string_view part) {
    return FindText(text, part) != std::string_view::npos;
  }
};

// % is any run of characters, _ one character. Greedy with one point of return: text length x pattern length at worst.
template <bool kIgnoreCase>
struct Like {
  static bool Do(std::string_view text, std::string_view pattern) {
    const char* at = text.data();
    const char* const end = at + text.size();
    const char* p = pattern.data();
    const char* const pattern_end = p + pattern.size();
    const char* retry_pattern = nullptr;
    const char* retry_text = nullptr;
    while (at < end) {
      if (p < pattern_end && *p == '%') {
        retry_pattern = ++p;
        retry_text = at;
        continue;
      }
      if (p < pattern_end) {
        const char* next_p = p;
        const char* next = at;
        uint32_t wanted = NextCodePoint(&next_p, pattern_end);
        uint32_t found = NextCodePoint(&next, end);
        if (kIgnoreCase) {
          wanted = LowerCodePoint(wanted);
          found = LowerCodePoint(found);
        }
        if (*p == '_' || wanted == found) {
          p = next_p;
          at = next;
          continue;
        }
      }
      if (retry_pattern == nullptr) return false;
      p = retry_pattern;
      NextCodePoint(&retry_text, end);
      at = retry_text;
    }
    while (p < pattern_end && *p == '%') ++p;
    return p == pattern_end;
  }
};

constexpr std::size_t kMostSteps = std::size_t{1} << 26U;

// A text and a pattern whose bytes multiply to more than 2^26 give null, counted.
template <bool kIgnoreCase>
void LikeRows(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  auto* out = call.result<uint64_t>();
  std::fill_n(out, call.words(), uint64_t{0});
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    if (b[i].size != 0 && a[i].size > kMostSteps / b[i].size) return false;
    out[i / 64] |= uint64_t{Like<kIgnoreCase>::Do(View(a[i]), View(b[i]))} << (i % 64);
    return true;
  });
}

absl::StatusOr<Prepared> PrepareLike(const PrepareContext& context) {
  const Constant* pattern = context.arguments[1].constant;
  if (pattern != nullptr && pattern->text.size() > context.limits->pattern_bytes) {
    return InvalidArgumentError("the pattern is ", pattern->text.size(),
                                " bytes long, the limit is ", context.limits->pattern_bytes);
  }
  return Prepared{};
}

// Character position from 1; 0 when absent.
void Position(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  auto* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    const std::size_t at = FindText(View(a[i]), View(b[i]));
    out[i] = at == std::string_view::npos ? 0 : CountCodePoints(View(a[i]).substr(0, at)) + 1;
    return true;
  });
}

// --- regular expressions (RE2: linear time) --------------------------------------------------------------------------
constexpr int kMostGroups = 32;  // that regexp_extract has places for, the whole match among them

struct Regex {
  std::unique_ptr<RE2> re;
  int group = 0;
};

absl::StatusOr<Prepared> PrepareRegex(const PrepareContext& context) {
  const Constant* pattern = context.arguments[1].constant;
  if (pattern == nullptr || !pattern->valid)
    return InvalidArgumentError("the pattern must be a text constant");
  if (pattern->text.size() > context.limits->pattern_bytes) {
    return InvalidArgumentError("the pattern is ", pattern->text.size(),
                                " bytes long, the limit is ", context.limits->pattern_bytes);
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto regex = std::make_shared<Regex>();
  regex->re = std::make_unique<RE2>(pattern->text, options);
  if (!regex->re->ok()) return InvalidArgumentError("bad pattern: ", regex->re->error());
  if (context.arguments.size() == 3) {
    const Constant* group = context.arguments[2].constant;
    if (group == nullptr || !group->valid || group->i64 < 0 ||
        group->i64 > regex->re->NumberOfCapturingGroups()) {
      return InvalidArgumentError("the group must be a constant from 0 to ",
                                  regex->re->NumberOfCapturingGroups());
    }
    if (group->i64 >= kMostGroups)
      return InvalidArgumentError("the group must be below ", kMostGroups);
    regex->group = static_cast<int>(group->i64);
  }
  Prepared prepared;
  prepared.aux_key = Concat(regex->group, " ", pattern->text);
  prepared.aux = std::move(regex);
  prepared.run_arguments = 1;
  return prepared;
}

template <RE2::Anchor kAnchor>
void RegexMatches(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const RE2& re = *call.aux<Regex>().re;
  const Argument<TextRef> a(call, 0);
  TestRows(call, FirstValid, [&](std::size_t i) {
    const re2::StringPiece text(a[i].data, a[i].size);
    return re.Match(text, 0, text.size(), kAnchor, nullptr, 0);
  });
  call.ValidLike(0);
}

// The group's text, empty when the pattern does not match.
void RegexExtract(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& regex = call.aux<Regex>();
  const Argument<TextRef> a(call, 0);
  auto* out = call.result<TextRef>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    const re2::StringPiece text(a[i].data, a[i].size);
    re2::StringPiece groups[kMostGroups];
    const bool found =
        regex.re->Match(text, 0, text.size(), RE2::UNANCHORED, groups, regex.group + 1);
    out[i] = found && groups[regex.group].data() != nullptr
                 ? TextRef{groups[regex.group].data(), groups[regex.group].size()}
                 : TextRef{a[i].data, 0};
    return true;
  });
}

// --- edit distance -------------------------------------------------------------------------------------------------
constexpr std::size_t kMostCells = std::size_t{1} << 24U;

// Characters inserted, deleted or exchanged. Two texts whose lengths multiply to more than 2^24 give null, counted.
void Levenshtein(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  auto* out = call.result<int64_t>();
  ForValidRows(call, &call.counts().overflow, [&](std::size_t i) {
    const auto rows = static_cast<std::size_t>(CountCodePoints(View(a[i])));
    const auto columns = static_cast<std::size_t>(CountCodePoints(View(b[i])));
    if (rows != 0 && columns > kMostCells / rows) return false;
    const std::size_t bytes = (columns + 1) * 2 * sizeof(uint32_t) + alignof(uint32_t);
    char* memory = call.arena().Allocate(bytes);
    const std::size_t skew = reinterpret_cast<uintptr_t>(memory) % alignof(uint32_t);
    auto* distance =
        reinterpret_cast<uint32_t*>(memory + (skew == 0 ? 0 : alignof(uint32_t) - skew));
    uint32_t* other = distance + columns + 1;  // b's code points
    const char* from = b[i].data;
    const char* const b_end = from + b[i].size;
    for (std::size_t k = 0; k < columns; ++k) other[k] = NextCodePoint(&from, b_end);
    for (std::size_t k = 0; k <= columns; ++k) distance[k] = static_cast<uint32_t>(k);
    const char* at = a[i].data;
    const char* const a_end = at + a[i].size;
    for (uint32_t row = 1; at < a_end; ++row) {
      const uint32_t code = NextCodePoint(&at, a_end);
      uint32_t diagonal = distance[0];
      distance[0] = row;
      for (std::size_t k = 1; k <= columns; ++k) {
        const uint32_t above = distance[k];
        distance[k] = std::min({above + 1, distance[k - 1] + 1, diagonal + (other[k - 1] != code)});
        diagonal = above;
      }
    }
    out[i] = distance[columns];
    call.arena().Trim(bytes);
    return true;
  });
}

}  // namespace

void AddTextSearch(BuiltinTable* table) {
  const auto add = [table](std::string_view name, std::vector<DataType> parameters, TypeId result,
                           Kernel kernel, PrepareFunction prepare = nullptr) {
    table->Add({.name = name,
                .parameters = std::move(parameters),
                .result = result,
                .kernel = kernel,
                .flags = kCostly,
                .prepare = prepare});
  };
  add("starts_with", {kText, kText}, kBool, TestPair<StartsWith>);
  add("ends_with", {kText, kText}, kBool, TestPair<EndsWith>);
  add("contains", {kText, kText}, kBool, TestPair<Contains>);
  for (const bool ignore_case : {false, true}) {
    table->Add({.name = ignore_case ? "ilike" : "like",
                .parameters = {kText, kText},
                .result = kBool,
                .kernel = ignore_case ? LikeRows<true> : LikeRows<false>,
                .flags = kCostly | kFallible,
                .prepare = PrepareLike});
  }
  add("strpos", {kText, kText}, kInt, Position);
  add("regexp_matches", {kText, kText}, kBool, RegexMatches<RE2::UNANCHORED>, PrepareRegex);
  add("regexp_full_match", {kText, kText}, kBool, RegexMatches<RE2::ANCHOR_BOTH>, PrepareRegex);
  add("regexp_extract", {kText, kText}, kText, RegexExtract, PrepareRegex);
  add("regexp_extract", {kText, kText, kInt}, kText, RegexExtract, PrepareRegex);
  table->Add({.name = "levenshtein",
              .parameters = {kText, kText},
              .result = kInt,
              .kernel = Levenshtein,
              .flags = kCostly | kFallible});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
