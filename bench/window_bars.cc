// Bars of windows served: W1, W2, W5.
#include "window_bars.h"

#include <filesystem>
#include <memory>
#include <vector>

#include "larder/base/text.h"
#include "lmdb_yardstick.h"
#include "window_world.h"

namespace larder_bench {
namespace {

using larder::Concat;
using larder::FeatureStore;

constexpr uint64_t kCards = 100'000;
constexpr uint64_t kEach = 30;
constexpr uint64_t kHot = kCards;
constexpr uint64_t kHotEvents = 1'000'000;
constexpr uint64_t kWarm = kCards + 1;
constexpr uint64_t kWarmEvents = 10'000;
constexpr int64_t kThirtyDaysUs = 30 * larder::kMicrosPerDay;

const WindowStoreSpec kSpend = {
    R"({"input": "amount", "functions": ["sum", "mean", "count", "max"], "windows": ["30d"]})"};
const WindowStoreSpec kVelocity = {
    R"({"input": "amount", "functions": ["sum", "count", "max"], "windows": ["1h", "1d", "7d", "30d"]})"};

// Requests for cards of one store, a batch at a time.
class WindowSide {
 public:
  static absl::StatusOr<std::unique_ptr<WindowSide>> Make(const FeatureStore& store) {
    LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind("model"));
    LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
    return std::unique_ptr<WindowSide>(new WindowSide(plan, std::move(session)));
  }

  absl::Status Serve(std::span<const int64_t> cards) {
    LARDER_RETURN_IF_ERROR(session_.Refresh());
    tensor_.resize(cards.size() * plan_.width());
    const larder::InputColumn input = larder::InputColumn::Of(cards);
    return session_.Fill({&input, 1}, kNow, larder::Tensor<double>{tensor_.data(), cards.size(), 0});
  }
  Side Serving(std::vector<int64_t> cards) {
    return [this, cards = std::move(cards)](benchmark::State& state) {
      for (auto _ : state) {
        if (!Serve(cards).ok()) {
          state.SkipWithError("request");
          break;
        }
        benchmark::DoNotOptimize(tensor_.data());
        benchmark::ClobberMemory();
      }
    };
  }

  // Errors: kInternal when what was served of output `name` in `row` is not `expected`.
  absl::Status Expect(std::size_t row, std::string_view name, double expected) const {
    for (std::size_t i = 0; i < plan_.outputs().size(); ++i) {
      if (plan_.outputs()[i] != name) continue;
      const double served = tensor_[row * plan_.width() + plan_.offsets()[i]];
      if (served == expected) return absl::OkStatus();
      return larder::InternalError("windows: ", name, " of row ", row, " is ", served,
                                   ", expected ", expected);
    }
    return larder::InternalError("windows: no output ", name);
  }

 private:
  WindowSide(larder::ServingPlan plan, larder::ServingSession session)
      : plan_(std::move(plan)), session_(std::move(session)) {}

