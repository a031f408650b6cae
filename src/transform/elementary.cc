#include "transform/elementary.h"

#include <sleef.h>

#include "transform/vector_width.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define LARDER_VECTOR_ELEMENTARY 1
#endif

namespace larder::inline LARDER_ABI {
namespace transform {

#ifdef LARDER_VECTOR_ELEMENTARY
// sleef.h declares the wide forms only where the whole file is compiled for them; these functions are chosen at run
// time instead. Declared again with C linkage, so the names are SLEEF's own.
#define LARDER_AVX __attribute__((target("avx")))
#define LARDER_AVX512 __attribute__((target("avx512f")))
extern "C" {
#define LARDER_DECLARE(name)                                \
  LARDER_AVX __m256d Sleef_cinz_##name##d4_u10avx(__m256d); \
  LARDER_AVX512 __m512d Sleef_cinz_##name##d8_u10avx512fnofma(__m512d);
LARDER_ELEMENTARY_FUNCTIONS(LARDER_DECLARE)
#undef LARDER_DECLARE
}
#endif

namespace {

constexpr std::size_t kWidest = 8;

}  // namespace

// A last, partial vector is filled up in a buffer: the same instructions for every row.
#ifdef LARDER_VECTOR_ELEMENTARY
#define LARDER_DEFINE(name)                                                                     \
  namespace {                                                                                   \
  void name##Sse2(const double* x, double* out, std::size_t count) {                            \
    for (std::size_t i = 0; i < count; i += 2)                                                  \
      _mm_storeu_pd(out + i, Sleef_cinz_##name##d2_u10sse2(_mm_loadu_pd(x + i)));               \
  }                                                                                             \
  LARDER_AVX void name##Avx(const double* x, double* out, std::size_t count) {                  \
    for (std::size_t i = 0; i < count; i += 4)                                                  \
      _mm256_storeu_pd(out + i, Sleef_cinz_##name##d4_u10avx(_mm256_loadu_pd(x + i)));          \
  }                                                                                             \
  LARDER_AVX512 void name##Avx512(const double* x, double* out, std::size_t count) {            \
    for (std::size_t i = 0; i < count; i += 8)                                                  \
      _mm512_storeu_pd(out + i, Sleef_cinz_##name##d8_u10avx512fnofma(_mm512_loadu_pd(x + i))); \
  }                                                                                             \
  void name##Whole(const double* x, double* out, std::size_t count) {                           \
    switch (VectorBytes()) {                                                                    \
      case 64:                                                                                  \
        return name##Avx512(x, out, count);                                                     \
      case 32:                                                                                  \
        return name##Avx(x, out, count);                                                        \
      default:                                                                                  \
        return name##Sse2(x, out, count);                                                       \
    }                                                                                           \
  }                                                                                             \
  }                                                                                             \
  double elementary::name::One(double x) { return Sleef_cinz_##name##d1_u10purec(x); }          \
  void elementary::name::Many(const double* x, double* out, std::size_t count) {                \
    const std::size_t whole = count / kWidest * kWidest;                                        \
    name##Whole(x, out, whole);                                                                 \
    if (whole == count) return;                                                                 \
    double padded[kWidest] = {1, 1, 1, 1, 1, 1, 1, 1};                                          \
    double result[kWidest];                                                                     \
    for (std::size_t i = whole; i < count; ++i) padded[i - whole] = x[i];                       \
    name##Whole(padded, result, kWidest);                                                       \
    for (std::size_t i = whole; i < count; ++i) out[i] = result[i - whole];                     \
  }
LARDER_ELEMENTARY_FUNCTIONS(LARDER_DEFINE)
#undef LARDER_DEFINE

#else
#define LARDER_DEFINE(name)                                                            \
  double elementary::name::One(double x) { return Sleef_cinz_##name##d1_u10purec(x); } \
  void elementary::name::Many(const double* x, double* out, std::size_t count) {       \
    for (std::size_t i = 0; i < count; ++i) out[i] = One(x[i]);                        \
  }
LARDER_ELEMENTARY_FUNCTIONS(LARDER_DEFINE)
#undef LARDER_DEFINE
#endif

// In code of clang 14, calls of SLEEF 3.5.1's vector functions of two arguments got the first one twice (in code of g++
// they did not). Equal bits come first: one value at a time.
#define LARDER_DEFINE(name)                                                                       \
  double elementary::name::One(double x, double y) {                                              \
    return Sleef_cinz_##name##d1_u10purec(x, y);                                                  \
  }                                                                                               \
  void elementary::name::Many(const double* x, const double* y, double* out, std::size_t count) { \
    for (std::size_t i = 0; i < count; ++i) out[i] = One(x[i], y[i]);                             \
  }
LARDER_DEFINE(pow)
LARDER_DEFINE(atan2)
#undef LARDER_DEFINE

#define LARDER_TEXT_INNER(x) #x
#define LARDER_TEXT(x) LARDER_TEXT_INNER(x)
const char* ElementaryVersion() {
  return "sleef " LARDER_TEXT(SLEEF_VERSION_MAJOR) "." LARDER_TEXT(
      SLEEF_VERSION_MINOR) "." LARDER_TEXT(SLEEF_VERSION_PATCHLEVEL);
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
