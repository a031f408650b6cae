// Pushed rows put together, by hand and by pushes.
#include "larder/online/compaction.h"

#include <atomic>
#include <thread>

#include "larder/online/vacuum.h"
#include "larder/online/verify.h"
#include "online/environment_impl.h"
#include "store_fixture.h"
#include "support/random.h"

namespace {

using larder::ErrorKind;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Store;

larder::EnvironmentOptions Budget(const larder_test::FakeClock& clock, uint32_t soft,
                                  uint32_t hard) {
  larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
  options.push_budget = {soft, hard};
  return options;
}

std::vector<Event> Rows(int64_t first, int64_t count, int64_t time, std::size_t text_size = 20) {
  std::vector<Event> events;
  for (int64_t id = first; id < first + count; ++id) {
    Event& event = events.emplace_back();
    event.key = IntKey(id);
    event.event_time = time;
    event.number = id + time;
    event.text = std::string(text_size, 't');
  }
  return events;
}

// Segments per partition of the pushed layer, the most there are.
std::size_t MostSegments(const Store& store) {
  const auto session = store.Session();
  std::size_t most = 0;
  REQUIRE(session
              .ListRecords(larder::kDirectoryTable,
                           [&](std::string_view key, std::string_view bytes) {
                             const auto directory = larder::ViewDirectory::Parse(bytes);
                             REQUIRE(directory.ok());
                             if (static_cast<unsigned char>(key[7]) != 1) return true;
                             for (const larder::Partition& partition : directory->partitions())
                               most = std::max(most, partition.segments.size());
                             return true;
                           })
              .ok());
  return most;
}

std::string Contents(const Store& store) {
  const auto text = larder::DumpContents(store.environment);
  INFO(text.status());
  REQUIRE(text.ok());
  return *text;
}

void CheckWhole(const Store& store) {
  const auto report = larder::VerifyStore(store.directory / "store");
  REQUIRE(report.ok());
  INFO((report->problems.empty() ? std::string() : report->problems.front()));
  CHECK(report->ok());
}

larder::CompactionResult Compact(const Store& store) {
  const auto result = larder::CompactStore(store.environment);
  INFO(result.status());
  REQUIRE(result.ok());
  return *result;
}

}  // namespace

TEST_CASE("compaction leaves one segment a partition and changes no answer",
          "[online][compaction]") {
  Store store;
  store.Load(Rows(0, 500, 1));
  for (const int64_t count : {2000, 300, 40, 5}) store.Push(Rows(count, count, count));
  REQUIRE(MostSegments(store) == 4);
  const std::string before = Contents(store);
  const larder::CompactionResult result = Compact(store);
  CHECK(result.partitions == 1);
  CHECK(result.segments_before == 4);
  CHECK(result.segments_after == 1);
  CHECK(result.commits == 1);
  CHECK(MostSegments(store) == 1);
  CHECK(Contents(store) == before);
  CheckWhole(store);
  const larder::CompactionResult again = Compact(store);
  CHECK(again.partitions == 0);
  CHECK(again.commits == 0);
}

