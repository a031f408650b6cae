// Grows one typed column from DuckDB's vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "io/cell_column.h"
#include "io/duckdb_projection.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"

namespace larder::inline LARDER_ABI {

class DuckDbCells {
 public:
  // `nulls`, `notes` and `api` outlive this.
  static absl::StatusOr<DuckDbCells> Make(const DuckDbProjection& projection, const TimeZone& zone,
                                          const NullTokens* nulls, TextNotes* notes,
                                          const DuckDbLibrary* api);

  // Takes `rows` values. Where one cannot be read as the field's type it takes null, and calls `refuse` with the row and
  // what was found.
  using Refuse = std::function<void(std::size_t row, std::string_view found)>;
  void Take(duckdb_abi::Handle vector, std::size_t rows, const Refuse& refuse);
  [[nodiscard]] Column Finish();
  [[nodiscard]] std::string Expected() const { return cells_.Expected(); }

 private:
  DuckDbCells(CellColumn cells, const DuckDbProjection& projection, const DuckDbLibrary* api)
      : api_(api),
        type_(projection.field.type),
        as_text_(projection.as_text),
        cells_(std::move(cells)),
        column_(projection.field.type) {}
  void TakeText(duckdb_abi::Handle vector, std::size_t rows, const uint64_t* valid,
                const Refuse& refuse);
  void TakeFixed(duckdb_abi::Handle vector, std::size_t rows, const uint64_t* valid,
                 const Refuse& refuse);
  void TakeDurations(duckdb_abi::Handle vector, std::size_t rows, const uint64_t* valid,
                     const Refuse& refuse);
  void TakeNested(duckdb_abi::Handle vector, std::size_t rows, const uint64_t* valid,
                  const Refuse& refuse);
  const DuckDbLibrary* api_;
  DataType type_;
  bool as_text_;
  CellColumn cells_;  // of text
  Column column_;     // of everything else
};

}  // namespace larder::inline LARDER_ABI
