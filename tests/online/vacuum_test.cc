// Rewriting a store while it is used, and what is left when that is cut short.
#include "larder/online/vacuum.h"

#include <lmdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "online/environment_impl.h"
#include "online/store_fixture.h"

namespace {

namespace fs = std::filesystem;
using larder::Environment;
using larder::ErrorKind;
using larder::ReadSession;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::OpenOrFail;
using larder_test::Store;
using larder_test::WritableOptions;

using Clock = std::chrono::steady_clock;

double MsSince(Clock::time_point began) {
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

std::string Percentiles(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  return "median " + std::to_string(ms[ms.size() / 2]) + " ms, slowest " +
         std::to_string(ms.back()) + " ms";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Event> Batch(int64_t first, int64_t count, int64_t time) {
  std::vector<Event> events;
  for (int64_t i = first; i < first + count; ++i) {
    events.push_back(
        {.key = IntKey(i), .event_time = time, .number = i + time, .text = std::string(200, 'x')});
  }
  return events;
}

larder::VacuumResult VacuumOrFail(const std::shared_ptr<Environment>& environment) {
  const auto result = larder::VacuumStore(environment);
  INFO(result.status());
  REQUIRE(result.ok());
  return *result;
}

std::string Contents(const std::shared_ptr<Environment>& environment) {
  auto text = larder::DumpContents(environment);
  INFO(text.status());
  REQUIRE(text.ok());
  return *text;
}

void CheckWhole(const std::string& path) {
  const auto report = larder::VerifyStore(path);
  INFO(report.status());
  REQUIRE(report.ok());
  INFO((report->problems.empty() ? std::string() : report->problems.front()));
  CHECK(report->ok());
}

// A store with rows, most of whose file is free.
void Fill(Store& store) {
  store.Push(Batch(0, 20'000, 1));
  const auto dropped = larder::RunWriteTransaction(
      store.environment, [&](larder::WriteTransaction& transaction) -> absl::Status {
        LARDER_RETURN_IF_ERROR(transaction.PutRecord(7, "kept", "value"));
        return transaction.DropView(Store::kView).status();
      });
  REQUIRE(dropped.ok());
  store.Push(Batch(0, 500, 2));
}

}  // namespace

TEST_CASE("a rewritten store says the same and its free space is gone", "[online][vacuum]") {
  Store store;
  Fill(store);
  const std::string before = Contents(store.environment);
  auto environment = store.environment;
  const larder::Hash128 id = environment->store_id();
  const uint64_t commit = store.Session().commit_seq();
  const larder::VacuumResult result = VacuumOrFail(environment);
  CHECK(result.folder == 2);
  CHECK(result.commit_seq == commit + 1);
  CHECK(result.size_before > 4'000'000);
  CHECK(result.size_after < result.size_before / 10);
  CHECK(store.Session().commit_seq() == commit + 1);
  CHECK(Contents(environment) == before);
  const std::string path = store.directory / "store";
  CHECK(ReadFile(path + "/CURRENT") == "env-000002\n");
  CHECK_FALSE(fs::exists(path + "/env-000001"));
  CHECK_FALSE(fs::exists(path + "/env-000001.removed"));
  CheckWhole(path);
  CHECK(environment->Stats()->file_size_bytes == result.size_after);

  // It can be written and rewritten again, and opened anew.
  store.Push(Batch(7, 1, 3));
  CHECK(VacuumOrFail(environment).folder == 3);
  const std::string after = Contents(environment);
  store.environment.reset();
  environment.reset();
  store.environment = OpenOrFail(path, WritableOptions());
  CHECK(store.environment->store_id() == id);
  CHECK(Contents(store.environment) == after);
}

TEST_CASE("a snapshot held over a rewrite keeps what it sees, and the file of it",
          "[online][vacuum]") {
  Store store;
  store.Push(Batch(0, 1000, 1));
  ReadSession held = store.Session();
  ReadSession idle = store.Session();
  idle.Release();
  const auto row = held.FindRow(Store::kView, store.layout, IntKey(5), larder::Timestamp{1});
  REQUIRE((row.ok() && row->has_value()));
  const uint64_t commit = held.commit_seq();
  VacuumOrFail(store.environment);
  store.Push(Batch(0, 1000, 2));
  CHECK(held.commit_seq() == commit);
  const auto again = held.FindRow(Store::kView, store.layout, IntKey(5), larder::Timestamp{9});
  REQUIRE((again.ok() && again->has_value()));
  CHECK((*again)->event_time() == larder::Timestamp{1});
  REQUIRE(idle.Renew().ok());
  CHECK(idle.commit_seq() == commit + 2);
  REQUIRE(held.Renew().ok());
  CHECK(held.commit_seq() == commit + 2);
  const auto newest = held.FindRow(Store::kView, store.layout, IntKey(5), larder::Timestamp{9});
  REQUIRE((newest.ok() && newest->has_value()));
  CHECK((*newest)->event_time() == larder::Timestamp{2});
}

TEST_CASE("opening the store again finds the one that is open in the folder it was rewritten from",
          "[online][vacuum]") {
  Store store;
  store.Push(Batch(0, 10, 1));
  // Another process rewrites it; this one has not looked since.
  const std::string path = store.directory / "store";
  const pid_t child = fork();
  if (child == 0) {
    const auto own = Environment::Open(path, WritableOptions());
    _exit(own.ok() && larder::VacuumStore(*own).ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  REQUIRE(ReadFile(path + "/CURRENT") == "env-000002\n");
  CHECK(OpenOrFail(path, WritableOptions()) == store.environment);
  store.Push(Batch(1, 1, 2));
  CHECK(store.Session().commit_seq() == 3);
  CheckWhole(path);
  CHECK(OpenOrFail(path, WritableOptions()) == store.environment);
}

TEST_CASE("threads read and write on while the store is rewritten", "[online][vacuum][thread]") {
  Store store;
  store.Push(Batch(0, 2000, 0));
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::atomic<int64_t> acknowledged{0};
  std::atomic<int> reads{0};
  std::vector<double> write_ms;
  std::vector<double> renew_ms;
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int64_t time = 1; !stop; ++time) {
      const auto began = Clock::now();
      const auto done = larder::RunWriteTransaction(
          store.environment, [&](larder::WriteTransaction& transaction) {
            return larder_test::Write(transaction, Store::kView, store.layout, Batch(0, 20, time),
                                      {.horizon = larder::Duration{0}})
                .status();
          });
      if (!done.ok()) ++failures;
      write_ms.push_back(MsSince(began));
      acknowledged = time;
    }
  });
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      auto session = ReadSession::Open(store.environment);
      uint64_t last = 0;
      while (!stop) {
        const int64_t known = acknowledged;
        const auto began = Clock::now();
        if (t == 0 && !session->Renew().ok()) ++failures;
        if (t == 0) renew_ms.push_back(MsSince(began));
        if (t == 1) session = ReadSession::Open(store.environment);
        if (!session.ok() || session->commit_seq() < last) ++failures;
        last = session->commit_seq();
        // All rows of a commit, and none older than what was acknowledged before.
        int64_t time = -1;
        for (int64_t key = 0; key < 20; ++key) {
          const auto row = session->FindRow(Store::kView, store.layout, IntKey(key),
                                            larder::Timestamp{1'000'000'000});
          if (!row.ok() || !row->has_value()) {
            ++failures;
            continue;
          }
          if (time < 0) time = (*row)->event_time().us;
          if ((*row)->event_time().us != time || time < known) ++failures;
        }
        ++reads;
      }
    });
  }
  const std::string path = store.directory / "store";
  for (uint64_t round = 0; round < 8; ++round) {
    CHECK(VacuumOrFail(store.environment).folder == round + 2);
    // Opened once, by whichever thread noticed the rewrite first, and known to the process.
    CHECK(larder::Environment::Open(path, WritableOptions()).value() == store.environment);
    const int before = reads;
    while (reads < before + 4) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  std::cout << "8 rewrites: " << write_ms.size() << " writes, " << Percentiles(write_ms) << "; "
            << renew_ms.size() << " renewals, " << Percentiles(renew_ms) << "\n";
  CheckWhole(path);
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(path)) folders += entry.is_directory() ? 1 : 0;
  CHECK(folders == 1);
}

TEST_CASE("processes read and write on while another rewrites the store",
          "[online][vacuum][process]") {
  Store store;
  store.Push(Batch(0, 200, 0));
  const std::string path = store.directory / "store";
  store.environment.reset();
  constexpr int kWrites = 60;
  std::vector<pid_t> children;
  for (int64_t writer = 0; writer < 2; ++writer) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    const auto own = Environment::Open(path, WritableOptions());
    if (!own.ok()) _exit(1);
    const auto layout = larder_test::LayoutOf(larder_test::kEventTypes);
    for (int64_t time = 1; time <= kWrites; ++time) {
      const auto done =
          larder::RunWriteTransaction(*own, [&](larder::WriteTransaction& transaction) {
            return larder_test::Write(transaction, Store::kView, layout,
                                      Batch(1000 + 1000 * writer, 10, time),
                                      {.horizon = larder::Duration{0}})
                .status();
          });
      if (!done.ok()) _exit(2);
      const auto session = ReadSession::Open(*own);
      if (!session.ok()) _exit(3);
      const auto row = session->FindRow(Store::kView, layout, IntKey(1000 + 1000 * writer),
                                        larder::Timestamp{1'000'000});
      if (!row.ok() || !row->has_value() || (*row)->event_time().us != time) _exit(4);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    _exit(0);
  }
  store.environment = OpenOrFail(path, WritableOptions());
  for (int round = 0; round < 6; ++round) VacuumOrFail(store.environment);
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
  VacuumOrFail(store.environment);
  CheckWhole(path);
  const ReadSession session = store.Session();
  CHECK(session.commit_seq() == 1 + 2 * kWrites + 7);
}

TEST_CASE("a rewrite that cannot fit says how much is missing and leaves the store as it is",
          "[online][vacuum]") {
  Store store;
  store.Push(Batch(0, 20'000, 1));
  const std::string path = store.directory / "store";
  const std::string before = Contents(store.environment);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit small{1'000'000, old.rlim_max};
  const auto ignored = signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto result = larder::VacuumStore(store.environment);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
  signal(SIGXFSZ, ignored);
  INFO(result.status());
  CHECK(larder::KindOf(result.status()) == ErrorKind::kDiskFull);
  CHECK_FALSE(fs::exists(path + "/env-000002"));
  CHECK(Contents(store.environment) == before);
  CHECK(VacuumOrFail(store.environment).folder == 2);
  CHECK(Contents(store.environment) == before);
}

TEST_CASE("a rewrite gives its files the permissions that the old ones had", "[online][vacuum]") {
  Store store;
  store.Push(Batch(0, 100, 1));
  const fs::path path = store.directory / "store";
  const fs::perms shared = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read |
                           fs::perms::group_write;
  fs::permissions(path / "env-000001", shared | fs::perms::owner_exec | fs::perms::group_exec);
  for (const char* name : {"env-000001/data.mdb", "env-000001/lock.mdb", "CURRENT"})
    fs::permissions(path / name, shared);
  VacuumOrFail(store.environment);
  CHECK(fs::status(path / "env-000002").permissions() ==
        (shared | fs::perms::owner_exec | fs::perms::group_exec));
  for (const char* name : {"env-000002/data.mdb", "env-000002/lock.mdb", "CURRENT"})
    CHECK(fs::status(path / name).permissions() == shared);
}

TEST_CASE("a file that fills its map is rewritten, in a larger one", "[online][vacuum]") {
  Store store(+[](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = WritableOptions(clock);
    options.map_size_bytes = 1 << 20;
    return options;
  });
  const auto pages_left = [&] {
    MDB_envinfo info{};
    mdb_env_info(store.environment->impl().Home()->env, &info);
    return info.me_mapsize / 4096 - info.me_last_pgno - 1;
  };
  for (int64_t i = 0; pages_left() > 100; ++i) store.Push(Batch(20 * i, 20, 1));
  const std::string before = Contents(store.environment);
  VacuumOrFail(store.environment);
  CHECK(Contents(store.environment) == before);
  CheckWhole(store.directory / "store");
}

TEST_CASE("one rewrite or load at a time", "[online][vacuum]") {
  Store store;
  store.Push(Batch(0, 10, 1));
  {
    const auto lease = larder::LoadLease::Acquire(store.environment);
    REQUIRE(lease.ok());
    CHECK(larder::KindOf(larder::VacuumStore(store.environment).status()) == ErrorKind::kBusy);
  }
  VacuumOrFail(store.environment);
}

TEST_CASE("what a rewrite left is used or taken away, wherever it was cut short",
          "[online][vacuum]") {
  Store store;
  store.Push(Batch(0, 300, 1));
  const std::string path = store.directory / "store";
  const std::string contents = Contents(store.environment);
  store.environment.reset();
  const std::string copy = store.directory / "copy";
  const std::string first = store.directory / "first";
  fs::copy(path, first, fs::copy_options::recursive);
  // The file as it is once it has moved: kept by a link, since the rewrite removes it.
  fs::create_directories(store.directory / "old");
  fs::create_hard_link(path + "/env-000001/data.mdb", store.directory / "old/data.mdb");
  store.environment = OpenOrFail(path, WritableOptions());
  VacuumOrFail(store.environment);
  store.environment.reset();

  const auto check = [&] {
    CheckWhole(copy);
    {
      const auto environment = OpenOrFail(copy, WritableOptions());
      CHECK(Contents(environment) == contents);
      VacuumOrFail(environment);
      CHECK(Contents(environment) == contents);
    }
    int folders = 0;
    for (const auto& entry : fs::directory_iterator(copy)) folders += entry.is_directory() ? 1 : 0;
    CHECK(folders == 1);
    CheckWhole(copy);
    fs::remove_all(copy);
  };

  SECTION("before the switch: the copy is garbage") {
    fs::copy(first, copy, fs::copy_options::recursive);
    fs::create_directories(copy + "/env-000002");
    std::ofstream(copy + "/env-000002/data.mdb") << "half a copy";
    check();
  }
  SECTION("between the switch and CURRENT: the copy is the store") {
    fs::copy(path, copy, fs::copy_options::recursive);
    fs::copy(store.directory / "old", copy + "/env-000001");
    std::ofstream(copy + "/CURRENT") << "env-000001\n";
    {
      const auto environment = OpenOrFail(copy, WritableOptions());
      const auto session = ReadSession::Open(environment);
      REQUIRE(session.ok());
      CHECK(session->commit_seq() == 2);
      // What is written now must not be lost to the next opener.
      const auto layout = larder_test::LayoutOf(larder_test::kEventTypes);
      REQUIRE(larder::RunWriteTransaction(environment, [&](larder::WriteTransaction& transaction) {
                return transaction.PutRecord(7, "later", "x");
              }).ok());
    }
    larder::EnvironmentOptions read_only;
    read_only.read_only = true;
    const auto reader = OpenOrFail(copy, read_only);
    const auto session = ReadSession::Open(reader);
    REQUIRE(session.ok());
    CHECK(session->GetRecord(7, "later")->has_value());
  }
  SECTION("after CURRENT: the old folder is garbage") {
    fs::copy(path, copy, fs::copy_options::recursive);
    fs::copy(store.directory / "old", copy + "/env-000001");
    fs::create_directories(copy + "/env-000003.removed");
    std::ofstream(copy + "/env-000003.removed/data.mdb") << "x";
    check();
  }
}

TEST_CASE("a backup made while the store is rewritten opens", "[online][vacuum][thread]") {
  Store store;
  store.Push(Batch(0, 3000, 1));
  std::atomic<bool> stop{false};
  std::thread rewriting([&] {
    while (!stop) {
      if (!larder::VacuumStore(store.environment).ok()) std::abort();
    }
  });
  const std::string before = Contents(store.environment);
  for (int i = 0; i < 10; ++i) {
    const std::string target = store.directory / ("backup" + std::to_string(i));
    const absl::Status status = larder::BackupStore(store.environment, target);
    INFO(status);
    REQUIRE(status.ok());
    CHECK(Contents(OpenOrFail(target, WritableOptions())) == before);
  }
  stop = true;
  rewriting.join();
}
