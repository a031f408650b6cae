// Little-endian byte building and bounds-checked reading: the one way larder turns values into
// bytes and back.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

static_assert(std::endian::native == std::endian::little, "larder's file format is little-endian");

// Rounds up to a multiple of 8: the alignment LMDB keeps only when every key and value keeps it.
[[nodiscard]] constexpr std::size_t PadTo8(std::size_t size) {
  return (size + 7) & ~std::size_t{7};
}

template <class T>
requires(std::is_trivially_copyable_v<T>) [[nodiscard]] T LoadAs(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

class ByteWriter {
 public:
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void Put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes_.append(raw, sizeof(T));
  }
  // A 32-bit length, then the bytes.
  void PutText(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }
  void PutRaw(std::string_view raw) { bytes_.append(raw); }
  void PadTo(std::size_t multiple) {
    while (bytes_.size() % multiple != 0) bytes_.push_back('\0');
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::string_view view() const LARDER_LIFETIME_BOUND { return bytes_; }
  [[nodiscard]] std::string Take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote. After the first read past the end every read gives zeros or empty
// text and ok() is false, so a caller checks once at the end. Lifetime: views borrow from the bytes
// given.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) T Get() {
    if (rest_.size() < sizeof(T)) {
      Fail();
      return T{};
    }
    const T value = LoadAs<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view GetText() { return GetRaw(Get<uint32_t>()); }
  std::string_view GetRaw(std::size_t size) {
    if (!ok_ || rest_.size() < size) {
      Fail();
      return {};
    }
    const std::string_view raw = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return raw;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

 private:
  void Fail() {
    ok_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace larder::inline LARDER_ABI
