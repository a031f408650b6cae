// Rounding, roots, exponentials and trigonometry on float64.
#include <bit>
#include <cmath>
#include <limits>

#include "transform/builtin.h"
#include "transform/elementary.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kFloat = TypeId::kFloat64;
constexpr TypeId kInt = TypeId::kInt64;
constexpr TypeId kUint = TypeId::kUint64;

// --- where a function is defined -----------------------------------------------------------------------------------
// Outside where kComparison holds between x, or its magnitude, and kBound. NaN is inside every domain: it stays NaN.
struct Everywhere {};
struct Positive {
  static constexpr Comparison kComparison = Comparison::kLessEqual;
  static constexpr double kBound = 0;
  static bool Outside(double x) { return x <= 0; }
};
struct AboveMinusOne {
  static constexpr Comparison kComparison = Comparison::kLessEqual;
  static constexpr double kBound = -1;
  static bool Outside(double x) { return x <= -1; }
};
struct NotNegative {
  static constexpr Comparison kComparison = Comparison::kLess;
  static constexpr double kBound = 0;
  static bool Outside(double x) { return x < 0; }
};
struct UnitInterval {
  static bool Outside(double x) { return ieee::Abs(x) > 1; }
};
struct NotInfinite {
  static bool Outside(double x) { return ieee::Abs(x) > 1.7976931348623157e308; }
};

template <class Domain>
concept OneComparison = requires {
  Domain::kComparison;
};

template <class Domain>
void SettleDomain(const Call& call, const double* x, std::size_t stride) {
  if constexpr (std::is_same_v<Domain, Everywhere>) {
    return call.ValidLike(0);
  } else {
    uint64_t* valid = call.BeginValid();
    int64_t* cause = &call.counts().domain;
    if (call.is_row()) {
      const auto bad = static_cast<uint64_t>(Domain::Outside(x[0]));
      valid[0] = call.Reject(0, call.valid_word(0, 0), bad, cause);
      return;
    }
    uint64_t bad[kChunkRows / 64];
    if constexpr (OneComparison<Domain>) {
      const double bound = Domain::kBound;
      CompareDoubles(Domain::kComparison, x, stride, &bound, 0, call.n(), bad);
    } else {
      for (std::size_t w = 0; w < call.words(); ++w) {
        const double* from = x + stride * 64 * w;
        bad[w] = PackPredicate(call.rows_in_word(w), [from, stride](std::size_t j) {
          return Domain::Outside(from[stride * j]);
        });
      }
    }
    for (std::size_t w = 0; w < call.words(); ++w)
      valid[w] = call.Reject(w, call.valid_word(0, w), bad[w], cause);
  }
}

// Where a branch is taken by some rows only, those are computed close together.
template <class Function>
void ManyWhereNeeded(const Call& call, const double* x, double* out) {
  const std::size_t n = call.n();
  const uint64_t* rows = call.guard();
  std::size_t needed = n;
  if (rows != nullptr) {
    needed = 0;
    for (std::size_t w = 0; w < call.words(); ++w)
      needed += static_cast<std::size_t>(std::popcount(rows[w]));
  }
  if (needed > n / 4 * 3) return Function::Many(x, out, n);
  double dense[kChunkRows + 8];
  double results[kChunkRows + 8];
  const std::size_t count = Gather(x, rows, n, dense);
  Function::Many(dense, results, count);
  Scatter(results, rows, n, out);
}

template <class Function, class Domain>
void Elementary(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const double* x = call.in<double>(0);
  auto* out = call.result<double>();
  const std::size_t stride = call.is_constant(0) ? 0 : 1;
  if (call.is_row()) {
    out[0] = Function::One(x[0]);
  } else if (stride == 0) {
    const double value = Function::One(x[0]);
    for (std::size_t i = 0; i < call.n(); ++i) out[i] = value;
  } else {
    ManyWhereNeeded<Function>(call, x, out);
  }
  SettleDomain<Domain>(call, x, stride);
}

