// Bars of the online store: serving from it, against plain LMDB holding the same rows.
#include <chrono>
#include <filesystem>
#include <random>
#include <vector>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/online/read_session.h"
#include "larder/registry/definitions_json.h"
#include "lmdb_yardstick.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::FeatureStore;
using larder::InputColumn;
using larder::Timestamp;
using larder::TypeId;

constexpr uint64_t kEntities = 1'000'000;
constexpr std::size_t kKeysDrawn = std::size_t{1} << 20;
constexpr Timestamp kEventTime{1'700'000'000'000'000};
constexpr Timestamp kNow{1'700'000'060'000'000};

constexpr char kDefinitions[] = R"({"larder": 1, "project": "bench",
 "entities": [{"name": "item", "join_keys": [{"name": "id", "type": "int64"}]}],
 "sources": [{"name": "items", "kind": "push", "event_time": "at", "fields": [
   {"name": "id", "type": "int64"}, {"name": "at", "type": "timestamp"},
   {"name": "f0", "type": "float64"}, {"name": "f1", "type": "float64"}, {"name": "f2", "type": "float64"},
   {"name": "f3", "type": "float64"}, {"name": "f4", "type": "float64"}, {"name": "f5", "type": "float64"}]}],
 "feature_views": [{"name": "view0", "entities": ["item"], "source": "items", "features": [
   {"name": "f0"}, {"name": "f1"}, {"name": "f2"}, {"name": "f3"}, {"name": "f4"}, {"name": "f5"}]}],
 "feature_services": [{"name": "one_view", "dtype": "float64", "features": [{"view": "view0"}]}]})";

absl::StatusOr<Batch> RowsOf(uint64_t first, uint64_t count) {
  Column ids(TypeId::kInt64);
  Column times(TypeId::kTimestamp);
  std::vector<Column> features(kRowFeatures, Column(TypeId::kFloat64));
  for (uint64_t entity = first; entity < first + count; ++entity) {
    ids.AppendFixed(static_cast<int64_t>(entity));
    times.AppendFixed(kEventTime.us);
    double values[kRowFeatures];
    RowOf(entity, 0, values);
    for (std::size_t i = 0; i < kRowFeatures; ++i) features[i].AppendFixed(values[i]);
  }
  Batch batch;
  LARDER_RETURN_IF_ERROR(batch.AddColumn("id", std::move(ids)));
  LARDER_RETURN_IF_ERROR(batch.AddColumn("at", std::move(times)));
  for (std::size_t i = 0; i < kRowFeatures; ++i) {
    LARDER_RETURN_IF_ERROR(batch.AddColumn(larder::Concat("f", i), std::move(features[i])));
  }
  return batch;
}

absl::StatusOr<FeatureStore> MakeStore(const std::string& path) {
  larder::StoreOptions options;
  options.durability = larder::Durability::kRelaxed;  // how it is loaded does not matter here
  options.clock = [] { return kNow; };
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, FeatureStore::Open(path, options));
  LARDER_ASSIGN_OR_RETURN(larder::Definitions definitions,
                          larder::ParseDefinitions(kDefinitions, "bench"));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
  constexpr uint64_t kChunk = 50'000;
  for (uint64_t first = 0; first < kEntities; first += kChunk) {
    LARDER_ASSIGN_OR_RETURN(Batch rows, RowsOf(first, kChunk));
    LARDER_RETURN_IF_ERROR(store.Push("items", rows).status());
  }
  return store;
}

std::vector<int64_t> RandomKeys() {
  std::mt19937_64 random(20240501);
  std::uniform_int_distribution<int64_t> any(0, static_cast<int64_t>(kEntities) - 1);
  std::vector<int64_t> keys(kKeysDrawn);
  for (int64_t& key : keys) key = any(random);
  return keys;
}

// O1 and O1h: one entity, one view, six features.
class OneEntityBars {
 public:
  OneEntityBars(larder::ServingSession& session, larder::ReadSession& renewed,
                LmdbYardstick& yardstick, const std::vector<int64_t>& keys)
      : session_(session), renewed_(renewed), yardstick_(yardstick), keys_(keys) {}

  // Refresh, then one row into the tensor. Refresh looks for a newer commit and moves on only when there is one, so
  // where the bar asks for a renewed snapshot another session is released and renewed first: O1 pays for both.
  void Candidate(benchmark::State& state, bool renewed) {
    double row[kRowFeatures] = {};
    std::size_t i = 0;
    for (auto _ : state) {
      if (renewed) {
        renewed_.Release();
        if (!renewed_.Renew().ok()) state.SkipWithError("renew");
      }
      if (!session_.Refresh().ok() || !FillOne(keys_[i++ % kKeysDrawn], row).ok()) {
        state.SkipWithError("fill");
        break;
      }
      benchmark::DoNotOptimize(row);
    }
  }
  void Yardstick(benchmark::State& state, bool renewed) {
    double row[kRowFeatures] = {};
    std::size_t i = 0;
    for (auto _ : state) {
      if (renewed) yardstick_.Renew();
      if (!yardstick_.Get(0, static_cast<uint64_t>(keys_[i++ % kKeysDrawn]), row)) {
        state.SkipWithError("get");
        break;
      }
      benchmark::DoNotOptimize(row);
    }
  }

  absl::Status Compare() {
    for (std::size_t i = 0; i < 10'000; ++i) {
      double candidate[kRowFeatures] = {};
      double yardstick[kRowFeatures] = {};
      LARDER_RETURN_IF_ERROR(FillOne(keys_[i], candidate));
      if (!yardstick_.Get(0, static_cast<uint64_t>(keys_[i]), yardstick) ||
          __builtin_memcmp(candidate, yardstick, sizeof(candidate)) != 0) {
        return larder::InternalError("entity ", keys_[i], ": served ", candidate[0], ", expected ",
                                     yardstick[0]);
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status FillOne(int64_t key, double* row) {
    const InputColumn input = InputColumn::Broadcast(key);
    return session_.Fill({&input, 1}, kNow, larder::Tensor<double>{row, 1, 0});
  }

  larder::ServingSession& session_;
  larder::ReadSession& renewed_;
  LmdbYardstick& yardstick_;
  const std::vector<int64_t>& keys_;
};

}  // namespace

absl::Status RunOnlineBars(BarRun& run) {
  if (!run.Wants("O1") && !run.Wants("O1h")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const auto yardstick,
                          LmdbYardstick::Make(run.options().scratch + "/yardstick", kEntities));
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeStore(run.options().scratch + "/store"));
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind("one_view"));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  const std::vector<int64_t> keys = RandomKeys();

  LARDER_ASSIGN_OR_RETURN(larder::ReadSession renewed,
                          larder::ReadSession::Open(store.environment()));
  OneEntityBars bars(session, renewed, *yardstick, keys);
  const auto compare = [&bars] { return bars.Compare(); };
  const std::string_view layout = "1 M entities, row-per-entry layout";
  for (const bool renew : {true, false}) {
    const std::string_view id = renew ? "O1" : "O1h";
    if (!run.Wants(id)) continue;
    const Side candidate = [&bars, renew](benchmark::State& state) { bars.Candidate(state, renew); };
    const Side plain = [&bars, renew](benchmark::State& state) { bars.Yardstick(state, renew); };
    LARDER_RETURN_IF_ERROR(run.Measure(id, candidate, plain, compare, layout));
  }
  return absl::OkStatus();
}

}  // namespace larder_bench
