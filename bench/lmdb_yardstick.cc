#include "lmdb_yardstick.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

namespace larder_bench {
namespace {

absl::Status Check(int code, std::string_view what) {
  if (code == 0) return absl::OkStatus();
  return larder::InternalError("yardstick: ", what, ": ", mdb_strerror(code));
}

}  // namespace

std::string TextKey(uint64_t entity) {
  // SplitMix64's finisher is a bijection: no two entities share the first 16 digits.
  uint64_t mixed = entity + 0x9E3779B97F4A7C15;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
  mixed ^= mixed >> 31;
  char text[kTextKeySize + 1];
  std::snprintf(text, sizeof(text), "%016llx%08x", static_cast<unsigned long long>(mixed),
                static_cast<unsigned>(entity));
  return text;
}

absl::StatusOr<std::unique_ptr<LmdbYardstick>> LmdbYardstick::Make(const std::string& path,
                                                                   uint64_t entities, KeyKind keys,
                                                                   int views) {
  std::filesystem::create_directories(path);
  std::unique_ptr<LmdbYardstick> made(new LmdbYardstick);
  LARDER_RETURN_IF_ERROR(Check(mdb_env_create(&made->env_), "create"));
  LARDER_RETURN_IF_ERROR(Check(mdb_env_set_maxdbs(made->env_, kYardstickViews), "set_maxdbs"));
  LARDER_RETURN_IF_ERROR(
      Check(mdb_env_set_mapsize(made->env_, std::size_t{16} << 30), "set_mapsize"));
  // Read-ahead off, as larder has it; loading need not be safe, so it is not synced.
  LARDER_RETURN_IF_ERROR(
      Check(mdb_env_open(made->env_, path.c_str(), MDB_NORDAHEAD | MDB_NOSYNC, 0600), "open"));

  MDB_txn* txn = nullptr;
  LARDER_RETURN_IF_ERROR(Check(mdb_txn_begin(made->env_, nullptr, 0, &txn), "begin"));
  for (int view = 0; view < views; ++view) {
    const std::string name = larder::Concat("view", view);
    LARDER_RETURN_IF_ERROR(
        Check(mdb_dbi_open(txn, name.c_str(), MDB_CREATE, &made->databases_[view]), "dbi_open"));
    const absl::Status loaded = made->Load(view, entities, keys, txn);
    if (!loaded.ok()) return loaded;
  }
  LARDER_RETURN_IF_ERROR(Check(mdb_txn_commit(txn), "commit"));
  LARDER_RETURN_IF_ERROR(
      Check(mdb_txn_begin(made->env_, nullptr, MDB_RDONLY, &made->txn_), "begin read"));
  return made;
}

absl::Status LmdbYardstick::Load(int view, uint64_t entities, KeyKind keys, MDB_txn* txn) {
  const auto put = [&](uint64_t entity, MDB_val key) {
    double features[kRowFeatures];
    RowOf(entity, view, features);
    MDB_val value{sizeof(features), features};
    return Check(mdb_put(txn, databases_[view], &key, &value, MDB_APPEND), "put");
  };
  if (keys == KeyKind::kInteger) {
    for (uint64_t entity = 0; entity < entities; ++entity) {
      uint64_t big_endian = __builtin_bswap64(entity);
      LARDER_RETURN_IF_ERROR(put(entity, {sizeof(big_endian), &big_endian}));
    }
    return absl::OkStatus();
  }
  std::vector<std::pair<std::string, uint64_t>> sorted(entities);
  for (uint64_t entity = 0; entity < entities; ++entity) sorted[entity] = {TextKey(entity), entity};
  std::sort(sorted.begin(), sorted.end());
  for (auto& [key, entity] : sorted) {
    LARDER_RETURN_IF_ERROR(put(entity, {key.size(), key.data()}));
  }
  return absl::OkStatus();
}

absl::Status LmdbYardstick::BecomeDurable() {
  mdb_txn_reset(txn_);
  LARDER_RETURN_IF_ERROR(Check(mdb_env_set_flags(env_, MDB_NOSYNC, 0), "set_flags"));
  return Check(mdb_env_sync(env_, 1), "sync");
}

LmdbYardstick::~LmdbYardstick() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
  if (env_ != nullptr) mdb_env_close(env_);
}

}  // namespace larder_bench
