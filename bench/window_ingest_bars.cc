// Bars of events on their way into windows: W3.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <random>

#include <unistd.h>

#include "larder/base/text.h"
#include "window_bars.h"
#include "window_world.h"

namespace larder_bench {
namespace {

using larder::Concat;
using larder::FeatureStore;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kCards = 100'000;
constexpr uint64_t kEach = 30;
constexpr std::size_t kBatch = 1'000;

double NsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// A folder in memory, where syncing costs nothing; gone with the object.
class MemoryFolder {
 public:
  explicit MemoryFolder(const std::string& otherwise) {
    std::error_code error;
    is_memory_ = std::filesystem::is_directory("/dev/shm", error) && access("/dev/shm", W_OK) == 0;
    path_ = is_memory_ ? Concat("/dev/shm/larder-bench-", getpid()) : otherwise;
    std::filesystem::create_directories(path_, error);
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const char* kind() const { return is_memory_ ? "tmpfs" : "no tmpfs: a disk"; }

 private:
  bool is_memory_ = false;
  std::string path_;
};

absl::Status RunIngest(BarRun& run, std::string_view id, bool has_ids) {
  const MemoryFolder folder(run.options().scratch + "/ingest");
  const WindowStoreSpec spec{
      R"({"input": "amount", "functions": ["sum", "count", "max"], "windows": ["1h", "1d", "7d", "30d"]})",
      has_ids};
  const std::vector<WindowEvent> before = EvenEvents(kCards, kEach);
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeWindowStore(spec, folder.path() + "/store",
                                                              larder::Durability::kDurable));
  LARDER_RETURN_IF_ERROR(PushAll(spec, before, &store));
  LARDER_ASSIGN_OR_RETURN(const auto raw, RawEvents::Make(folder.path() + "/raw"));
  LARDER_RETURN_IF_ERROR(raw->Put(before));
  LARDER_RETURN_IF_ERROR(raw->BecomeDurable());

  const std::size_t batches = run.options().quick ? 30 : 150;
  std::mt19937_64 random(3);
  std::vector<double> pushes;
  std::vector<double> puts;
  uint64_t number = before.size();
  uint64_t last_card = 0;
  for (std::size_t i = 0; i < batches; ++i) {
    std::vector<WindowEvent> events;
    const larder::Timestamp at =
        kNow.Minus(larder::Duration::Seconds(50)).Plus({static_cast<int64_t>(i) * 1000});
    for (std::size_t k = 0; k < kBatch; ++k)
      events.push_back(EventOf(random() % kCards, at, number++));
    last_card = events.back().card;
    const larder::Batch batch = EventsToPush(spec, events);
    for (const bool candidate : {i % 2 == 0, i % 2 != 0}) {
      const Clock::time_point start = Clock::now();
      if (candidate) {
        LARDER_RETURN_IF_ERROR(store.Push("live", batch).status());
        pushes.push_back(NsSince(start));
      } else {
        LARDER_RETURN_IF_ERROR(raw->Put(events));
        puts.push_back(NsSince(start));
      }
    }
  }
  larder::OnlineRequest request;
  request.what.service = "model";
  request.as_of = kNow;
  request.rows = {{{"card", static_cast<int64_t>(last_card)}}};
  LARDER_ASSIGN_OR_RETURN(const larder::OnlineResponse response, store.GetOnlineFeatures(request));
  LARDER_ASSIGN_OR_RETURN(const RawEvents::Totals totals, raw->Fold(last_card, 0));
  if (!(response.Find("count_amount_30d")->values.ValueAt(0) == larder::Value(totals.count)))
    return larder::InternalError(id, ": the two sides have different events");
  const PairStats stats = StatsOfTotals(pushes, puts, Sense::kAtMost);
  run.Record(id, stats.median, stats.bound,
             Concat(std::lround(stats.candidate_ns / 1e3), " us a batch against ",
                    std::lround(stats.yardstick_ns / 1e3), ", ", stats.pairs, " batches; ",
                    folder.kind()));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunWindowIngestBars(BarRun& run) {
  if (run.Wants("W3")) LARDER_RETURN_IF_ERROR(RunIngest(run, "W3", false));
  if (run.Wants("W3i")) LARDER_RETURN_IF_ERROR(RunIngest(run, "W3i", true));
  return absl::OkStatus();
}

}  // namespace larder_bench
