// Bars of serving: features of random entities, against plain LMDB holding the same rows.
#include "online_bars.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "lmdb_yardstick.h"
#include "online_store.h"
#include "request_counts.h"
#include "serving_sides.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Concat;
using larder::FeatureStore;
using larder::InputColumn;

constexpr RequestShape kOneEntity{"five_views", 1, false};
constexpr RequestShape kOneEntityRenewed{"five_views", 1, true};

std::string Seconds(std::chrono::steady_clock::time_point since) {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - since;
  return Concat(std::lround(spent.count()), " s");
}

double NsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

// How many requests ask for every key once.
int64_t PassOf(const RandomKeys& keys) {
  return static_cast<int64_t>(keys.size() / kManyEntities.rows);
}

// O1 and O1h: one entity, one view, six features.
class OneEntityBars {
 public:
  OneEntityBars(larder::ServingSession& session, larder::ReadSession& renewed,
                LmdbYardstick& yardstick, const RandomKeys& keys)
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
      if (!session_.Refresh().ok() || !FillOne(keys_.entity(i++ % keys_.size()), row).ok()) {
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
      if (!yardstick_.Get(0, keys_.entity(i++ % keys_.size()), row)) {
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
      LARDER_RETURN_IF_ERROR(FillOne(keys_.entity(i), candidate));
      if (!yardstick_.Get(0, keys_.entity(i), yardstick) ||
          std::memcmp(candidate, yardstick, sizeof(candidate)) != 0) {
        return larder::InternalError("entity ", keys_.entity(i), ": served ", candidate[0],
                                     ", expected ", yardstick[0]);
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status FillOne(uint64_t key, double* row) {
    const InputColumn input = InputColumn::Broadcast(static_cast<int64_t>(key));
    return session_.Fill({&input, 1}, kNow, larder::Tensor<double>{row, 1, 0});
  }

  larder::ServingSession& session_;
  larder::ReadSession& renewed_;
  LmdbYardstick& yardstick_;
  const RandomKeys& keys_;
};

absl::Status RunOneView(BarRun& run, const FeatureStore& store, LmdbYardstick& yardstick,
                        const RandomKeys& keys) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind("one_view"));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  LARDER_ASSIGN_OR_RETURN(larder::ReadSession renewed,
                          larder::ReadSession::Open(store.environment()));
  OneEntityBars bars(session, renewed, yardstick, keys);
  const auto compare = [&bars] { return bars.Compare(); };
  for (const bool renew : {true, false}) {
    const std::string_view id = renew ? "O1" : "O1h";
    if (!run.Wants(id)) continue;
    const Side candidate = [&bars, renew](benchmark::State& state) { bars.Candidate(state, renew); };
    const Side plain = [&bars, renew](benchmark::State& state) { bars.Yardstick(state, renew); };
    LARDER_RETURN_IF_ERROR(run.Measure(id, candidate, plain, compare));
  }
  return absl::OkStatus();
}

absl::Status RunAbsentKeys(BarRun& run, const FeatureStore& store, const StoreSpec& spec,
                           const RandomKeys& keys) {
  if (!run.Wants("O19")) return absl::OkStatus();
  const RandomKeys absent(spec, spec.entities, spec.entities);
  LARDER_ASSIGN_OR_RETURN(const auto missing, LarderSide::Make(store, absent, kManyEntities));
  LARDER_ASSIGN_OR_RETURN(const auto present, LarderSide::Make(store, keys, kManyEntities));
  const auto compare = [&]() -> absl::Status {
    LARDER_RETURN_IF_ERROR(missing->Request(0));
    for (const float cell : missing->tensor()) {
      if (!std::isnan(cell)) return larder::InternalError("an absent key has features");
    }
    return present->RunRequests(PassOf(keys));
  };
  return run.Measure("O19", SideOf(*missing), SideOf(*present), compare);
}

// Each thread runs half of the requests, with a session of its own.
void RunOnTwoThreads(benchmark::State& state, LarderSide& first, LarderSide& second) {
  const auto all = static_cast<int64_t>(state.max_iterations);
  while (state.KeepRunningBatch(all)) {
    bool second_ok = false;
    std::thread other([&] { second_ok = second.RunRequests(all / 2).ok(); });
    const bool first_ok = first.RunRequests(all - all / 2).ok();
    other.join();
    if (!first_ok || !second_ok) state.SkipWithError("request");
  }
}

absl::Status RunTwoThreads(BarRun& run, const FeatureStore& store, const RandomKeys& keys) {
  if (!run.Wants("O18")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const auto first, LarderSide::Make(store, keys, kManyEntities));
  LARDER_ASSIGN_OR_RETURN(const auto second, LarderSide::Make(store, keys, kManyEntities));
  const Side both = [&](benchmark::State& state) { RunOnTwoThreads(state, *first, *second); };
  const auto warm = [&]() -> absl::Status {
    LARDER_RETURN_IF_ERROR(first->RunRequests(PassOf(keys)));
    return second->RunRequests(PassOf(keys));
  };
  return run.Measure("O18", both, SideOf(*first), warm,
                     Concat(std::thread::hardware_concurrency(), " processors"));
}

// Allocations are counted here, system calls in a child process that opens the store for itself.
absl::Status RunCounts(BarRun& run, const FeatureStore& store, const std::string& path,
                       const RandomKeys& keys) {
  if (!run.Wants("O8")) return absl::OkStatus();
  constexpr int64_t kRequests = 10'000;
  int64_t most = 0;
  std::string detail;
  for (const RequestShape& shape : {kOneEntity, kOneEntityRenewed, kManyEntities}) {
    const int64_t requests = shape.rows == 1 ? kRequests : kRequests / 10;
    LARDER_ASSIGN_OR_RETURN(const auto side, LarderSide::Make(store, keys, shape));
    LARDER_RETURN_IF_ERROR(side->RunRequests(requests));
    const int64_t before = HeapAllocations();
    LARDER_RETURN_IF_ERROR(side->RunRequests(requests));
    const int64_t allocations = HeapAllocations() - before;
    if (before < 0) {
      run.RecordNotRun("O8", "allocations cannot be counted with this C library");
      return absl::OkStatus();
    }

    std::unique_ptr<LarderSide> child_side;
    std::optional<FeatureStore> child_store;
    const auto prepare = [&]() -> absl::Status {
      LARDER_ASSIGN_OR_RETURN(child_store, OpenStore(path));
      LARDER_ASSIGN_OR_RETURN(child_side, LarderSide::Make(*child_store, keys, shape));
      return child_side->RunRequests(requests);
    };
    const absl::StatusOr<SystemCalls> calls =
        CountSystemCalls(prepare, [&] { return child_side->RunRequests(requests); });
    if (!calls.ok()) {
      run.RecordNotRun("O8", std::string(calls.status().message()));
      return absl::OkStatus();
    }
    most = std::max(most, allocations + calls->count);
    detail += Concat(detail.empty() ? "" : "; ", requests, " requests of ", shape.rows,
                     shape.renewed ? " renewed" : "", ": ", allocations, " allocations, ",
                     calls->count, " system calls");
    if (calls->count > 0) detail += Concat(" (the first is number ", calls->first, ")");
  }
  run.Record("O8", static_cast<double>(most), static_cast<double>(most), std::move(detail));
  return absl::OkStatus();
}

// The file as it is after one load, and what a copy without free pages takes.
absl::Status RunFileSize(BarRun& run, const FeatureStore& store, const StoreSpec& spec,
                         std::string_view load) {
  if (!run.Wants("O11")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const larder::EnvironmentStats stats, store.environment()->Stats());
  const auto entities = static_cast<double>(spec.entities);
  const double rows = entities * spec.views;
  const double allowed = rows * (kRowFeatures * sizeof(double) + 20) + entities * 24;
  const auto size = static_cast<double>(stats.file_size_bytes);
  const double ratio = size / allowed;
  run.Record(
      "O11", ratio, ratio,
      Concat(stats.file_size_bytes >> 20, " MiB for ", spec.views, " x ", spec.entities, " rows, ",
             Short(size / rows), " B a view row against ", Short(allowed / rows), "; ", load));
  return absl::OkStatus();
}

// O4: what 1 % of pushed pairs adds to a request, as a share of getting those pairs from plain LMDB. Both stores hold the
// same loaded rows; the sides take turns in threes.
class OverlayBar {
 public:
  static constexpr std::size_t kPairsInRequest = 50;

