// Join key columns as entity key bytes, a whole batch at once.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/column/column.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {

// Appends entry `row` of a key column. False, and nothing appended, for a null.
// Requires: a key type (DataType::is_key_type).
bool AppendKeyPart(const Column& column, std::size_t row, std::string* out);

// The keys of `rows` rows. No columns (a global view): every key is empty but not null.
class EncodedKeys {
 public:
  EncodedKeys() = default;
  EncodedKeys(std::span<const Column* const> columns, std::size_t rows) { Encode(columns, rows); }
  // Replaces what is there, in the same memory.
  void Encode(std::span<const Column* const> columns, std::size_t rows);
  // One per row; a null data() marks a null join key. Lifetime: borrows from this.
  [[nodiscard]] std::span<const std::string_view> views() const LARDER_LIFETIME_BOUND {
    return views_;
  }

 private:
  static constexpr std::size_t kNull = ~std::size_t{0};
  std::string bytes_;
  std::vector<std::size_t> ends_;  // in bytes_; kNull: a null key
  std::vector<std::string_view> views_;
};

}  // namespace larder::inline LARDER_ABI
