// Yardstick L: what one gets from LMDB alone, one B-tree entry per row.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "larder/base/status.h"

namespace larder_bench {

inline constexpr int kYardstickViews = 5;
inline constexpr int kRowFeatures = 6;

// The six float64 of a row, the same on both sides of every online bar.
inline void RowOf(uint64_t entity, int view, double* features) {
  for (int i = 0; i < kRowFeatures; ++i) {
    features[i] =
        static_cast<double>(
            (entity * 31 + static_cast<uint64_t>(view) * 7 + static_cast<uint64_t>(i)) % 100'003) /
        8;
  }
}

enum class KeyKind : uint8_t {
  kInteger,  // 8 bytes, big-endian
  kText,     // 24 bytes, TextKey
};

inline constexpr std::size_t kTextKeySize = 24;
// Hexadecimal digits, distinct per entity and looking random, as ids in the field do.
[[nodiscard]] std::string TextKey(uint64_t entity);

// Named databases of `entities` rows 0, 1, 2, ...: 48-byte values, appended in key order. One read transaction is held;
// Renew() resets and renews it. Threads: thread-bound.
class LmdbYardstick {
 public:
  static absl::StatusOr<std::unique_ptr<LmdbYardstick>> Make(const std::string& path,
                                                             uint64_t entities,
                                                             KeyKind keys = KeyKind::kInteger,
                                                             int views = kYardstickViews);
  ~LmdbYardstick();
  LmdbYardstick(const LmdbYardstick&) = delete;
  LmdbYardstick& operator=(const LmdbYardstick&) = delete;

  void Renew() {
    mdb_txn_reset(txn_);
    mdb_txn_renew(txn_);
  }

  // Converts and copies the row into `out`, as a caller would; false when there is none.
  template <class T>
  bool Get(int view, uint64_t entity, T* out) {
    uint64_t big_endian = __builtin_bswap64(entity);
    return GetRow(view, {sizeof(big_endian), &big_endian}, out);
  }
  template <class T>
  bool Get(int view, std::string_view key, T* out) {
    return GetRow(view, {key.size(), const_cast<char*>(key.data())}, out);
  }

  // Commits are synced from here on, as are all before; no snapshot is held until Renew(), so that pages can be reused.
  absl::Status BecomeDurable();

  [[nodiscard]] MDB_env* environment() { return env_; }
  [[nodiscard]] MDB_dbi database(int view) const { return databases_[view]; }

 private:
  LmdbYardstick() = default;
  absl::Status Load(int view, uint64_t entities, KeyKind keys, MDB_txn* txn);

  template <class T>
  bool GetRow(int view, MDB_val key, T* out) {
    MDB_val value;
    if (mdb_get(txn_, databases_[view], &key, &value) != 0) return false;
    double features[kRowFeatures];
    __builtin_memcpy(features, value.mv_data, sizeof(features));
    for (int i = 0; i < kRowFeatures; ++i) out[i] = static_cast<T>(features[i]);
    return true;
  }

  MDB_env* env_ = nullptr;
  MDB_txn* txn_ = nullptr;
  MDB_dbi databases_[kYardstickViews] = {};
};

}  // namespace larder_bench
