#include "io/duckdb_cells.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

using duckdb_abi::Handle;

bool IsSet(const uint64_t* valid, std::size_t row) {
  return valid == nullptr || TestBit(valid, row);
}

std::string_view TextAt(const void* data, std::size_t row) {
  const auto* text = static_cast<const duckdb_abi::Text*>(data) + row;
  constexpr uint32_t kInsideMax = 12;
  const char* bytes = text->length <= kInsideMax
                          ? reinterpret_cast<const char*>(text) + offsetof(duckdb_abi::Text, prefix)
                          : text->elsewhere;
  return {bytes, text->length};
}

template <class T>
T At(const void* data, std::size_t i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + i * sizeof(T), sizeof(T));
  return value;
}

// DuckDB's infinite times are the ends of the integers.
template <class T>
bool IsInfinite(T value) {
  return value == std::numeric_limits<T>::max() || value == -std::numeric_limits<T>::max();
}

// `rows` values one after another; what stands under a null becomes zero.
void AppendRows(const void* values, std::size_t rows, const uint64_t* valid, Column* out) {
  const std::size_t before = out->size();
  const std::size_t width = out->type().byte_width();
  out->ResizeFixed(before + rows);
  char* to = out->MutableValues<char>().data() + before * width;
  std::memcpy(to, values, rows * width);
  for (std::size_t i = 0; i < rows; ++i) {
    if (IsSet(valid, i)) {
      out->mutable_validity().Set(before + i, true);
    } else {
      std::memset(to + i * width, 0, width);
    }
  }
}

Value ScalarAt(const DataType& type, const void* data, std::size_t i) {
  switch (type.id()) {
    case TypeId::kBool:
      return {At<uint8_t>(data, i) != 0};
    case TypeId::kInt32:
      return {At<int32_t>(data, i)};
    case TypeId::kInt64:
      return {At<int64_t>(data, i)};
    case TypeId::kUint64:
      return {At<uint64_t>(data, i)};
    case TypeId::kFloat32:
      return {At<float>(data, i)};
    case TypeId::kFloat64:
      return {At<double>(data, i)};
    case TypeId::kTimestamp:
      return {Timestamp{At<int64_t>(data, i)}};
    case TypeId::kDate:
      return {Date{At<int32_t>(data, i)}};
    case TypeId::kBytes:
      return {Bytes{std::string(TextAt(data, i))}};
    default:
      return {std::string(TextAt(data, i))};
  }
}

}  // namespace

absl::StatusOr<DuckDbCells> DuckDbCells::Make(const DuckDbProjection& projection,
                                              const TimeZone& zone, const NullTokens* nulls,
                                              TextNotes* notes, const DuckDbLibrary* api) {
  LARDER_ASSIGN_OR_RETURN(CellColumn cells, CellColumn::Make(projection.field, zone, nulls, notes));
  return DuckDbCells(std::move(cells), projection, api);
}

void DuckDbCells::Take(Handle vector, std::size_t rows, const Refuse& refuse) {
  const uint64_t* valid = api_->duckdb_vector_get_validity(vector);
  if (as_text_) {
    TakeText(vector, rows, valid, refuse);
  } else if (type_.is_nested()) {
    TakeNested(vector, rows, valid, refuse);
  } else if (type_.id() == TypeId::kDuration) {
    TakeDurations(vector, rows, valid, refuse);
  } else if (type_.is_text()) {
    const void* data = api_->duckdb_vector_get_data(vector);
    for (std::size_t i = 0; i < rows; ++i) {
      if (IsSet(valid, i)) {
        column_.AppendText(TextAt(data, i));
      } else {
        column_.AppendNull();
      }
    }
  } else {
    TakeFixed(vector, rows, valid, refuse);
  }
}

void DuckDbCells::TakeText(Handle vector, std::size_t rows, const uint64_t* valid,
                           const Refuse& refuse) {
  const void* data = api_->duckdb_vector_get_data(vector);
  for (std::size_t i = 0; i < rows; ++i) {
    if (!IsSet(valid, i)) {
      cells_.PutNull();
    } else if (const std::string_view text = TextAt(data, i); !cells_.Put(text, /*quoted=*/true)) {
      cells_.PutNull();
      refuse(i, text);
    }
    cells_.Accept();
  }
}

