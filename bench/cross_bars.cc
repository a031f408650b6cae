// O17: one user against many items, with expressions over both.
#include <cstring>
#include <vector>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"
#include "online_bars.h"
#include "online_store.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::FeatureStore;
using larder::InputColumn;
using larder::TypeId;

constexpr uint64_t kItems = 1'000'000;
constexpr uint64_t kUsers = 10'000;
constexpr std::size_t kItemsInRequest = 1'000;
constexpr std::size_t kSideFeatures = 20;
constexpr std::size_t kCrossFeatures = 5;

// The 20 features of a user (`u`) or item (`i`).
double FeatureOf(char side, uint64_t id, std::size_t feature) {
  return static_cast<double>((id * 17 + feature * 29 + (side == 'u' ? 3 : 0)) % 9'973 + 1) / 4;
}

std::string Fields(char side, std::string_view type) {
  std::string out;
  for (std::size_t f = 0; f < kSideFeatures; ++f) {
    out += Concat(f == 0 ? "" : ", ", R"({"name": ")", std::string(1, side), f, R"(")", type, "}");
  }
  return out;
}

std::string SourceAndView(char side) {
  const std::string name(1, side);
  return Concat(R"({"name": "live_)", name, R"(", "kind": "push", "event_time": "at", "fields": [
  {"name": ")",
                name, R"(_id", "type": "int64"}, {"name": "at", "type": "timestamp"}, )",
                Fields(side, R"(, "type": "float64")"), "]}");
}

std::string View(char side) {
  const std::string name(1, side);
  return Concat(R"({"name": "view_)", name, R"(", "entities": ["entity_)", name,
                R"("], "source": "live_)", name, R"(", "features": [)", Fields(side, ""), "]}");
}

std::string CrossDefinitions() {
  std::string inputs;
  std::string features;
  for (std::size_t c = 0; c < kCrossFeatures; ++c) {
    inputs += Concat(c == 0 ? "" : ", ", R"("u)", c, R"(": "view_u:u)", c, R"(", "i)", c,
                     R"(": "view_i:i)", c, R"(")");
    features += Concat(c == 0 ? "" : ", ", R"({"name": "cross)", c,
                       R"(", "type": "float64", "expr": "case when u)", c, " > i", c, " then u", c,
                       " - i", c, " else i", c, " / u", c, R"( end"})");
  }
  return Concat(R"({"larder": 1, "project": "bench",
 "entities": [{"name": "entity_u", "join_keys": [{"name": "u_id", "type": "int64"}]},
              {"name": "entity_i", "join_keys": [{"name": "i_id", "type": "int64"}]}],
 "sources": [)",
                SourceAndView('u'), ",\n  ", SourceAndView('i'), R"(],
 "feature_views": [)",
                View('u'), ",\n  ", View('i'), R"(],
 "on_demand_views": [{"name": "cross", "inputs": {)",
                inputs, R"(}, "features": [)", features, R"(]}],
 "feature_services": [
  {"name": "items", "dtype": "float32", "features": [{"view": "view_i"}]},
  {"name": "pairs", "dtype": "float32", "features": [{"view": "view_u"}, {"view": "view_i"}, {"view": "cross"}]}]})");
}

