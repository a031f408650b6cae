#include "cli/bench_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

enum class Part { kWaiting, kWarmUp, kMeasured, kEnd };

constexpr auto kTick = std::chrono::milliseconds(100);
// The last stretch before a request is due is waited for awake: sleeping ends late by about as much.
constexpr auto kAwake = std::chrono::microseconds(200);

struct Usage {
  uint64_t minor = 0, major = 0, switches = 0;
  double cpu = 0;

  static Usage OfThread() {
    rusage now{};
    getrusage(RUSAGE_THREAD, &now);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return {static_cast<uint64_t>(now.ru_minflt), static_cast<uint64_t>(now.ru_majflt),
            static_cast<uint64_t>(now.ru_nivcsw), seconds(now.ru_utime) + seconds(now.ru_stime)};
  }
};

// One thread. What others read while it runs is atomic and on a cache line of its own.
template <class T>
class Server {
 public:
  Server(ServingSession session, const ServingPlan& plan, const RequestTable& table,
         const KeyDraw& draw, const LoadShape& shape, std::size_t number)
      : session_(std::move(session)),
        draw_(draw),
        shape_(shape),
        number_(number),
        random_(shape.seed * 0x9E3779B97F4A7C15ULL + number),
        rows_(shape.batch),
        request_(table, shape.batch),
        tensor_(shape.batch * plan.width()) {}

  void Run(const std::atomic<Part>& part) {
    Part now = part.load(std::memory_order_acquire);
    while (now == Part::kWaiting) {
      std::this_thread::yield();
      now = part.load(std::memory_order_acquire);
    }
    Usage before;
    bool measured = false;
    const Clock::time_point started = Clock::now();
    for (uint64_t n = 0; now != Part::kEnd; ++n) {
      if (now == Part::kMeasured && !measured) {
        measured = true;
        before = Usage::OfThread();
      }
      for (std::size_t& row : rows_) row = draw_.Next(random_);
      request_.Take(rows_);
      const std::optional<Clock::time_point> begun = Await(started, n, measured, part);
      if (!begun) break;
      Serve(*begun, measured);
      done_.fetch_add(1, std::memory_order_relaxed);
      now = part.load(std::memory_order_acquire);
    }
    if (!measured) return;
    const Usage after = Usage::OfThread();
    result_.minor_faults = after.minor - before.minor;
    result_.major_faults = after.major - before.major;
    result_.switches = after.switches - before.switches;
    result_.cpu_seconds = after.cpu - before.cpu;
  }

  [[nodiscard]] uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  [[nodiscard]] const LoadResult& result() const { return result_; }

 private:
  // Waits until request `n` is due. Gives the moment its time counts from; nothing when the run is over before.
  std::optional<Clock::time_point> Await(Clock::time_point started, uint64_t n, bool measured,
                                         const std::atomic<Part>& part) {
    Clock::time_point now = Clock::now();
    if (shape_.rate <= 0) return now;
    const double at = (static_cast<double>(n) * static_cast<double>(shape_.threads) +
                       static_cast<double>(number_)) /
                      shape_.rate;
    const auto due =
        started + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(at));
    if (due <= now && measured) ++result_.late;
    for (; now < due; now = Clock::now()) {
      if (part.load(std::memory_order_relaxed) == Part::kEnd) return std::nullopt;
      if (due - now > kAwake)
        std::this_thread::sleep_for(std::min<Clock::duration>(kTick, due - now - kAwake));
    }
    return due;
  }

  void Serve(Clock::time_point begun, bool measured) {
    absl::Status status = session_.Refresh();
    if (status.ok()) {
      status = session_.Fill(request_.columns(), shape_.as_of(),
                             Tensor<T>{tensor_.data(), shape_.batch, 0});
    }
    const auto spent =
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count();
    if (!status.ok()) {
      if (result_.errors++ == 0) result_.first_error = std::string(MessageOf(status));
      return;
    }
    if (!measured) return;
    result_.latency.Record(spent);
    const uint64_t commit = session_.commit_seq();
    result_.commits_first =
        result_.commits_first == 0 ? commit : std::min(result_.commits_first, commit);
    result_.commits_last = std::max(result_.commits_last, commit);
  }

  ServingSession session_;
  const KeyDraw& draw_;
  const LoadShape& shape_;
  const std::size_t number_;
  std::mt19937_64 random_;
  std::vector<std::size_t> rows_;
  RequestColumns request_;
  std::vector<T> tensor_;
  LoadResult result_;
  alignas(64) std::atomic<uint64_t> done_{0};
};

void AddTo(LoadResult& sum, const LoadResult& one) {
  sum.latency.Add(one.latency);
  if (sum.errors == 0) sum.first_error = one.first_error;
  sum.errors += one.errors;
  sum.late += one.late;
  if (one.latency.count() > 0) {
    sum.commits_first =
        sum.commits_first == 0 ? one.commits_first : std::min(sum.commits_first, one.commits_first);
    sum.commits_last = std::max(sum.commits_last, one.commits_last);
  }
  sum.minor_faults += one.minor_faults;
  sum.major_faults += one.major_faults;
  sum.switches += one.switches;
  sum.cpu_seconds += one.cpu_seconds;
}

template <class T>
absl::StatusOr<LoadResult> Run(const FeatureStore& store, const ServingPlan& plan,
                               const RequestTable& table, const KeyDraw& draw,
                               const LoadShape& shape,
                               const std::function<void(const LoadMoment&)>& progress) {
  std::vector<std::unique_ptr<Server<T>>> servers;
  for (std::size_t i = 0; i < shape.threads; ++i) {
    LARDER_ASSIGN_OR_RETURN(ServingSession session, store.OpenSession(plan));
    servers.push_back(std::make_unique<Server<T>>(std::move(session), plan, table, draw, shape, i));
  }
  const auto done = [&servers] {
    uint64_t sum = 0;
    for (const auto& server : servers) sum += server->done();
    return sum;
  };
  // A part that lasts `length`; gives how long it did.
  const auto pass = [&](bool warming_up, Duration length) {
    const Clock::time_point begun = Clock::now();
    const Clock::time_point end = begun + std::chrono::microseconds(length.us);
    const uint64_t before = done();
    const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
    for (Clock::time_point now = begun; now < end; now = Clock::now()) {
      std::this_thread::sleep_until(std::min(end, now + kTick));
      progress({warming_up, since(), done() - before});
    }
    return since();
  };

  std::atomic<Part> part{Part::kWaiting};
  std::vector<std::thread> threads;
  for (const auto& server : servers)
    threads.emplace_back([one = server.get(), &part] { one->Run(part); });
  part.store(Part::kWarmUp, std::memory_order_release);
  pass(true, shape.warm_up);
  part.store(Part::kMeasured, std::memory_order_release);
  const double seconds = pass(false, shape.duration);
  part.store(Part::kEnd, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();

  LoadResult sum;
  sum.seconds = seconds;
  for (const auto& server : servers) AddTo(sum, server->result());
  return sum;
}

}  // namespace

absl::StatusOr<LoadResult> RunLoad(const FeatureStore& store, const ServingPlan& plan,
                                   const RequestTable& table, const KeyDraw& draw,
                                   const LoadShape& shape,
                                   const std::function<void(const LoadMoment&)>& progress) {
  if (plan.dtype() == TypeId::kFloat32)
    return Run<float>(store, plan, table, draw, shape, progress);
  return Run<double>(store, plan, table, draw, shape, progress);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
