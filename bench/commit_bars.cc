// Bars of what a reader, or another writer, notices of commits: pushes and publishes while requests are served.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <random>
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

constexpr RequestShape kOneEntity{"five_views", 1, false};

double NsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// The clock of a test store stands still, but an event may be pushed at most 60 times over what was there.
std::vector<EventRow> RandomRows(const StoreSpec& spec, std::size_t count, int generation,
                                 std::mt19937_64& random) {
  std::uniform_int_distribution<uint64_t> any(0, spec.entities - 1);
  std::vector<EventRow> rows(count);
  for (EventRow& row : rows) row = {any(random), generation};
  return rows;
}

// O5: a reader asks for one entity of five views 20,000 times a second; a writer commits meanwhile.
class CommitBar {
 public:
  explicit CommitBar(FeatureStore store) : store_(std::move(store)) {}

  absl::Status Run(BarRun& run, const std::string& sources) {
    // What is published in turn is small: the bar is about the reader, and a load of all rows takes seconds.
    StoreSpec published;
    published.entities = 10'000;
    LARDER_RETURN_IF_ERROR(
        WriteSourceFile(published, sources, kPublishedView, OneRowEach(published.entities)));
    const RandomKeys keys(spec_, 0, spec_.entities);
    LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store_.Bind(kOneEntity.service));
    LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store_.OpenSession(plan));
    std::vector<float> tensor(plan.width());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      LARDER_RETURN_IF_ERROR(Request(session, keys, i, &tensor));
    }

    absl::Status written;
    std::thread writer([&] { written = Write(); });
    const absl::Status read = Read(session, keys, &tensor);
    stop_ = true;
    writer.join();
    LARDER_RETURN_IF_ERROR(written);
    if (!read.ok()) return read;

    const double others = Quantile(&others_, 0.99);
    const double first = Quantile(&first_, 0.99);
    run.Record(
        "O5", first / others, QuantileBound(&first_, 0.99) / others,
        Concat(std::lround(first), " ns against ", std::lround(others), " ns; ", first_.size(),
               " commits seen, ", publishes_, " of them publishes, ", others_.size(),
               " other requests; medians ", std::lround(Quantile(&first_, 0.5)), " ns and ",
               std::lround(Quantile(&others_, 0.5)), " ns"));
    return absl::OkStatus();
  }

 private:
  static constexpr int kPublishedView = 4;
  static constexpr std::size_t kCommits = 1'000;
  static constexpr std::size_t kRowsInPush = 100;

  static double Quantile(std::vector<double>* values, double q) {
    std::sort(values->begin(), values->end());
    return (*values)[static_cast<std::size_t>(q * static_cast<double>(values->size() - 1))];
  }

  // Of a sample, the order statistic that lies beyond the true quantile in nine of ten samples.
  static double QuantileBound(std::vector<double>* values, double q) {
    std::sort(values->begin(), values->end());
    const auto n = static_cast<double>(values->size());
    const double above = q * n + 1.28 * std::sqrt(n * q * (1 - q));
    return (*values)[std::min(values->size() - 1, static_cast<std::size_t>(std::ceil(above)))];
  }

  static absl::Status Request(larder::ServingSession& session, const RandomKeys& keys,
                              std::size_t i, std::vector<float>* tensor) {
    LARDER_RETURN_IF_ERROR(session.Refresh());
    const larder::InputColumn input = keys.Column(i % keys.size(), 1);
    return session.Fill({&input, 1}, kNow, larder::Tensor<float>{tensor->data(), 1, 0});
  }

  // Pushes to the views in turn; every twentieth commit publishes one.
  absl::Status Write() {
    std::mt19937_64 random(5);
    for (int commit = 0; !stop_; ++commit) {
      if (commit % 20 == 19) {
        LARDER_RETURN_IF_ERROR(MaterializeView(store_, kPublishedView));
        ++publishes_;
        continue;
      }
      const int view = commit % spec_.views;
      LARDER_ASSIGN_OR_RETURN(
          const Batch rows,
          RowsToPush(spec_, view, RandomRows(spec_, kRowsInPush, 1 + commit % 59, random)));
      LARDER_RETURN_IF_ERROR(store_.Push(Concat("live", view), rows).status());
    }
    return absl::OkStatus();
  }

  absl::Status Read(larder::ServingSession& session, const RandomKeys& keys,
                    std::vector<float>* tensor) {
    constexpr auto kPace = std::chrono::microseconds(50);
    constexpr auto kLongest = std::chrono::seconds(120);
    const Clock::time_point began = Clock::now();
    Clock::time_point due = began;
    uint64_t seen = session.commit_seq();
    for (std::size_t i = 0; first_.size() < kCommits; ++i) {
      due = std::max(due + kPace, Clock::now());
      while (Clock::now() < due) {
      }
      const Clock::time_point start = Clock::now();
      LARDER_RETURN_IF_ERROR(Request(session, keys, i, tensor));
      (session.commit_seq() == seen ? others_ : first_).push_back(NsSince(start));
      seen = session.commit_seq();
      if (start - began > kLongest) {
        return larder::InternalError("O5: only ", first_.size(), " commits in two minutes");
      }
    }
    return absl::OkStatus();
  }

  StoreSpec spec_;
  FeatureStore store_;
  std::atomic<bool> stop_ = false;
  std::size_t publishes_ = 0;
  std::vector<double> first_;
  std::vector<double> others_;
};

