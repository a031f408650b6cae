#include "transform/vector_kernels.h"

#include <bit>
#include <limits>

#include "transform/vector_width.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define LARDER_WIDEST __attribute__((target("avx512f,avx2")))
#endif

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

constexpr uint64_t kNanBits = std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());

bool Compare(Comparison comparison, double x, double y) {
  switch (comparison) {
    case Comparison::kEqual:
      return x == y;
    case Comparison::kNotEqual:
      return x != y;
    case Comparison::kLess:
      return x < y;
    case Comparison::kLessEqual:
      return x <= y;
    case Comparison::kGreater:
      return x > y;
    case Comparison::kGreaterEqual:
      return x >= y;
  }
  return false;
}

// One word of results, for `count` <= 64 rows.
uint64_t CompareRest(Comparison comparison, const double* x, std::size_t x_stride, const double* y,
                     std::size_t y_stride, std::size_t count) {
  uint64_t word = 0;
  for (std::size_t j = 0; j < count; ++j) {
    word |= static_cast<uint64_t>(Compare(comparison, x[x_stride * j], y[y_stride * j])) << j;
  }
  return word;
}

inline void ChooseRest(uint64_t take, const uint64_t* a, std::size_t a_stride, const uint64_t* b,
                       std::size_t b_stride, std::size_t count, uint64_t* out) {
  for (std::size_t j = 0; j < count; ++j) {
    const uint64_t mask = uint64_t{0} - ((take >> j) & 1U);
    out[j] = (a[a_stride * j] & mask) | (b[b_stride * j] & ~mask);
  }
}

inline void StoreRest(const double* from, std::size_t stride, uint64_t valid, std::size_t count,
                      double* out) {
  for (std::size_t j = 0; j < count; ++j) {
    const double value = from[stride * j];
    const uint64_t bits = value != value ? kNanBits : std::bit_cast<uint64_t>(value);
    out[j] = std::bit_cast<double>(bits & (uint64_t{0} - ((valid >> j) & 1U)));
  }
}

#if defined(__x86_64__)

template <int kPredicate>
LARDER_WIDEST void CompareWords512(const double* x, std::size_t x_stride, const double* y,
                                   std::size_t y_stride, std::size_t words, uint64_t* out) {
  const __m512d first_x = _mm512_set1_pd(*x);
  const __m512d first_y = _mm512_set1_pd(*y);
  for (std::size_t w = 0; w < words; ++w) {
    uint64_t word = 0;
    for (unsigned j = 0; j < 64; j += 8) {
      const __m512d a = x_stride == 0 ? first_x : _mm512_loadu_pd(x + 64 * w + j);
      const __m512d b = y_stride == 0 ? first_y : _mm512_loadu_pd(y + 64 * w + j);
      word |= static_cast<uint64_t>(_mm512_cmp_pd_mask(a, b, kPredicate)) << j;
    }
    out[w] = word;
  }
}

template <int kPredicate>
LARDER_WIDE void CompareWords256(const double* x, std::size_t x_stride, const double* y,
                                 std::size_t y_stride, std::size_t words, uint64_t* out) {
  const __m256d first_x = _mm256_set1_pd(*x);
  const __m256d first_y = _mm256_set1_pd(*y);
  for (std::size_t w = 0; w < words; ++w) {
    uint64_t word = 0;
    for (unsigned j = 0; j < 64; j += 4) {
      const __m256d a = x_stride == 0 ? first_x : _mm256_loadu_pd(x + 64 * w + j);
      const __m256d b = y_stride == 0 ? first_y : _mm256_loadu_pd(y + 64 * w + j);
      const int four = _mm256_movemask_pd(_mm256_cmp_pd(a, b, kPredicate));
      word |= static_cast<uint64_t>(static_cast<unsigned>(four)) << j;
    }
    out[w] = word;
  }
}

