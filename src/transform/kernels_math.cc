// Rounding, roots, exponentials and trigonometry on float64.
#include <bit>
#include <cmath>

#include "transform/builtin.h"
#include "transform/elementary.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr TypeId kFloat = TypeId::kFloat64;
constexpr TypeId kInt = TypeId::kInt64;

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
struct Whole {  // rounding an integer
  static int64_t Do(int64_t x) { return x; }
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
              .kernel = UnaryLoop<int64_t, int64_t, Whole>});
  table->Add({.name = name,
              .parameters = {kFloat},
              .result = kFloat,
              .kernel = UnaryLoop<double, double, Op>});
}

}  // namespace

void AddMath(BuiltinTable* table) {
  AddRounding<DoFloor>(table, "floor");
  AddRounding<DoCeil>(table, "ceil");
  AddRounding<DoTrunc>(table, "trunc");
  AddRounding<DoRound>(table, "round");
  AddRounding<DoRoundEven>(table, "round_even");
  table->Add({.name = "round",
              .parameters = {kFloat, kInt},
              .result = kFloat,
              .kernel = BinaryLoop<double, int64_t, double, RoundDigits<ieee::Round>>});
  table->Add({.name = "round_even",
              .parameters = {kFloat, kInt},
              .result = kFloat,
              .kernel = BinaryLoop<double, int64_t, double, RoundDigits<ieee::RoundEven>>});
  table->Add(
      {.name = "sqrt", .parameters = {kFloat}, .result = kFloat, .kernel = Sqrt, .flags = kFallible});
  AddElementary<elementary::cbrt>(table, "cbrt");
  AddElementary<elementary::exp>(table, "exp");
  AddElementary<elementary::expm1>(table, "expm1");
  AddElementary<elementary::log, Positive>(table, "ln");
  AddElementary<elementary::log2, Positive>(table, "log2");
  AddElementary<elementary::log10, Positive>(table, "log10");
  AddElementary<elementary::log1p, AboveMinusOne>(table, "log1p");
  AddElementary<elementary::sin, NotInfinite>(table, "sin");
  AddElementary<elementary::cos, NotInfinite>(table, "cos");
  AddElementary<elementary::tan, NotInfinite>(table, "tan");
  AddElementary<elementary::asin, UnitInterval>(table, "asin");
  AddElementary<elementary::acos, UnitInterval>(table, "acos");
  AddElementary<elementary::atan>(table, "atan");
  AddElementary<elementary::sinh>(table, "sinh");
  AddElementary<elementary::cosh>(table, "cosh");
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