// O20: a full load of a 1 M view, then 1,000 requests of one entity, then the same again. O20p: with a prefault between
// the load and the requests, as a service would do it before it takes requests of the new generation.
absl::Status RunAfterPublish(BarRun& run, std::string_view id, const std::string& folder) {
  const bool prefault = id == "O20p";
  constexpr int kPublishes = 15;
  constexpr std::size_t kRequests = 1'000;
  const StoreSpec spec{.views = 1};
  LARDER_RETURN_IF_ERROR(MakeStore(spec, folder + "/store"));
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(folder + "/store"));
  const RandomKeys keys(spec, 0, spec.entities);
  LARDER_ASSIGN_OR_RETURN(const auto side, LarderSide::Make(store, keys, kOneEntity));
  std::vector<double> first;
  std::vector<double> warm;
  for (int publish = 0; publish < kPublishes; ++publish) {
    LARDER_RETURN_IF_ERROR(MaterializeView(store, 0));
    if (prefault) LARDER_RETURN_IF_ERROR(side->Prefault());
    const std::size_t begin = static_cast<std::size_t>(publish) * kRequests;
    for (const bool cold : {true, false}) {
      const Clock::time_point start = Clock::now();
      for (std::size_t i = begin; i < begin + kRequests; ++i) {
        LARDER_RETURN_IF_ERROR(side->Request(i));
      }
      (cold ? first : warm).push_back(NsSince(start) / kRequests);
    }
  }
  const PairStats stats = StatsOf(first, warm, Sense::kAtMost);
  run.Record(
      id, stats.median, stats.bound,
      Concat(std::lround(stats.candidate_ns), " ns against ", std::lround(stats.yardstick_ns),
             " ns a request of one entity and one view, ", stats.pairs, " publishes of 1 M"));
  return absl::OkStatus();
}

// O16: a push of 100 rows is due every 20 ms, and late from then on, whether or not it could begin.
class BusyPushBar {
 public:
  BusyPushBar(FeatureStore store, std::string path)
      : store_(std::move(store)), path_(std::move(path)) {}

  absl::Status Run(BarRun& run) {
    std::vector<double> ratios;
    std::vector<double> busy_ms;
    std::vector<double> idle_ms;
    std::size_t pushes = 0;
    for (int i = 0; i < 15; ++i) {
      std::atomic<bool> loaded = false;
      absl::Status load;
      std::thread loader([&] {
        load = MaterializeView(store_, 0);
        loaded = true;
      });
      const absl::StatusOr<double> busy = P99([&](std::size_t) { return !loaded; }, &pushes);
      loader.join();
      LARDER_RETURN_IF_ERROR(load);
      if (!busy.ok()) return busy.status();
      std::size_t idle_pushes = 0;
      LARDER_ASSIGN_OR_RETURN(const double idle,
                              P99([](std::size_t done) { return done < 100; }, &idle_pushes));
      busy_ms.push_back(*busy);
      idle_ms.push_back(idle);
    }
    const PairStats stats = StatsOf(busy_ms, idle_ms, Sense::kAtMost);
    run.Record("O16", stats.median, stats.bound,
               Concat(Short(stats.candidate_ns / 1e6), " ms against ",
                      Short(stats.yardstick_ns / 1e6), " ms; ", stats.pairs, " loads of 1 M rows, ",
                      pushes, " pushes of 100 rows to another view during them"));
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<double> P99(const std::function<bool(std::size_t)>& go_on, std::size_t* pushes) {
    constexpr auto kPace = std::chrono::milliseconds(20);
    std::vector<double> late;
    Clock::time_point due = Clock::now();
    while (late.empty() || go_on(late.size())) {
      std::this_thread::sleep_until(due);
      LARDER_ASSIGN_OR_RETURN(
          const Batch rows,
          RowsToPush(spec_, 1, RandomRows(spec_, 100, 1 + static_cast<int>(*pushes % 59), random_)));
      LARDER_RETURN_IF_ERROR(store_.Push("live1", rows).status());
      late.push_back(NsSince(due));
      due += kPace;
      ++*pushes;
    }
    std::sort(late.begin(), late.end());
    return late[static_cast<std::size_t>(0.99 * static_cast<double>(late.size() - 1) + 0.5)];
  }

  StoreSpec spec_{.views = 2};
  FeatureStore store_;
  std::string path_;
  std::mt19937_64 random_{16};
};

std::string DataFile(const std::string& path) {
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::filesystem::path file = entry.path() / "data.mdb";
    if (std::filesystem::exists(file)) return file.string();
  }
  return {};
}

