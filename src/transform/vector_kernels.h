// The inner loops that compilers do not vectorise well by themselves: bits from comparisons, and values chosen by bits.
// All take whole words of 64 rows and a rest, and give the same bits at every vector width.
#pragma once

#include <cstddef>
#include <cstdint>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// A stride is 1, or 0 for one value that stands for all rows. Bits past `n` are arbitrary in inputs and zero in results.
enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
void CompareDoubles(Comparison comparison, const double* x, std::size_t x_stride, const double* y,
                    std::size_t y_stride, std::size_t n, uint64_t* out);

// out[i] = bit i of `take` ? a[i] : b[i], for any value of 8 bytes.
void Choose(const uint64_t* take, const uint64_t* a, std::size_t a_stride, const uint64_t* b,
            std::size_t b_stride, std::size_t n, uint64_t* out);

// out[i] = from[i], zero where bit i of `valid` is not set, and one NaN for all.
void StoreDoubles(const double* from, std::size_t stride, const uint64_t* valid, std::size_t n,
                  double* out);

// The values of the rows whose bits are set, close together, and back to their rows; other rows are left alone.
// `rows` has no bits past `n`; `dense` has room for n + 8 values. Gather gives their count.
std::size_t Gather(const double* from, const uint64_t* rows, std::size_t n, double* dense);
void Scatter(const double* dense, const uint64_t* rows, std::size_t n, double* out);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
