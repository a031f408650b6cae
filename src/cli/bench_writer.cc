#include "cli/bench_writer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "cli/bench_events.h"
#include "larder/base/latency_histogram.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kEventsMax = 200'000;

// The store and the events of one writer.
class Pusher {
 public:
  static absl::StatusOr<Pusher> Open(const StoreOpener& open, const WriterShape& shape) {
    LARDER_ASSIGN_OR_RETURN(FeatureStore store, open(shape.store));
    LARDER_ASSIGN_OR_RETURN(
        BenchEvents events,
        ReadBenchEvents(store, shape.project, shape.service, shape.source, shape.file, kEventsMax));
    return Pusher(std::move(store), std::move(events), shape);
  }

  // Until `stopped(due)`, which waits for `due` or the end, says that it is over.
  absl::StatusOr<WriterResult> Run(const std::function<bool(Clock::time_point due)>& stopped) {
    WriterResult result;
    result.source = events_.source;
    LatencyHistogram times;
    const Clock::time_point started = Clock::now();
    const double interval = static_cast<double>(shape_.batch) / shape_.rate;
    const auto due = [&](uint64_t n) {
      return started + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(interval * static_cast<double>(n)));
    };
    while (!stopped(due(result.pushes))) {
      LARDER_ASSIGN_OR_RETURN(const Batch batch, events_.Take(static_cast<std::size_t>(result.rows),
                                                              shape_.batch, store_.Now()));
      PushOptions options;
      options.project = events_.project;
      options.skip_bad = true;
      const Clock::time_point begun = Clock::now();
      LARDER_ASSIGN_OR_RETURN(const PushResult pushed, store_.Push(events_.source, batch, options));
      times.Record(
          std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count());
      ++result.pushes;
      result.rows += pushed.rows;
      for (const PushResult::PerView& view : pushed.views) {
        result.written += view.rows.written;
        result.not_newer += view.rows.older + view.rows.duplicate;
      }
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - started).count();
    result.push_p50_ns = times.ValueAt(0.5);
    result.push_p99_ns = times.ValueAt(0.99);
    result.push_max_ns = times.max();
    return result;
  }

 private:
  Pusher(FeatureStore store, BenchEvents events, WriterShape shape)
      : store_(std::move(store)), events_(std::move(events)), shape_(std::move(shape)) {}
  FeatureStore store_;
  BenchEvents events_;
  WriterShape shape_;
};

class ThreadWriter : public BenchWriter {
 public:
  explicit ThreadWriter(StoreOpener open) : open_(std::move(open)) {}
  ~ThreadWriter() override { End(); }

  absl::Status Start(const WriterShape& shape) override {
    absl::StatusOr<Pusher> pusher = Pusher::Open(open_, shape);
    if (!pusher.ok()) return pusher.status();
    pusher_.emplace(*std::move(pusher));
    thread_ = std::thread([this] {
      result_ = pusher_->Run([this](Clock::time_point due) {
        std::unique_lock<std::mutex> lock(mutex_);
        return over_.wait_until(lock, due, [this] { return is_over_; });
      });
    });
    return absl::OkStatus();
  }

  absl::StatusOr<WriterResult> Stop() override {
    End();
    return result_;
  }

 private:
  void End() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_over_ = true;
    }
    over_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  const StoreOpener open_;
  std::optional<Pusher> pusher_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;  // guarded by mutex_
  absl::StatusOr<WriterResult> result_ = FailedPreconditionError("the writer was not started");
  std::thread thread_;
};

