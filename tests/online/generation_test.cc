// Generations: built unseen, published whole, kept for going back.
#include "larder/online/generation.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "larder/online/verify.h"
#include "store_fixture.h"

using larder::ErrorKind;
using larder::GenerationState;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Store;

namespace {

constexpr int64_t kNow = 1'000'000'000;

std::vector<Event> Rows(int64_t from, int64_t count, int64_t event_time, std::size_t text_size = 0) {
  std::vector<Event> events;
  for (int64_t id = from; id < from + count; ++id) {
    Event& event = events.emplace_back();
    event.key = IntKey(id);
    event.event_time = event_time;
    event.number = id + event_time;
    if (text_size > 0) event.text = std::string(text_size, 't');
  }
  return events;
}

std::vector<larder::GenerationInfo> Generations(const Store& store) {
  auto generations = larder::ListGenerations(store.Session(), Store::kView);
  REQUIRE(generations.ok());
  return *generations;
}

void CheckSound(const Store& store) {
  const auto report = larder::VerifyStore(store.directory / "store");
  REQUIRE(report.ok());
  INFO((report->problems.empty() ? std::string() : report->problems.front()));
  CHECK(report->ok());
}

}  // namespace

TEST_CASE("a generation is unseen until it is published, and then whole", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 10, 100));
  const auto lease = larder::LoadLease::Acquire(store.environment);
  REQUIRE(lease.ok());
  const auto built = store.Build(*lease, Rows(5, 10, 200));
  CHECK(store.Number(kNow, std::nullopt, IntKey(5)) == 105);
  CHECK_FALSE(store.Number(kNow, std::nullopt, IntKey(14)));
  const larder::ReadSession before = store.Session();
  REQUIRE(store.Publish(built).ok());
  CHECK(store.Number(kNow, std::nullopt, IntKey(5)) == 205);
  CHECK(store.Number(kNow, std::nullopt, IntKey(14)) == 214);
  CHECK(store.Number(kNow, std::nullopt, IntKey(0)) == 100);  // built on the one before
  // A session that began earlier still sees what it saw.
  CHECK((*before.FindRow(Store::kView, store.layout, IntKey(5), {kNow}))->Get<int64_t>(0) == 105);
  CheckSound(store);
}

TEST_CASE("a full load forgets what it does not hold, but no push", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 10, 100));
  store.Push(Rows(3, 1, 150));
  store.Load(Rows(5, 5, 120), {}, true);
  CHECK_FALSE(store.Number(kNow, std::nullopt, IntKey(0)));
  CHECK(store.Number(kNow, std::nullopt, IntKey(3)) == 153);
  CHECK(store.Number(kNow, std::nullopt, IntKey(5)) == 125);
  CheckSound(store);
}

TEST_CASE("of a loaded and a pushed row the later event answers", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 4, 100));
  CHECK(store.Push(Rows(0, 1, 200)).written == 1);
  CHECK(store.Push(Rows(1, 1, 50)).older == 1);
  CHECK(store.Push(Rows(2, 1, 100)).duplicate == 1);
  CHECK(store.Number(kNow, std::nullopt, IntKey(0)) == 200);
  CHECK(store.Number(kNow, std::nullopt, IntKey(1)) == 101);
  CHECK(store.Number(150, std::nullopt, IntKey(0)) == 100);
  CHECK(store.Number(60, std::nullopt, IntKey(1)) == 51);
  const auto reloaded = store.Load(Rows(0, 2, 150));
  CHECK(reloaded.older == 1);
  CHECK(reloaded.written == 1);
  CHECK(store.Number(kNow, std::nullopt, IntKey(0)) == 200);
  CHECK(store.Number(kNow, std::nullopt, IntKey(1)) == 151);
}

