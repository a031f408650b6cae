// Arrow's types as larder's, and the values of Arrow arrays as columns.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/io/arrow_c.h"
#include "larder/io/record_reader.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

// How an array lays out its values.
enum class ArrowLayout : uint8_t {
  kNull,
  kBits,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64,
  kText32,  // offsets of 32 bits
  kText64,
  kFixedBytes,
  kList32,
  kList64,
  kFixedList,
  kMap,
};

struct ArrowField {
  std::string name;  // for messages
  DataType type = TypeId::kString;
  ArrowLayout layout = ArrowLayout::kNull;
  // Integers that count time are multiplied by the one, then divided by the other, rounding down.
  int64_t times = 1;
  int64_t divisor = 1;
  int64_t width = 0;                       // kFixedBytes, kFixedList: of one value
  std::unique_ptr<ArrowField> item;        // kList*, kFixedList, kMap: of the values
  std::unique_ptr<ArrowField> dictionary;  // then the layout is that of places in it

  // Errors: kInvalidArgument for a type that larder has none for, naming the field and the format; for text that is no
  //   format.
  static absl::StatusOr<ArrowField> Make(const ArrowSchema& schema, std::string name);
};

// What every array needs before anything is counted in it: length and offset are not negative, and bytes of `width` a
// value up to their sum are a number.
absl::Status CheckArrowExtent(const ArrowArray& array, int64_t width = 1);

// Appends values [begin, end) of an array, counted without its offset. What ReadCounts counts is counted.
// Errors: kInvalidArgument naming field and place: an array that is not laid out as its type says; a value that the
//   column's type cannot hold; a string that is not UTF-8.
absl::Status AppendArrow(const ArrowField& field, const ArrowArray& array, int64_t begin,
                         int64_t end, Column* out, ReadCounts* counts);

}  // namespace larder::inline LARDER_ABI