int64_t PageFaults() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_majflt;
}

// O21: of a store nobody has open, so that the system may drop its pages.
absl::Status RunPageFaults(BarRun& run, const std::string& path) {
  constexpr int64_t kRequests = 1'000;
  const StoreSpec spec;
  const RandomKeys keys(spec, 0, spec.entities);
  std::string detail;
  double value = 0;
  for (const int views : {1, 5}) {
    const std::string file = DataFile(path);
    const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return larder::InternalError("cannot open ", file);
    const bool dropped =
        fsync(descriptor) == 0 && posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0;
    close(descriptor);
    if (!dropped) return larder::InternalError("cannot drop the pages of ", file);
    LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(path));
    LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan,
                            store.Bind(views == 1 ? "one_view" : "five_views"));
    LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
    const int64_t before = PageFaults();
    for (std::size_t i = 0; i < kRequests; ++i) {
      const larder::InputColumn input = keys.Column(i, 1);
      double wide[kRowFeatures];
      float narrow[kYardstickViews * kRowFeatures];
      LARDER_RETURN_IF_ERROR(
          views == 1 ? session.Fill({&input, 1}, kNow, larder::Tensor<double>{wide, 1, 0})
                     : session.Fill({&input, 1}, kNow, larder::Tensor<float>{narrow, 1, 0}));
    }
    const double faults = static_cast<double>(PageFaults() - before) / kRequests;
    detail += Concat(detail.empty() ? "" : "; ", Short(faults), " an entity of ", views, " views");
    value = std::max(value, faults / views);
  }
  if (value == 0) {
    run.RecordNotRun("O21", "the system did not drop the file's pages, or does not count faults");
    return absl::OkStatus();
  }
  run.Record("O21", value, value, Concat("per entity and view; ", detail));
  return absl::OkStatus();
}

void RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
}

}  // namespace

absl::Status RunCommitBars(BarRun& run) {
  const std::string folder = run.options().scratch + "/commits";
  std::filesystem::create_directories(folder);
  if (run.Wants("O5") || run.Wants("O21")) {
    const std::string path = folder + "/store";
    LARDER_RETURN_IF_ERROR(MakeStore({}, path));
    if (run.Wants("O21")) LARDER_RETURN_IF_ERROR(RunPageFaults(run, path));
    if (run.Wants("O5")) {
      LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(path, larder::Durability::kDurable));
      LARDER_RETURN_IF_ERROR(CommitBar(std::move(store)).Run(run, path + "-sources"));
    }
    RemoveFolder(folder);
  }
  if (run.Wants("O16")) {
    const StoreSpec spec{.views = 2};
    LARDER_RETURN_IF_ERROR(MakeStore(spec, folder + "/store"));
    LARDER_ASSIGN_OR_RETURN(FeatureStore store,
                            OpenStore(folder + "/store", larder::Durability::kDurable));
    LARDER_RETURN_IF_ERROR(BusyPushBar(std::move(store), folder).Run(run));
    RemoveFolder(folder);
  }
  for (const std::string_view id : {"O20", "O20p"}) {
    if (!run.Wants(id)) continue;
    LARDER_RETURN_IF_ERROR(RunAfterPublish(run, id, folder));
    RemoveFolder(folder);
  }
  return absl::OkStatus();
}

}  // namespace larder_bench
