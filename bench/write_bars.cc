// Bars of events on their way into the store: staged and read at once, and pushed by many threads.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <thread>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "online_bars.h"
#include "online_store.h"
#include "serving_sides.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Concat;
using larder::FeatureStore;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kService = "five_views";

// O15: one entity of five views, read from a held snapshot; the event changes one of the views. A thread stages what it
// has just put together, so its events are written into one batch, and that is timed too.
class StagingBar {
 public:
  static constexpr std::size_t kEvents = 4'096;

  static absl::StatusOr<std::unique_ptr<StagingBar>> Make(const FeatureStore& store,
                                                          const StoreSpec& spec) {
    LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
    LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
    std::unique_ptr<StagingBar> bar(new StagingBar(spec, std::move(session)));
    bar->tensor_.resize(plan.width());
    std::vector<EventRow> events;
    for (std::size_t i = 0; i < kEvents; ++i) events.push_back({bar->keys_.entity(i), 1});
    LARDER_ASSIGN_OR_RETURN(bar->events_, RowsToPush(spec, 0, events));
    LARDER_ASSIGN_OR_RETURN(bar->event_, RowsToPush(spec, 0, {events.data(), 1}));
    return bar;
  }

  absl::Status Read(std::size_t i) {
    const larder::InputColumn input = keys_.Column(i, 1);
    return session_.Fill({&input, 1}, kNow, larder::Tensor<float>{tensor_.data(), 1, 0});
  }
  absl::Status ReadStaged(std::size_t i) {
    event_.Truncate(0);
    for (std::size_t c = 0; c < event_.column_count(); ++c)
      event_.mutable_column(c).AppendFrom(events_.column(c), i);
    LARDER_RETURN_IF_ERROR(session_.Stage("live0", event_));
    LARDER_RETURN_IF_ERROR(Read(i));
    session_.Drop();
    return absl::OkStatus();
  }

  // Every vector is the entity's, with the event in view 0 and without it.
  absl::Status Compare() {
    for (std::size_t i = 0; i < kEvents; ++i) {
      for (const int generation : {1, 0}) {
        LARDER_RETURN_IF_ERROR(generation == 1 ? ReadStaged(i) : Read(i));
        for (int view = 0; view < kYardstickViews; ++view) {
          double expected[kRowFeatures];
          RowOf(keys_.entity(i), RowVariant(view, view == 0 ? generation : 0), expected);
          for (std::size_t f = 0; f < kRowFeatures; ++f) {
            const std::size_t at = static_cast<std::size_t>(view) * kRowFeatures + f;
            if (tensor_[at] != static_cast<float>(expected[f]))
              return larder::InternalError("O15: entity ", keys_.entity(i), ", column ", at);
          }
        }
      }
    }
    return absl::OkStatus();
  }

  Side SideOf(absl::Status (StagingBar::*request)(std::size_t)) {
    return [this, request](benchmark::State& state) {
      for (auto _ : state) {
        next_ = (next_ + 1) % kEvents;
        if (!(this->*request)(next_).ok()) {
          state.SkipWithError("request");
          break;
        }
        benchmark::DoNotOptimize(tensor_.data());
        benchmark::ClobberMemory();
      }
    };
  }

 private:
  StagingBar(const StoreSpec& spec, larder::ServingSession session)
      : keys_(spec, 0, spec.entities), session_(std::move(session)) {}

  RandomKeys keys_;
  larder::ServingSession session_;
  Batch events_;
  Batch event_;
  std::vector<float> tensor_;
  std::size_t next_ = 0;
};

// O10g: threads push ten rows at a time, durably; on one side a lock around Push gives each a commit of its own.
class GroupBar {
 public:
  static constexpr int kThreads = 8;
  static constexpr std::size_t kRows = 10;

  explicit GroupBar(FeatureStore store) : store_(std::move(store)) {}

