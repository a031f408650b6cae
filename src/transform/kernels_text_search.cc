// Searching text: prefixes, like, regular expressions, edit distance.
#include <algorithm>
#include <cstring>
#include <string>

#include "transform/builtin.h"
#include "transform/loops.h"
#include "transform/utf8.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kText = TypeId::kString;
constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kBool = TypeId::kBool;

std::string_view View(TextRef text) { return {text.data, text.size}; }

template <class Op>
void TestPair(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  auto* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t found = 0;
    ForEachSetBit(call.valid_word(0, w) & call.valid_word(1, w) & call.active_word(w), [&](std::size_t j) {
      found |= static_cast<uint64_t>(Op::Do(View(a[64 * w + j]), View(b[64 * w + j]))) << j;
    });
    out[w] = found;
  }
  call.ValidLike(0, 1);
}

struct StartsWith {
  static bool Do(std::string_view text, std::string_view part) { return text.substr(0, part.size()) == part; }
};
struct EndsWith {
  static bool Do(std::string_view text, std::string_view part) {
    return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
  }
};
struct Contains {
  static bool Do(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
};

// Character position from 1; 0 when absent.
void Position(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  const Argument<TextRef> b(call, 1);
  auto* out = call.result<int64_t>();
  ForValidRows(call, nullptr, [&](std::size_t i) {
    const std::size_t at = View(a[i]).find(View(b[i]));
    out[i] = at == std::string_view::npos ? 0 : CountCodePoints(View(a[i]).substr(0, at)) + 1;
    return true;
  });
}

}  // namespace

void AddTextSearch(BuiltinTable* table) {
  const auto add = [table](std::string_view name, std::vector<DataType> parameters, TypeId result, Kernel kernel) {
    table->Add({.name = name, .parameters = std::move(parameters), .result = result, .kernel = kernel, .flags = kCostly});
  };
  add("starts_with", {kText, kText}, kBool, TestPair<StartsWith>);
  add("ends_with", {kText, kText}, kBool, TestPair<EndsWith>);
  add("contains", {kText, kText}, kBool, TestPair<Contains>);
  add("strpos", {kText, kText}, kInt, Position);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
