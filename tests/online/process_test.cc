// Several processes: fork(), a writer and a reader, writers killed at any moment.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "larder/online/vacuum.h"
#include "store_fixture.h"

// A sanitizer's own reservations are beyond any limit on address space.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LARDER_TEST_UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LARDER_TEST_UNDER_SANITIZER 1
#endif
#endif
#ifndef LARDER_TEST_UNDER_SANITIZER
#define LARDER_TEST_UNDER_SANITIZER 0
#endif

using larder::Environment;
using larder::ErrorKind;
using larder::ReadSession;
using larder::WriteTransaction;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::OpenOrFail;
using larder_test::Store;
using larder_test::TemporaryDirectory;

namespace {

// Runs `body` in a child; its result, or 1000 + the signal that ended it.
int WaitFor(pid_t child) {
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
template <class Body>
pid_t Fork(Body body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(body());
  return child;
}

template <class T>
class Shared {
 public:
  Shared()
      : value_(new (mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                         0)) T()) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { munmap(value_, sizeof(T)); }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

Event Numbered(int64_t key, int64_t event_time, int64_t number) {
  Event event;
  event.key = IntKey(key);
  event.event_time = event_time;
  event.number = number;
  return event;
}

// Writes `number` into every one of `keys` keys of two views, in one commit.
absl::StatusOr<uint64_t> WriteGeneration(const std::shared_ptr<Environment>& environment,
                                         const larder::RowLayout& layout, int64_t keys,
                                         int64_t number) {
  return larder::RunWriteTransaction(environment, [&](WriteTransaction& transaction) {
    std::vector<Event> events;
    for (int64_t key = 0; key < keys; ++key) {
      events.push_back(Numbered(key, number, number));
      events.back().text =
          std::string(static_cast<std::size_t>(number % 500), 'g') + std::to_string(number);
    }
    for (const uint32_t view : {Store::kView, Store::kView + 1}) {
      const auto result = larder_test::Write(transaction, view, layout, events);
      if (!result.ok()) return result.status();
    }
    return transaction.PutRecord(1, "generation", std::to_string(number));
  });
}

// The generation all rows and the record agree on; -1 when they do not, -2 on an error.
int64_t ReadGeneration(const ReadSession& session, const larder::RowLayout& layout, int64_t keys) {
  const auto record = session.GetRecord(1, "generation");
  if (!record.ok()) return -2;
  const int64_t expected = *record ? std::stoll(std::string(**record)) : 0;
  for (int64_t key = 0; key < keys; ++key) {
    for (const uint32_t view : {Store::kView, Store::kView + 1}) {
      const auto row = session.FindRow(view, layout, IntKey(key), larder::Timestamp::Max());
      if (!row.ok()) return -2;
      if (!*row) {
        if (expected != 0) return -1;
        continue;
      }
      const int64_t number = (*row)->Get<int64_t>(0);
      const std::string text =
          std::string(static_cast<std::size_t>(number % 500), 'g') + std::to_string(number);
      if (number != expected || (*row)->Text(1) != text) return -1;
    }
  }
  return expected;
}

}  // namespace

TEST_CASE("a forked child is told so by every call and harms nothing when it ends",
          "[online][process]") {
  Store store;
  store.Push({Numbered(1, 10, 1)});
  ReadSession session = store.Session();
  for (const int way : {0, 1, 2}) {
    CAPTURE(way);
    auto transaction = WriteTransaction::Begin(store.environment);
    REQUIRE(transaction.ok());
    REQUIRE(
        larder_test::Write(*transaction, Store::kView, store.layout, {Numbered(2, 10, way)}).ok());
    const pid_t child = Fork([&]() -> int {
      const auto forked = [](const auto& result) {
        return larder::KindOf(result) == ErrorKind::kForked;
      };
      if (!forked(session.FindRow(Store::kView, store.layout, IntKey(1), {10}).status())) return 1;
      if (!forked(session.GetRecord(1, "k").status())) return 2;
      if (!forked(session.Renew())) return 3;
      if (!forked(ReadSession::Open(store.environment).status())) return 4;
      if (!forked(WriteTransaction::Begin(store.environment).status())) return 5;
      if (!forked(transaction->PutRecord(1, "k", "v"))) return 6;
      if (!forked(transaction->Commit().status())) return 7;
      if (!forked(store.environment->Stats().status())) return 8;
      if (!forked(larder::BackupStore(store.environment, store.directory / "backup"))) return 9;
      if (way == 1) {
        // Every destructor of the child runs on what is its parent's.
        { const ReadSession dying = std::move(session); }
        { const WriteTransaction dying = *std::move(transaction); }
        store.environment.reset();
      }
      if (way == 2) {
        store.environment.reset();
        const auto own =
            Environment::Open(store.directory / "store", larder_test::WritableOptions());
        if (!own.ok()) return 10;
        const auto read = ReadSession::Open(*own);
        if (!read.ok()) return 11;
        const auto row = read->FindRow(Store::kView, store.layout, IntKey(1), {10});
        if (!row.ok() || !*row || (*row)->Get<int64_t>(0) != 1) return 12;
      }
      return 0;
    });
    CHECK(WaitFor(child) == 0);
    // The parent's snapshot and its half-written batch are whole.
    CHECK((*session.FindRow(Store::kView, store.layout, IntKey(1), {10}))->Get<int64_t>(0) == 1);
    REQUIRE(transaction->Commit().ok());
    CHECK(store.Session().commit_seq() == static_cast<uint64_t>(way) + 2);
  }
  CHECK(larder::VerifyStore(store.directory / "store")->ok());
}

TEST_CASE("another process sees each commit at its next snapshot, and only whole ones",
          "[online][process]") {
  Store store;
  Shared<std::atomic<int64_t>> acknowledged;
  constexpr int64_t kKeys = 20;
  constexpr int64_t kGenerations = 150;
  const pid_t writer = Fork([&]() -> int {
    store.environment.reset();
    const auto own = Environment::Open(store.directory / "store", larder_test::WritableOptions());
    if (!own.ok()) return 1;
    for (int64_t generation = 1; generation <= kGenerations; ++generation) {
      if (!WriteGeneration(*own, store.layout, kKeys, generation).ok()) return 2;
      acknowledged->store(generation);
    }
    return 0;
  });
  ReadSession session = store.Session();
  int64_t seen = 0;
  int64_t last_seq = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (seen < kGenerations && std::chrono::steady_clock::now() < deadline) {
    const int64_t acked = acknowledged->load();
    REQUIRE(session.Renew().ok());
    const int64_t generation = ReadGeneration(session, store.layout, kKeys);
    REQUIRE(generation >= acked);
    REQUIRE(generation >= seen);
    REQUIRE(static_cast<int64_t>(session.commit_seq()) >= last_seq);
    REQUIRE(session.commit_seq() == static_cast<uint64_t>(generation));
    last_seq = static_cast<int64_t>(session.commit_seq());
    seen = generation;
  }
  CHECK(seen == kGenerations);
  CHECK(WaitFor(writer) == 0);
}

TEST_CASE("an acknowledged commit survives a kill, and none is seen in part",
          "[online][process][slow]") {
  // LARDER_ROUNDS raises the number of kills.
  const TemporaryDirectory directory(true);
  const larder::RowLayout layout = larder_test::LayoutOf(larder_test::kEventTypes);
  Shared<std::atomic<int64_t>> acknowledged;
  std::mt19937_64 random(larder_test::TestSeed());
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  constexpr int64_t kKeys = 10;
  larder::EnvironmentOptions options = larder_test::WritableOptions();
  options.durability = larder::Durability::kDurable;
  { OpenOrFail(directory / "store", options); }
  const int kills = larder_test::Rounds(100);
  int64_t generation = 0;
  int with_commits = 0;
  for (int kill_number = 0; kill_number < kills; ++kill_number) {
    acknowledged->store(generation);
    const pid_t writer = Fork([&]() -> int {
      const auto own = Environment::Open(directory / "store", options);
      if (!own.ok()) return 1;
      for (int64_t next = generation + 1;; ++next) {
        if (!WriteGeneration(*own, layout, kKeys, next).ok()) return 2;
        acknowledged->store(next);
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(1500 + random() % 12'000));
    kill(writer, SIGKILL);
    REQUIRE(WaitFor(writer) == 1000 + SIGKILL);
    const int64_t acked = acknowledged->load();
    const auto environment = OpenOrFail(directory / "store", options);
    auto session = ReadSession::Open(environment);
    REQUIRE(session.ok());
    const int64_t found = ReadGeneration(*session, layout, kKeys);
    CAPTURE(kill_number, acked);
    REQUIRE(found >= acked);
    REQUIRE(found <= acked + 1);  // committed but killed before it could say so
    REQUIRE(session->commit_seq() == static_cast<uint64_t>(found));
    if (found > generation) ++with_commits;
    generation = found;
  }
  CHECK(with_commits > 0);
  const auto report = larder::VerifyStore(directory / "store");
  REQUIRE(report.ok());
  INFO((report->problems.empty() ? std::string() : report->problems.front()));
  CHECK(report->ok());
}

TEST_CASE("a killed reader's slot is cleared and its pages are used again", "[online][process]") {
  Store store;
  store.Push({Numbered(1, 10, 1)});
  Shared<std::atomic<bool>> reading;
  const pid_t reader = Fork([&]() -> int {
    store.environment.reset();
    const auto own = Environment::Open(store.directory / "store", larder_test::WritableOptions());
    if (!own.ok()) return 1;
    const auto session = ReadSession::Open(*own);
    if (!session.ok()) return 2;
    reading->store(true);
    for (;;) pause();
  });
  while (!reading->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int64_t i = 0; i < 5; ++i) store.Push({Numbered(1, 20 + i, i)});
  CHECK(store.environment->Stats()->oldest_reader_lag >= 5);
  kill(reader, SIGKILL);
  REQUIRE(WaitFor(reader) == 1000 + SIGKILL);
  for (int64_t i = 0; i < 70; ++i) store.Push({Numbered(1, 100 + i, i)});
  CHECK(store.environment->Stats()->oldest_reader_lag <= 1);
}

TEST_CASE("a writer in another process is named to one that waits", "[online][process]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.write_lock_wait = larder::Duration{30'000};
    return options;
  });
  Shared<std::atomic<bool>> writing;
  const pid_t writer = Fork([&]() -> int {
    store.environment.reset();
    const auto own = Environment::Open(store.directory / "store", larder_test::WritableOptions());
    if (!own.ok()) return 1;
    const auto transaction = WriteTransaction::Begin(*own);
    if (!transaction.ok()) return 2;
    writing->store(true);
    for (;;) pause();
  });
  while (!writing->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto refused = WriteTransaction::Begin(store.environment);
  CHECK(larder::KindOf(refused.status()) == ErrorKind::kBusy);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())),
             Catch::Matchers::ContainsSubstring("process " + std::to_string(writer)));
  kill(writer, SIGKILL);
  REQUIRE(WaitFor(writer) == 1000 + SIGKILL);
  store.Push({Numbered(1, 10, 1)});
  CHECK(store.Number(10) == 1);
}

TEST_CASE("a process adopts the larger map another one made", "[online][process][gate]") {
  const auto small_map = [](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.map_size_bytes = 1 << 20;
    return options;
  };
  Store store(small_map);
  const pid_t writer = Fork([&]() -> int {
    store.environment.reset();
    const auto own = Environment::Open(store.directory / "store", small_map({}));
    if (!own.ok()) return 1;
    for (int64_t generation = 1; generation <= 10; ++generation) {
      if (!WriteGeneration(*own, store.layout, 3000, generation).ok()) return 2;
    }
    return 0;
  });
  CHECK(WaitFor(writer) == 0);
  const ReadSession session = store.Session();
  CHECK(ReadGeneration(session, store.layout, 3000) == 10);
}

TEST_CASE("a store that may not grow says the disk is full and keeps what it had",
          "[online][process]") {
  Store store;
  store.Push({Numbered(1000, 10, 7)});
  const pid_t writer = Fork([&]() -> int {
    store.environment.reset();
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{256 * 1024, 256 * 1024};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const auto own = Environment::Open(store.directory / "store", larder_test::WritableOptions());
    if (!own.ok()) return 2;
    int64_t generation = 1;
    absl::Status status;
    for (; generation < 100 && status.ok(); ++generation) {
      status = WriteGeneration(*own, store.layout, 200, generation).status();
    }
    if (larder::KindOf(status) != ErrorKind::kDiskFull) return 3;
    const auto session = ReadSession::Open(*own);
    if (!session.ok()) return 4;
    const int64_t found = ReadGeneration(*session, store.layout, 200);
    if (found != generation - 2) return 5;
    // Small changes and reads go on.
    const auto small = larder::RunWriteTransaction(*own, [](WriteTransaction& transaction) {
      return transaction.PutRecord(2, "still", "here");
    });
    return small.ok() ? 0 : 6;
  });
  CHECK(WaitFor(writer) == 0);
  CHECK(larder::VerifyStore(store.directory / "store")->ok());
  CHECK(store.Number(10, std::nullopt, IntKey(1000)) == 7);
}

TEST_CASE("a process that may not reserve a terabyte opens with less", "[online][process]") {
  Store store;
  store.Push({Numbered(1, 10, 1)});
  store.environment.reset();  // a child would inherit the map
  const pid_t child = Fork([&]() -> int {
    rlimit limit{uint64_t{8} << 30, uint64_t{8} << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 0;  // sanitizers reserve more than that
    const auto own = Environment::Open(store.directory / "store", larder_test::WritableOptions());
    if (!own.ok()) return 1;
    const auto session = ReadSession::Open(*own);
    return session.ok() && session->commit_seq() == 1 ? 0 : 2;
  });
#if LARDER_TEST_UNDER_SANITIZER
  static_cast<void>(WaitFor(child));
#else
  CHECK(WaitFor(child) == 0);
#endif
}

TEST_CASE("a process that may not reserve its map twice rewrites the store in a smaller one",
          "[online][process][vacuum]") {
  Store store;
  store.Push({Numbered(1, 10, 1)});
  store.environment.reset();
  const pid_t child = Fork([&]() -> int {
    larder::EnvironmentOptions options = larder_test::WritableOptions();
    options.map_size_bytes = uint64_t{4} << 30;
    const auto own = Environment::Open(store.directory / "store", options);
    if (!own.ok()) return 1;
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const uint64_t allowed =
        pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) + (uint64_t{3} << 30);
    const rlimit limit{allowed, allowed};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 0;  // sanitizers reserve more than that
    if (!larder::VacuumStore(*own).ok()) return 2;
    const auto session = ReadSession::Open(*own);
    if (!session.ok()) return 3;
    const auto row =
        session->FindRow(Store::kView, store.layout, IntKey(1), {larder::Timestamp{1'000'000'000}});
    return row.ok() && row->has_value() ? 0 : 4;
  });
#if LARDER_TEST_UNDER_SANITIZER
  static_cast<void>(WaitFor(child));
#else
  CHECK(WaitFor(child) == 0);
#endif
}