template <int kPredicate>
void CompareWords(const double* x, std::size_t x_stride, const double* y, std::size_t y_stride,
                  std::size_t words, uint64_t* out) {
  if (VectorBytes() == 64) {
    CompareWords512<kPredicate>(x, x_stride, y, y_stride, words, out);
  } else {
    CompareWords256<kPredicate>(x, x_stride, y, y_stride, words, out);
  }
}

LARDER_WIDEST void ChooseWords512(const uint64_t* take, const uint64_t* a, std::size_t a_stride,
                                  const uint64_t* b, std::size_t b_stride, std::size_t words,
                                  uint64_t* out) {
  const __m512i first_a = _mm512_set1_epi64(static_cast<long long>(*a));
  const __m512i first_b = _mm512_set1_epi64(static_cast<long long>(*b));
  for (std::size_t w = 0; w < words; ++w) {
    for (unsigned j = 0; j < 64; j += 8) {
      const std::size_t i = 64 * w + j;
      const __m512i x = a_stride == 0 ? first_a : _mm512_loadu_si512(a + i);
      const __m512i y = b_stride == 0 ? first_b : _mm512_loadu_si512(b + i);
      const auto rows = static_cast<__mmask8>(take[w] >> j);
      _mm512_storeu_si512(out + i, _mm512_mask_blend_epi64(rows, y, x));
    }
  }
}

LARDER_WIDEST void StoreWords512(const double* from, std::size_t stride, const uint64_t* valid,
                                 std::size_t words, double* out) {
  const __m512d nan = _mm512_set1_pd(std::numeric_limits<double>::quiet_NaN());
  const __m512d first = _mm512_set1_pd(*from);
  for (std::size_t w = 0; w < words; ++w) {
    for (unsigned j = 0; j < 64; j += 8) {
      const std::size_t i = 64 * w + j;
      const __m512d value = stride == 0 ? first : _mm512_loadu_pd(from + i);
      const __mmask8 is_nan = _mm512_cmp_pd_mask(value, value, _CMP_UNORD_Q);
      const auto rows = static_cast<__mmask8>(valid[w] >> j);
      _mm512_storeu_pd(out + i, _mm512_maskz_mov_pd(rows, _mm512_mask_mov_pd(value, is_nan, nan)));
    }
  }
}

LARDER_WIDEST std::size_t Gather512(const double* from, const uint64_t* rows, std::size_t words,
                                    double* dense) {
  std::size_t count = 0;
  for (std::size_t w = 0; w < words; ++w) {
    for (unsigned j = 0; j < 64; j += 8) {
      const auto eight = static_cast<__mmask8>(rows[w] >> j);
      _mm512_storeu_pd(dense + count,
                       _mm512_maskz_compress_pd(eight, _mm512_loadu_pd(from + 64 * w + j)));
      count += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(eight)));
    }
  }
  return count;
}

LARDER_WIDEST std::size_t Scatter512(const double* dense, const uint64_t* rows, std::size_t words,
                                     double* out) {
  std::size_t count = 0;
  for (std::size_t w = 0; w < words; ++w) {
    for (unsigned j = 0; j < 64; j += 8) {
      const auto eight = static_cast<__mmask8>(rows[w] >> j);
      _mm512_mask_storeu_pd(out + 64 * w + j, eight,
                            _mm512_maskz_expand_pd(eight, _mm512_loadu_pd(dense + count)));
      count += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(eight)));
    }
  }
  return count;
}

#endif

}  // namespace

