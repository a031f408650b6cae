#include "lmdb_yardstick.h"

#include <filesystem>

namespace larder_bench {
namespace {

absl::Status Check(int code, std::string_view what) {
  if (code == 0) return absl::OkStatus();
  return larder::InternalError("yardstick: ", what, ": ", mdb_strerror(code));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LmdbYardstick>> LmdbYardstick::Make(const std::string& path,
                                                                   uint64_t entities) {
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
  for (int view = 0; view < kYardstickViews; ++view) {
    const std::string name = larder::Concat("view", view);
    LARDER_RETURN_IF_ERROR(
        Check(mdb_dbi_open(txn, name.c_str(), MDB_CREATE, &made->databases_[view]), "dbi_open"));
    for (uint64_t entity = 0; entity < entities; ++entity) {
      double features[kRowFeatures];
      RowOf(entity, view, features);
      uint64_t big_endian = __builtin_bswap64(entity);
      MDB_val key{sizeof(big_endian), &big_endian};
      MDB_val value{sizeof(features), features};
      LARDER_RETURN_IF_ERROR(
          Check(mdb_put(txn, made->databases_[view], &key, &value, MDB_APPEND), "put"));
    }
  }
  LARDER_RETURN_IF_ERROR(Check(mdb_txn_commit(txn), "commit"));
  LARDER_RETURN_IF_ERROR(
      Check(mdb_txn_begin(made->env_, nullptr, MDB_RDONLY, &made->txn_), "begin read"));
  return made;
}

LmdbYardstick::~LmdbYardstick() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
  if (env_ != nullptr) mdb_env_close(env_);
}

}  // namespace larder_bench
