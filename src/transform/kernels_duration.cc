// Sums, differences and multiples of dates, timestamps and durations, and their numbers since the epoch.
#include "larder/base/time.h"
#include "transform/builtin.h"
#include "transform/calendar.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

int64_t Wrap(uint64_t x) { return static_cast<int64_t>(x); }

struct DaysBetween {
  static int64_t Do(int64_t a, int64_t b) {
    return Wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }
};
struct AddDays {
  static bool Do(int64_t date, int64_t days, int64_t* out) {
    return !__builtin_add_overflow(date, days, out) && FitsDate(*out);
  }
};
struct DaysAdded {
  static bool Do(int64_t days, int64_t date, int64_t* out) { return AddDays::Do(date, days, out); }
};
struct SubtractDays {
  static bool Do(int64_t date, int64_t days, int64_t* out) {
    return !__builtin_sub_overflow(date, days, out) && FitsDate(*out);
  }
};
struct AddSpan {
  static bool Do(int64_t a, int64_t b, int64_t* out) { return !__builtin_add_overflow(a, b, out); }
};
struct SubtractSpan {
  static bool Do(int64_t a, int64_t b, int64_t* out) { return !__builtin_sub_overflow(a, b, out); }
};
struct DatePlusSpan {
  static bool Do(int64_t date, int64_t us, int64_t* out) {
    return !__builtin_mul_overflow(date, kMicrosPerDay, out) &&
           !__builtin_add_overflow(*out, us, out);
  }
};
struct SpanPlusDate {
  static bool Do(int64_t us, int64_t date, int64_t* out) { return DatePlusSpan::Do(date, us, out); }
};
struct DateMinusSpan {
  static bool Do(int64_t date, int64_t us, int64_t* out) {
    return !__builtin_mul_overflow(date, kMicrosPerDay, out) &&
           !__builtin_sub_overflow(*out, us, out);
  }
};
struct ScaleSpan {
  static bool Do(int64_t a, int64_t b, int64_t* out) { return !__builtin_mul_overflow(a, b, out); }
};
struct NegateSpan {
  static bool Do(int64_t a, int64_t* out) { return !__builtin_sub_overflow(int64_t{0}, a, out); }
};
struct AbsSpan {
  static bool Do(int64_t a, int64_t* out) {
    *out = a;
    return a >= 0 || NegateSpan::Do(a, out);
  }
};
bool SpanFromFloat(double us, int64_t* out) {
  const double r = ieee::RoundEven(us);
  const bool fits = r >= -9223372036854775808.0 && r < 9223372036854775808.0;
  *out = static_cast<int64_t>(fits ? r : 0.0);
  return fits;
}
struct ScaleSpanByFloat {
  static bool Do(int64_t a, double b, int64_t* out) {
    return SpanFromFloat(static_cast<double>(a) * b, out);
  }
};
struct FloatScalesSpan {
  static bool Do(double a, int64_t b, int64_t* out) { return ScaleSpanByFloat::Do(b, a, out); }
};
struct SpanRatio {
  static bool Do(int64_t a, int64_t b, double* out) {
    *out = b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
    return b != 0;
  }
};
struct EpochSeconds {
  static double Do(int64_t us) { return static_cast<double>(us) / 1e6; }
};
struct EpochDate {
  static double Do(int64_t days) { return static_cast<double>(days) * 86400.0; }
};
struct EpochMillis {
  static int64_t Do(int64_t us) { return FloorDivide(us, 1000); }
};
struct Same {
  static int64_t Do(int64_t us) { return us; }
};
struct FromSeconds {
  static bool Do(double seconds, int64_t* out) { return SpanFromFloat(seconds * 1e6, out); }
};

struct DivideSpan {
  static Quotient Do(int64_t us, double divisor, int64_t* out) {
    const bool fits = SpanFromFloat(static_cast<double>(us) / divisor, out);
    if (divisor == 0) return Quotient::kZeroDivisor;
    return fits ? Quotient::kGood : Quotient::kOverflow;
  }
};

constexpr TypeId kDate = TypeId::kDate;
constexpr TypeId kTimestamp = TypeId::kTimestamp;
constexpr TypeId kDuration = TypeId::kDuration;
constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kFloat = TypeId::kFloat64;

template <class A, class B, class R, class Op, int64_t EvalCounts::*kCause = &EvalCounts::overflow>
void AddOp(BuiltinTable* table, std::string_view name, TypeId a, TypeId b, TypeId result) {
  table->Add({.name = name,
              .parameters = {a, b},
              .result = result,
              .kernel = CheckedBinaryLoop<A, B, R, Op, kCause>,
              .flags = kFallible});
}

