// Text to values: what is not written as the type asks is null, and counted by the strict casts.
#include <charconv>
#include <limits>
#include <string_view>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/casts.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

std::string_view Trimmed(TextRef text) {
  std::string_view view = TrimAscii({text.data, text.size});
  if (view.size() > 1 && view[0] == '+' && view[1] != '-') view.remove_prefix(1);
  return view;
}

bool ReadFloat(std::string_view text, double* out) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

// A decimal number as written: its digits without the point, and the power of ten of each.
struct Decimal {
  std::string_view digits;  // with the point
  bool negative = false;
  int64_t before_point = 0;  // how many of the digits
  int64_t exponent = 0;
};

std::size_t CountDigits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  return count;
}

bool ReadDecimal(std::string_view text, Decimal* out) {
  out->negative = !text.empty() && text[0] == '-';
  if (out->negative) text.remove_prefix(1);
  std::size_t end = CountDigits(text);
  std::size_t count = end;
  out->before_point = static_cast<int64_t>(end);
  if (end < text.size() && text[end] == '.') {
    const std::size_t after = CountDigits(text.substr(end + 1));
    end += 1 + after;
    count += after;
  }
  if (count == 0) return false;
  out->digits = text.substr(0, end);
  text.remove_prefix(end);
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  const bool minus = !text.empty() && text[0] == '-';
  if (!text.empty() && (minus || text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || CountDigits(text) != text.size()) return false;
  constexpr int64_t kFarOut = 1'000'000'000'000;  // no text has as many digits
  for (const char digit : text)
    out->exponent = out->exponent < kFarOut ? out->exponent * 10 + (digit - '0') : kFarOut;
  if (minus) out->exponent = -out->exponent;
  return true;
}

// The magnitude when the number is whole and fits: 12, 12.0, 1e3, but never by way of a float.
bool WholeMagnitude(const Decimal& decimal, uint64_t* out) {
  uint64_t value = 0;
  int64_t zeros = 0;  // read since the last other digit
  int64_t power = decimal.before_point + decimal.exponent;
  int64_t last = 0;  // the power of ten of the last digit that is not 0
  for (const char digit : decimal.digits) {
    if (digit == '.') continue;
    --power;
    if (digit == '0') {
      ++zeros;
      continue;
    }
    if (power < 0) return false;
    for (; value != 0 && zeros >= 0; --zeros) {
      if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
    }
    if (__builtin_add_overflow(value, static_cast<uint64_t>(digit - '0'), &value)) return false;
    zeros = 0;
    last = power;
  }
  for (; value != 0 && last > 0; --last) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
  }
  *out = value;
  return true;
}

struct TextToInt64 {
  static bool Do(TextRef a, int64_t* out) {
    const std::string_view text = Trimmed(a);
    const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
    if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return true;
    Decimal decimal;
    uint64_t magnitude = 0;
    if (!ReadDecimal(text, &decimal) || !WholeMagnitude(decimal, &magnitude) ||
        magnitude > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + decimal.negative)
      return false;
    *out = static_cast<int64_t>(decimal.negative ? uint64_t{0} - magnitude : magnitude);
    return true;
  }
};
struct TextToInt32 {
  static bool Do(TextRef a, int64_t* out) {
    return TextToInt64::Do(a, out) && Int64ToInt32::Do(*out, out);
  }
};
struct TextToUint64 {
  static bool Do(TextRef a, uint64_t* out) {
    const std::string_view text = Trimmed(a);
    const auto result = std::from_chars(text.data(), text.data() + text.size(), *out);
    if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return true;
    Decimal decimal;
    return ReadDecimal(text, &decimal) && WholeMagnitude(decimal, out) &&
           (!decimal.negative || *out == 0);
  }
};
struct TextToFloat {
  static bool Do(TextRef a, double* out) { return ReadFloat(Trimmed(a), out); }
};
struct TextToFloat32 {
  static bool Do(TextRef a, double* out) {
    const std::string_view text = Trimmed(a);
    float narrow = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), narrow);
    *out = static_cast<double>(narrow);
    return result.ec == std::errc() && result.ptr == text.data() + text.size();
  }
};
struct TextToDate {
  static bool Do(TextRef a, int64_t* out) {
    const absl::StatusOr<Date> date = ParseDate(Trimmed(a));
    if (date.ok()) *out = date->days;
    return date.ok();
  }
};
struct TextToTimestamp {
  static bool Do(TextRef a, int64_t* out) {
    const absl::StatusOr<ParsedTimestamp> instant = ParseTimestamp(Trimmed(a));
    if (instant.ok()) *out = instant->value.us;
    return instant.ok();
  }
};
struct TextToDuration {
  static bool Do(TextRef a, int64_t* out) {
    const absl::StatusOr<Duration> span = ParseDuration(Trimmed(a));
    if (span.ok()) *out = span->us;
    return span.ok();
  }
};

template <class R, class Op, bool kLenient>
void TextCast(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  R* out = call.result<R>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = R{};
  ForValidRows(call, kLenient ? nullptr : &call.counts().bad_cast,
               [&](std::size_t i) { return Op::Do(a[i], &out[i]); });
}

template <bool kLenient>
void TextToBits(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<TextRef> a(call, 0);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) out[w] = 0;
  ForValidRows(call, kLenient ? nullptr : &call.counts().bad_cast, [&](std::size_t i) {
    const std::string_view text = Trimmed(a[i]);
    for (const std::string_view yes : {"true", "t", "yes", "y", "1"}) {
      if (EqualsIgnoreCase(text, yes)) return out[i / 64] |= uint64_t{1} << (i % 64), true;
    }
    for (const std::string_view no : {"false", "f", "no", "n", "0"}) {
      if (EqualsIgnoreCase(text, no)) return true;
    }
    return false;
  });
}

template <class R, class Op>
CastKernel FromText(bool lenient) {
  return {lenient ? TextCast<R, Op, true> : TextCast<R, Op, false>, true, !lenient, true};
}

}  // namespace

CastKernel CastFromText(TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return {lenient ? TextToBits<true> : TextToBits<false>, true, !lenient, true};
    case TypeId::kInt32:
      return FromText<int64_t, TextToInt32>(lenient);
    case TypeId::kInt64:
      return FromText<int64_t, TextToInt64>(lenient);
    case TypeId::kUint64:
      return FromText<uint64_t, TextToUint64>(lenient);
    case TypeId::kFloat32:
      return FromText<double, TextToFloat32>(lenient);
    case TypeId::kFloat64:
      return FromText<double, TextToFloat>(lenient);
    case TypeId::kDate:
      return FromText<int64_t, TextToDate>(lenient);
    case TypeId::kTimestamp:
      return FromText<int64_t, TextToTimestamp>(lenient);
    case TypeId::kDuration:
      return FromText<int64_t, TextToDuration>(lenient);
    case TypeId::kBytes:
      return FreeCast();
    default:
      return {};
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
