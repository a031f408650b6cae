// Conversions between types. Strict ones count what they cannot convert, lenient ones (try_cast) do not.
#include <charconv>
#include <cstring>
#include <limits>
#include <string>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/builtin.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

// --- number to number: Do(a, &out) says whether the value fits ---------------------------------------------------
struct FloatToInt64 {
  static bool Do(double a, int64_t* out) {
    const double r = ieee::RoundEven(a);
    const bool fits = r >= -kTwo63 && r < kTwo63;
    *out = static_cast<int64_t>(fits ? r : 0.0);
    return fits;
  }
};
struct FloatToUint64 {
  static bool Do(double a, uint64_t* out) {
    const double r = ieee::RoundEven(a);
    const bool fits = r >= 0.0 && r < kTwo64;
    *out = static_cast<uint64_t>(fits ? r : 0.0);
    return fits;
  }
};
struct Int64ToInt32 {
  static bool Do(int64_t a, int64_t* out) {
    *out = a;
    return a == static_cast<int32_t>(a);
  }
};
struct FloatToInt32 {
  static bool Do(double a, int64_t* out) {
    return FloatToInt64::Do(a, out) && Int64ToInt32::Do(*out, out);
  }
};
struct Uint64ToInt64 {
  static bool Do(uint64_t a, int64_t* out) {
    *out = static_cast<int64_t>(a);
    return a <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }
};
struct Uint64ToInt32 {
  static bool Do(uint64_t a, int64_t* out) {
    return Uint64ToInt64::Do(a, out) && Int64ToInt32::Do(*out, out);
  }
};
struct Int64ToUint64 {
  static bool Do(int64_t a, uint64_t* out) {
    *out = static_cast<uint64_t>(a);
    return a >= 0;
  }
};
// A finite value that rounds to an infinite float32 does not fit.
struct FloatToFloat32 {
  static bool Do(double a, double* out) {
    *out = static_cast<double>(static_cast<float>(a));
    return ieee::IsFinite(*out) || !ieee::IsFinite(a);
  }
};
struct Int64ToFloat {
  static double Do(int64_t a) { return static_cast<double>(a); }
};
struct Uint64ToFloat {
  static double Do(uint64_t a) { return static_cast<double>(a); }
};
struct Int64ToFloat32 {
  static double Do(int64_t a) { return static_cast<double>(static_cast<float>(a)); }
};
struct Uint64ToFloat32 {
  static double Do(uint64_t a) { return static_cast<double>(static_cast<float>(a)); }
};
struct DateToTimestamp {
  static bool Do(int64_t days, int64_t* out) {
    return !__builtin_mul_overflow(days, kMicrosPerDay, out);
  }
};
struct TimestampToDate {  // the UTC day; every int64 of microseconds has an int32 day
  static int64_t Do(int64_t us) { return us / kMicrosPerDay - (us % kMicrosPerDay < 0); }
};

template <class A, class R, class Op, bool kLenient, int64_t EvalCounts::*kCause = &EvalCounts::bad_cast>
void CheckedCast(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<A> a(call, 0);
  R* LARDER_RESTRICT out = call.result<R>();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t bad = 0;
    for (std::size_t j = 0; j < call.rows_in_word(w); ++j) {
      const std::size_t i = 64 * w + j;
      bad |= static_cast<uint64_t>(!Op::Do(a[i], &out[i])) << j;
    }
    valid[w] = kLenient ? call.valid_word(0, w) & ~bad
                        : call.Reject(w, call.valid_word(0, w), bad, &(call.counts().*kCause));
  }
}

template <class A>
void NumberToBits(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<A> a(call, 0);
  uint64_t* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    out[w] = PackPredicate(call.rows_in_word(w), [&](std::size_t j) { return a[64 * w + j] != 0; });
  }
  call.ValidLike(0);
}

template <class R>
void BitsToNumber(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  R* out = call.result<R>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = static_cast<R>((a[i / 64] >> (i % 64)) & 1U);
  call.ValidLike(0);
}

// --- text to value -------------------------------------------------------------------------------------------------
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

// --- value to text -------------------------------------------------------------------------------------------------
// Write(value, buffer) gives the end of the text written into 64 bytes.
template <class A, class Writer>
void ToText(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<A> a(call, 0);
  auto* out = call.result<TextRef>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = {nullptr, 0};
  ForValidRows(call, nullptr, [&](std::size_t i) {
    char* buffer = call.arena().Allocate(64);
    const char* end = Writer::Write(a[i], buffer);
    const auto size = static_cast<std::size_t>(end - buffer);
    call.arena().Trim(64 - size);
    out[i] = {buffer, size};
    return true;
  });
}
char* Put(std::string_view text, char* buffer) {
  std::memcpy(buffer, text.data(), text.size());
  return buffer + text.size();
}
struct WriteInteger {
  template <class T>
  static const char* Write(T value, char* buffer) {
    return std::to_chars(buffer, buffer + 64, value).ptr;
  }
};
struct WriteFloat {
  static const char* Write(double value, char* buffer) {
    if (ieee::IsNan(value)) return Put("NaN", buffer);
    if (!ieee::IsFinite(value)) return Put(value > 0 ? "Infinity" : "-Infinity", buffer);
    return std::to_chars(buffer, buffer + 64, value).ptr;
  }
};
struct WriteFloat32 {
  static const char* Write(double value, char* buffer) {
    if (!ieee::IsFinite(value)) return WriteFloat::Write(value, buffer);
    return std::to_chars(buffer, buffer + 64, static_cast<float>(value)).ptr;
  }
};
struct WriteDate {
  static const char* Write(int64_t days, char* buffer) {
    return Put(FormatDate({static_cast<int32_t>(days)}), buffer);
  }
};
struct WriteTimestamp {
  static const char* Write(int64_t us, char* buffer) { return Put(FormatTimestamp({us}), buffer); }
};
struct WriteDuration {
  static const char* Write(int64_t us, char* buffer) { return Put(FormatDuration({us}), buffer); }
};
void BitsToText(const Instruction& instruction, Frame& frame) {
  static constexpr std::string_view kTrue = "true";
  static constexpr std::string_view kFalse = "false";
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  auto* out = call.result<TextRef>();
  for (std::size_t i = 0; i < call.n(); ++i) {
    const std::string_view text = ((a[i / 64] >> (i % 64)) & 1U) != 0 ? kTrue : kFalse;
    out[i] = {text.data(), text.size()};
  }
  call.ValidLike(0);
}