TEST_CASE("a load that brings only what was pushed leaves the store whole",
          "[online][generation]") {
  Store store;
  for (int64_t id = 0; id < 40; ++id) store.Push(Rows(id, 1, 100));
  CHECK(store.Load(Rows(0, 40, 100)).duplicate == 40);
  for (int64_t id = 0; id < 60; ++id) {
    CHECK(store.Number(kNow, std::nullopt, IntKey(id)) ==
          (id < 40 ? std::optional<int64_t>(id + 100) : std::nullopt));
  }
  CheckSound(store);
  CHECK(store.Load(Rows(20, 40, 100)).duplicate == 20);
  CHECK(store.Number(kNow, std::nullopt, IntKey(59)) == 159);
  CheckSound(store);
}

TEST_CASE("a push that repeats a loaded row outlives the generation", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 3, 100));
  CHECK(store.Push(Rows(1, 1, 100)).duplicate == 1);
  store.Load(Rows(0, 1, 200), {}, true);
  CHECK(store.Number(kNow, std::nullopt, IntKey(1)) == 101);
  CHECK_FALSE(store.Number(kNow, std::nullopt, IntKey(2)));
}

TEST_CASE("after going back and loading again, the generation gone back to is still kept",
          "[online][generation]") {
  Store store;
  for (int64_t round = 1; round <= 3; ++round) store.Load(Rows(0, 5, round), {}, true);
  REQUIRE(larder::RunWriteTransaction(store.environment, [](larder::WriteTransaction& transaction) {
            return transaction.MakeGenerationLive(Store::kView, 1);
          }).ok());
  store.Load(Rows(0, 5, 9), {}, true);
  const auto generations = Generations(store);
  REQUIRE(generations.size() == 3);
  CHECK(generations.front().number == 1);
  CHECK(generations.back().number == 4);
  CheckSound(store);
}