  // Nanoseconds per push.
  absl::StatusOr<double> Run(bool grouped, int pushes_each) {
    std::vector<std::thread> threads;
    std::vector<absl::Status> statuses(kThreads);
    const Clock::time_point start = Clock::now();
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        absl::Status& status = statuses[static_cast<std::size_t>(t)];
        for (int i = 0; i < pushes_each && status.ok(); ++i) status = Push(t, grouped);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& status : statuses) LARDER_RETURN_IF_ERROR(status);
    const std::chrono::duration<double, std::nano> taken = Clock::now() - start;
    return taken.count() / (kThreads * pushes_each);
  }

  [[nodiscard]] absl::StatusOr<uint64_t> Commits() const {
    LARDER_ASSIGN_OR_RETURN(const larder::ReadSession session,
                            larder::ReadSession::Open(store_.environment()));
    return session.commit_seq();
  }

 private:
  absl::Status Push(int thread, bool grouped) {
    std::vector<EventRow> rows(kRows);
    const uint64_t first = next_.fetch_add(kRows);
    for (std::size_t i = 0; i < kRows; ++i) rows[i] = {(first + i) % spec_.entities, 1};
    const int view = thread % spec_.views;
    LARDER_ASSIGN_OR_RETURN(const Batch batch, RowsToPush(spec_, view, rows));
    std::unique_lock lock(alone_, std::defer_lock);
    if (!grouped) lock.lock();
    return store_.Push(Concat("live", view), batch).status();
  }

  StoreSpec spec_;
  FeatureStore store_;
  std::mutex alone_;
  std::atomic<uint64_t> next_{0};
};

absl::Status RunGroupBar(BarRun& run, const std::string& path) {
  constexpr int kPairs = 15;
  constexpr int kPushesEach = 25;
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeEmptyStore({}, path, path + "-sources",
                                                             larder::Durability::kDurable));
  GroupBar bar(std::move(store));
  std::vector<double> grouped;
  std::vector<double> alone;
  uint64_t commits = 0;
  for (int pair = 0; pair <= kPairs; ++pair) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t before, bar.Commits());
    LARDER_ASSIGN_OR_RETURN(const double together, bar.Run(true, kPushesEach));
    LARDER_ASSIGN_OR_RETURN(const uint64_t after, bar.Commits());
    LARDER_ASSIGN_OR_RETURN(const double one_by_one, bar.Run(false, kPushesEach));
    if (pair == 0) continue;  // the first brings everything into memory
    commits += after - before;
    grouped.push_back(together);
    alone.push_back(one_by_one);
  }
  const PairStats stats = StatsOf(grouped, alone, Sense::kAtLeast);
  const double pushes = GroupBar::kThreads * kPushesEach * kPairs;
  run.Record("O10g", stats.median, stats.bound,
             Concat(std::lround(stats.candidate_ns / 1'000), " us a push against ",
                    std::lround(stats.yardstick_ns / 1'000), " us; ", GroupBar::kThreads,
                    " threads, ", GroupBar::kRows, " rows a push, ",
                    Short(pushes / static_cast<double>(commits)), " pushes a commit"));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunWriteBars(BarRun& run) {
  if (!run.Wants("O15") && !run.Wants("O10g")) return absl::OkStatus();
  const std::string folder = run.options().scratch + "/writes";
  std::filesystem::create_directories(folder);
  if (run.Wants("O15")) {
    LARDER_RETURN_IF_ERROR(MakeStore({}, folder + "/store"));
    LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(folder + "/store"));
    LARDER_ASSIGN_OR_RETURN(const auto bar, StagingBar::Make(store, {}));
    LARDER_RETURN_IF_ERROR(run.Measure("O15", bar->SideOf(&StagingBar::ReadStaged),
                                       bar->SideOf(&StagingBar::Read),
                                       [&] { return bar->Compare(); }));
  }
  if (run.Wants("O10g")) LARDER_RETURN_IF_ERROR(RunGroupBar(run, folder + "/group"));
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return absl::OkStatus();
}

}  // namespace larder_bench
