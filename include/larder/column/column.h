// A typed column with a validity bitmap, in Arrow's memory layout, so that export is a pointer.
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
#include "larder/column/validity.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// Fixed-width types (bool as one byte each; timestamp, date, duration as their integers; vectors as
// length() elements in a row) live in data(). string and bytes have size()+1 64-bit offsets() into
// data(). Lists have offsets() into child(); maps into child() (values) and keys() (strings).
//
// Entries under a null hold zeros (or an empty range), so that equal columns are equal bytes.
// Appending is amortised O(1). Threads: const calls may overlap.
class Column {
 public:
  explicit Column(DataType type);
  Column(Column&&) noexcept = default;
  Column& operator=(Column&&) noexcept = default;
  Column(const Column& other);
  Column& operator=(const Column& other);

  [[nodiscard]] const DataType& type() const { return type_; }
  [[nodiscard]] std::size_t size() const { return validity_.size(); }
  [[nodiscard]] bool IsValid(std::size_t i) const { return validity_.Test(i); }
  [[nodiscard]] const Validity& validity() const LARDER_LIFETIME_BOUND { return validity_; }
  [[nodiscard]] std::size_t CountNulls() const { return validity_.CountNulls(); }

  // The fixed-width payload as T. Requires: sizeof(T) divides byte_width() and fits the type
  // (uint8_t for bool, int64_t for timestamp and duration, int32_t for date).
  template <class T>
  [[nodiscard]] std::span<const T> Values() const LARDER_LIFETIME_BOUND {
    return {reinterpret_cast<const T*>(data_.data()), data_.size() / sizeof(T)};
  }
  template <class T>
  [[nodiscard]] std::span<T> MutableValues() LARDER_LIFETIME_BOUND {
    return {reinterpret_cast<T*>(data_.data()), data_.size() / sizeof(T)};
  }
  [[nodiscard]] Validity& mutable_validity() { return validity_; }
  // string and bytes. Lifetime: until the column changes.
  [[nodiscard]] std::string_view Text(std::size_t i) const LARDER_LIFETIME_BOUND {
    return {reinterpret_cast<const char*>(data_.data()) + offsets_[i],
            static_cast<std::size_t>(offsets_[i + 1] - offsets_[i])};
  }
  [[nodiscard]] std::span<const int64_t> offsets() const LARDER_LIFETIME_BOUND { return offsets_; }
  [[nodiscard]] std::span<const std::byte> data() const LARDER_LIFETIME_BOUND { return data_; }
  [[nodiscard]] const Column* child() const { return child_.get(); }
  [[nodiscard]] const Column* keys() const { return keys_.get(); }

  void Reserve(std::size_t rows);
  void AppendNull();
  // Requires: T is the type's C++ form (see Values) and the type is a fixed-width scalar.
  template <class T>
  void AppendFixed(T value) {
    LARDER_DCHECK(sizeof(T) == type_.byte_width());
    AppendRaw(&value, sizeof(T));
  }
  // Fixed-width types: byte_width() bytes. Requires: exactly that many.
  void AppendRaw(const void* bytes, std::size_t size);
  void AppendText(std::string_view text);
  // Grows fixed-width columns to `rows` entries of null, to be filled through MutableValues and
  // mutable_validity.
  void ResizeFixed(std::size_t rows);

  // Any type. Errors: kInvalidArgument when the value is not null and its type is not exactly the
  // column's.
  absl::Status Append(const Value& value);
  // Copies entry `i` of a column of the same type.
  void AppendFrom(const Column& other, std::size_t i);
  // Keeps the first `rows` entries, and the memory of the others. Requires: rows <= size().
  void Truncate(std::size_t rows);
  [[nodiscard]] Value ValueAt(std::size_t i) const;

  // Bit for bit, types included.
  friend bool operator==(const Column& a, const Column& b);

 private:
  DataType type_;
  Validity validity_;
  std::vector<std::byte> data_;
  std::vector<int64_t> offsets_;
  std::unique_ptr<Column> child_;
  std::unique_ptr<Column> keys_;
};

}  // namespace larder::inline LARDER_ABI
