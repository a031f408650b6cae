// Writing rows as matrices of floats: NumPy's .npy and .npz, and LibSVM's text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/record_writer.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// What stands in a matrix, which has no nulls, where a value is null.
struct NullRule {
  enum class Kind : uint8_t {
    kNan,
    kValue,   // `value`
    kOmit,    // LibSVM only: no entry, which XGBoost reads as missing and scikit-learn as 0
    kRefuse,  // a null is an error
  };
  Kind kind = Kind::kNan;
  double value = 0;

  [[nodiscard]] std::string ToString() const;
  // Reads what ToString writes: `nan`, `omit`, `refuse` or a number.
  static absl::StatusOr<NullRule> Parse(std::string_view text);
  friend bool operator==(const NullRule&, const NullRule&) = default;
};

struct DenseOptions {
  // The matrix's columns, in order. Empty: every column that can be one, but for label and query.
  std::vector<std::string> features;
  std::string label;  // a column of its own beside the matrix; empty: none
  std::string query;  // the group a row belongs to, for ranking: a column of integers; empty: none
  TypeId dtype = TypeId::kFloat32;  // or kFloat64
  NullRule nulls;
  bool compress = false;  // .npz: deflate its arrays, as numpy.savez_compressed does
  bool durable = true;    // as CsvWriteOptions::durable
};

// Whether values of the type can stand in a matrix: bool as 0 or 1, numbers, vectors as length() columns.
[[nodiscard]] bool IsDenseType(const DataType& type);

// All of these: the file appears, complete, at Finish(). float64 is rounded to a float32 matrix, which is what asking
// for one means; an integer that the dtype cannot hold exactly, or a finite value beyond its range, is an error.
//
// Errors: kInvalidArgument for an unknown column (with a suggestion), one whose type is not dense, a dtype that is no
//   float, or no column left for the matrix; from Write, naming column and row, a value the dtype cannot hold, a null
//   under NullRule::kRefuse; else as CreateCsv.

// One C-ordered matrix, rows x columns. It has no room for names and nulls: NullRule::kNan unless told otherwise.
// Errors: also kInvalidArgument for a label or query.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateNpy(
    const std::string& path, std::span<const Field> fields, const DenseOptions& options = {});

// What numpy.load reads as named arrays:
//   X          the matrix
//   mask       bool, of X's shape: true where a value is null, as numpy.ma has it
//   names      of X's columns; the elements of vector `v` are `v[0]`, `v[1]`, ...
//   null_rule  what stands in X under the mask: NullRule::ToString
//   y, y_mask  the label, of X's dtype
//   query      the query column
//   columns/N  every other column N, times as datetime64, text as fixed-width text, bytes as base64, lists and maps as
//              JSON; null is NaN, NaT, 0 or empty, and columns/N.mask is there where a column has nulls
// The same rows give the same bytes. X streams; the mask (a bit a value) and the other columns wait in memory.
// Errors: also kUnimplemented where larder was built without zlib.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateNpz(
    const std::string& path, std::span<const Field> fields, const DenseOptions& options = {});

// A line a row: `label [qid:N] 1:v 2:v ...`, columns counted from 1, `.gz` too. Zeros are written, so that under
// NullRule::kOmit what is not there is null.
// Errors: also kInvalidArgument without a label, and from Write for a null label or query.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateLibsvm(
    const std::string& path, std::span<const Field> fields, const DenseOptions& options = {});

// The same text appended to `*out`. Lifetime: `*out` must outlive the writer.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> WriteLibsvmText(
    std::string* out LARDER_LIFETIME_BOUND, std::span<const Field> fields,
    const DenseOptions& options = {});

}  // namespace larder::inline LARDER_ABI