  static absl::Status Run(BarRun& run, const std::string& loaded_path, const FeatureStore& loaded,
                          LmdbYardstick& yardstick, const StoreSpec& spec, const RandomKeys& keys) {
    const std::string path = loaded_path + "-overlay";
    LARDER_RETURN_IF_ERROR(CopyStore(loaded_path, path));
    LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(path));
    OverlayBar bar(spec, keys);
    LARDER_RETURN_IF_ERROR(bar.Push(store));
    LARDER_ASSIGN_OR_RETURN(const auto with, LarderSide::Make(store, keys, kManyEntities));
    LARDER_ASSIGN_OR_RETURN(const auto without, LarderSide::Make(loaded, keys, kManyEntities));
    LARDER_RETURN_IF_ERROR(bar.Compare(*with));

    LARDER_RETURN_IF_ERROR(without->RunRequests(PassOf(keys)));
    std::vector<double> added;
    std::vector<double> gets;
    std::vector<double> whole;
    for (int i = 0; i < run.pair_options().pairs; ++i) {
      LARDER_ASSIGN_OR_RETURN(const Round round, bar.RunRound(*with, *without, yardstick));
      added.push_back(round.with_ns - round.without_ns);
      gets.push_back(round.gets_ns);
      whole.push_back(round.with_ns);
    }
    const PairStats stats = StatsOf(added, gets, Sense::kAtMost);
    run.Record("O4", stats.median, stats.bound,
               Concat(std::lround(stats.candidate_ns), " ns more, ", std::lround(Median(whole)),
                      " ns in all, against ", std::lround(stats.yardstick_ns), " ns for ",
                      kPairsInRequest, " gets, ", stats.pairs, " pairs"));
    return absl::OkStatus();
  }