void CompareDoubles(Comparison comparison, const double* x, std::size_t x_stride, const double* y,
                    std::size_t y_stride, std::size_t n, uint64_t* out) {
  std::size_t done = 0;
#if defined(__x86_64__)
  if (VectorBytes() > 16 && n >= 64) {
    done = n / 64;
    switch (comparison) {
      case Comparison::kEqual:
        CompareWords<_CMP_EQ_OQ>(x, x_stride, y, y_stride, done, out);
        break;
      case Comparison::kNotEqual:
        CompareWords<_CMP_NEQ_UQ>(x, x_stride, y, y_stride, done, out);
        break;
      case Comparison::kLess:
        CompareWords<_CMP_LT_OQ>(x, x_stride, y, y_stride, done, out);
        break;
      case Comparison::kLessEqual:
        CompareWords<_CMP_LE_OQ>(x, x_stride, y, y_stride, done, out);
        break;
      case Comparison::kGreater:
        CompareWords<_CMP_GT_OQ>(x, x_stride, y, y_stride, done, out);
        break;
      case Comparison::kGreaterEqual:
        CompareWords<_CMP_GE_OQ>(x, x_stride, y, y_stride, done, out);
        break;
    }
  }
#endif
  for (std::size_t w = done; 64 * w < n; ++w) {
    const std::size_t count = n - 64 * w < 64 ? n - 64 * w : 64;
    out[w] = CompareRest(comparison, x + x_stride * 64 * w, x_stride, y + y_stride * 64 * w,
                         y_stride, count);
  }
}

void Choose(const uint64_t* take, const uint64_t* a, std::size_t a_stride, const uint64_t* b,
            std::size_t b_stride, std::size_t n, uint64_t* out) {
  std::size_t done = 0;
#if defined(__x86_64__)
  if (VectorBytes() == 64 && n >= 64) {
    done = n / 64;
    ChooseWords512(take, a, a_stride, b, b_stride, done, out);
  }
#endif
  for (std::size_t w = done; 64 * w < n; ++w) {
    const std::size_t count = n - 64 * w < 64 ? n - 64 * w : 64;
    const uint64_t* x = a + a_stride * 64 * w;
    const uint64_t* y = b + b_stride * 64 * w;
    uint64_t* to = out + 64 * w;
    const uint64_t word = take[w];
    Widely([=]() LARDER_ALWAYS_INLINE { ChooseRest(word, x, a_stride, y, b_stride, count, to); });
  }
}

void StoreDoubles(const double* from, std::size_t stride, const uint64_t* valid, std::size_t n,
                  double* out) {
  std::size_t done = 0;
#if defined(__x86_64__)
  if (VectorBytes() == 64 && n >= 64) {
    done = n / 64;
    StoreWords512(from, stride, valid, done, out);
  }
#endif
  for (std::size_t w = done; 64 * w < n; ++w) {
    const std::size_t count = n - 64 * w < 64 ? n - 64 * w : 64;
    const double* x = from + stride * 64 * w;
    double* to = out + 64 * w;
    const uint64_t word = valid[w];
    Widely([=]() LARDER_ALWAYS_INLINE { StoreRest(x, stride, word, count, to); });
  }
}

std::size_t Gather(const double* from, const uint64_t* rows, std::size_t n, double* dense) {
  std::size_t count = 0;
  std::size_t done = 0;
#if defined(__x86_64__)
  if (VectorBytes() == 64) {
    done = n / 64;
    count = Gather512(from, rows, done, dense);
  }
#endif
  for (std::size_t w = done; 64 * w < n; ++w) {
    for (uint64_t word = rows[w]; word != 0; word &= word - 1)
      dense[count++] = from[64 * w + static_cast<std::size_t>(std::countr_zero(word))];
  }
  return count;
}

void Scatter(const double* dense, const uint64_t* rows, std::size_t n, double* out) {
  std::size_t count = 0;
  std::size_t done = 0;
#if defined(__x86_64__)
  if (VectorBytes() == 64) {
    done = n / 64;
    count = Scatter512(dense, rows, done, out);
  }
#endif
  for (std::size_t w = done; 64 * w < n; ++w) {
    for (uint64_t word = rows[w]; word != 0; word &= word - 1)
      out[64 * w + static_cast<std::size_t>(std::countr_zero(word))] = dense[count++];
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
