// Yardstick L: what one gets from LMDB alone, one B-tree entry per row.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <string>

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

// Five named databases of `entities` rows: 8-byte big-endian keys 0, 1, 2, ..., 48-byte values, appended in key order.
// One read transaction is held; Renew() resets and renews it. Threads: thread-bound.
class LmdbYardstick {
 public:
  static absl::StatusOr<std::unique_ptr<LmdbYardstick>> Make(const std::string& path,
                                                             uint64_t entities);
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
    MDB_val key{sizeof(big_endian), &big_endian};
    MDB_val value;
    if (mdb_get(txn_, databases_[view], &key, &value) != 0) return false;
    double features[kRowFeatures];
    __builtin_memcpy(features, value.mv_data, sizeof(features));
    for (int i = 0; i < kRowFeatures; ++i) out[i] = static_cast<T>(features[i]);
    return true;
  }

 private:
  LmdbYardstick() = default;
  MDB_env* env_ = nullptr;
  MDB_txn* txn_ = nullptr;
  MDB_dbi databases_[kYardstickViews] = {};
};

}  // namespace larder_bench