// SLEEF's forms give infinities near the largest float64. Where they end, others take over.
template <class Function, class Ending>
struct WithEnding {
  static double One(double x) { return Ending::Here(x) ? Ending::One(x) : Function::One(x); }
  static void Many(const double* x, double* out, std::size_t count) {
    Function::Many(x, out, count);
    for (std::size_t i = 0; i < count; ++i) {
      if (Ending::Here(x[i])) out[i] = Ending::One(x[i]);
    }
  }
};
struct LogEnding {  // the 1 is nothing beside x
  static bool Here(double x) { return x > 1e300; }
  static double One(double x) { return elementary::log::One(x); }
};
// Half of exp(abs(x)), whose other half is 0 beside it; exp itself ends earlier.
template <bool kOdd>
struct HyperbolicEnding {
  static bool Here(double x) { return ieee::Abs(x) > 709.5; }
  static double One(double x) {
    const double root = elementary::exp::One(ieee::Abs(x) / 2);
    const double value = root / 2 * root;
    return kOdd ? ieee::WithSignOf(value, x) : value;
  }
};
using Log1p = WithEnding<elementary::log1p, LogEnding>;
using Sinh = WithEnding<elementary::sinh, HyperbolicEnding<true>>;
using Cosh = WithEnding<elementary::cosh, HyperbolicEnding<false>>;

struct SquareRoot {
  static double Do(double x) { return __builtin_sqrt(x); }
};
void Sqrt(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const double* LARDER_RESTRICT x = call.in<double>(0);
  double* LARDER_RESTRICT out = call.result<double>();
  const std::size_t stride = call.is_constant(0) ? 0 : 1;
  if (call.is_row()) {
    out[0] = SquareRoot::Do(x[0]);
  } else if (stride == 0) {
    for (std::size_t i = 0; i < call.n(); ++i) out[i] = SquareRoot::Do(x[0]);
  } else {
    const std::size_t n = call.n();
    Widely([=]() LARDER_ALWAYS_INLINE {
      for (std::size_t i = 0; i < n; ++i) out[i] = SquareRoot::Do(x[i]);
    });
  }
  SettleDomain<NotNegative>(call, x, stride);
}

// pow of a negative base to a broken exponent, and of zero to a negative one, have no value.
bool PowerUndefined(double x, double y) {
  return (x < 0 && ieee::IsFinite(y) && ieee::IsFinite(x) && ieee::RoundEven(y) != y) ||
         (x == 0 && y < 0);
}
bool Never(double, double) { return false; }

template <class Function, bool (*kUndefined)(double, double)>
void Elementary2(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<double> x(call, 0);
  const Argument<double> y(call, 1);
  auto* out = call.result<double>();
  if (call.n() == 1) {
    out[0] = Function::One(x[0], y[0]);
  } else if (x.stride == 1 && y.stride == 1) {
    Function::Many(x.data, y.data, out, call.n());
  } else {
    double a[64];
    double b[64];
    for (std::size_t i = 0; i < call.n(); i += 64) {
      const std::size_t count = call.n() - i < 64 ? call.n() - i : 64;
      for (std::size_t j = 0; j < count; ++j) {
        a[j] = x[i + j];
        b[j] = y[i + j];
      }
      Function::Many(a, b, out + i, count);
    }
  }
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t bad = 0;
    for (std::size_t j = 0; j < call.rows_in_word(w); ++j)
      bad |= static_cast<uint64_t>(kUndefined(x[64 * w + j], y[64 * w + j])) << j;
    valid[w] =
        call.Reject(w, call.valid_word(0, w) & call.valid_word(1, w), bad, &call.counts().domain);
  }
}

struct DoFloor {
  static double Do(double x) { return ieee::Floor(x); }
};
struct DoCeil {
  static double Do(double x) { return ieee::Ceil(x); }
};
struct DoTrunc {
  static double Do(double x) { return ieee::Trunc(x); }
};
struct DoRound {
  static double Do(double x) { return ieee::Round(x); }
};
struct DoRoundEven {
  static double Do(double x) { return ieee::RoundEven(x); }
};
template <class T>
struct Whole {  // rounding an integer
  static T Do(T x) { return x; }
};
struct Degrees {
  static double Do(double x) { return x * (180.0 / 3.14159265358979323846); }
};
struct Radians {
  static double Do(double x) { return x * (3.14159265358979323846 / 180.0); }
};

