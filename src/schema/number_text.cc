#include "schema/number_text.h"

#include <charconv>
#include <limits>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A number as written: digits with the place of the point, the exponent apart.
struct DecimalText {
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;
  bool plain = true;  // neither point nor exponent
};

std::string_view TakeDigits(std::string_view* text) {
  std::size_t count = 0;
  while (count < text->size() && IsDigit((*text)[count])) ++count;
  const std::string_view digits = text->substr(0, count);
  text->remove_prefix(count);
  return digits;
}

// `text` without its sign.
bool SplitDecimal(std::string_view text, DecimalText* out) {
  out->whole = TakeDigits(&text);
  if (!text.empty() && text[0] == '.') {
    out->plain = false;
    text.remove_prefix(1);
    out->fraction = TakeDigits(&text);
  }
  if (out->whole.empty() && out->fraction.empty()) return false;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    out->plain = false;
    text.remove_prefix(1);
    const bool minus = !text.empty() && text[0] == '-';
    if (minus || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
    const std::string_view digits = TakeDigits(&text);
    if (digits.empty()) return false;
    // Beyond any text's length the exact exponent no longer matters.
    constexpr int64_t kFar = int64_t{1} << 40;
    for (const char c : digits) {
      if (out->exponent < kFar) out->exponent = out->exponent * 10 + (c - '0');
    }
    if (minus) out->exponent = -out->exponent;
  }
  return text.empty();
}

// Removes a sign; two signs are left for the digits to refuse.
bool TakeSign(std::string_view* text) {
  const bool negative = !text->empty() && (*text)[0] == '-';
  if (negative || (!text->empty() && (*text)[0] == '+')) text->remove_prefix(1);
  return negative;
}

// Whether the number is at least 1: tells overflow from underflow once it is known to be one of
// them.
bool IsLarge(const DecimalText& number) {
  const auto whole_size = static_cast<int64_t>(number.whole.size());
  int64_t place = 0;  // of the digit looked at: 0 is the first after the point
  for (std::size_t i = 0; i < number.whole.size() + number.fraction.size(); ++i) {
    const char c =
        i < number.whole.size() ? number.whole[i] : number.fraction[i - number.whole.size()];
    place = static_cast<int64_t>(i) - whole_size;
    if (c != '0') return place < number.exponent;
  }
  return false;
}

}  // namespace

IntegerText ReadInteger(std::string_view text) {
  IntegerText result;
  result.negative = TakeSign(&text);
  DecimalText number;
  if (!SplitDecimal(text, &number)) {
    result.problem = NumberProblem::kNotANumber;
    return result;
  }
  result.decimal = !number.plain;
  const auto whole_size = static_cast<int64_t>(number.whole.size());
  const auto digit_count = whole_size + static_cast<int64_t>(number.fraction.size());
  bool not_whole = false;
  bool too_large = false;
  for (int64_t i = 0; i < digit_count; ++i) {
    const char c = i < whole_size ? number.whole[static_cast<std::size_t>(i)]
                                  : number.fraction[static_cast<std::size_t>(i - whole_size)];
    if (i - whole_size - number.exponent >= 0) {
      not_whole = not_whole || c != '0';
    } else {
      const auto digit = static_cast<uint64_t>(c - '0');
      too_large = too_large ||
                  __builtin_mul_overflow(result.magnitude, uint64_t{10}, &result.magnitude) ||
                  __builtin_add_overflow(result.magnitude, digit, &result.magnitude);
    }
  }
  // Zeros the exponent adds behind the last digit.
  for (int64_t i = digit_count;
       i - whole_size < number.exponent && result.magnitude != 0 && !too_large; ++i) {
    too_large = __builtin_mul_overflow(result.magnitude, uint64_t{10}, &result.magnitude);
  }
  if (not_whole) {
    result.problem = NumberProblem::kNotWhole;
  } else if (too_large) {
    result.problem = NumberProblem::kOutOfRange;
  }
  return result;
}

template <class Float>
NumberProblem ReadFloat(std::string_view text, Float* value) {
  const bool negative = TakeSign(&text);
  Float magnitude = 0;
  if (EqualsIgnoreCase(text, "nan")) {
    // One NaN, whatever the sign in front of it says.
    *value = std::numeric_limits<Float>::quiet_NaN();
    return NumberProblem::kNone;
  }
  if (EqualsIgnoreCase(text, "inf") || EqualsIgnoreCase(text, "infinity")) {
    magnitude = std::numeric_limits<Float>::infinity();
  } else {
    // from_chars would take a second sign and `nan(...)`.
    DecimalText number;
    if (text.empty() || !(IsDigit(text[0]) || text[0] == '.')) return NumberProblem::kNotANumber;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), magnitude);
    if (result.ec == std::errc::invalid_argument || result.ptr != text.data() + text.size()) {
      return NumberProblem::kNotANumber;
    }
    if (result.ec == std::errc::result_out_of_range ||
        magnitude == std::numeric_limits<Float>::infinity()) {
      if (!SplitDecimal(text, &number)) return NumberProblem::kNotANumber;
      if (IsLarge(number)) return NumberProblem::kOutOfRange;
      magnitude = 0;
    }
  }
  *value = negative ? -magnitude : magnitude;
  return NumberProblem::kNone;
}

template NumberProblem ReadFloat<float>(std::string_view, float*);
template NumberProblem ReadFloat<double>(std::string_view, double*);

bool FitInteger(bool negative, uint64_t magnitude, TypeId type, Value* value) {
  if (magnitude == 0) negative = false;
  if (type == TypeId::kUint64) {
    if (negative) return false;
    *value = magnitude;
    return true;
  }
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();
  if (type == TypeId::kInt32) {
    low = std::numeric_limits<int32_t>::min();
    high = std::numeric_limits<int32_t>::max();
  } else if (type == TypeId::kInt8) {
    low = std::numeric_limits<int8_t>::min();
    high = std::numeric_limits<int8_t>::max();
  }
  // The magnitude of the lowest is one more than that of the highest.
  if (magnitude > static_cast<uint64_t>(high) + (negative ? 1 : 0)) return false;
  const int64_t number = static_cast<int64_t>(negative ? uint64_t{0} - magnitude : magnitude);
  if (number < low) return false;
  if (type == TypeId::kInt64) {
    *value = number;
  } else {
    *value = static_cast<int32_t>(number);
  }
  return true;
}

std::string_view IntegerRangeText(TypeId type) {
  switch (type) {
    case TypeId::kInt8:
      return " [-128, 127]";
    case TypeId::kInt32:
      return " [-2147483648, 2147483647]";
    case TypeId::kInt64:
      return " [-9223372036854775808, 9223372036854775807]";
    case TypeId::kUint64:
      return " [0, 18446744073709551615]";
    default:
      return "";
  }
}

}  // namespace larder::inline LARDER_ABI
