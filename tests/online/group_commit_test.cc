// Changes of many threads in one commit.
#include <atomic>
#include <chrono>
#include <thread>

#include "online/environment_impl.h"
#include "online/store_fixture.h"
#include "support/random.h"

namespace {

using larder::WriteTransaction;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Random;
using larder_test::Shape;
using larder_test::Store;
using Change = std::function<absl::Status(WriteTransaction&)>;

// Hands all changes in while the first one runs, so that they are one group. Outcomes in the order of the changes.
std::vector<absl::StatusOr<uint64_t>> RunTogether(const Store& store,
                                                  const std::vector<Change>& changes) {
  std::vector<absl::StatusOr<uint64_t>> outcomes(changes.size(), absl::UnknownError("none"));
  std::atomic<bool> is_first_running{false};
  const auto run = [&](std::size_t i, const Change& change) {
    outcomes[i] = larder::RunGroupedWrite(store.environment, change);
  };
  std::atomic<bool> has_waited{false};
  const Change first = [&](WriteTransaction& transaction) {
    is_first_running = true;
    larder::GroupCommit& group = store.environment->impl().group_commit;
    // A group may run its changes again.
    while (!has_waited && group.WaitingForTesting() + 1 < changes.size()) std::this_thread::yield();
    has_waited = true;
    return changes.front()(transaction);
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { run(0, first); });
  while (!is_first_running) std::this_thread::yield();
  for (std::size_t i = 1; i < changes.size(); ++i) {
    threads.emplace_back([&, i] { run(i, changes[i]); });
    // In order.
    while (store.environment->impl().group_commit.WaitingForTesting() < i && !has_waited)
      std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  return outcomes;
}

Change Put(std::string key) {
  return [key](WriteTransaction& transaction) { return transaction.PutRecord(1, key, "value"); };
}

bool Has(const Store& store, std::string_view key) {
  const larder::ReadSession session = store.Session();
  const auto record = session.GetRecord(1, key);
  REQUIRE(record.ok());
  return record->has_value();
}

TEST_CASE("changes handed in together share one commit", "[online][group][thread]") {
  Store store;
  const auto outcomes = RunTogether(store, {Put("a"), Put("b"), Put("c"), Put("d")});
  for (const auto& outcome : outcomes) {
    REQUIRE(outcome.ok());
    CHECK(*outcome == 1);
  }
  CHECK(store.Session().commit_seq() == 1);
  for (const char* key : {"a", "b", "c", "d"}) CHECK(Has(store, key));
}

TEST_CASE("a change that fails takes nothing with it and leaves nothing",
          "[online][group][thread]") {
  Store store;
  std::atomic<int> runs{0};
  const Change fails_late = [](WriteTransaction& transaction) -> absl::Status {
    const absl::Status put = transaction.PutRecord(1, "half", "value");
    if (!put.ok()) return put;
    return absl::InvalidArgumentError("the rest is bad");
  };
  const Change fails_early = [](WriteTransaction&) {
    return absl::InvalidArgumentError("all of it is bad");
  };
  const Change counted = [&runs](WriteTransaction& transaction) {
    ++runs;
    return transaction.PutRecord(1, "counted", "value");
  };
  SECTION("having written, so that the others run again") {
    const auto outcomes = RunTogether(store, {counted, Put("b"), fails_late, Put("c")});
    CHECK(outcomes[2].status() == absl::InvalidArgumentError("the rest is bad"));
    for (const std::size_t i : {0U, 1U, 3U}) CHECK(outcomes[i] == absl::StatusOr<uint64_t>(1));
    CHECK(runs == 2);
  }
  SECTION("before it has written, which costs the others nothing") {
    const auto outcomes = RunTogether(store, {counted, Put("b"), fails_early, Put("c")});
    CHECK(outcomes[2].status() == absl::InvalidArgumentError("all of it is bad"));
    for (const std::size_t i : {0U, 1U, 3U}) CHECK(outcomes[i] == absl::StatusOr<uint64_t>(1));
    CHECK(runs == 1);
  }
  SECTION("leading") {
    const auto outcomes = RunTogether(store, {fails_late, counted, Put("b"), Put("c")});
    CHECK(outcomes[0].status() == absl::InvalidArgumentError("the rest is bad"));
    for (const std::size_t i : {1U, 2U, 3U}) CHECK(outcomes[i] == absl::StatusOr<uint64_t>(1));
  }
  CHECK_FALSE(Has(store, "half"));
  for (const char* key : {"b", "c", "counted"}) CHECK(Has(store, key));
  CHECK(store.Session().commit_seq() == 1);
}

TEST_CASE("all failing changes of a group make no commit", "[online][group][thread]") {
  Store store;
  const Change fails = [](WriteTransaction& transaction) -> absl::Status {
    (void)transaction.PutRecord(1, "half", "value");
    return absl::InvalidArgumentError("bad");
  };
  for (const auto& outcome : RunTogether(store, {fails, fails, fails})) CHECK_FALSE(outcome.ok());
  CHECK(store.Session().commit_seq() == 0);
}

TEST_CASE("a change that writes nothing needs no commit", "[online][group]") {
  Store store;
  REQUIRE(larder::RunGroupedWrite(store.environment, Put("a")).ok());
  const Change nothing = [](WriteTransaction&) { return absl::OkStatus(); };
  CHECK(larder::RunGroupedWrite(store.environment, nothing) == absl::StatusOr<uint64_t>(1));
  CHECK(store.Session().commit_seq() == 1);
}

TEST_CASE("a thread that writes cannot hand in a change as well", "[online][group]") {
  Store store;
  auto transaction = WriteTransaction::Begin(store.environment);
  REQUIRE(transaction.ok());
  CHECK(larder::RunGroupedWrite(store.environment, Put("a")).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a group is told at once what keeps its leader from writing", "[online][group][thread]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.write_lock_wait = larder::Duration{200'000};
    return options;
  });
  auto transaction = WriteTransaction::Begin(store.environment);
  REQUIRE(transaction.ok());
  std::vector<std::thread> threads;
  std::atomic<int> busy{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto outcome = larder::RunGroupedWrite(store.environment, Put("a"));
      busy += larder::KindOf(outcome.status()) == larder::ErrorKind::kBusy ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(busy == 4);
  transaction->Abort();
  CHECK(larder::RunGroupedWrite(store.environment, Put("a")).ok());
}

TEST_CASE("the map grows under a group and each change is there once", "[online][group][thread]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.map_size_bytes = 1 << 20;
    return options;
  });
  constexpr int kThreads = 4;
  constexpr int kChanges = 10;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&store, &wrong, t] {
      for (int i = 0; i < kChanges; ++i) {
        std::vector<Event> events(20);
        for (std::size_t e = 0; e < events.size(); ++e) {
          events[e].key = IntKey(static_cast<int64_t>(e) + 100 * (i + 100 * t));
          events[e].event_time = 10;
          events[e].text = std::string(3000, 't');
        }
        larder::RowsResult written;
        const auto outcome =
            larder::RunGroupedWrite(store.environment, [&](WriteTransaction& transaction) {
              auto result = larder_test::Write(transaction, Store::kView, store.layout, events);
              if (result.ok()) written = *result;
              return result.status();
            });
        if (!outcome.ok() || written.written != events.size()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(store.environment->Stats()->row_count == kThreads * kChanges * 20);
  CHECK(store.environment->Stats()->reopen_count > 0);
}

// What every instant sees of every key.
std::string AllAnswers(const Store& store, int64_t keys, int64_t instants) {
  const larder::ReadSession session = store.Session();
  std::string out;
  for (int64_t key = 0; key < keys; ++key) {
    for (int64_t as_of = 0; as_of <= instants; ++as_of) {
      const auto row = session.FindRow(Store::kView, store.layout, IntKey(key), {as_of});
      REQUIRE(row.ok());
      out += *row ? larder::Concat((*row)->Get<int64_t>(0), " ", (*row)->Text(1), ";") : "none;";
    }
  }
  return out;
}

TEST_CASE("whatever the threads and groups, the same rows give the same answers",
          "[online][group][random][thread]") {
  Random random;
  INFO(random.Describe());
  constexpr int64_t kKeys = 5;
  constexpr int64_t kInstants = 6;
  for (int round = larder_test::Rounds(10); round > 0; --round) {
    Shape shape;
    shape.has_sequence = random.OneIn(2);
    shape.has_arrival = random.OneIn(2);
    shape.is_push = true;
    constexpr std::size_t kThreads = 4;
    struct Batch {
      std::vector<Event> events;
      bool is_bad = false;
    };
    std::vector<std::vector<Batch>> batches(kThreads);
    std::vector<Event> all;
    for (std::vector<Batch>& own : batches) {
      for (int64_t i = random.Between(1, 12); i > 0; --i) {
        Batch& batch = own.emplace_back();
        for (int64_t e = random.Between(1, 4); e > 0; --e) {
          Event& event = batch.events.emplace_back();
          event.key = IntKey(random.Between(0, kKeys - 1));
          event.event_time = random.Between(0, kInstants);
          event.number = random.Between(0, 3);
          event.text = random.Text(2, "ab");
          if (shape.has_sequence) event.sequence = random.Between(0, 2);
          if (shape.has_arrival) event.arrival = random.Between(0, kInstants);
          event.is_delete = random.OneIn(8);
        }
        batch.is_bad = random.OneIn(5);
        if (batch.is_bad) {
          batch.events.emplace_back().key = "null";
        } else {
          all.insert(all.end(), batch.events.begin(), batch.events.end());
        }
      }
    }
    Store expected;
    if (!all.empty()) expected.Push(all, shape);

    Store store;
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (const std::vector<Batch>& own : batches) {
      threads.emplace_back([&store, &own, &wrong, &shape] {
        for (const Batch& batch : own) {
          const auto outcome =
              larder::RunGroupedWrite(store.environment, [&](WriteTransaction& transaction) {
                auto result = larder_test::Write(transaction, Store::kView, store.layout,
                                                 batch.events, shape);
                if (result.ok() && result->rejected_count() > 0)
                  return absl::InvalidArgumentError("bad row");
                return result.status();
              });
          if (outcome.ok() == batch.is_bad) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(AllAnswers(store, kKeys, kInstants) == AllAnswers(expected, kKeys, kInstants));
  }
}

}  // namespace