absl::Status PushSide(FeatureStore& store, char side, uint64_t count) {
  constexpr uint64_t kChunk = 100'000;
  const std::string name(1, side);
  for (uint64_t first = 0; first < count; first += kChunk) {
    Column ids(TypeId::kInt64);
    Column times(TypeId::kTimestamp);
    std::vector<Column> features(kSideFeatures, Column(TypeId::kFloat64));
    for (uint64_t id = first; id < std::min(first + kChunk, count); ++id) {
      ids.AppendFixed(static_cast<int64_t>(id));
      times.AppendFixed(kEventTime.us);
      for (std::size_t f = 0; f < kSideFeatures; ++f) {
        features[f].AppendFixed(FeatureOf(side, id, f));
      }
    }
    Batch batch;
    LARDER_RETURN_IF_ERROR(batch.AddColumn(name + "_id", std::move(ids)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn("at", std::move(times)));
    for (std::size_t f = 0; f < kSideFeatures; ++f) {
      LARDER_RETURN_IF_ERROR(batch.AddColumn(Concat(name, f), std::move(features[f])));
    }
    LARDER_RETURN_IF_ERROR(store.Push("live_" + name, batch).status());
  }
  return absl::OkStatus();
}

// Requests of one service; with a user where it takes one.
class Requests {
 public:
  static absl::StatusOr<std::unique_ptr<Requests>> Make(const FeatureStore& store,
                                                        std::string_view service,
                                                        const RandomKeys& items) {
    LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(service));
    LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
    return std::unique_ptr<Requests>(new Requests(plan, std::move(session), items));
  }

  absl::Status Request(std::size_t first) {
    LARDER_RETURN_IF_ERROR(session_.Refresh());
    std::vector<InputColumn>& inputs = inputs_;
    inputs.clear();
    for (const larder::Field& input : plan_.inputs()) {
      inputs.push_back(input.name == "u_id"
                           ? InputColumn::Broadcast(static_cast<int64_t>(UserOf(first)))
                           : items_.Column(first, kItemsInRequest));
    }
    return session_.Fill(inputs, kNow, larder::Tensor<float>{tensor_.data(), kItemsInRequest, 0});
  }

  void Run(benchmark::State& state) {
    for (auto _ : state) {
      if (next_ + kItemsInRequest > items_.size()) next_ = 0;
      if (!Request(next_).ok()) {
        state.SkipWithError("request");
        break;
      }
      next_ += kItemsInRequest;
      benchmark::DoNotOptimize(tensor_.data());
      benchmark::ClobberMemory();
    }
  }

  [[nodiscard]] const float* RowOf(std::size_t i) const {
    return tensor_.data() + i * plan_.width();
  }
  [[nodiscard]] uint64_t UserOf(std::size_t first) const { return items_.entity(first) % kUsers; }

 private:
  Requests(const larder::ServingPlan& plan, larder::ServingSession session, const RandomKeys& items)
      : plan_(plan),
        session_(std::move(session)),
        items_(items),
        tensor_(kItemsInRequest * plan.width()) {}

  larder::ServingPlan plan_;
  larder::ServingSession session_;
  const RandomKeys& items_;
  std::vector<InputColumn> inputs_;
  std::vector<float> tensor_;
  std::size_t next_ = 0;
};

bool SameRow(const float* pair, const float* item, uint64_t user, uint64_t entity) {
  for (std::size_t f = 0; f < kSideFeatures; ++f) {
    const auto u = static_cast<float>(FeatureOf('u', user, f));
    const auto i = static_cast<float>(FeatureOf('i', entity, f));
    if (pair[f] != u || pair[kSideFeatures + f] != i || item[f] != i) return false;
  }
  for (std::size_t c = 0; c < kCrossFeatures; ++c) {
    const double u = FeatureOf('u', user, c);
    const double i = FeatureOf('i', entity, c);
    if (pair[2 * kSideFeatures + c] != static_cast<float>(u > i ? u - i : i / u)) return false;
  }
  return true;
}

}  // namespace

absl::Status RunCrossBars(BarRun& run) {
  if (!run.Wants("O17")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(run.options().scratch + "/cross"));
  LARDER_ASSIGN_OR_RETURN(const larder::Definitions definitions,
                          larder::ParseDefinitions(CrossDefinitions(), "bench"));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
  LARDER_RETURN_IF_ERROR(PushSide(store, 'u', kUsers));
  LARDER_RETURN_IF_ERROR(PushSide(store, 'i', kItems));
  const StoreSpec spec{.entities = kItems};
  const RandomKeys items(spec, 0, kItems);
  LARDER_ASSIGN_OR_RETURN(const auto pairs, Requests::Make(store, "pairs", items));
  LARDER_ASSIGN_OR_RETURN(const auto gathers, Requests::Make(store, "items", items));
  const auto compare = [&]() -> absl::Status {
    for (std::size_t first = 0; first + kItemsInRequest <= items.size(); first += kItemsInRequest) {
      LARDER_RETURN_IF_ERROR(pairs->Request(first));
      LARDER_RETURN_IF_ERROR(gathers->Request(first));
      for (std::size_t i = 0; i < kItemsInRequest; ++i) {
        if (SameRow(pairs->RowOf(i), gathers->RowOf(i), pairs->UserOf(first),
                    items.entity(first + i))) {
          continue;
        }
        return larder::InternalError("O17: item ", items.entity(first + i), " is served wrong");
      }
    }
    return absl::OkStatus();
  };
  return run.Measure(
      "O17", [&](benchmark::State& state) { pairs->Run(state); },
      [&](benchmark::State& state) { gathers->Run(state); }, compare,
      "1 M items and 10,000 users, pushed");
}

}  // namespace larder_bench
