#include "io/duckdb_fill.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "larder/column/validity.h"

namespace larder::inline LARDER_ABI {
namespace {

using duckdb_abi::Handle;

int ScalarType(TypeId type) {
  switch (type) {
    case TypeId::kBool:
      return duckdb_abi::kBoolean;
    case TypeId::kInt8:
      return duckdb_abi::kTinyint;
    case TypeId::kInt32:
      return duckdb_abi::kInteger;
    case TypeId::kUint64:
      return duckdb_abi::kUbigint;
    case TypeId::kFloat32:
      return duckdb_abi::kFloat;
    case TypeId::kFloat64:
      return duckdb_abi::kDouble;
    case TypeId::kString:
      return duckdb_abi::kVarchar;
    case TypeId::kBytes:
      return duckdb_abi::kBlob;
    case TypeId::kTimestamp:
      return duckdb_abi::kTimestampTz;
    case TypeId::kDate:
      return duckdb_abi::kDate;
    default:  // int64 and duration
      return duckdb_abi::kBigint;
  }
}

// `rows` bits of `from`, beginning at bit `begin`, to the beginning of `to`.
void CopyBits(const uint64_t* from, std::size_t begin, std::size_t rows, uint64_t* to) {
  if (begin % 64 == 0) {
    std::memcpy(to, from + begin / 64, BitWords(rows) * sizeof(uint64_t));
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) SetBit(to, i, TestBit(from, begin + i));
}

bool AllValid(const uint64_t* words, std::size_t begin, std::size_t rows) {
  for (std::size_t i = begin; i < begin + rows; ++i) {
    if (i % 64 == 0 && i + 64 <= begin + rows) {
      if (words[i / 64] != ~uint64_t{0}) return false;
      i += 63;
    } else if (!TestBit(words, i)) {
      return false;
    }
  }
  return true;
}

void FillValidity(const DuckDbLibrary& api, const Column& column, std::size_t begin,
                  std::size_t rows, Handle vector) {
  if (AllValid(column.validity().words(), begin, rows)) return;
  api.duckdb_vector_ensure_validity_writable(vector);
  CopyBits(column.validity().words(), begin, rows, api.duckdb_vector_get_validity(vector));
}

void FillScalars(const DuckDbLibrary& api, const Column& column, std::size_t begin,
                 std::size_t rows, Handle vector) {
  FillValidity(api, column, begin, rows, vector);
  if (column.type().is_text()) {
    for (std::size_t i = 0; i < rows; ++i) {
      if (!column.IsValid(begin + i)) continue;
      const std::string_view text = column.Text(begin + i);
      api.duckdb_vector_assign_string_element_len(vector, i, text.data(), text.size());
    }
    return;
  }
  const std::size_t width = column.type().byte_width();
  std::memcpy(api.duckdb_vector_get_data(vector), column.data().data() + begin * width,
              rows * width);
}

// The elements of all rows, one after another, from `first` to `end` of the column they lie in.
void FillLists(const DuckDbLibrary& api, const Column& column, std::size_t begin, std::size_t rows,
               Handle vector) {
  FillValidity(api, column, begin, rows, vector);
  auto* entries = static_cast<duckdb_abi::ListEntry*>(api.duckdb_vector_get_data(vector));
  const bool is_vector = column.type().id() == TypeId::kVector;
  const uint64_t length = column.type().length();
  const uint64_t first = is_vector ? begin * length : static_cast<uint64_t>(column.offsets()[begin]);
  for (std::size_t i = 0; i < rows; ++i) {
    const uint64_t at =
        is_vector ? (begin + i) * length : static_cast<uint64_t>(column.offsets()[begin + i]);
    const uint64_t end =
        is_vector ? at + length : static_cast<uint64_t>(column.offsets()[begin + i + 1]);
    entries[i] = {at - first, end - at};
  }
  const uint64_t count = rows == 0 ? 0 : entries[rows - 1].offset + entries[rows - 1].length;
  api.duckdb_list_vector_reserve(vector, count);
  api.duckdb_list_vector_set_size(vector, count);
  Handle child = api.duckdb_list_vector_get_child(vector);
  if (is_vector) {
    const std::size_t width = column.type().byte_width() / length;
    std::memcpy(api.duckdb_vector_get_data(child), column.data().data() + first * width,
                count * width);
    return;
  }
  if (column.type().id() == TypeId::kMap) {
    FillScalars(api, *column.keys(), first, count, api.duckdb_struct_vector_get_child(child, 0));
    child = api.duckdb_struct_vector_get_child(child, 1);
  }
  FillScalars(api, *column.child(), first, count, child);
}

}  // namespace

Handle MakeDuckDbType(const DuckDbLibrary& api, const DataType& type) {
  Handle scalar = api.duckdb_create_logical_type(ScalarType(type.element()));
  if (!type.is_nested()) return scalar;
  Handle made = nullptr;
  if (type.id() == TypeId::kMap) {
    Handle key = api.duckdb_create_logical_type(duckdb_abi::kVarchar);
    made = api.duckdb_create_map_type(key, scalar);
    api.duckdb_destroy_logical_type(&key);
  } else {
    made = api.duckdb_create_list_type(scalar);
  }
  api.duckdb_destroy_logical_type(&scalar);
  return made;
}

void FillVector(const DuckDbLibrary& api, const Column& column, std::size_t begin, std::size_t rows,
                Handle vector) {
  if (column.type().is_nested()) {
    FillLists(api, column, begin, rows, vector);
  } else {
    FillScalars(api, column, begin, rows, vector);
  }
}

}  // namespace larder::inline LARDER_ABI
