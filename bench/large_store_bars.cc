// Bars on 5 M entities: what must not depend on how much is stored.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"
#include "lmdb_yardstick.h"
#include "online_bars.h"
#include "online_store.h"
#include "serving_sides.h"

namespace larder_bench {
namespace {

using larder::Concat;
using larder::FeatureStore;

constexpr StoreSpec kLarge{.entities = 5'000'000};
constexpr StoreSpec kSmall{.entities = 50'000};

absl::Status CheckLmdb(int code) {
  if (code == 0) return absl::OkStatus();
  return larder::InternalError("yardstick: ", mdb_strerror(code));
}

absl::Status ServeOnce(const FeatureStore& store, int64_t key, double* row) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind("one_view"));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  const larder::InputColumn input = larder::InputColumn::Broadcast(key);
  return session.Fill({&input, 1}, kNow, larder::Tensor<double>{row, 1, 0});
}

// Opens, binds and serves; closing is not counted.
void OpenAndServe(benchmark::State& state, const std::string& path) {
  int64_t key = 0;
  for (auto _ : state) {
    absl::StatusOr<FeatureStore> store = OpenStore(path);
    double row[kRowFeatures];
    if (!store.ok() || !ServeOnce(*store, key++ % 1'000, row).ok()) {
      state.SkipWithError("open");
      break;
    }
    benchmark::DoNotOptimize(row);
    state.PauseTiming();
    store = absl::CancelledError();
    state.ResumeTiming();
  }
}

// The same file: opened with the same map, and its first record looked up.
absl::Status OpenAndGet(MDB_env* env, const std::string& folder) {
  mdb_env_set_maxdbs(env, 2);
  mdb_env_set_mapsize(env, std::size_t{1} << 40);
  const std::string file = folder + "/data.mdb";
  LARDER_RETURN_IF_ERROR(
      CheckLmdb(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_NORDAHEAD, 0600)));
  MDB_txn* txn = nullptr;
  MDB_dbi database = 0;
  LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn)));
  absl::Status status = CheckLmdb(mdb_dbi_open(txn, nullptr, 0, &database));
  if (status.ok()) {
    char format[] = "larder:f";
    MDB_val key{sizeof(format) - 1, format};
    MDB_val value;
    status = CheckLmdb(mdb_get(txn, database, &key, &value));
  }
  mdb_txn_abort(txn);
  return status;
}

void OpenPlain(benchmark::State& state, const std::string& folder) {
  for (auto _ : state) {
    MDB_env* env = nullptr;
    if (mdb_env_create(&env) != 0 || !OpenAndGet(env, folder).ok()) state.SkipWithError("open");
    state.PauseTiming();
    mdb_env_close(env);
    state.ResumeTiming();
  }
}

absl::Status RunOpen(BarRun& run, const std::string& large, const std::string& small) {
  const auto serves = [&]() -> absl::Status {
    for (const std::string& path : {large, small}) {
      LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(path));
      double row[kRowFeatures];
      double expected[kRowFeatures];
      RowOf(17, 0, expected);
      LARDER_RETURN_IF_ERROR(ServeOnce(store, 17, row));
      if (row[0] != expected[0]) return larder::InternalError(path, ": entity 17 is served wrong");
    }
    return absl::OkStatus();
  };
  const Side open_large = [&](benchmark::State& state) { OpenAndServe(state, large); };
  if (run.Wants("O12")) {
    const Side plain = [&](benchmark::State& state) { OpenPlain(state, large + "/env-000001"); };
    LARDER_RETURN_IF_ERROR(run.Measure("O12", open_large, plain, serves));
  }
  if (run.Wants("O12b")) {
    const Side open_small = [&](benchmark::State& state) { OpenAndServe(state, small); };
    LARDER_RETURN_IF_ERROR(run.Measure("O12b", open_large, open_small, serves));
  }
  return absl::OkStatus();
}

// O13: view 0 gets a second version, loaded too; each rollback then takes back the change before it, from the one to the
// other and back.
class RollbackBar {
 public:
  RollbackBar(FeatureStore store, LmdbYardstick& yardstick)
      : store_(std::move(store)), yardstick_(yardstick) {}

