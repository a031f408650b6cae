#include "io/npz_column.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "io/npy_format.h"
#include "larder/base/text.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kPartSize = std::size_t{1} << 20;

absl::Status WriteArray(const std::string& name, std::string_view descr,
                        std::span<const uint64_t> shape, std::string_view bytes, ZipWriter* zip) {
  const std::string header = NpyHeader(descr, shape);
  LARDER_RETURN_IF_ERROR(zip->Begin(Concat(name, ".npy"), header));
  LARDER_RETURN_IF_ERROR(zip->Append(bytes));
  return zip->End(header);
}

// Appends code points; text in a column is UTF-8 already.
void AppendUtf32(std::string_view text, std::string* out) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      code = (code << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    i += size;
    char bytes[sizeof(code)];
    std::memcpy(bytes, &code, sizeof(code));
    out->append(bytes, sizeof(code));
  }
}

std::size_t CountCodePoints(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

// `text_of(row)` gives each row's text.
template <class TextOf>
absl::Status WriteTexts(const std::string& name, std::size_t rows, const TextOf& text_of,
                        ZipWriter* zip) {
  std::size_t width = 1;  // NumPy has no text of width 0
  for (std::size_t row = 0; row < rows; ++row)
    width = std::max(width, CountCodePoints(text_of(row)));
  const std::array<uint64_t, 1> shape = {rows};
  const std::string header = NpyHeader(Concat("<U", width), shape);
  LARDER_RETURN_IF_ERROR(zip->Begin(Concat(name, ".npy"), header));
  std::string part;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t end = part.size() + 4 * width;
    AppendUtf32(text_of(row), &part);
    part.resize(end, '\0');
    if (part.size() < kPartSize) continue;
    LARDER_RETURN_IF_ERROR(zip->Append(part));
    part.clear();
  }
  LARDER_RETURN_IF_ERROR(zip->Append(part));
  return zip->End(header);
}

std::string_view BytesOf(const Column& column) {
  return {reinterpret_cast<const char*>(column.data().data()), column.data().size()};
}

// The payload with `null_value` where there is none.
template <class T>
std::string WithNulls(const Column& column, T null_value) {
  std::vector<T> values(column.Values<T>().begin(), column.Values<T>().end());
  const std::size_t width = std::max<std::size_t>(column.type().length(), 1);
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.IsValid(row)) continue;
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(row * width), width, null_value);
  }
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

absl::Status WriteDates(const std::string& name, const Column& column,
                        std::span<const uint64_t> shape, ZipWriter* zip) {
  std::vector<int64_t> days;
  days.reserve(column.size());
  for (std::size_t row = 0; row < column.size(); ++row) {
    days.push_back(column.IsValid(row) ? int64_t{column.Values<int32_t>()[row]}
                                       : std::numeric_limits<int64_t>::min());
  }
  return WriteArray(name, "<M8[D]", shape,
                    {reinterpret_cast<const char*>(days.data()), days.size() * sizeof(int64_t)},
                    zip);
}

// NumPy's name for the type, where a column's bytes are an array's; empty for the others.
std::string_view PlainDescr(const DataType& type) {
  switch (type.is_fixed_width() ? type.element() : type.id()) {
    case TypeId::kBool:
      return "|b1";
    case TypeId::kInt8:
      return "|i1";
    case TypeId::kInt32:
      return "<i4";
    case TypeId::kInt64:
      return "<i8";
    case TypeId::kUint64:
      return "<u8";
    case TypeId::kFloat32:
      return "<f4";
    case TypeId::kFloat64:
      return "<f8";
    case TypeId::kTimestamp:
      return "<M8[us]";
    case TypeId::kDuration:
      return "<m8[us]";
    default:
      return "";
  }
}

absl::Status WriteValues(const std::string& name, const Column& column, ZipWriter* zip) {
  const DataType& type = column.type();
  const std::array<uint64_t, 2> shape = {column.size(), type.length()};
  const auto dimensions = std::span(shape).first(type.id() == TypeId::kVector ? std::size_t{2} : 1);
  if (type.id() == TypeId::kDate) return WriteDates(name, column, dimensions, zip);
  if (type.id() == TypeId::kString) {
    return WriteTexts(
        name, column.size(), [&](std::size_t row) { return column.Text(row); }, zip);
  }
  const std::string_view descr = PlainDescr(type);
  if (descr.empty()) {
    const auto text_of = [&](std::size_t row) {
      return column.IsValid(row) ? FormatValue(column.ValueAt(row)) : std::string();
    };
    return WriteTexts(name, column.size(), text_of, zip);
  }
  if (descr == "<f4") {
    const auto nan = std::numeric_limits<float>::quiet_NaN();
    return WriteArray(name, descr, dimensions, WithNulls(column, nan), zip);
  }
  if (descr == "<f8") {
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    return WriteArray(name, descr, dimensions, WithNulls(column, nan), zip);
  }
  if (descr.ends_with("[us]")) {
    constexpr int64_t kNotATime = std::numeric_limits<int64_t>::min();  // NumPy's NaT
    return WriteArray(name, descr, dimensions, WithNulls(column, kNotATime), zip);
  }
  return WriteArray(name, descr, dimensions, BytesOf(column), zip);
}

}  // namespace

absl::Status WriteNpzColumn(const std::string& name, const Column& column, ZipWriter* zip) {
  LARDER_RETURN_IF_ERROR(WriteValues(name, column, zip));
  if (column.CountNulls() == 0) return absl::OkStatus();
  std::string mask(column.size(), '\0');
  for (std::size_t row = 0; row < column.size(); ++row)
    mask[row] = column.IsValid(row) ? '\0' : '\1';
  const std::array<uint64_t, 1> shape = {column.size()};
  return WriteArray(Concat(name, ".mask"), "|b1", shape, mask, zip);
}

absl::Status WriteNpzTexts(const std::string& name, std::span<const std::string> texts,
                           ZipWriter* zip) {
  return WriteTexts(
      name, texts.size(), [&](std::size_t i) { return std::string_view(texts[i]); }, zip);
}

}  // namespace larder::inline LARDER_ABI
