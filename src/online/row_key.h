// The keys of the two databases. Their order is the order of versions: the first match is the winner.
#pragma once

#include <lmdb.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {

inline constexpr std::size_t kKeyHeadSize = 8;
inline constexpr std::size_t kVersionSuffixSize = 32;
inline constexpr std::size_t kRowKeySizeMax =
    kKeyHeadSize + PadTo8(kEntityKeySizeMax) + kVersionSuffixSize;
static_assert(kRowKeySizeMax <= 511, "LMDB's longest key");

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

// Signed numbers as unsigned ones of the same order.
constexpr uint64_t OrderBits(int64_t value) {
  return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63);
}
constexpr int64_t FromOrderBits(uint64_t bits) {
  return static_cast<int64_t>(bits ^ (uint64_t{1} << 63));
}

// Where a version stands among those of its key; the greater comes first in the file.
struct VersionOrder {
  int64_t event_time = 0;
  uint64_t sequence = 0;  // order bits; 0 without one
  int64_t arrival = Timestamp::Min().us;
  uint64_t rank = ~uint64_t{0};  // within ties: the greater wins
};

// view u32 BE, entity key size u16 BE, zero u16; the entity key, zero-padded to 8; the inverted version order, BE.
class RowKey {
 public:
  // Requires: entity_key.size() <= kEntityKeySizeMax.
  RowKey(uint32_t view_id, std::string_view entity_key) {
    const uint64_t head = (uint64_t{view_id} << 32) | (uint64_t{entity_key.size()} << 16);
    StoreBigEndian(head, bytes_);
    prefix_size_ = kKeyHeadSize + PadTo8(entity_key.size());
    if (!entity_key.empty()) {
      std::memset(bytes_ + prefix_size_ - 8, 0, 8);
      std::memcpy(bytes_ + kKeyHeadSize, entity_key.data(), entity_key.size());
    }
  }
  void Set(const VersionOrder& order) {
    char* at = bytes_ + prefix_size_;
    StoreBigEndian(~OrderBits(order.event_time), at);
    StoreBigEndian(~order.sequence, at + 8);
    StoreBigEndian(~OrderBits(order.arrival), at + 16);
    StoreBigEndian(~order.rank, at + 24);
  }
  // The place before every version with an event time of at most `event_time`.
  void SetFirstAt(int64_t event_time) {
    StoreBigEndian(~OrderBits(event_time), bytes_ + prefix_size_);
    std::memset(bytes_ + prefix_size_ + 8, 0, kVersionSuffixSize - 8);
  }
  [[nodiscard]] std::string_view prefix() const { return {bytes_, prefix_size_}; }
  [[nodiscard]] std::string_view full() const {
    return {bytes_, prefix_size_ + kVersionSuffixSize};
  }
  [[nodiscard]] bool IsVersionOf(std::string_view key) const {
    return key.size() == prefix_size_ + kVersionSuffixSize &&
           std::memcmp(key.data(), bytes_, prefix_size_) == 0;
  }

 private:
  char bytes_[kRowKeySizeMax];
  std::size_t prefix_size_ = 0;
};

// The parts of a stored row key. ok is false for bytes that are none.
struct ParsedRowKey {
  bool ok = false;
  uint32_t view_id = 0;
  std::string_view entity_key;
  VersionOrder order;
};
inline ParsedRowKey ParseRowKey(std::string_view key) {
  ParsedRowKey parsed;
  if (key.size() < kKeyHeadSize + kVersionSuffixSize) return parsed;
  const uint64_t head = LoadBigEndian(key.data());
  const std::size_t size = (head >> 16) & 0xFFFF;
  if ((head & 0xFFFF) != 0 || key.size() != kKeyHeadSize + PadTo8(size) + kVersionSuffixSize)
    return parsed;
  const char* at = key.data() + key.size() - kVersionSuffixSize;
  parsed.ok = true;
  parsed.view_id = static_cast<uint32_t>(head >> 32);
  parsed.entity_key = key.substr(kKeyHeadSize, size);
  parsed.order = {FromOrderBits(~LoadBigEndian(at)), ~LoadBigEndian(at + 8),
                  FromOrderBits(~LoadBigEndian(at + 16)), ~LoadBigEndian(at + 24)};
  return parsed;
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