void DuckDbCells::TakeFixed(Handle vector, std::size_t rows, const uint64_t* valid,
                            const Refuse& refuse) {
  const void* data = api_->duckdb_vector_get_data(vector);
  AppendRows(data, rows, valid, &column_);
  for (std::size_t i = 0; i < rows; ++i) {
    const bool infinite = type_.id() == TypeId::kTimestamp
                              ? IsInfinite(At<int64_t>(data, i))
                              : type_.id() == TypeId::kDate && IsInfinite(At<int32_t>(data, i));
    if (infinite && IsSet(valid, i)) refuse(i, "infinity");
  }
}

void DuckDbCells::TakeDurations(Handle vector, std::size_t rows, const uint64_t* valid,
                                const Refuse& refuse) {
  const void* data = api_->duckdb_vector_get_data(vector);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto interval = At<duckdb_abi::Interval>(data, i);
    int64_t micros = 0;
    const bool good = IsSet(valid, i) && interval.months == 0 &&
                      !__builtin_mul_overflow(int64_t{interval.days}, kMicrosPerDay, &micros) &&
                      !__builtin_add_overflow(micros, interval.micros, &micros);
    if (good) {
      column_.AppendFixed(micros);
      continue;
    }
    if (IsSet(valid, i)) refuse(i, "an interval of months, or too long");
    column_.AppendNull();
  }
}

void DuckDbCells::TakeNested(Handle vector, std::size_t rows, const uint64_t* valid,
                             const Refuse& refuse) {
  const auto* entries =
      static_cast<const duckdb_abi::ListEntry*>(api_->duckdb_vector_get_data(vector));
  Handle child = api_->duckdb_list_vector_get_child(vector);
  Handle keys = nullptr;
  if (type_.id() == TypeId::kMap) {  // a list of pairs
    keys = api_->duckdb_struct_vector_get_child(child, 0);
    child = api_->duckdb_struct_vector_get_child(child, 1);
  }
  const void* items = api_->duckdb_vector_get_data(child);
  const uint64_t* item_valid = api_->duckdb_vector_get_validity(child);
  const void* key_data = keys == nullptr ? nullptr : api_->duckdb_vector_get_data(keys);
  const DataType element = type_.element();
  for (std::size_t i = 0; i < rows; ++i) {
    if (!IsSet(valid, i)) {
      column_.AppendNull();
      continue;
    }
    const std::size_t begin = entries[i].offset;
    const std::size_t length = entries[i].length;
    if (type_.id() == TypeId::kVector) {
      bool good = length == type_.length();
      for (std::size_t j = begin; good && j < begin + length; ++j) good = IsSet(item_valid, j);
      if (!good) {
        column_.AppendNull();
        refuse(i, Concat("a list of ", length, length == 1 ? " element" : " elements"));
        continue;
      }
      const std::size_t width = type_.byte_width() / type_.length();
      column_.AppendRaw(static_cast<const char*>(items) + begin * width, type_.byte_width());
      continue;
    }
    ListValue list{element.id(), {}};
    MapValue map{element.id(), {}};
    for (std::size_t j = begin; j < begin + length; ++j) {
      Value item = IsSet(item_valid, j) ? ScalarAt(element, items, j) : Value();
      if (keys == nullptr) {
        list.items.push_back(std::move(item));
      } else {
        map.items.emplace_back(std::string(TextAt(key_data, j)), std::move(item));
      }
    }
    std::sort(map.items.begin(), map.items.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    // The items were read as this very type.
    (void)column_.Append(keys == nullptr ? Value(std::move(list)) : Value(std::move(map)));
  }
}

Column DuckDbCells::Finish() {
  if (as_text_) return cells_.Take();
  return std::exchange(column_, Column(type_));
}

}  // namespace larder::inline LARDER_ABI
