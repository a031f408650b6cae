// The loops kernels are made of. Every loop is plain code over restrict pointers that compilers vectorise; constants
// are read once. Results never alias arguments (codegen sees to it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "larder/base/config.h"
#include "transform/vector_kernels.h"
#include "transform/vector_width.h"
#include "transform/vm.h"

namespace larder::inline LARDER_ABI {
namespace transform {

#define LARDER_RESTRICT __restrict

// 64 bytes of 0 or 1 to one word, byte i to bit i.
inline uint64_t PackBytes(const uint8_t* bytes) {
  uint64_t word = 0;
  for (unsigned i = 0; i < 8; ++i) {
    uint64_t eight;
    std::memcpy(&eight, bytes + 8 * i, 8);
    word |= ((eight * 0x0102040810204080ULL) >> 56U) << (8 * i);
  }
  return word;
}

// The sign bits of 64 values, value i to bit i.
inline uint64_t PackSigns(const int64_t* values) {
  uint64_t word = 0;
#if defined(__x86_64__)
  for (unsigned i = 0; i < 64; i += 2) {
    const __m128d pair = _mm_load_pd(reinterpret_cast<const double*>(values + i));
    word |= static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_pd(pair))) << i;
  }
#else
  for (unsigned i = 0; i < 64; ++i) word |= (static_cast<uint64_t>(values[i]) >> 63U) << i;
#endif
  return word;
}
LARDER_WIDE inline uint64_t PackSignsWide(const int64_t* values) {
#if defined(__x86_64__)
  uint64_t word = 0;
  for (unsigned i = 0; i < 64; i += 4) {
    const __m256d four = _mm256_load_pd(reinterpret_cast<const double*>(values + i));
    word |= static_cast<uint64_t>(static_cast<unsigned>(_mm256_movemask_pd(four))) << i;
  }
  return word;
#else
  return PackSigns(values);
#endif
}

// Bit j of the result is predicate(j), for j < count <= 64. Predicates are computed into masks as wide as the numbers
// they compare, which is what compilers vectorise best.
template <class Predicate>
inline uint64_t PackPredicate(std::size_t count, const Predicate& predicate) {
  if (count == 64) {
    alignas(64) int64_t masks[64];
    const auto fill = [&]() LARDER_ALWAYS_INLINE {
      for (std::size_t j = 0; j < 64; ++j) masks[j] = predicate(j) ? -1 : 0;
    };
    if (VectorBytes() > 16) {
      RunWide(fill);
      return PackSignsWide(masks);
    }
    fill();
    return PackSigns(masks);
  }
  uint64_t word = 0;
  for (std::size_t j = 0; j < count; ++j) word |= static_cast<uint64_t>(predicate(j)) << j;
  return word;
}

// out = Op::Do(a). Not for kernels that can fail: their argument may be constant (see CheckedUnaryLoop).
template <class A, class R, class Op>
void UnaryLoop(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const A* LARDER_RESTRICT a = call.in<A>(0);
  R* LARDER_RESTRICT out = call.result<R>();
  if (call.is_row()) {
    out[0] = Op::Do(a[0]);
    return call.ValidLike(0);
  }
  const std::size_t n = call.n();
  Widely([=]() LARDER_ALWAYS_INLINE {
    for (std::size_t i = 0; i < n; ++i) out[i] = Op::Do(a[i]);
  });
  call.ValidLike(0);
}

// out = Op::Do(a, b), either argument possibly constant.
template <class A, class B, class R, class Op>
void BinaryValues(const Call& call) {
  const A* LARDER_RESTRICT a = call.in<A>(0);
  const B* LARDER_RESTRICT b = call.in<B>(1);
  R* LARDER_RESTRICT out = call.result<R>();
  if (call.is_row()) {
    out[0] = Op::Do(a[0], b[0]);
    return;
  }
  const std::size_t n = call.n();
  if (call.is_constant(1)) {
    const B y = b[0];
    if (call.is_constant(0)) {
      const R value = Op::Do(a[0], y);
      for (std::size_t i = 0; i < n; ++i) out[i] = value;
    } else {
      Widely([=]() LARDER_ALWAYS_INLINE {
        for (std::size_t i = 0; i < n; ++i) out[i] = Op::Do(a[i], y);
      });
    }
  } else if (call.is_constant(0)) {
    const A x = a[0];
    Widely([=]() LARDER_ALWAYS_INLINE {
      for (std::size_t i = 0; i < n; ++i) out[i] = Op::Do(x, b[i]);
    });
  } else {
    Widely([=]() LARDER_ALWAYS_INLINE {
      for (std::size_t i = 0; i < n; ++i) out[i] = Op::Do(a[i], b[i]);
    });
  }
}
template <class A, class B, class R, class Op>
void BinaryLoop(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  BinaryValues<A, B, R, Op>(call);
  call.ValidLike(0, 1);
}

// Bits: out = Op::Do(a, b).
template <class A, class B, class Op>
void PredicateLoop(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const A* a = call.in<A>(0);
  const B* b = call.in<B>(1);
  uint64_t* out = call.result<uint64_t>();
  if (call.is_row()) {
    out[0] = static_cast<uint64_t>(Op::Do(a[0], b[0]));
    return call.ValidLike(0, 1);
  }
  const std::size_t sa = call.is_constant(0) ? 0 : 1;
  const std::size_t sb = call.is_constant(1) ? 0 : 1;
  if constexpr (std::is_same_v<A, double> && std::is_same_v<B, double>) {
    CompareDoubles(Op::kComparison, a, sa, b, sb, call.n(), out);
    return call.ValidLike(0, 1);
  }
  for (std::size_t w = 0; w < call.words(); ++w) {
    const A* LARDER_RESTRICT x = a + sa * 64 * w;
    const B* LARDER_RESTRICT y = b + sb * 64 * w;
    const std::size_t count = call.rows_in_word(w);
    if (sa == 1 && sb == 1) {
      out[w] = PackPredicate(count, [x, y](std::size_t j) { return Op::Do(x[j], y[j]); });
    } else if (sa == 1) {
      const B c = *y;
      out[w] = PackPredicate(count, [x, c](std::size_t j) { return Op::Do(x[j], c); });
    } else {
      const A c = *x;
      out[w] = PackPredicate(count, [c, y, sb](std::size_t j) { return Op::Do(c, y[j * sb]); });
    }
  }
  call.ValidLike(0, 1);
}