 private:
  OverlayBar(const StoreSpec& spec, const RandomKeys& keys) : spec_(spec), keys_(keys) {
    std::mt19937_64 random(42);
    std::uniform_int_distribution<uint64_t> any(0, spec.entities - 1);
    pushed_.resize(static_cast<std::size_t>(spec.views));
    for (std::vector<bool>& view : pushed_) {
      view.resize(spec.entities);
      for (uint64_t left = spec.entities / 100; left > 0;) {
        const uint64_t entity = any(random);
        if (view[entity]) continue;
        view[entity] = true;
        --left;
      }
    }
    for (int view = 0; view < spec.views; ++view) {
      for (const EventRow& row : RowsOf(view)) pairs_.emplace_back(view, row.entity);
    }
    std::shuffle(pairs_.begin(), pairs_.end(), random);
  }

  [[nodiscard]] std::vector<EventRow> RowsOf(int view) const {
    const std::vector<bool>& pushed = pushed_[static_cast<std::size_t>(view)];
    std::vector<EventRow> rows;
    for (uint64_t entity = 0; entity < pushed.size(); ++entity) {
      if (pushed[entity]) rows.push_back({entity, 1});
    }
    return rows;
  }

  absl::Status Push(FeatureStore& store) const {
    for (int view = 0; view < spec_.views; ++view) {
      LARDER_ASSIGN_OR_RETURN(const Batch rows, RowsToPush(spec_, view, RowsOf(view)));
      LARDER_RETURN_IF_ERROR(store.Push(Concat("live", view), rows).status());
    }
    return absl::OkStatus();
  }

  struct Round {
    double with_ns = 0;
    double without_ns = 0;
    double gets_ns = 0;
  };

  // What is looked for is a small difference, so the three take turns request by request; the medians count.
  absl::StatusOr<Round> RunRound(LarderSide& with, LarderSide& without, LmdbYardstick& yardstick) {
    constexpr int kTurns = 100;
    std::vector<double> with_ns;
    std::vector<double> without_ns;
    std::vector<double> gets_ns;
    for (int turn = 0; turn < kTurns; ++turn) {
      for (const bool overlaid : {turn % 2 == 0, turn % 2 != 0}) {
        const auto start = std::chrono::steady_clock::now();
        LARDER_RETURN_IF_ERROR((overlaid ? with : without).RunRequests(1));
        (overlaid ? with_ns : without_ns).push_back(NsSince(start));
      }
      const auto start = std::chrono::steady_clock::now();
      LARDER_RETURN_IF_ERROR(Gets(yardstick));
      gets_ns.push_back(NsSince(start));
    }
    return Round{Median(with_ns), Median(without_ns), Median(gets_ns)};
  }

