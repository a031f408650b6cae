// One nullable value with its own type: the vocabulary of edges (row calls, command line, JSON,
// defaults). Hot paths use columns and rows instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

class Value;

struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};
struct ListValue {
  TypeId element = TypeId::kInt64;
  std::vector<Value> items;  // each null or of `element`
  friend bool operator==(const ListValue&, const ListValue&);
};
struct MapValue {
  TypeId value = TypeId::kInt64;
  std::vector<std::pair<std::string, Value>> items;  // sorted by key
  friend bool operator==(const MapValue&, const MapValue&);
};

class Value {
 public:
  using Variant = std::variant<std::monostate, bool, int32_t, int64_t, uint64_t, float, double,
                               std::string, Bytes, Timestamp, Date, Duration, std::vector<float>,
                               std::vector<int8_t>, ListValue, MapValue>;

  Value() = default;  // null
  // Implicit from every alternative and from text literals, so that rows read as
  // `{{"user_id", 12345}}`.
  Value(bool v) : data_(v) {}                            // NOLINT(google-explicit-constructor)
  Value(int32_t v) : data_(v) {}                         // NOLINT(google-explicit-constructor)
  Value(int64_t v) : data_(v) {}                         // NOLINT(google-explicit-constructor)
  Value(uint64_t v) : data_(v) {}                        // NOLINT(google-explicit-constructor)
  Value(float v) : data_(v) {}                           // NOLINT(google-explicit-constructor)
  Value(double v) : data_(v) {}                          // NOLINT(google-explicit-constructor)
  Value(std::string v) : data_(std::move(v)) {}          // NOLINT(google-explicit-constructor)
  Value(std::string_view v) : data_(std::string(v)) {}   // NOLINT(google-explicit-constructor)
  Value(const char* v) : data_(std::string(v)) {}        // NOLINT(google-explicit-constructor)
  Value(Bytes v) : data_(std::move(v)) {}                // NOLINT(google-explicit-constructor)
  Value(Timestamp v) : data_(v) {}                       // NOLINT(google-explicit-constructor)
  Value(Date v) : data_(v) {}                            // NOLINT(google-explicit-constructor)
  Value(Duration v) : data_(v) {}                        // NOLINT(google-explicit-constructor)
  Value(std::vector<float> v) : data_(std::move(v)) {}   // NOLINT(google-explicit-constructor)
  Value(std::vector<int8_t> v) : data_(std::move(v)) {}  // NOLINT(google-explicit-constructor)
  Value(ListValue v) : data_(std::move(v)) {}            // NOLINT(google-explicit-constructor)
  Value(MapValue v) : data_(std::move(v)) {}             // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_null() const { return data_.index() == 0; }
  // Requires: not null.
  [[nodiscard]] DataType type() const;
  template <class T>
  [[nodiscard]] const T* As() const LARDER_LIFETIME_BOUND {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] const Variant& variant() const LARDER_LIFETIME_BOUND { return data_; }

  // Bit for bit: NaN equals the same NaN, -0.0 does not equal 0.0. Null equals null.
  friend bool operator==(const Value& a, const Value& b);

 private:
  Variant data_;
};

// What text at an edge may have cost; counted, never silent.
struct TextNotes {
  int64_t floored_timestamps = 0;  // digits finer than a microsecond
  int64_t integral_decimals = 0;   // `12345.0` read as an integer
};

// Parses text at an edge (CSV, JSON string, command line) into the declared type. Never gives null:
// the caller knows its null tokens. Everything but strings may carry blanks around it. Integers and
// floats may begin with `+`; booleans are true/false, t/f, yes/no, 1/0 in any case; NaN, nan,
// Infinity, inf. Vectors and lists are JSON arrays, bytes are padded base64, maps JSON objects. A
// float too large for its type is refused, one too small becomes zero. Errors: kInvalidArgument
// `cannot read "abc" as int64`.
[[nodiscard]] absl::StatusOr<Value> ParseValue(std::string_view text, const DataType& type,
                                               const TimeZone& zone = {},
                                               TextNotes* notes = nullptr);

// The form ParseValue reads back to the same value; `null` for null. Floats: shortest round-trip,
// Infinity, and NaN for every NaN (a payload is the one thing text loses). Inside arrays NaN and
// the infinities are quoted, so that the text is JSON.
[[nodiscard]] std::string FormatValue(const Value& value);

// Converts without loss, or refuses: a C++ caller's type must match or widen (WidensTo); an integer
// must be in the range of an integer type, or exact in a float type. Strings must be UTF-8. Null
// stays null. `from_text` is for edges whose values came from text (JSON): strings are then read by
// ParseValue for every type but string, a float64 is rounded to float32, a whole float64 becomes an
// integer, and a list of numbers a vector. Errors: kInvalidArgument naming the value's type and the
// one wanted.
[[nodiscard]] absl::StatusOr<Value> ConvertValue(const Value& value, const DataType& type,
                                                 bool from_text = false);

// Appends bytes that are equal exactly when the values are equal (operator==), typed and
// self-delimiting.
void AppendCanonicalBytes(const Value& value, std::string* out);

}  // namespace larder::inline LARDER_ABI
