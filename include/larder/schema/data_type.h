// The types a feature, key or request field can have.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Stored in files: never renumber.
enum class TypeId : uint8_t {
  kBool = 1,
  kInt32 = 2,
  kInt64 = 3,
  kUint64 = 4,
  kFloat32 = 5,
  kFloat64 = 6,
  kString = 7,  // UTF-8, checked at the edges
  kBytes = 8,
  kTimestamp = 9,  // int64 microseconds, see Timestamp
  kDate = 10,      // int32 days, see Date
  kDuration = 11,  // int64 microseconds
  kVector = 12,    // fixed length, of float32 or int8
  kList = 13,      // any length, of a scalar type
  kMap = 14,       // from string to int64 or float64
  kInt8 = 15,      // only as a vector's element
};

inline constexpr uint32_t kVectorLengthMax = 65'536;

// A type with its parameters. Small, copied freely, compared by value.
class DataType {
 public:
  constexpr DataType() = default;  // bool
  // Implicit, so that an id reads as the scalar type.
  constexpr DataType(TypeId id) : id_(id) {}  // NOLINT(google-explicit-constructor)
  static constexpr DataType Vector(TypeId element, uint32_t length) {
    return {TypeId::kVector, element, length};
  }
  static constexpr DataType List(TypeId element) { return {TypeId::kList, element, 0}; }
  static constexpr DataType Map(TypeId value) { return {TypeId::kMap, value, 0}; }

  [[nodiscard]] constexpr TypeId id() const { return id_; }
  // Of vector and list: the element; of map: the value. Otherwise the type itself.
  [[nodiscard]] constexpr TypeId element() const { return is_nested() ? element_ : id_; }
  // Of a vector: its fixed number of elements. Otherwise 0.
  [[nodiscard]] constexpr uint32_t length() const { return length_; }

  [[nodiscard]] constexpr bool is_nested() const {
    return id_ == TypeId::kVector || id_ == TypeId::kList || id_ == TypeId::kMap;
  }
  [[nodiscard]] constexpr bool is_text() const {
    return id_ == TypeId::kString || id_ == TypeId::kBytes;
  }
  [[nodiscard]] constexpr bool is_integer() const {
    return id_ == TypeId::kInt32 || id_ == TypeId::kInt64 || id_ == TypeId::kUint64;
  }
  [[nodiscard]] constexpr bool is_float() const {
    return id_ == TypeId::kFloat32 || id_ == TypeId::kFloat64;
  }
  [[nodiscard]] constexpr bool is_numeric() const { return is_integer() || is_float(); }
  // Scalars and vectors whose values all take byte_width() bytes.
  [[nodiscard]] constexpr bool is_fixed_width() const {
    return !is_text() && id_ != TypeId::kList && id_ != TypeId::kMap;
  }
  // Bytes of one value of a fixed-width type (bool: 1); 0 for the others.
  [[nodiscard]] std::size_t byte_width() const;
  // string, bytes, int32, int64, uint64, timestamp, date or bool: what a join key may be.
  [[nodiscard]] bool is_key_type() const;

  // `float64`, `vector<float32, 768>`, `list<string>`, `map<string, int64>`.
  [[nodiscard]] std::string ToString() const;
  // Reads what ToString writes; blanks are free. A vector has 1 to kVectorLengthMax elements.
  // Errors: kInvalidArgument with a suggestion.
  static absl::StatusOr<DataType> Parse(std::string_view text);

  friend constexpr bool operator==(const DataType&, const DataType&) = default;

 private:
  constexpr DataType(TypeId id, TypeId element, uint32_t length)
      : id_(id), element_(element), length_(length) {}
  TypeId id_ = TypeId::kBool;
  TypeId element_ = TypeId::kBool;
  uint32_t length_ = 0;
};

[[nodiscard]] std::string_view TypeName(TypeId id);

// Whether every value of `from` has an equal value in `to` (int32 -> int64, float32 -> float64,
// int32 -> float64; not int64 -> float64). Equal types widen; vectors, lists and maps widen only to
// themselves.
[[nodiscard]] bool WidensTo(const DataType& from, const DataType& to);

}  // namespace larder::inline LARDER_ABI
