// Conversions between types. Strict ones count what they cannot convert, lenient ones (try_cast) do not.
#include <limits>

#include "larder/base/time.h"
#include "transform/casts.h"
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

// --- the table -----------------------------------------------------------------------------------------------------
template <class A, class R, class Op, int64_t EvalCounts::*kCause = &EvalCounts::bad_cast>
CastKernel Checked(bool lenient) {
  return {lenient ? CheckedCast<A, R, Op, true> : CheckedCast<A, R, Op, false, kCause>, true,
          !lenient, false};
}

CastKernel CastFromInt(TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return SafeCast(NumberToBits<int64_t>);
    case TypeId::kInt32:
      return Checked<int64_t, int64_t, Int64ToInt32>(lenient);
    case TypeId::kInt64:
      return FreeCast();
    case TypeId::kUint64:
      return Checked<int64_t, uint64_t, Int64ToUint64>(lenient);
    case TypeId::kFloat32:
      return SafeCast(UnaryLoop<int64_t, double, Int64ToFloat32>);
    case TypeId::kFloat64:
      return SafeCast(UnaryLoop<int64_t, double, Int64ToFloat>);
    default:
      return {};
  }
}

CastKernel CastFromUint(TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return SafeCast(NumberToBits<uint64_t>);
    case TypeId::kInt32:
      return Checked<uint64_t, int64_t, Uint64ToInt32>(lenient);
    case TypeId::kInt64:
      return Checked<uint64_t, int64_t, Uint64ToInt64>(lenient);
    case TypeId::kFloat32:
      return SafeCast(UnaryLoop<uint64_t, double, Uint64ToFloat32>);
    case TypeId::kFloat64:
      return SafeCast(UnaryLoop<uint64_t, double, Uint64ToFloat>);
    default:
      return {};
  }
}

CastKernel CastFromFloat(TypeId to, bool lenient) {
  switch (to) {
    case TypeId::kBool:
      return SafeCast(NumberToBits<double>);
    case TypeId::kInt32:
      return Checked<double, int64_t, FloatToInt32>(lenient);
    case TypeId::kInt64:
      return Checked<double, int64_t, FloatToInt64>(lenient);
    case TypeId::kUint64:
      return Checked<double, uint64_t, FloatToUint64>(lenient);
    case TypeId::kFloat32:
      return Checked<double, double, FloatToFloat32>(lenient);
    case TypeId::kFloat64:
      return FreeCast();
    default:
      return {};
  }
}

CastKernel CastFromBool(TypeId to) {
  switch (to) {
    case TypeId::kInt32:
    case TypeId::kInt64:
      return SafeCast(BitsToNumber<int64_t>);
    case TypeId::kUint64:
      return SafeCast(BitsToNumber<uint64_t>);
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return SafeCast(BitsToNumber<double>);
    default:
      return {};
  }
}

}  // namespace

CastKernel FindCast(TypeId from, TypeId to, bool lenient) {
  if (from == to) return FreeCast();
  if (to == TypeId::kString) return CastToText(from);
  switch (from) {
    case TypeId::kBool:
      return CastFromBool(to);
    case TypeId::kInt32:
    case TypeId::kInt64:
      return CastFromInt(to, lenient);
    case TypeId::kUint64:
      return CastFromUint(to, lenient);
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return CastFromFloat(to, lenient);
    case TypeId::kString:
      return CastFromText(to, lenient);
    case TypeId::kDate:
      if (to == TypeId::kTimestamp)
        return Checked<int64_t, int64_t, DateToTimestamp, &EvalCounts::overflow>(lenient);
      return {};
    case TypeId::kTimestamp:
      if (to == TypeId::kDate) return SafeCast(UnaryLoop<int64_t, int64_t, TimestampToDate>);
      return {};
    default:
      return {};
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
