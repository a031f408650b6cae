// What an Arrow consumer sees, read by the letter of the C data interface: each cell in a text form.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "larder/base/text.h"
#include "larder/io/arrow_c.h"

namespace larder_test {

template <class T>
T ArrowAt(const ArrowArray& array, int buffer, int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const T*>(array.buffers[buffer]) + i, sizeof(T));
  return value;
}

inline bool ArrowBit(const void* bits, int64_t i) {
  return (static_cast<const uint8_t*>(bits)[i / 8] >> (i % 8)) & 1;
}

inline std::string ArrowText(const ArrowSchema& schema, const ArrowArray& array, int64_t i);

inline std::string ArrowItems(const ArrowSchema& schema, const ArrowArray& array, int64_t begin,
                              int64_t end) {
  std::string text = "[";
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) text += ",";
    text += ArrowText(*schema.children[0], *array.children[0], i);
  }
  return text + "]";
}

inline std::string ArrowText(const ArrowSchema& schema, const ArrowArray& array, int64_t i) {
  using larder::Concat;
  const std::string_view format = schema.format;
  i += array.offset;
  const bool has_validity = array.n_buffers > 0 && array.buffers[0] != nullptr;
  if (has_validity && !ArrowBit(array.buffers[0], i)) return "null";
  if (format == "b") return ArrowBit(array.buffers[1], i) ? "true" : "false";
  if (format == "c") return Concat(int{ArrowAt<int8_t>(array, 1, i)});
  if (format == "i" || format == "tdD") return Concat(ArrowAt<int32_t>(array, 1, i));
  if (format == "L") return Concat(ArrowAt<uint64_t>(array, 1, i));
  if (format == "l" || format == "tsu:UTC" || format == "tDu")
    return Concat(ArrowAt<int64_t>(array, 1, i));
  if (format == "f") return Concat(ArrowAt<float>(array, 1, i));
  if (format == "g") return Concat(ArrowAt<double>(array, 1, i));
  if (format == "U" || format == "Z") {
    const auto begin = ArrowAt<int64_t>(array, 1, i);
    const auto end = ArrowAt<int64_t>(array, 1, i + 1);
    return Concat("'",
                  std::string_view(static_cast<const char*>(array.buffers[2]) + begin,
                                   static_cast<std::size_t>(end - begin)),
                  "'");
  }
  if (format == "+L")
    return ArrowItems(schema, array, ArrowAt<int64_t>(array, 1, i),
                      ArrowAt<int64_t>(array, 1, i + 1));
  if (format == "+m")
    return ArrowItems(schema, array, ArrowAt<int32_t>(array, 1, i),
                      ArrowAt<int32_t>(array, 1, i + 1));
  if (format.starts_with("+w:")) {
    const int64_t size = std::stoll(std::string(format.substr(3)));
    return ArrowItems(schema, array, i * size, (i + 1) * size);
  }
  if (format == "+s") {
    std::string text = "{";
    for (int64_t c = 0; c < array.n_children; ++c) {
      if (c > 0) text += ",";
      text += Concat(schema.children[c]->name, ":",
                     ArrowText(*schema.children[c], *array.children[c], i));
    }
    return text + "}";
  }
  return Concat("unknown format ", format);
}

}  // namespace larder_test