  absl::Status Run(BarRun& run, const std::string& sources) {
    LARDER_ASSIGN_OR_RETURN(previous_, LastEntry());
    std::string text = DefinitionsOf(kLarge, sources);
    constexpr std::string_view kFeature = R"({"name": "v0_f0"})";
    text.replace(text.find(kFeature), kFeature.size(), R"({"name": "v0_f0", "expr": "v0_f0 + 1"})");
    LARDER_ASSIGN_OR_RETURN(const larder::Definitions definitions,
                            larder::ParseDefinitions(text, "bench"));
    LARDER_RETURN_IF_ERROR(store_.Apply(definitions).status());
    LARDER_RETURN_IF_ERROR(MaterializeView(store_, 0));
    LARDER_ASSIGN_OR_RETURN(last_, LastEntry());
    LARDER_RETURN_IF_ERROR(yardstick_.BecomeDurable());
    return run.Measure(
        "O13", [this](benchmark::State& state) { Rollbacks(state); },
        [this](benchmark::State& state) { Commits(state); }, [this] { return Compare(); });
  }

 private:
  absl::StatusOr<uint64_t> LastEntry() const {
    LARDER_ASSIGN_OR_RETURN(const std::vector<larder::HistoryEntry> history, store_.History());
    return history.back().number;
  }

  absl::Status Rollback() {
    LARDER_ASSIGN_OR_RETURN(const larder::ApplyResult result, store_.Rollback(previous_));
    if (!result.changed) return larder::InternalError("the rollback changed nothing");
    previous_ = std::exchange(last_, result.revision);
    at_first_ = !at_first_;
    return absl::OkStatus();
  }

  // What is served follows.
  absl::Status Compare() {
    for (int i = 0; i < 4; ++i) {
      LARDER_RETURN_IF_ERROR(Rollback());
      for (int64_t key = 0; key < 1'000; ++key) {
        double row[kRowFeatures];
        double expected[kRowFeatures];
        RowOf(static_cast<uint64_t>(key), 0, expected);
        LARDER_RETURN_IF_ERROR(ServeOnce(store_, key, row));
        if (row[0] != expected[0] + (at_first_ ? 0 : 1)) {
          return larder::InternalError("entity ", key, " is served from the other version");
        }
      }
    }
    return absl::OkStatus();
  }

  void Rollbacks(benchmark::State& state) {
    for (auto _ : state) {
      if (!Rollback().ok()) {
        state.SkipWithError("rollback");
        break;
      }
    }
  }

  void Commits(benchmark::State& state) {
    for (auto _ : state) {
      MDB_txn* txn = nullptr;
      uint64_t big_endian = __builtin_bswap64(next_++ % kLarge.entities);
      double features[kRowFeatures] = {};
      MDB_val key{sizeof(big_endian), &big_endian};
      MDB_val value{sizeof(features), features};
      if (mdb_txn_begin(yardstick_.environment(), nullptr, 0, &txn) != 0 ||
          mdb_put(txn, yardstick_.database(0), &key, &value, 0) != 0 || mdb_txn_commit(txn) != 0) {
        state.SkipWithError("commit");
        break;
      }
    }
  }

  FeatureStore store_;
  LmdbYardstick& yardstick_;
  uint64_t previous_ = 0;  // the entry that led to the other version, and the newest
  uint64_t last_ = 0;
  bool at_first_ = false;
  uint64_t next_ = 0;
};

}  // namespace

absl::Status RunLargeStoreBars(BarRun& run) {
  const bool opens = run.Wants("O12") || run.Wants("O12b");
  if (!run.Wants("O6") && !opens && !run.Wants("O13")) return absl::OkStatus();
  const std::string folder = run.options().scratch + "/large";
  const std::string large = folder + "/store";
  const std::string small = folder + "/small";
  std::filesystem::create_directories(folder);
  const auto started = std::chrono::steady_clock::now();
  LARDER_RETURN_IF_ERROR(MakeStore(kLarge, large));
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
  const std::string load = Concat("made and loaded from CSV in ", std::lround(spent.count()), " s");
  if (opens) {
    LARDER_RETURN_IF_ERROR(MakeStore(kSmall, small));
    LARDER_RETURN_IF_ERROR(RunOpen(run, large, small));
  }
  if (run.Wants("O6") || run.Wants("O13")) {
    LARDER_ASSIGN_OR_RETURN(const auto yardstick,
                            LmdbYardstick::Make(folder + "/yardstick", kLarge.entities));
    if (run.Wants("O6")) {
      LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(large));
      const RandomKeys keys(kLarge, 0, kLarge.entities);
      LARDER_RETURN_IF_ERROR(
          RunAgainstYardstick(run, "O6", store, *yardstick, kLarge, keys, kManyEntities, load));
    }
    if (run.Wants("O13")) {
      LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(large, larder::Durability::kDurable));
      LARDER_RETURN_IF_ERROR(RollbackBar(std::move(store), *yardstick).Run(run, large + "-sources"));
    }
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return absl::OkStatus();
}

}  // namespace larder_bench