TEST_CASE("a key erased while a generation is built makes the builder begin again",
          "[online][generation]") {
  Store store;
  store.Load(Rows(0, 100, 1));
  const auto lease = larder::LoadLease::Acquire(store.environment);
  REQUIRE(lease.ok());
  const auto built = store.Build(*lease, Rows(0, 60'000, 2, 300));
  const auto small = store.Build(*lease, Rows(200, 1, 2));
  REQUIRE(larder::RunWriteTransaction(store.environment, [](larder::WriteTransaction& transaction) {
            return transaction.EraseKey(Store::kView, IntKey(42)).status();
          }).ok());
  CHECK(larder::KindOf(store.Publish(built)) == ErrorKind::kConflict);
  CHECK(larder::KindOf(store.Publish(small)) == ErrorKind::kConflict);
  CHECK_FALSE(store.Number(kNow, std::nullopt, IntKey(42)));
  CheckSound(store);
}

TEST_CASE("the last three generations stay, and each can be made live again",
          "[online][generation]") {
  Store store;
  for (int64_t round = 1; round <= 5; ++round) store.Load(Rows(0, 100, round), {}, true);
  const auto generations = Generations(store);
  REQUIRE(generations.size() == larder::kGenerationsKept);
  CHECK(generations.front().number == 3);
  CHECK(generations.back().state == GenerationState::kLive);
  store.Push(Rows(7, 1, 10));
  const auto make_live = [&store](uint64_t number) {
    return larder::RunWriteTransaction(store.environment,
                                       [number](larder::WriteTransaction& transaction) {
                                         return transaction.MakeGenerationLive(Store::kView, number);
                                       })
        .status();
  };
  REQUIRE(make_live(3).ok());
  CHECK(store.Number(kNow, std::nullopt, IntKey(1)) == 4);
  CHECK(store.Number(kNow, std::nullopt, IntKey(7)) == 17);  // pushed: no flip loses it
  REQUIRE(make_live(0).ok());
  CHECK_FALSE(store.Number(kNow, std::nullopt, IntKey(1)));
  CHECK(store.Number(kNow, std::nullopt, IntKey(7)) == 17);
  REQUIRE(make_live(5).ok());
  CHECK(store.Number(kNow, std::nullopt, IntKey(1)) == 6);
  const absl::Status gone = make_live(1);
  CHECK(absl::IsNotFound(gone));
  CHECK(std::string(gone.message()).find("3, 4, 5") != std::string::npos);
  CheckSound(store);
}

TEST_CASE("what a builder left behind is freed by the next one", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 10, 100));
  {
    const auto lease = larder::LoadLease::Acquire(store.environment);
    REQUIRE(lease.ok());
    store.Build(*lease, Rows(0, 60'000, 200, 300));
  }
  CHECK(Generations(store).size() == 2);
  CheckSound(store);
  const auto lease = larder::LoadLease::Acquire(store.environment);
  REQUIRE(lease.ok());
  CHECK(Generations(store).size() == 1);
  CHECK(store.Number(kNow, std::nullopt, IntKey(0)) == 100);
  CheckSound(store);
}

TEST_CASE("one load at a time: the second is told whose process loads", "[online][generation]") {
  Store store;
  {
    const auto lease = larder::LoadLease::Acquire(store.environment);
    REQUIRE(lease.ok());
    const auto second = larder::LoadLease::Acquire(store.environment);
    CHECK(larder::KindOf(second.status()) == ErrorKind::kBusy);
    CHECK(std::string(second.status().message()).find(std::to_string(getpid())) !=
          std::string::npos);
    // A child does not hold it, and cannot end it.
    const pid_t child = fork();
    if (child == 0) _exit(0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(larder::KindOf(larder::LoadLease::Acquire(store.environment).status()) ==
          ErrorKind::kBusy);
  }
  CHECK(larder::LoadLease::Acquire(store.environment).ok());
}

TEST_CASE("a generation is not published over another one than it was built on",
          "[online][generation]") {
  Store store;
  store.Load(Rows(0, 10, 100));
  store.Load(Rows(0, 10, 200));
  const auto lease = larder::LoadLease::Acquire(store.environment);
  REQUIRE(lease.ok());
  const auto built = store.Build(*lease, Rows(0, 10, 300));
  REQUIRE(larder::RunWriteTransaction(store.environment, [](larder::WriteTransaction& transaction) {
            return transaction.MakeGenerationLive(Store::kView, 1);
          }).ok());
  CHECK(larder::KindOf(store.Publish(built)) == ErrorKind::kConflict);
  CHECK(store.Number(kNow, std::nullopt, IntKey(1)) == 101);
}

TEST_CASE("an erased key is in no generation", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 100, 1));
  store.Load(Rows(200, 1, 2));
  store.Push(Rows(42, 1, 3));
  REQUIRE(larder::RunWriteTransaction(store.environment, [](larder::WriteTransaction& transaction) {
            const auto erased = transaction.EraseKey(Store::kView, IntKey(42));
            CHECK(erased.value() == 2);
            return transaction.MakeGenerationLive(Store::kView, 1);
          }).ok());
  CHECK_FALSE(store.Number(kNow, std::nullopt, IntKey(42)));
  CHECK(store.Number(kNow, std::nullopt, IntKey(41)) == 42);
  CheckSound(store);
}

TEST_CASE("a load writes the partitions it changes and shares the others", "[online][generation]") {
  Store store;
  store.Load(Rows(0, 60'000, 1, 300));
  const uint64_t after_first = store.environment->Stats()->used_size_bytes;
  CHECK(after_first > 20'000'000);
  store.Load(Rows(5, 1, 2, 300));
  const uint64_t after_second = store.environment->Stats()->used_size_bytes;
  CHECK(after_second - after_first < 8'000'000);
  CHECK(store.Number(kNow, std::nullopt, IntKey(5)) == 7);
  CHECK(store.Number(kNow, std::nullopt, IntKey(59'999)) == 60'000);
  CHECK(store.environment->Stats()->row_count == 60'000 + 1);
  CheckSound(store);
}

TEST_CASE("the file stays bounded over a hundred full loads with pushes and a reader that renews",
          "[online][generation][slow]") {
  Store store;
  uint64_t first = 0;
  auto reader = larder::ReadSession::Open(store.environment);
  REQUIRE(reader.ok());
  for (int64_t round = 1; round <= 100; ++round) {
    REQUIRE(reader->Renew().ok());  // held while the next generation is built
    store.Load(Rows(0, 20'000, round, 200), {}, true);
    store.Push(Rows(round * 10, 10, round));
    if (round == 1) first = store.environment->Stats()->used_size_bytes;
  }
  const auto last = static_cast<double>(store.environment->Stats()->file_size_bytes);
  const double generations = last / static_cast<double>(first);
  std::cout << "the file after 100 full loads: " << generations << " generations\n";
  CHECK(generations <= static_cast<double>(larder::kGenerationsKept) + 1.5);
  CheckSound(store);
}

TEST_CASE("what killed loaders left is used again", "[online][generation][process]") {
  Store store;
  store.Load(Rows(0, 60'000, 1, 300), {}, true);
  const std::string path = store.directory / "store";
  const auto size = [&store] { return store.environment->Stats()->file_size_bytes; };
  const uint64_t first = size();
  for (int64_t round = 0; round < 6; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      store.environment.reset();
      auto own = larder::Environment::Open(path, larder_test::WritableOptions());
      if (!own.ok()) _exit(1);
      store.environment = *own;
      const auto lease = larder::LoadLease::Acquire(store.environment);
      if (!lease.ok()) _exit(2);
      const auto built = store.Build(*lease, Rows(0, 60'000, 2 + round, 300), {}, true);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK(Generations(store).size() == 2);
    CheckSound(store);
  }
  CHECK(size() < 3 * first);
  store.Load(Rows(0, 10, 50, 300));
  CHECK(Generations(store).size() == 2);
  CHECK(store.Number(kNow, std::nullopt, IntKey(100)) == 101);
  CheckSound(store);
}

TEST_CASE("readers of all times see whole generations while loads and pushes go on",
          "[online][generation][thread]") {
  Store store;
  constexpr int64_t kKeys = 300;
  store.Load(Rows(0, kKeys, 1), {}, true);
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      auto session = larder::ReadSession::Open(store.environment);
      while (!stop) {
        if (!session->Renew().ok()) ++torn;
        std::optional<int64_t> time;
        for (int64_t id = 0; id < kKeys; id += 7) {
          const auto row = session->FindRow(Store::kView, store.layout, IntKey(id), {kNow});
          if (!row.ok() || !*row || (*row)->Get<int64_t>(0) != id + (*row)->event_time().us) {
            ++torn;
            continue;
          }
          if (time && *time != (*row)->event_time().us) ++torn;
          time = (*row)->event_time().us;
          ++reads;
        }
      }
    });
  }
  // On a busy machine 60 loads may be over before a reader's thread has begun.
  for (int64_t round = 2; round <= 60 || reads <= 1000; ++round)
    store.Load(Rows(0, kKeys, round), {}, true);
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(torn == 0);
  CHECK(reads > 1000);
}

TEST_CASE("a view that is dropped after a load that kept no row can be loaded again",
          "[online][generation]") {
  Store store;
  store.Load({});
  {
    const larder::ReadSession session = store.Session();  // its place in the pool remembers the load
    CHECK_FALSE(session.FindRow(Store::kView, store.layout, IntKey(2), {kNow})->has_value());
  }
  auto transaction = larder::WriteTransaction::Begin(store.environment);
  REQUIRE(transaction.ok());
  REQUIRE(transaction->DropView(Store::kView).ok());
  REQUIRE(transaction->Commit().ok());
  store.Load(Rows(0, 3, 1));
  const larder::ReadSession session = store.Session();
  const auto row = session.FindRow(Store::kView, store.layout, IntKey(2), {kNow});
  REQUIRE(row.ok());
  REQUIRE(row->has_value());
  CHECK((*row)->Get<int64_t>(0) == 3);
}
