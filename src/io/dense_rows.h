// Columns into rows of floats: what the dense formats share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/io/dense_writer.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

inline constexpr std::size_t kNoColumn = SIZE_MAX;

// Some rows of the matrix, row by row. A float32 matrix holds doubles that are float32 values.
struct DenseBlock {
  std::vector<double> values;
  std::vector<uint8_t> nulls;  // 1 where the value is null; the value is then NullRule's
};

class DenseRows {
 public:
  // Errors: as dense_writer.h says.
  static absl::StatusOr<DenseRows> Make(std::span<const Field> fields, const DenseOptions& options);

  // Columns of the matrix, a vector's elements each.
  [[nodiscard]] std::size_t width() const { return names_.size(); }
  [[nodiscard]] const std::vector<std::string>& names() const LARDER_LIFETIME_BOUND {
    return names_;
  }
  [[nodiscard]] std::size_t label() const { return label_; }  // kNoColumn: none
  [[nodiscard]] std::size_t query() const { return query_; }  // kNoColumn: none
  // The fields that are in neither the matrix, label nor query.
  [[nodiscard]] const std::vector<std::size_t>& others() const LARDER_LIFETIME_BOUND {
    return others_;
  }

  // Fills rows `begin` to `end` of the batch. `first_row` is the number of its row 0 in the file, for messages.
  absl::Status FillMatrix(const Batch& batch, std::size_t begin, std::size_t end, int64_t first_row,
                          DenseBlock* block) const;
  // The same for the label. Requires: there is one.
  absl::Status FillLabel(const Batch& batch, std::size_t begin, std::size_t end, int64_t first_row,
                         DenseBlock* block) const;

 private:
  std::vector<Field> fields_;
  std::vector<std::string> names_;
  std::vector<std::size_t> features_;
  std::size_t label_ = kNoColumn;
  std::size_t query_ = kNoColumn;
  std::vector<std::size_t> others_;
  TypeId dtype_ = TypeId::kFloat32;
  NullRule nulls_;
};

}  // namespace larder::inline LARDER_ABI
