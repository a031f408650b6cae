// The driver between the batch's and the row's: some rows at a time, in memory
// that was laid out once. For serving many rows of one request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

// Gives the bits that RowEvaluator gives for each row. Keeps the program alive;
// after the longest texts have been seen once, nothing allocates. Threads:
// thread-bound.
class ChunkEvaluator {
 public:
  // Requires: 0 < rows_max <= 512.
  ChunkEvaluator(const Program& program, std::size_t rows_max);
  ChunkEvaluator(ChunkEvaluator&&) noexcept;
  ChunkEvaluator& operator=(ChunkEvaluator&&) noexcept;
  ~ChunkEvaluator();

  [[nodiscard]] const Program& program() const LARDER_LIFETIME_BOUND { return program_; }

  // Row `row` of an input in Program::inputs() order. What was set stays until
  // it is set again, and is borrowed as long.
  void SetInput(std::size_t input, std::size_t row, const Datum& value);
  // An input of eight bytes a value (float64, int64, uint64, timestamp,
  // duration), to be filled in place: the values, and a bit for each that is
  // not null. Nothing for other types.
  struct Words {
    uint64_t* values = nullptr;
    uint64_t* valid = nullptr;
  };
  [[nodiscard]] Words InputWords(std::size_t input);

  // Of rows 0 to `rows`. Requires: CheckFloatEnvironment() is OK in this
  // thread; those rows of all inputs set.
  void Evaluate(std::size_t rows, Timestamp as_of);

  // Lifetime of text, vectors and lists: until the next Evaluate, and no longer
  // than the inputs.
  [[nodiscard]] Datum Output(std::size_t output, std::size_t row) const;
  // A computed float64 output: its values, and the bits of those that are not
  // null (no bits: all). No values when it is of another type, constant or an
  // input itself.
  struct Doubles {
    const double* values = nullptr;
    const uint64_t* valid = nullptr;
  };
  [[nodiscard]] Doubles OutputDoubles(std::size_t output) const;

 private:
  Program program_;
  std::unique_ptr<transform::Scratch> scratch_;
};

}  // namespace larder::inline LARDER_ABI