TEST_CASE("a large view is compacted in several commits, and erased keys stay away",
          "[online][compaction]") {
  Store store;
  store.Push(Rows(0, 40'000, 1, 400));
  store.Push(Rows(0, 1500, 2, 400));
  REQUIRE(larder::RunWriteTransaction(store.environment, [](larder::WriteTransaction& transaction) {
            return transaction.EraseKey(Store::kView, IntKey(42)).status();
          }).ok());
  REQUIRE(MostSegments(store) == 2);
  const std::string before = Contents(store);
  const larder::CompactionResult result = Compact(store);
  CHECK(result.partitions > 2);
  CHECK(result.commits > 1);
  CHECK(MostSegments(store) == 1);
  CHECK(Contents(store) == before);
  CHECK_FALSE(store.Number(1'000'000'000, std::nullopt, IntKey(42)));
  CheckWhole(store);
}

TEST_CASE("above the soft budget a push merges one partition itself",
          "[online][compaction][write]") {
  Store store([](const larder_test::FakeClock& clock) { return Budget(clock, 2, 64); });
  store.Push(Rows(0, 1000, 1));
  store.Push(Rows(0, 100, 2));
  CHECK(MostSegments(store) == 2);
  store.Push(Rows(0, 10, 3));
  CHECK(MostSegments(store) == 1);
  CHECK(store.Number(1'000'000'000, std::nullopt, IntKey(5)) == 8);
  CHECK(store.Number(1'000'000'000, std::nullopt, IntKey(50)) == 52);
  CHECK(store.Number(1'000'000'000, std::nullopt, IntKey(500)) == 501);
  CheckWhole(store);
}

TEST_CASE("at the hard budget a push is refused whole with what mends it",
          "[online][compaction][write]") {
  Store store([](const larder_test::FakeClock& clock) { return Budget(clock, 64, 2); });
  store.Push(Rows(0, 1000, 1));
  store.Push(Rows(0, 100, 2));
  const std::string before = Contents(store);
  {
    auto transaction = larder::WriteTransaction::Begin(store.environment);
    REQUIRE(transaction.ok());
    const auto refused =
        larder_test::Write(*transaction, Store::kView, store.layout, Rows(0, 10, 3));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.status().code() == absl::StatusCode::kResourceExhausted);
    const std::string said(refused.status().message());
    CHECK(said.find("view 7: partition 0 of 1 holds 2 segments") != std::string::npos);
    CHECK(said.find("larder compact") != std::string::npos);
    CHECK_FALSE(transaction->Commit().ok());
  }
  CHECK(Contents(store) == before);
  Compact(store);
  store.Push(Rows(0, 10, 3));
  CHECK(store.Number(1'000'000'000, std::nullopt, IntKey(5)) == 8);
  CheckWhole(store);
}

TEST_CASE("readers and pushers go on while the store is compacted",
          "[online][compaction][thread]") {
  Store store;
  constexpr int64_t kKeys = 200;
  store.Push(Rows(0, 20'000, 1));
  store.Push(Rows(0, kKeys, 2));
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int64_t time = 3; !stop; ++time) {
      const auto done = larder::RunWriteTransaction(
          store.environment, [&](larder::WriteTransaction& transaction) {
            return larder_test::Write(transaction, Store::kView, store.layout, Rows(0, kKeys, time),
                                      {.horizon = larder::Duration{0}})
                .status();
          });
      if (!done.ok()) ++failures;
    }
  });
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      auto session = larder::ReadSession::Open(store.environment);
      while (!stop) {
        if (!session->Renew().ok()) ++failures;
        std::optional<int64_t> time;
        for (int64_t id = 0; id < kKeys; id += 9) {
          const auto row = session->FindRow(Store::kView, store.layout, IntKey(id), {1'000'000'000});
          if (!row.ok() || !*row) {
            ++failures;
            continue;
          }
          if (time && *time != (*row)->event_time().us) ++failures;
          time = (*row)->event_time().us;
        }
        ++reads;
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    Compact(store);
    const int before = reads;
    while (reads < before + 4) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CheckWhole(store);
}

TEST_CASE("random pushes under any budget give what a store without one gives",
          "[online][compaction][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  const int rounds = larder_test::Rounds(6);
  for (int round = 0; round < rounds; ++round) {
    Store plain;
    Store tight([](const larder_test::FakeClock& clock) { return Budget(clock, 1, 1000); });
    for (int i = 0; i < 25; ++i) {
      const auto events = Rows(random.Between(0, 400), random.Between(1, 300), random.Between(1, 50),
                               static_cast<std::size_t>(random.Between(0, 40)));
      plain.Push(events);
      tight.Push(events);
      if (random.OneIn(5)) Compact(tight);
      if (random.OneIn(8)) {
        REQUIRE(larder::VacuumStore(tight.environment).ok());
      }
    }
    CHECK(larder::HashContents(plain.environment).value() ==
          larder::HashContents(tight.environment).value());
    CHECK(MostSegments(tight) <= 2);
    CheckWhole(tight);
  }
}