// --- the table -----------------------------------------------------------------------------------------------------
CastKernel Free() { return {nullptr, true, false, false}; }
CastKernel Safe(Kernel kernel) { return {kernel, true, false, false}; }
CastKernel Costly(Kernel kernel) { return {kernel, true, false, true}; }
template <class A, class R, class Op, int64_t EvalCounts::*kCause = &EvalCounts::bad_cast>
CastKernel Checked(bool lenient) {
  return {lenient ? CheckedCast<A, R, Op, true> : CheckedCast<A, R, Op, false, kCause>, true,
          !lenient, false};
}
template <class R, class Op>
CastKernel FromText(bool lenient) {
  return {lenient ? TextCast<R, Op, true> : TextCast<R, Op, false>, true, !lenient, true};
}

CastKernel CastFromInt(TypeId from, TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return Safe(NumberToBits<int64_t>);
    case TypeId::kInt32:
      return Checked<int64_t, int64_t, Int64ToInt32>(lenient);
    case TypeId::kInt64:
      return Free();
    case TypeId::kUint64:
      return Checked<int64_t, uint64_t, Int64ToUint64>(lenient);
    case TypeId::kFloat32:
      return Safe(UnaryLoop<int64_t, double, Int64ToFloat32>);
    case TypeId::kFloat64:
      return Safe(UnaryLoop<int64_t, double, Int64ToFloat>);
    case TypeId::kString:
      return Costly(ToText<int64_t, WriteInteger>);
    default:
      static_cast<void>(from);
      return {};
  }
}

CastKernel CastFromUint(TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return Safe(NumberToBits<uint64_t>);
    case TypeId::kInt32:
      return Checked<uint64_t, int64_t, Uint64ToInt32>(lenient);
    case TypeId::kInt64:
      return Checked<uint64_t, int64_t, Uint64ToInt64>(lenient);
    case TypeId::kFloat32:
      return Safe(UnaryLoop<uint64_t, double, Uint64ToFloat32>);
    case TypeId::kFloat64:
      return Safe(UnaryLoop<uint64_t, double, Uint64ToFloat>);
    case TypeId::kString:
      return Costly(ToText<uint64_t, WriteInteger>);
    default:
      return {};
  }
}

CastKernel CastFromFloat(TypeId from, TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return Safe(NumberToBits<double>);
    case TypeId::kInt32:
      return Checked<double, int64_t, FloatToInt32>(lenient);
    case TypeId::kInt64:
      return Checked<double, int64_t, FloatToInt64>(lenient);
    case TypeId::kUint64:
      return Checked<double, uint64_t, FloatToUint64>(lenient);
    case TypeId::kFloat32:
      return Checked<double, double, FloatToFloat32>(lenient);
    case TypeId::kFloat64:
      return Free();
    case TypeId::kString:
      return Costly(from == TypeId::kFloat32 ? ToText<double, WriteFloat32>
                                             : ToText<double, WriteFloat>);
    default:
      return {};
  }
}

CastKernel CastFromBool(TypeId to) {
  switch (to) {
    case TypeId::kInt32:
    case TypeId::kInt64:
      return Safe(BitsToNumber<int64_t>);
    case TypeId::kUint64:
      return Safe(BitsToNumber<uint64_t>);
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return Safe(BitsToNumber<double>);
    case TypeId::kString:
      return Safe(BitsToText);
    default:
      return {};
  }
}

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
      return Free();
    default:
      return {};
  }
}

}  // namespace

CastKernel FindCast(TypeId from, TypeId to, bool lenient) {
  if (from == to) return Free();
  switch (from) {
    case TypeId::kBool:
      return CastFromBool(to);
    case TypeId::kInt32:
    case TypeId::kInt64:
      return CastFromInt(from, to, lenient);
    case TypeId::kUint64:
      return CastFromUint(to, lenient);
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return CastFromFloat(from, to, lenient);
    case TypeId::kString:
      return CastFromText(to, lenient);
    case TypeId::kDate:
      if (to == TypeId::kTimestamp)
        return Checked<int64_t, int64_t, DateToTimestamp, &EvalCounts::overflow>(lenient);
      if (to == TypeId::kString) return Costly(ToText<int64_t, WriteDate>);
      return {};
    case TypeId::kTimestamp:
      if (to == TypeId::kDate) return Safe(UnaryLoop<int64_t, int64_t, TimestampToDate>);
      if (to == TypeId::kString) return Costly(ToText<int64_t, WriteTimestamp>);
      return {};
    case TypeId::kDuration:
      if (to == TypeId::kString) return Costly(ToText<int64_t, WriteDuration>);
      return {};
    default:
      return {};
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