bool WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = send(file, text.data(), text.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Until `ends` characters `end` were read, or the end of the file.
std::string ReadUntil(int file, char end, int ends) {
  std::string text;
  for (char c = 0; ends > 0;) {
    const ssize_t got = read(file, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (c == end) --ends;
    text.push_back(c);
  }
  return text;
}

// Messages between the two processes: fields, each ended by a zero byte.
template <class... Fields>
std::string Message(const Fields&... fields) {
  std::string text;
  ((text += Concat(fields), text.push_back('\0')), ...);
  return text;
}

std::vector<std::string> FieldsOf(std::string_view message) {
  std::vector<std::string> fields;
  while (!message.empty()) {
    const std::size_t end = message.find('\0');
    fields.emplace_back(message.substr(0, end));
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
  }
  return fields;
}

double NumberOf(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

constexpr int kShapeFields = 7;
constexpr int kResultFields = 9;

// The child: waits for its orders, pushes until the parent closes its end. Gives its last words.
std::string RunChild(const StoreOpener& open, int parent) {
  const std::vector<std::string> fields = FieldsOf(ReadUntil(parent, '\0', kShapeFields));
  if (fields.size() < kShapeFields) return {};  // the parent had no use for a writer
  const WriterShape shape{fields[0],
                          fields[1],
                          fields[2],
                          fields[3],
                          fields[4],
                          NumberOf(fields[5]),
                          static_cast<std::size_t>(NumberOf(fields[6]))};
  absl::StatusOr<Pusher> pusher = Pusher::Open(open, shape);
  if (!pusher.ok()) return Message("", MessageOf(pusher.status()));
  if (!WriteAll(parent, Message("ready"))) return {};
  const absl::StatusOr<WriterResult> result = pusher->Run([parent](Clock::time_point due) {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
      pollfd closed{parent, POLLIN, 0};
      const int found = poll(&closed, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 1000)));
      if (found > 0) return true;
      if (left <= 0) return false;
    }
  });
  if (!result.ok()) return Message("", MessageOf(result.status()));
  return Message(result->source, result->pushes, result->rows, result->written, result->not_newer,
                 result->seconds, result->push_p50_ns, result->push_p99_ns, result->push_max_ns);
}

class ProcessWriter : public BenchWriter {
 public:
  ProcessWriter(pid_t child, int socket) : child_(child), socket_(socket) {}
  ~ProcessWriter() override {
    close(socket_);
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  absl::Status Start(const WriterShape& shape) override {
    if (!WriteAll(socket_, Message(shape.store, shape.project, shape.service, shape.source,
                                   shape.file, shape.rate, shape.batch))) {
      return UnavailableError("the writer's process is gone");
    }
    if (ReadUntil(socket_, '\0', 1) == Message("ready")) return absl::OkStatus();
    return Failure();
  }

  absl::StatusOr<WriterResult> Stop() override {
    shutdown(socket_, SHUT_WR);
    const std::string first = ReadUntil(socket_, '\0', 1);
    if (first.size() <= 1) return Failure();
    const std::vector<std::string> fields =
        FieldsOf(first + ReadUntil(socket_, '\0', kResultFields - 1));
    if (fields.size() < kResultFields) return Failure();
    const auto count = [&fields](int i) {
      return std::strtoull(fields[static_cast<std::size_t>(i)].c_str(), nullptr, 10);
    };
    const auto time = [&count](int i) { return static_cast<int64_t>(count(i)); };
    return WriterResult{fields[0],           count(1), count(2), count(3), count(4),
                        NumberOf(fields[5]), time(6),  time(7),  time(8)};
  }

 private:
  // What the child says after an empty field.
  absl::Status Failure() {
    const std::vector<std::string> fields = FieldsOf(ReadUntil(socket_, '\0', 1));
    if (fields.empty()) return UnavailableError("the writer's process ended without a word");
    return UnavailableError("the writer: ", fields[0]);
  }

  const pid_t child_;
  const int socket_;
};

}  // namespace

std::unique_ptr<BenchWriter> MakeThreadWriter(StoreOpener open) {
  return std::make_unique<ThreadWriter>(std::move(open));
}

absl::StatusOr<std::unique_ptr<BenchWriter>> MakeProcessWriter(StoreOpener open) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    return UnavailableError("socketpair: ", std::strerror(errno));
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    (void)WriteAll(ends[1], RunChild(open, ends[1]));
    _exit(0);  // nothing of the parent's is to be flushed or destroyed twice
  }
  const int error = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return UnavailableError("fork: ", std::strerror(error));
  }
  return std::make_unique<ProcessWriter>(child, ends[0]);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