void AddTimeArithmetic(BuiltinTable* table) {
  table->Add({.name = "sub",
              .parameters = {kDate, kDate},
              .result = kInt,
              .kernel = BinaryLoop<int64_t, int64_t, int64_t, DaysBetween>});
  AddOp<int64_t, int64_t, int64_t, AddDays>(table, "add", kDate, kInt, kDate);
  AddOp<int64_t, int64_t, int64_t, DaysAdded>(table, "add", kInt, kDate, kDate);
  AddOp<int64_t, int64_t, int64_t, SubtractDays>(table, "sub", kDate, kInt, kDate);
  AddOp<int64_t, int64_t, int64_t, DatePlusSpan>(table, "add", kDate, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, SpanPlusDate>(table, "add", kDuration, kDate, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, DateMinusSpan>(table, "sub", kDate, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, SubtractSpan>(table, "sub", kTimestamp, kTimestamp, kDuration);
  AddOp<int64_t, int64_t, int64_t, AddSpan>(table, "add", kTimestamp, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, AddSpan>(table, "add", kDuration, kTimestamp, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, SubtractSpan>(table, "sub", kTimestamp, kDuration, kTimestamp);
  AddOp<int64_t, int64_t, int64_t, AddSpan>(table, "add", kDuration, kDuration, kDuration);
  AddOp<int64_t, int64_t, int64_t, SubtractSpan>(table, "sub", kDuration, kDuration, kDuration);
  AddOp<int64_t, int64_t, int64_t, ScaleSpan>(table, "mul", kDuration, kInt, kDuration);
  AddOp<int64_t, int64_t, int64_t, ScaleSpan>(table, "mul", kInt, kDuration, kDuration);
  AddOp<int64_t, double, int64_t, ScaleSpanByFloat>(table, "mul", kDuration, kFloat, kDuration);
  AddOp<double, int64_t, int64_t, FloatScalesSpan>(table, "mul", kFloat, kDuration, kDuration);
  AddOp<int64_t, int64_t, double, SpanRatio, &EvalCounts::division_by_zero>(table, "div", kDuration,
                                                                            kDuration, kFloat);
  table->Add({.name = "div",
              .parameters = {kDuration, kFloat},
              .result = kDuration,
              .kernel = DivideLoop<int64_t, double, int64_t, DivideSpan>,
              .flags = kFallible});
  table->Add({.name = "neg",
              .parameters = {kDuration},
              .result = kDuration,
              .kernel = CheckedUnaryLoop<int64_t, int64_t, NegateSpan, &EvalCounts::overflow>,
              .flags = kFallible});
  table->Add({.name = "abs",
              .parameters = {kDuration},
              .result = kDuration,
              .kernel = CheckedUnaryLoop<int64_t, int64_t, AbsSpan, &EvalCounts::overflow>,
              .flags = kFallible});
}

void AddEpochs(BuiltinTable* table) {
  table->Add({.name = "epoch",
              .parameters = {kTimestamp},
              .result = kFloat,
              .kernel = UnaryLoop<int64_t, double, EpochSeconds>});
  table->Add({.name = "epoch",
              .parameters = {kDuration},
              .result = kFloat,
              .kernel = UnaryLoop<int64_t, double, EpochSeconds>});
  table->Add({.name = "epoch",
              .parameters = {kDate},
              .result = kFloat,
              .kernel = UnaryLoop<int64_t, double, EpochDate>});
  for (const TypeId type : {kTimestamp, kDuration}) {
    table->Add({.name = "epoch_ms",
                .parameters = {type},
                .result = kInt,
                .kernel = UnaryLoop<int64_t, int64_t, EpochMillis>});
    table->Add({.name = "epoch_us",
                .parameters = {type},
                .result = kInt,
                .kernel = UnaryLoop<int64_t, int64_t, Same>});
  }
  table->Add({.name = "to_timestamp",
              .parameters = {kFloat},
              .result = kTimestamp,
              .kernel = CheckedUnaryLoop<double, int64_t, FromSeconds, &EvalCounts::overflow>,
              .flags = kFallible});
  table->Add({.name = "make_timestamp",
              .parameters = {kInt},
              .result = kTimestamp,
              .kernel = UnaryLoop<int64_t, int64_t, Same>});
}

}  // namespace

void AddDurations(BuiltinTable* table) {
  AddTimeArithmetic(table);
  AddEpochs(table);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