  larder::ServingPlan plan_;
  larder::ServingSession session_;
  std::vector<double> tensor_;
};

// Random rows of the online yardstick.
Side Gets(LmdbYardstick& yardstick, std::size_t count, uint64_t entities) {
  return [&yardstick, count, keys = RandomKeys({.entities = entities}, 0, entities),
          next = std::size_t{0}](benchmark::State& state) mutable {
    double row[kRowFeatures];
    for (auto _ : state) {
      for (std::size_t i = 0; i < count; ++i) {
        next = (next + 1) % keys.size();
        if (!yardstick.Get(0, keys.entity(next), row)) state.SkipWithError("no such row");
        benchmark::DoNotOptimize(row);
      }
    }
  };
}

absl::Status RunHotBars(BarRun& run, const std::string& folder, LmdbYardstick& yardstick,
                        uint64_t entities) {
  const std::vector<WindowEvent> even = EvenEvents(kCards, kEach);
  const std::vector<WindowEvent> hot = HotEvents(kHot, kHotEvents, even.size());
  const std::vector<WindowEvent> warm = HotEvents(kWarm, kWarmEvents, even.size() + hot.size());
  LARDER_ASSIGN_OR_RETURN(FeatureStore store,
                          MakeWindowStore(kSpend, folder + "/spend", larder::Durability::kRelaxed));
  LARDER_ASSIGN_OR_RETURN(const auto raw, RawEvents::Make(folder + "/raw"));
  for (const auto& events : {std::span(even), std::span(hot), std::span(warm)}) {
    LARDER_RETURN_IF_ERROR(PushAll(kSpend, events, &store));
    LARDER_RETURN_IF_ERROR(raw->Put(events));
  }
  LARDER_ASSIGN_OR_RETURN(const auto side, WindowSide::Make(store));
  const auto compare = [&]() -> absl::Status {
    for (const uint64_t card : {kHot, kWarm, uint64_t{7}}) {
      LARDER_ASSIGN_OR_RETURN(const RawEvents::Totals totals,
                              raw->Fold(card, kNow.us - kThirtyDaysUs));
      const auto number = static_cast<int64_t>(card);
      LARDER_RETURN_IF_ERROR(side->Serve({&number, 1}));
      LARDER_RETURN_IF_ERROR(side->Expect(0, "sum_amount_30d", totals.sum));
      LARDER_RETURN_IF_ERROR(side->Expect(0, "max_amount_30d", totals.max));
      const auto count = static_cast<double>(totals.count);
      LARDER_RETURN_IF_ERROR(side->Expect(0, "count_amount_30d", count));
      LARDER_RETURN_IF_ERROR(side->Expect(0, "mean_amount_30d", totals.sum / count));
    }
    return absl::OkStatus();
  };
  const Side fold = [&raw](benchmark::State& state) {
    for (auto _ : state) {
      auto totals = raw->Fold(kHot, kNow.us - kThirtyDaysUs);
      if (!totals.ok()) state.SkipWithError("fold");
      benchmark::DoNotOptimize(totals);
    }
  };
  const Side serve_hot = side->Serving({static_cast<int64_t>(kHot)});
  if (run.Wants("W1")) LARDER_RETURN_IF_ERROR(run.Measure("W1", serve_hot, fold, compare));
  if (run.Wants("W2")) {
    LARDER_RETURN_IF_ERROR(
        run.Measure("W2", serve_hot, side->Serving({static_cast<int64_t>(kWarm)}), compare));
  }
  if (run.Wants("W2g")) {
    LARDER_RETURN_IF_ERROR(run.Measure("W2g", serve_hot, Gets(yardstick, 12, entities), compare));
  }
  return absl::OkStatus();
}

absl::Status RunManyBar(BarRun& run, const std::string& folder, LmdbYardstick& yardstick,
                        uint64_t entities) {
  constexpr uint64_t kKeys = 1'000;
  const std::vector<WindowEvent> events = EvenEvents(kKeys, 100);
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeWindowStore(kVelocity, folder + "/velocity",
                                                              larder::Durability::kRelaxed));
  LARDER_RETURN_IF_ERROR(PushAll(kVelocity, events, &store));
  LARDER_ASSIGN_OR_RETURN(const auto side, WindowSide::Make(store));
  std::vector<int64_t> cards(kKeys);
  for (std::size_t i = 0; i < kKeys; ++i) cards[i] = static_cast<int64_t>(i * 379 % kKeys);
  const auto compare = [&]() -> absl::Status {
    LARDER_RETURN_IF_ERROR(side->Serve(cards));
    for (std::size_t row = 0; row < kKeys; ++row) {
      RawEvents::Totals totals;
      for (const WindowEvent& event : events) {
        if (event.card != static_cast<uint64_t>(cards[row])) continue;
        if (event.time_us < kNow.us - 7 * larder::kMicrosPerDay) continue;
        totals.sum += event.amount;
        ++totals.count;
      }
      LARDER_RETURN_IF_ERROR(side->Expect(row, "sum_amount_7d", totals.sum));
      LARDER_RETURN_IF_ERROR(
          side->Expect(row, "count_amount_7d", static_cast<double>(totals.count)));
    }
    return absl::OkStatus();
  };
  return run.Measure("W5", side->Serving(cards), Gets(yardstick, 4 * kKeys, entities), compare);
}

}  // namespace

absl::Status RunWindowBars(BarRun& run) {
  const bool hot = run.Wants("W1") || run.Wants("W2") || run.Wants("W2g");
  if (!hot && !run.Wants("W5")) return absl::OkStatus();
  constexpr uint64_t kEntities = 1'000'000;
  const std::string folder = run.options().scratch + "/windows";
  LARDER_ASSIGN_OR_RETURN(const auto yardstick, LmdbYardstick::Make(folder + "/yardstick", kEntities,
                                                                    KeyKind::kInteger, 1));
  if (hot) LARDER_RETURN_IF_ERROR(RunHotBars(run, folder, *yardstick, kEntities));
  if (run.Wants("W5")) LARDER_RETURN_IF_ERROR(RunManyBar(run, folder, *yardstick, kEntities));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return absl::OkStatus();
}

}  // namespace larder_bench