// round(x, digits): x * 10^digits rounded, then divided back. Digits outside -300..300 leave x, or 0.
template <double (*kRound)(double)>
struct RoundDigits {
  static double Do(double x, int64_t digits) {
    if (!ieee::IsFinite(x) || digits > 300) return x;
    if (digits < -300) return ieee::WithSignOf(0.0, x);
    double power = 1;
    for (int64_t i = 0; i < (digits < 0 ? -digits : digits); ++i) power *= 10;
    if (digits < 0) return kRound(x / power) * power;
    const double scaled = x * power;
    return ieee::IsFinite(scaled) ? kRound(scaled) / power : x;
  }
};

// round(integer, digits): digits after the point are none, those before it become 0. What does not fit fails.
template <class T, bool kToEven>
struct RoundWholeDigits {
  static bool Do(T x, int64_t digits, T* out) {
    *out = digits >= 0 ? x : T{0};
    if (digits >= 0 || digits < -19) return true;  // no integer is half of 10^20
    uint64_t power = 1;
    for (int64_t i = digits; i < 0; ++i) power *= 10;
    const bool negative = x < T{0};
    const uint64_t magnitude =
        negative ? uint64_t{0} - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
    const uint64_t rest = magnitude % power;
    const uint64_t half = power / 2;
    uint64_t rounded = magnitude - rest;
    const bool away = rest > half || (rest == half && (!kToEven || rounded / power % 2 == 1));
    if (away && __builtin_add_overflow(rounded, power, &rounded)) return false;
    const auto most = static_cast<uint64_t>(std::numeric_limits<T>::max()) + (negative ? 1 : 0);
    if (rounded > most) return false;
    *out = static_cast<T>(negative ? uint64_t{0} - rounded : rounded);
    return true;
  }
};

struct IsNan {
  static bool Do(double x, double) { return ieee::IsNan(x); }
};
struct IsInfinite {
  static bool Do(double x, double) { return ieee::Abs(x) > 1.7976931348623157e308; }
};
struct IsFinite {
  static bool Do(double x, double) { return ieee::IsFinite(x); }
};
template <class Test>
void TestFloat(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<double> x(call, 0);
  auto* out = call.result<uint64_t>();
  for (std::size_t w = 0; w < call.words(); ++w) {
    out[w] = PackPredicate(call.rows_in_word(w),
                           [&](std::size_t j) { return Test::Do(x[64 * w + j], 0); });
  }
  call.ValidLike(0);
}
void NanToNull(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<double> x(call, 0);
  auto* out = call.result<double>();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    const std::size_t count = call.rows_in_word(w);
    for (std::size_t j = 0; j < count; ++j) out[64 * w + j] = x[64 * w + j];
    valid[w] = call.valid_word(0, w) &
               ~PackPredicate(count, [&](std::size_t j) { return ieee::IsNan(x[64 * w + j]); });
  }
}

