// A reader of .npy and .npz written from their specifications alone, so that a writer's mistake is not read back by
// its twin. Needs zlib.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <zlib.h>

#include "support/catch.h"

namespace larder_test {

struct NumpyArray {
  std::string descr;
  std::vector<uint64_t> shape;
  std::string bytes;

  template <class T>
  [[nodiscard]] std::vector<T> Values() const {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

  // Of `<UN`; code points below 128 only.
  [[nodiscard]] std::vector<std::string> Texts() const {
    const std::size_t width = std::stoul(descr.substr(2));
    const std::vector<uint32_t> codes = Values<uint32_t>();
    std::vector<std::string> texts(codes.size() / width);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] != 0) texts[i / width].push_back(static_cast<char>(codes[i]));
    }
    return texts;
  }
};

inline std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline NumpyArray ParseNpy(const std::string& file) {
  REQUIRE(file.size() >= 10);
  REQUIRE(file.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t size = static_cast<unsigned char>(file[8]) +
                           256 * static_cast<std::size_t>(static_cast<unsigned char>(file[9]));
  REQUIRE((10 + size) % 64 == 0);  // what keeps a mapped array aligned
  const std::string header = file.substr(10, size);
  REQUIRE(header.back() == '\n');
  REQUIRE(header.find("'fortran_order': False") != std::string::npos);
  NumpyArray array;
  const std::size_t descr = header.find("'descr': '") + 10;
  array.descr = header.substr(descr, header.find('\'', descr) - descr);
  const std::size_t open = header.find("'shape': (") + 10;
  std::stringstream shape(header.substr(open, header.find(')', open) - open));
  for (std::string item; std::getline(shape, item, ',');) {
    if (item.find_first_of("0123456789") != std::string::npos)
      array.shape.push_back(std::stoull(item));
  }
  array.bytes = file.substr(10 + size);
  return array;
}

// Member name to array, found through the central directory, with checksums and local headers checked.
inline std::map<std::string, NumpyArray> ParseNpz(const std::string& file) {
  const auto number = [&](std::size_t at, std::size_t size) {
    uint64_t value = 0;
    REQUIRE(at + size <= file.size());
    std::memcpy(&value, file.data() + at, size);
    return value;
  };
  std::map<std::string, NumpyArray> arrays;
  const std::size_t end = file.size() - 22;
  REQUIRE(number(end, 4) == 0x06054B50);
  REQUIRE(number(end - 20, 4) == 0x07064B50);
  const std::size_t end64 = number(end - 12, 8);
  REQUIRE(number(end64, 4) == 0x06064B50);
  const uint64_t count = number(end64 + 32, 8);
  REQUIRE(number(end + 10, 2) == count);
  std::size_t at = number(end64 + 48, 8);
  REQUIRE(number(end + 16, 4) == at);
  for (uint64_t i = 0; i < count; ++i) {
    REQUIRE(number(at, 4) == 0x02014B50);
    const uint64_t method = number(at + 10, 2);
    const auto crc = static_cast<uint32_t>(number(at + 16, 4));
    const std::size_t name_size = number(at + 28, 2);
    const std::string name = file.substr(at + 46, name_size);
    const std::size_t extra = at + 46 + name_size;
    REQUIRE(number(extra, 2) == 1);
    const uint64_t size = number(extra + 4, 8);
    const uint64_t packed_size = number(extra + 12, 8);
    const uint64_t local = number(extra + 20, 8);
    at = extra + number(at + 30, 2);
    REQUIRE(number(local, 4) == 0x04034B50);
    REQUIRE(number(local + 14, 4) == crc);
    REQUIRE(file.substr(local + 30, name_size) == name);
    const std::size_t data = local + 30 + name_size + number(local + 28, 2);
    std::string content = file.substr(data, packed_size);
    if (method == 8) {
      std::string unpacked(size, '\0');
      z_stream stream = {};
      REQUIRE(inflateInit2(&stream, -15) == Z_OK);
      stream.next_in = reinterpret_cast<Bytef*>(content.data());
      stream.avail_in = static_cast<uInt>(content.size());
      stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
      stream.avail_out = static_cast<uInt>(unpacked.size());
      REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
      REQUIRE(stream.avail_in == 0);
      inflateEnd(&stream);
      content = std::move(unpacked);
    }
    REQUIRE(content.size() == size);
    REQUIRE(crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                  static_cast<uInt>(content.size())) == crc);
    REQUIRE(name.ends_with(".npy"));
    arrays[name.substr(0, name.size() - 4)] = ParseNpy(content);
  }
  return arrays;
}

}  // namespace larder_test