  absl::Status Compare(LarderSide& side) const {
    for (std::size_t first = 0; first + kManyEntities.rows <= keys_.size();
         first += kManyEntities.rows) {
      LARDER_RETURN_IF_ERROR(side.Request(first));
      const float* served = side.tensor().data();
      for (std::size_t i = first; i < first + kManyEntities.rows; ++i) {
        for (int view = 0; view < spec_.views; ++view) {
          const uint64_t entity = keys_.entity(i);
          double expected[kRowFeatures];
          const bool pushed = pushed_[static_cast<std::size_t>(view)][entity];
          RowOf(entity, pushed ? RowVariant(view, 1) : view, expected);
          for (const double number : expected) {
            if (*served++ == static_cast<float>(number)) continue;
            return larder::InternalError("O4: entity ", entity, ", view ", view, " is served wrong");
          }
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status Gets(LmdbYardstick& yardstick) {
    float row[kRowFeatures] = {};
    for (std::size_t i = 0; i < kPairsInRequest; ++i) {
      const auto [view, entity] = pairs_[next_++ % pairs_.size()];
      if (!yardstick.Get(view, entity, row)) return larder::InternalError("yardstick: no row");
      benchmark::DoNotOptimize(row);
    }
    return absl::OkStatus();
  }

  const StoreSpec& spec_;
  const RandomKeys& keys_;
  std::vector<std::vector<bool>> pushed_;        // by view and entity
  std::vector<std::pair<int, uint64_t>> pairs_;  // view, entity
  std::size_t next_ = 0;
};

// The bars on 1 M entities with integer keys: all but O6 and O7.
absl::Status RunIntegerKeys(BarRun& run) {
  constexpr std::string_view kIds[] = {"O1", "O1h", "O2",  "O3",  "O3v",
                                       "O4", "O8",  "O11", "O18", "O19"};
  if (std::none_of(std::begin(kIds), std::end(kIds),
                   [&run](std::string_view id) { return run.Wants(id); })) {
    return absl::OkStatus();
  }
  const StoreSpec spec;
  const std::string path = run.options().scratch + "/store";
  const auto started = std::chrono::steady_clock::now();
  LARDER_RETURN_IF_ERROR(MakeStore(spec, path));
  const std::string load = Concat("made and loaded from CSV in ", Seconds(started));
  LARDER_ASSIGN_OR_RETURN(const auto yardstick,
                          LmdbYardstick::Make(run.options().scratch + "/yardstick", spec.entities));
  const RandomKeys keys(spec, 0, spec.entities);

  if (run.Wants("O3v")) {
    // Who opens a store first says how it verifies.
    larder::EnvironmentOptions always;
    always.verify = larder::VerifyPolicy::kAlways;
    always.durability = larder::Durability::kRelaxed;
    always.clock = [] { return kNow; };
    LARDER_ASSIGN_OR_RETURN(const auto environment, larder::Environment::Open(path, always));
    LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(path));
    LARDER_RETURN_IF_ERROR(
        RunAgainstYardstick(run, "O3v", store, *yardstick, spec, keys, kManyEntities));
  }
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(path));
  LARDER_RETURN_IF_ERROR(RunFileSize(run, store, spec, load));
  LARDER_RETURN_IF_ERROR(RunOneView(run, store, *yardstick, keys));
  LARDER_RETURN_IF_ERROR(
      RunAgainstYardstick(run, "O2", store, *yardstick, spec, keys, kOneEntityRenewed));
  LARDER_RETURN_IF_ERROR(
      RunAgainstYardstick(run, "O3", store, *yardstick, spec, keys, kManyEntities));
  LARDER_RETURN_IF_ERROR(RunAbsentKeys(run, store, spec, keys));
  LARDER_RETURN_IF_ERROR(RunTwoThreads(run, store, keys));
  LARDER_RETURN_IF_ERROR(RunCounts(run, store, path, keys));
  if (run.Wants("O4")) {
    LARDER_RETURN_IF_ERROR(OverlayBar::Run(run, path, store, *yardstick, spec, keys));
  }
  return absl::OkStatus();
}

// O7: O3 on a store of its own.
absl::Status RunTextKeys(BarRun& run) {
  if (!run.Wants("O7")) return absl::OkStatus();
  const StoreSpec spec{.keys = KeyKind::kText};
  const std::string folder = run.options().scratch + "/o7";
  const auto started = std::chrono::steady_clock::now();
  LARDER_RETURN_IF_ERROR(MakeStore(spec, folder + "/store"));
  const std::string load = Concat("made and loaded from CSV in ", Seconds(started));
  LARDER_ASSIGN_OR_RETURN(const auto yardstick,
                          LmdbYardstick::Make(folder + "/yardstick", spec.entities, spec.keys));
  const RandomKeys keys(spec, 0, spec.entities);
  {
    LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(folder + "/store"));
    LARDER_RETURN_IF_ERROR(
        RunAgainstYardstick(run, "O7", store, *yardstick, spec, keys, kManyEntities, load));
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunServingBars(BarRun& run) {
  LARDER_RETURN_IF_ERROR(RunIntegerKeys(run));
  return RunTextKeys(run);
}

}  // namespace larder_bench
