// + - * / // % and sign, for int64, uint64 and float64. Integers never wrap: what does not fit is null.
#include <cmath>
#include <limits>

#include "transform/builtin.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

struct AddFloat {
  static double Do(double a, double b) { return a + b; }
};
struct SubtractFloat {
  static double Do(double a, double b) { return a - b; }
};
struct MultiplyFloat {
  static double Do(double a, double b) { return a * b; }
};
struct NegateFloat {
  static double Do(double a) { return -a; }
};
template <class T>
struct AddInteger {
  static bool Do(T a, T b, T* out) { return !__builtin_add_overflow(a, b, out); }
};
template <class T>
struct SubtractInteger {
  static bool Do(T a, T b, T* out) { return !__builtin_sub_overflow(a, b, out); }
};
template <class T>
struct MultiplyInteger {
  static bool Do(T a, T b, T* out) { return !__builtin_mul_overflow(a, b, out); }
};
struct NegateInteger {
  static bool Do(int64_t a, int64_t* out) { return !__builtin_sub_overflow(int64_t{0}, a, out); }
};
struct AbsInteger {
  static bool Do(int64_t a, int64_t* out) {
    if (a >= 0) return *out = a, true;
    return NegateInteger::Do(a, out);
  }
};
struct AbsUnsigned {
  static uint64_t Do(uint64_t a) { return a; }
};
struct SignUnsigned {
  static uint64_t Do(uint64_t a) { return a > 0 ? 1 : 0; }
};
struct AbsFloat {
  static double Do(double a) { return ieee::Abs(a); }
};
struct SignInteger {
  static int64_t Do(int64_t a) { return (a > 0) - (a < 0); }
};
struct SignFloat {  // NaN stays NaN, zeros keep their sign
  static double Do(double a) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a; }
};

// The quotient where the divisor is not zero, vectorised; rows with a zero divisor are settled by the mask.
void DivideFloat(const Instruction& instruction, Frame& frame) {
  struct Divide {
    static double Do(double a, double b) { return a / b; }
  };
  const Call call(instruction, frame);
  BinaryValues<double, double, double, Divide>(call);
  const Argument<double> divisor(call, 1);
  if (divisor.stride == 0 && divisor[0] != 0) return call.ValidLike(0, 1);
  uint64_t* valid = call.BeginValid();
  int64_t* cause = &call.counts().division_by_zero;
  if (call.is_row()) {
    const auto zero = static_cast<uint64_t>(divisor[0] == 0);
    valid[0] = call.Reject(0, call.valid_word(0, 0) & call.valid_word(1, 0), zero, cause);
    return;
  }
  const double nought = 0;
  uint64_t zero[kChunkRows / 64];
  CompareDoubles(Comparison::kEqual, divisor.data, divisor.stride, &nought, 0, call.n(), zero);
  for (std::size_t w = 0; w < call.words(); ++w)
    valid[w] = call.Reject(w, call.valid_word(0, w) & call.valid_word(1, w), zero[w], cause);
}

// Quotients truncate towards zero and % takes the dividend's sign, as in C. Zero divisors and the one overflowing
// quotient, INT64_MIN // -1, are told apart in the counts.
template <class T, bool kRemainder>
struct DivideInteger {
  static Quotient Do(T a, T b, T* out) {
    *out = 0;
    if (b == 0) return Quotient::kZeroDivisor;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) {
      if (kRemainder) return Quotient::kGood;
      if (a == std::numeric_limits<T>::min()) return Quotient::kOverflow;
      *out = static_cast<T>(T{0} - a);
    } else {
      *out = kRemainder ? a % b : a / b;
    }
    return Quotient::kGood;
  }
};
template <bool kRemainder>
struct DivideWhole {
  static Quotient Do(double a, double b, double* out) {
    *out = kRemainder ? ieee::Remainder(a, b) : ieee::Trunc(a / b);
    return b == 0 ? Quotient::kZeroDivisor : Quotient::kGood;
  }
};

template <class T, class Op>
constexpr Kernel kDivide = DivideLoop<T, T, T, Op>;

void AddPair(BuiltinTable* table, std::string_view name, TypeId type, Kernel kernel, uint8_t flags) {
  table->Add(
      {.name = name, .parameters = {type, type}, .result = type, .kernel = kernel, .flags = flags});
}
void AddOne(BuiltinTable* table, std::string_view name, TypeId type, Kernel kernel,
            uint8_t flags = kPlain) {
  table->Add({.name = name, .parameters = {type}, .result = type, .kernel = kernel, .flags = flags});
}

template <class T, template <class> class Op>
constexpr Kernel kChecked = CheckedBinaryLoop<T, T, T, Op<T>, &EvalCounts::overflow>;

}  // namespace

void AddArithmetic(BuiltinTable* table) {
  constexpr TypeId kInt = TypeId::kInt64;
  constexpr TypeId kUint = TypeId::kUint64;
  constexpr TypeId kFloat = TypeId::kFloat64;
  AddPair(table, "add", kInt, kChecked<int64_t, AddInteger>, kFallible);
  AddPair(table, "add", kUint, kChecked<uint64_t, AddInteger>, kFallible);
  AddPair(table, "add", kFloat, BinaryLoop<double, double, double, AddFloat>, kPlain);
  AddPair(table, "sub", kInt, kChecked<int64_t, SubtractInteger>, kFallible);
  AddPair(table, "sub", kUint, kChecked<uint64_t, SubtractInteger>, kFallible);
  AddPair(table, "sub", kFloat, BinaryLoop<double, double, double, SubtractFloat>, kPlain);
  AddPair(table, "mul", kInt, kChecked<int64_t, MultiplyInteger>, kFallible);
  AddPair(table, "mul", kUint, kChecked<uint64_t, MultiplyInteger>, kFallible);
  AddPair(table, "mul", kFloat, BinaryLoop<double, double, double, MultiplyFloat>, kPlain);
  AddPair(table, "div", kFloat, DivideFloat, kFallible);
  AddPair(table, "idiv", kInt, kDivide<int64_t, DivideInteger<int64_t, false>>, kFallible);
  AddPair(table, "idiv", kUint, kDivide<uint64_t, DivideInteger<uint64_t, false>>, kFallible);
  AddPair(table, "idiv", kFloat, kDivide<double, DivideWhole<false>>, kFallible);
  AddPair(table, "mod", kInt, kDivide<int64_t, DivideInteger<int64_t, true>>, kFallible);
  AddPair(table, "mod", kUint, kDivide<uint64_t, DivideInteger<uint64_t, true>>, kFallible);
  AddPair(table, "mod", kFloat, kDivide<double, DivideWhole<true>>, kFallible);
  AddOne(table, "neg", kInt,
         CheckedUnaryLoop<int64_t, int64_t, NegateInteger, &EvalCounts::overflow>, kFallible);
  AddOne(table, "neg", kFloat, UnaryLoop<double, double, NegateFloat>);
  AddOne(table, "abs", kInt, CheckedUnaryLoop<int64_t, int64_t, AbsInteger, &EvalCounts::overflow>,
         kFallible);
  AddOne(table, "abs", kUint, UnaryLoop<uint64_t, uint64_t, AbsUnsigned>);
  AddOne(table, "abs", kFloat, UnaryLoop<double, double, AbsFloat>);
  AddOne(table, "sign", kInt, UnaryLoop<int64_t, int64_t, SignInteger>);
  AddOne(table, "sign", kUint, UnaryLoop<uint64_t, uint64_t, SignUnsigned>);
  AddOne(table, "sign", kFloat, UnaryLoop<double, double, SignFloat>);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
