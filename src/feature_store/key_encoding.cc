#include "feature_store/key_encoding.h"

#include <algorithm>

#include "larder/schema/key_bytes.h"

namespace larder::inline LARDER_ABI {

bool AppendKeyPart(const Column& column, std::size_t row, std::string* out) {
  if (!column.IsValid(row)) return false;
  switch (column.type().id()) {
    case TypeId::kBool:
      AppendKeyBool(column.Values<uint8_t>()[row] != 0, out);
      return true;
    case TypeId::kInt32:
      AppendKeyInteger(column.Values<int32_t>()[row], out);
      return true;
    case TypeId::kInt64:
      AppendKeyInteger(column.Values<int64_t>()[row], out);
      return true;
    case TypeId::kUint64:
      AppendKeyUnsigned(column.Values<uint64_t>()[row], out);
      return true;
    case TypeId::kTimestamp:
      AppendKeyTimestamp({column.Values<int64_t>()[row]}, out);
      return true;
    case TypeId::kDate:
      AppendKeyDate({column.Values<int32_t>()[row]}, out);
      return true;
    case TypeId::kBytes:
      AppendKeyBytes(column.Text(row), out);
      return true;
    default:
      AppendKeyText(column.Text(row), out);
      return true;
  }
}

void EncodedKeys::Encode(std::span<const Column* const> columns, std::size_t rows) {
  bytes_.clear();
  views_.clear();
  views_.reserve(rows);
  const Column* const only = columns.size() == 1 ? columns.front() : nullptr;
  if (only != nullptr && only->type() == TypeId::kInt64 && only->CountNulls() == 0) {
    // As of most views.
    bytes_.resize(kKeyIntegerSize * rows);
    char* at = bytes_.data();
    for (const int64_t value : only->Values<int64_t>().first(rows)) {
      WriteKeyInteger(value, at);
      views_.emplace_back(at, kKeyIntegerSize);
      at += kKeyIntegerSize;
    }
    return;
  }
  ends_.clear();
  ends_.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t begin = bytes_.size();
    const bool has_key = std::all_of(columns.begin(), columns.end(), [&](const Column* column) {
      return AppendKeyPart(*column, row, &bytes_);
    });
    if (!has_key) bytes_.resize(begin);
    ends_.push_back(has_key ? bytes_.size() : kNull);
  }
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    if (end == kNull) {
      views_.emplace_back();
      continue;
    }
    views_.emplace_back(bytes_.data() + begin, end - begin);
    begin = end;
  }
}

}  // namespace larder::inline LARDER_ABI
