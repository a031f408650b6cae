#include "feature_store/key_encoding.h"

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

EncodedKeys::EncodedKeys(std::span<const Column* const> columns, std::size_t rows) {
  std::vector<std::size_t> ends;
  ends.reserve(rows);
  std::vector<bool> null(rows, false);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t begin = bytes_.size();
    for (const Column* column : columns) {
      if (!AppendKeyPart(*column, row, &bytes_)) {
        bytes_.resize(begin);
        null[row] = true;
        break;
      }
    }
    ends.push_back(bytes_.size());
  }
  views_.reserve(rows);
  std::size_t begin = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    views_.push_back(null[row] ? std::string_view()
                               : std::string_view(bytes_.data() + begin, ends[row] - begin));
    begin = ends[row];
  }
}

}  // namespace larder::inline LARDER_ABI