// Op::Do(a, &out) says whether the row is good; a bad one becomes null and is counted in counts.*kCause. A constant
// argument is possible: one that fails is not folded.
template <class A, class R, class Op, int64_t EvalCounts::*kCause>
void CheckedUnaryLoop(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const A* LARDER_RESTRICT a = call.in<A>(0);
  const std::size_t stride = call.is_constant(0) ? 0 : 1;
  R* LARDER_RESTRICT out = call.result<R>();
  uint64_t* valid = call.BeginValid();
  if (call.is_row()) {
    const auto bad = static_cast<uint64_t>(!Op::Do(a[0], &out[0]));
    valid[0] = call.Reject(0, call.valid_word(0, 0), bad, &(call.counts().*kCause));
    return;
  }
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t bad = 0;
    const std::size_t count = call.rows_in_word(w);
    for (std::size_t j = 0; j < count; ++j) {
      const std::size_t i = 64 * w + j;
      bad |= static_cast<uint64_t>(!Op::Do(a[stride * i], &out[i])) << j;
    }
    valid[w] = call.Reject(w, call.valid_word(0, w), bad, &(call.counts().*kCause));
  }
}

template <class A, class B, class R, class Op, int64_t EvalCounts::*kCause>
void CheckedBinaryLoop(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const A* LARDER_RESTRICT a = call.in<A>(0);
  const B* LARDER_RESTRICT b = call.in<B>(1);
  R* LARDER_RESTRICT out = call.result<R>();
  const std::size_t sa = call.is_constant(0) ? 0 : 1;
  const std::size_t sb = call.is_constant(1) ? 0 : 1;
  uint64_t* valid = call.BeginValid();
  if (call.is_row()) {
    const auto bad = static_cast<uint64_t>(!Op::Do(a[0], b[0], &out[0]));
    valid[0] = call.Reject(0, call.valid_word(0, 0) & call.valid_word(1, 0), bad,
                           &(call.counts().*kCause));
    return;
  }
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t bad = 0;
    const std::size_t count = call.rows_in_word(w);
    for (std::size_t j = 0; j < count; ++j) {
      const std::size_t i = 64 * w + j;
      bad |= static_cast<uint64_t>(!Op::Do(a[sa * i], b[sb * i], &out[i])) << j;
    }
    valid[w] = call.Reject(w, call.valid_word(0, w) & call.valid_word(1, w), bad,
                           &(call.counts().*kCause));
  }
}

// Value `i` of an argument that may be constant.
template <class T>
struct Argument {
  const T* data;
  std::size_t stride;
  Argument(const Call& call, std::size_t k)
      : data(call.in<T>(k)), stride(call.is_constant(k) ? 0 : 1) {}
  const T& operator[](std::size_t i) const { return data[stride * i]; }
};

// A division's ways to end. Op::Do(a, b, &out) tells; rows of the last two become null and are counted.
enum class Quotient : uint8_t { kGood, kZeroDivisor, kOverflow };
template <class A, class B, class R, class Op>
void DivideLoop(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<A> a(call, 0);
  const Argument<B> b(call, 1);
  R* LARDER_RESTRICT out = call.result<R>();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    uint64_t zero = 0;
    uint64_t overflow = 0;
    for (std::size_t j = 0; j < call.rows_in_word(w); ++j) {
      const std::size_t i = 64 * w + j;
      const Quotient end = Op::Do(a[i], b[i], &out[i]);
      zero |= static_cast<uint64_t>(end == Quotient::kZeroDivisor) << j;
      overflow |= static_cast<uint64_t>(end == Quotient::kOverflow) << j;
    }
    uint64_t good = call.valid_word(0, w) & call.valid_word(1, w);
    good = call.Reject(w, good, zero, &call.counts().division_by_zero);
    valid[w] = call.Reject(w, good, overflow, &call.counts().overflow);
  }
}

// Calls each(i) for the rows where every argument is valid (bit set in `valid`), in order.
template <class Each>
void ForEachSetBit(uint64_t word, Each each) {
  while (word != 0) {
    each(static_cast<std::size_t>(std::countr_zero(word)));
    word &= word - 1;
  }
}

// For costly kernels: each(i) -> bool for every row with all arguments valid and active; false means null, counted in
// `cause` (null cause: not counted).
template <class Each>
void ForValidRows(const Call& call, int64_t* cause, Each each) {
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words(); ++w) {
    if (w > 0 && call.arena().exhausted()) break;  // a row alone need not ask
    uint64_t rows = call.active_word(w);
    for (std::size_t k = 0; k < call.argument_count(); ++k) rows &= call.valid_word(k, w);
    uint64_t good = rows;
    ForEachSetBit(rows, [&](std::size_t j) {
      if (!each(64 * w + j)) good &= ~(uint64_t{1} << j);
    });
    if (cause != nullptr) *cause += std::popcount(rows & ~good);
    valid[w] = good;
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
