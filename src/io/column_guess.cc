#include "io/column_guess.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::array<std::string_view, 8> kKnownNulls = {"NA",   "N/A", "NULL", "null",
                                                         "None", "NaN", "nan",  "\\N"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

unsigned ColumnGuess::KindsOf(std::string_view text) {
  if (EqualsIgnoreCase(text, "true") || EqualsIgnoreCase(text, "false")) return kBool;
  const std::size_t first = text[0] == '-' ? 1 : 0;
  if (first >= text.size() || !(IsDigit(text[first]) || text[first] == '.')) return 0;
  if (text.size() > first + 1 && text[first] == '0' && IsDigit(text[first + 1])) {
    // A year such as 0012-01-01 begins so too; a code such as 00501 stays text.
    if (ParseDate(text).ok()) return kDate | kTime;
    return ParseTimestamp(text).ok() ? kTime : 0U;
  }
  const bool plain =
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(first), text.end(), IsDigit);
  if (plain) return ParseValue(text, TypeId::kInt64).ok() ? kInteger | kNumber : 0U;
  if (ParseValue(text, TypeId::kFloat64).ok()) return kNumber;
  if (ParseDate(text).ok()) return kDate | kTime;
  return ParseTimestamp(text).ok() ? kTime : 0U;
}

void ColumnGuess::See(std::string_view text) {
  if (text.empty()) return;
  const auto* word = std::find(kKnownNulls.begin(), kKnownNulls.end(), text);
  if (word != kKnownNulls.end()) {
    null_words_.insert(*word);
    return;
  }
  any_ = true;
  if (kinds_ != 0) kinds_ &= KindsOf(text);
}

TypeId ColumnGuess::type() const {
  if (is_text()) return TypeId::kString;
  if ((kinds_ & kBool) != 0) return TypeId::kBool;
  if ((kinds_ & kInteger) != 0) return TypeId::kInt64;
  if ((kinds_ & kNumber) != 0) return TypeId::kFloat64;
  return (kinds_ & kDate) != 0 ? TypeId::kDate : TypeId::kTimestamp;
}

}  // namespace larder::inline LARDER_ABI