template <class Function, class Domain = Everywhere>
void AddElementary(BuiltinTable* table, std::string_view name) {
  constexpr uint8_t kFlags = std::is_same_v<Domain, Everywhere> ? kCostly : kCostly | kFallible;
  table->Add({.name = name,
              .parameters = {kFloat},
              .result = kFloat,
              .kernel = Elementary<Function, Domain>,
              .flags = kFlags});
}
template <class Op>
void AddRounding(BuiltinTable* table, std::string_view name) {
  table->Add({.name = name,
              .parameters = {kInt},
              .result = kInt,
              .kernel = UnaryLoop<int64_t, int64_t, Whole<int64_t>>});
  table->Add({.name = name,
              .parameters = {kUint},
              .result = kUint,
              .kernel = UnaryLoop<uint64_t, uint64_t, Whole<uint64_t>>});
  table->Add({.name = name,
              .parameters = {kFloat},
              .result = kFloat,
              .kernel = UnaryLoop<double, double, Op>});
}
template <double (*kRound)(double), bool kToEven>
void AddRoundingDigits(BuiltinTable* table, std::string_view name) {
  table->Add({.name = name,
              .parameters = {kInt, kInt},
              .result = kInt,
              .kernel = CheckedBinaryLoop<int64_t, int64_t, int64_t,
                                          RoundWholeDigits<int64_t, kToEven>, &EvalCounts::overflow>,
              .flags = kFallible});
  table->Add(
      {.name = name,
       .parameters = {kUint, kInt},
       .result = kUint,
       .kernel = CheckedBinaryLoop<uint64_t, int64_t, uint64_t, RoundWholeDigits<uint64_t, kToEven>,
                                   &EvalCounts::overflow>,
       .flags = kFallible});
  table->Add({.name = name,
              .parameters = {kFloat, kInt},
              .result = kFloat,
              .kernel = BinaryLoop<double, int64_t, double, RoundDigits<kRound>>});
}

}  // namespace

void AddMath(BuiltinTable* table) {
  AddRounding<DoFloor>(table, "floor");
  AddRounding<DoCeil>(table, "ceil");
  AddRounding<DoTrunc>(table, "trunc");
  AddRounding<DoRound>(table, "round");
  AddRounding<DoRoundEven>(table, "round_even");
  AddRoundingDigits<ieee::Round, false>(table, "round");
  AddRoundingDigits<ieee::RoundEven, true>(table, "round_even");
  table->Add(
      {.name = "sqrt", .parameters = {kFloat}, .result = kFloat, .kernel = Sqrt, .flags = kFallible});
  AddElementary<elementary::cbrt>(table, "cbrt");
  AddElementary<elementary::exp>(table, "exp");
  AddElementary<elementary::expm1>(table, "expm1");
  AddElementary<elementary::log, Positive>(table, "ln");
  AddElementary<elementary::log2, Positive>(table, "log2");
  AddElementary<elementary::log10, Positive>(table, "log10");
  AddElementary<Log1p, AboveMinusOne>(table, "log1p");
  AddElementary<elementary::sin, NotInfinite>(table, "sin");
  AddElementary<elementary::cos, NotInfinite>(table, "cos");
  AddElementary<elementary::tan, NotInfinite>(table, "tan");
  AddElementary<elementary::asin, UnitInterval>(table, "asin");
  AddElementary<elementary::acos, UnitInterval>(table, "acos");
  AddElementary<elementary::atan>(table, "atan");
  AddElementary<Sinh>(table, "sinh");
  AddElementary<Cosh>(table, "cosh");
  AddElementary<elementary::tanh>(table, "tanh");
  table->Add({.name = "pow",
              .parameters = {kFloat, kFloat},
              .result = kFloat,
              .kernel = Elementary2<elementary::pow, PowerUndefined>,
              .flags = kCostly | kFallible});
  table->Add({.name = "atan2",
              .parameters = {kFloat, kFloat},
              .result = kFloat,
              .kernel = Elementary2<elementary::atan2, Never>,
              .flags = kCostly});
  table->Add({.name = "degrees",
              .parameters = {kFloat},
              .result = kFloat,
              .kernel = UnaryLoop<double, double, Degrees>});
  table->Add({.name = "radians",
              .parameters = {kFloat},
              .result = kFloat,
              .kernel = UnaryLoop<double, double, Radians>});
  table->Add({.name = "is_nan",
              .parameters = {kFloat},
              .result = TypeId::kBool,
              .kernel = TestFloat<IsNan>});
  table->Add({.name = "is_inf",
              .parameters = {kFloat},
              .result = TypeId::kBool,
              .kernel = TestFloat<IsInfinite>});
  table->Add({.name = "is_finite",
              .parameters = {kFloat},
              .result = TypeId::kBool,
              .kernel = TestFloat<IsFinite>});
  table->Add({.name = "nan_to_null", .parameters = {kFloat}, .result = kFloat, .kernel = NanToNull});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
