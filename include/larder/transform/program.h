// A compiled set of expressions and its two drivers, which give the same bits for every input: a column batch at a
// time (ingestion, training) and a row at a time (serving). Both run the same kernels, the row driver with length 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/column/column.h"
#include "larder/schema/definitions.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

namespace transform {
struct ProgramImpl;
struct Scratch;
}  // namespace transform

// Text that someone else owns, trivially copyable so that it fits a Datum.
struct TextRef {
  const char* data;
  std::size_t size;
};

// A list that someone else owns. `items` are `first + size` or more entries of the element's C++ form (bool: one byte
// each); for string and bytes they are characters under `offsets` as in Column, or TextRef when `offsets` is null.
struct ListRef {
  const void* items;
  const int64_t* offsets;
  const uint64_t* validity;  // null: no null item; bit `first + i` is item i
  std::size_t first;
  std::size_t size;
};

// One nullable value without its type, which the program knows. Owns nothing.
struct Datum {
  union {
    bool b;             // bool
    int32_t i32;        // int32, date
    int64_t i64;        // int64, timestamp, duration
    uint64_t u64;       // uint64
    float f32;          // float32
    double f64;         // float64
    TextRef text;       // string, bytes
    const void* fixed;  // vector: length() elements, any alignment
    ListRef list;       // list
  };
  bool valid;

  Datum() : list{}, valid(false) {}  // null
  static Datum Null() { return {}; }
  static Datum Bool(bool v) {
    Datum d;
    d.b = v;
    d.valid = true;
    return d;
  }
  static Datum Int32(int32_t v) {
    Datum d;
    d.i32 = v;
    d.valid = true;
    return d;
  }
  static Datum Int64(int64_t v) {
    Datum d;
    d.i64 = v;
    d.valid = true;
    return d;
  }
  static Datum Uint64(uint64_t v) {
    Datum d;
    d.u64 = v;
    d.valid = true;
    return d;
  }
  static Datum Float32(float v) {
    Datum d;
    d.f32 = v;
    d.valid = true;
    return d;
  }
  static Datum Float64(double v) {
    Datum d;
    d.f64 = v;
    d.valid = true;
    return d;
  }
  static Datum Text(std::string_view v) {
    Datum d;
    d.text = {v.data(), v.size()};
    d.valid = true;
    return d;
  }
  static Datum Fixed(const void* v) {
    Datum d;
    d.fixed = v;
    d.valid = true;
    return d;
  }
  static Datum List(const ListRef& v) {
    Datum d;
    d.list = v;
    d.valid = true;
    return d;
  }
  [[nodiscard]] std::string_view view() const { return {text.data, text.size}; }
};

// Immutable. Copies share. Threads: thread-compatible (const calls may overlap).
class Program {
 public:
  // Compiles all expressions together: equal subexpressions are computed once, constants are folded by the kernels
  // that would run, and inputs nothing uses are never read. Input names are matched exactly, `request.x` included.
  //
  // Errors: kInvalidArgument for everything wrong in a text: the message has the feature, line, column, the line
  // itself, a caret and a suggestion when a name is close; for over-long or over-deep text (kTooLarge).
  static absl::StatusOr<Program> Compile(std::span<const NamedExpression> expressions,
                                         std::span<const Field> inputs,
                                         const CompileOptions& options = {});

  // What is really read, in the order of the `inputs` given to Compile.
  [[nodiscard]] std::span<const Field> inputs() const LARDER_LIFETIME_BOUND;
  // One per expression, in order.
  [[nodiscard]] std::span<const Field> outputs() const LARDER_LIFETIME_BOUND;
  // Whether current_date or now() is read, so that the result depends on as_of.
  [[nodiscard]] bool uses_clock() const;
  [[nodiscard]] std::size_t instruction_count() const;
  // C++ functions used, as `name@version#hash` of their probe outputs, sorted; for definitions and manifests.
  [[nodiscard]] std::span<const std::string> functions() const LARDER_LIFETIME_BOUND;
  // The instructions, one a line: for people reading a plan and for tests of sharing.
  [[nodiscard]] std::string Disassemble() const;

  // `inputs` are in inputs() order, of exactly those types, each at least `rows` long; `as_of` has one entry for all
  // rows, or one each (ignored, and may be empty, unless uses_clock()). Adds to `counts` when given.
  // Errors: kInvalidArgument naming the input whose type or length is not as required; kFailedPrecondition in a thread
  // whose floating-point settings would change bits, see CheckFloatEnvironment; kResourceExhausted when the texts made
  // for one row take more than 128 MiB together.
  [[nodiscard]] absl::StatusOr<std::vector<Column>> EvaluateBatch(
      std::span<const Column* const> inputs, std::size_t rows, std::span<const Timestamp> as_of,
      EvalCounts* counts = nullptr) const;
  // The same with columns found by name. Errors: also kNotFound for a missing column.
  [[nodiscard]] absl::StatusOr<std::vector<Column>> EvaluateBatch(
      const Batch& batch, std::span<const Timestamp> as_of, EvalCounts* counts = nullptr) const;

 private:
  friend class ChunkEvaluator;
  friend class ExpressionSteps;
  friend class RowEvaluator;
  explicit Program(std::shared_ptr<const transform::ProgramImpl> impl);
  std::shared_ptr<const transform::ProgramImpl> impl_;
};

// Runs a program one row at a time. Owns the scratch: after the longest text has been seen once, Evaluate does not
// allocate. Keeps the program alive. Threads: thread-bound (one per thread).
class RowEvaluator {
 public:
  explicit RowEvaluator(const Program& program);
  RowEvaluator(RowEvaluator&&) noexcept;
  RowEvaluator& operator=(RowEvaluator&&) noexcept;
  ~RowEvaluator();

  [[nodiscard]] const Program& program() const LARDER_LIFETIME_BOUND { return program_; }

  // Requires: CheckFloatEnvironment() is OK in this thread; `inputs` in Program::inputs() order and as many, `outputs`
  // as many as Program::outputs().
  // Lifetime: text, vector and list outputs live until the next Evaluate, and no longer than the inputs.
  void Evaluate(std::span<const Datum> inputs, Timestamp as_of, std::span<Datum> outputs);
  // What Evaluate has counted since construction or the last Reset.
  [[nodiscard]] const EvalCounts& counts() const LARDER_LIFETIME_BOUND;
  void ResetCounts();

 private:
  Program program_;
  std::unique_ptr<transform::Scratch> scratch_;
};

// Edge convenience: one row of values in, one value per output out. Allocates; for tools and tests.
// Errors: kInvalidArgument for a value that does not convert to its input's type, kNotFound for a missing input.
[[nodiscard]] absl::StatusOr<std::vector<Value>> EvaluateRow(const Program& program, const Row& row,
                                                             Timestamp as_of,
                                                             EvalCounts* counts = nullptr);
// Borrows from `value`. Requires: null or of type `type` exactly; not a list of text or bool, not a map.
[[nodiscard]] Datum DatumOf(const Value& value LARDER_LIFETIME_BOUND);
[[nodiscard]] Value ValueOf(const Datum& datum, const DataType& type);

}  // namespace larder::inline LARDER_ABI
