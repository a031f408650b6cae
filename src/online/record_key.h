// Keys of records, and of everything else kept by number.
#pragma once

#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

inline MDB_val ToVal(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
inline std::string_view FromVal(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

inline void StoreBigEndian(uint64_t value, char* to) {
  value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof(value));
}
inline uint64_t LoadBigEndian(const char* from) {
  return __builtin_bswap64(LoadAs<uint64_t>(from));
}

// table u32 BE, zero u32; the key, zero-padded to 8; the key's size u64 BE. Keys of a table come in their byte order
// unless they hold zero bytes.
class RecordKey {
 public:
  static constexpr std::size_t kHeadSize = 8;
  static constexpr std::size_t kMax = 480;
  // Requires: key.size() <= kMax.
  RecordKey(uint32_t table, std::string_view key) {
    StoreBigEndian(uint64_t{table} << 32, bytes_);
    const std::size_t padded = PadTo8(key.size());
    if (!key.empty()) {
      std::memset(bytes_ + kHeadSize + padded - 8, 0, 8);
      std::memcpy(bytes_ + kHeadSize, key.data(), key.size());
    }
    StoreBigEndian(key.size(), bytes_ + kHeadSize + padded);
    size_ = kHeadSize + padded + 8;
  }
  [[nodiscard]] std::string_view full() const { return {bytes_, size_}; }
  // Where the records at or after this one begin.
  [[nodiscard]] std::string_view lower_bound() const { return {bytes_, size_ - 8}; }

 private:
  char bytes_[kHeadSize + kMax + 8];
  std::size_t size_ = 0;
};
struct ParsedRecordKey {
  bool ok = false;
  uint32_t table = 0;
  std::string_view key;
};
inline ParsedRecordKey ParseRecordKey(std::string_view stored) {
  ParsedRecordKey parsed;
  if (stored.size() < RecordKey::kHeadSize + 8) return parsed;
  const uint64_t head = LoadBigEndian(stored.data());
  const uint64_t size = LoadBigEndian(stored.data() + stored.size() - 8);
  if ((head & 0xFFFFFFFF) != 0 || size > RecordKey::kMax ||
      stored.size() != RecordKey::kHeadSize + PadTo8(size) + 8) {
    return parsed;
  }
  parsed.ok = true;
  parsed.table = static_cast<uint32_t>(head >> 32);
  parsed.key = stored.substr(RecordKey::kHeadSize, size);
  return parsed;
}

}  // namespace larder::inline LARDER_ABI
