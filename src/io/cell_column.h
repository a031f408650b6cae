// Grows one typed column from the text of cells, without a Value per cell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/column.h"
#include "larder/schema/definitions.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// The texts that mean null. Copies nothing on look-up.
class NullTokens {
 public:
  NullTokens() = default;
  explicit NullTokens(std::vector<std::string> tokens);
  [[nodiscard]] bool Has(std::string_view text) const {
    // Most cells are told apart by their length alone.
    const std::size_t size = text.size() < 63 ? text.size() : 63;
    return ((sizes_ >> size) & 1U) != 0 && Search(text);
  }

 private:
  [[nodiscard]] bool Search(std::string_view text) const;
  std::vector<std::string> tokens_;
  uint64_t sizes_ = 0;
};

// The cell of the row at hand is put first and accepted or dropped with its row, so that a bad cell further right
// takes nothing of its row into the column.
class CellColumn {
 public:
  // Errors: kInvalidArgument for an unknown unit, or a unit of a type that has none.
  static absl::StatusOr<CellColumn> Make(const Field& field, const TimeZone& zone,
                                         const NullTokens* nulls, TextNotes* notes);

  // False when the text cannot be read as the column's type. Lifetime: `text` must live until Accept.
  bool Put(std::string_view text, bool quoted);
  void PutNull();
  // Any value of the column's type or null.
  void PutValue(Value value);
  void Accept();
  [[nodiscard]] Column Take();
  // What a readable cell looks like, for messages: `int64`, `timestamp in s since 1970`.
  [[nodiscard]] std::string Expected() const;

 private:
  CellColumn(const Field& field, const TimeZone& zone, const NullTokens* nulls, TextNotes* notes);
  void Grow();
  template <class T>
  bool PutFixed(T value) {
    std::memcpy(fixed_.data() + row_ * sizeof(T), &value, sizeof(T));
    valid_ = true;
    return true;
  }
  template <class T>
  bool PutInteger(std::string_view text);
  template <class T>
  bool PutFloat(std::string_view text);
  bool PutText(std::string_view text);
  bool PutTimestamp(std::string_view text);
  bool PutDate(std::string_view text);
  bool PutScaled(std::string_view text);
  bool PutBySlowWay(std::string_view text);

  DataType type_;
  int unit_exponent_ = 0;  // of ten, from the unit to microseconds
  bool has_unit_ = false;
  std::string unit_;
  TimeZone zone_;
  bool zone_is_utc_ = true;
  const NullTokens* nulls_;
  TextNotes* notes_;
  std::size_t row_ = 0;

  bool valid_ = false;     // the pending cell
  std::string_view text_;  // of string and bytes
  Value value_;            // of nested types
  std::string decoded_;    // bytes, from base64

  std::vector<char> fixed_;  // values of fixed-width types, with room for the pending one
  bool is_fixed_ = false;
  std::size_t capacity_ = 0;  // of fixed_, in rows
  std::vector<uint64_t> valid_bits_;
  Column grown_;  // every other type
};

// Reads a decimal number of units as microseconds, `unit_exponent` powers of ten larger or smaller than one: exact,
// finer digits floored (then `*floored` becomes true). False when it is no number or does not fit.
[[nodiscard]] bool ParseScaledMicros(std::string_view text, int unit_exponent, int64_t* micros,
                                     bool* floored);

}  // namespace larder::inline LARDER_ABI
