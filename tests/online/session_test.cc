#include <thread>

#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "online/environment_impl.h"
#include "store_fixture.h"
#include "support/random.h"

using larder::ErrorKind;
using larder::ReadSession;
using larder::Timestamp;
using larder::WriteTransaction;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Store;

namespace {

Event Numbered(int64_t event_time, int64_t number) {
  Event event;
  event.event_time = event_time;
  event.number = number;
  return event;
}

WriteTransaction Begin(const Store& store) {
  auto transaction = WriteTransaction::Begin(store.environment);
  INFO(transaction.status());
  REQUIRE(transaction.ok());
  return *std::move(transaction);
}

}  // namespace

TEST_CASE("a session keeps seeing the row that was overwritten after it began",
          "[online][session]") {
  Store store;
  store.Push({Numbered(10, 1)});
  ReadSession session = store.Session();
  const auto before = session.FindRow(Store::kView, store.layout, IntKey(1), {100});
  for (int64_t i = 2; i < 200; ++i) store.Push({Numbered(10 + i, i)});
  CHECK((*before)->Get<int64_t>(0) == 1);
  const auto again = session.FindRow(Store::kView, store.layout, IntKey(1), {1000});
  CHECK((*again)->Get<int64_t>(0) == 1);
  CHECK(session.commit_seq() == 1);
  REQUIRE(session.Renew().ok());
  CHECK(session.commit_seq() == 199);
  CHECK((*session.FindRow(Store::kView, store.layout, IntKey(1), {1000}))->Get<int64_t>(0) == 199);
}

TEST_CASE("nothing of an aborted transaction is seen", "[online][session]") {
  Store store;
  {
    WriteTransaction transaction = Begin(store);
    REQUIRE(larder_test::Write(transaction, Store::kView, store.layout, {Numbered(10, 1)}).ok());
    REQUIRE(transaction.PutRecord(1, "k", "v").ok());
    CHECK_FALSE(store.Number(100));
  }
  CHECK_FALSE(store.Number(100));
  CHECK(store.Session().commit_seq() == 0);
  WriteTransaction transaction = Begin(store);
  transaction.Abort();
  CHECK_FALSE(transaction.PutRecord(1, "k", "v").ok());
  CHECK_FALSE(transaction.Commit().ok());
}

TEST_CASE("records keep any bytes and are told apart by table and key", "[online][record]") {
  Store store;
  const std::string large(300'000, 'L');
  WriteTransaction transaction = Begin(store);
  const std::pair<std::string, std::string> records[] = {
      {"a", "1"},      {"", "empty key"},
      {"b", ""},       {std::string("a\0", 2), "zero"},
      {"long", large}, {std::string(larder::kRecordKeySizeMax, 'k'), "longest"}};
  for (const auto& [key, value] : records) REQUIRE(transaction.PutRecord(3, key, value).ok());
  REQUIRE(transaction.PutRecord(4, "a", "other table").ok());
  CHECK(larder::KindOf(transaction.PutRecord(3, std::string(larder::kRecordKeySizeMax + 1, 'k'),
                                             "")) == ErrorKind::kTooLarge);
  CHECK_FALSE(transaction.PutRecord(larder::kRecordTableMax, "k", "v").ok());
  CHECK(**transaction.GetRecord(3, "long") == large);
  REQUIRE(transaction.Commit().ok());
  const ReadSession session = store.Session();
  for (const auto& [key, value] : records) CHECK(**session.GetRecord(3, key) == value);
  CHECK(**session.GetRecord(4, "a") == "other table");
  CHECK_FALSE((*session.GetRecord(3, "c")).has_value());
  CHECK_FALSE((*session.GetRecord(5, "a")).has_value());

  WriteTransaction second = Begin(store);
  CHECK(*second.DeleteRecord(3, "a"));
  CHECK_FALSE(*second.DeleteRecord(3, "a"));
  REQUIRE(second.Commit().ok());
  CHECK((*session.GetRecord(3, "a")).has_value());
  const ReadSession later = store.Session();
  CHECK_FALSE((*later.GetRecord(3, "a")).has_value());
}

TEST_CASE("several records are found together as one by one", "[online][record][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (const int64_t records : {0, 1, 60, 4'000}) {
    Store store;
    const auto key_of = [&](int64_t number) {
      // Short ones, and long ones that have much in common.
      std::string key = larder::Concat(number % 3 == 0 ? "" : std::string(300, 'k'), number);
      if (number % 5 == 0) key.push_back('\0');
      return key;
    };
    std::vector<std::string> names;
    for (int64_t i = 0; i < records; ++i) names.push_back(key_of(random.Between(0, 2 * records)));
    for (int commits = 0; commits < 2; ++commits) {
      WriteTransaction transaction = Begin(store);
      for (const std::string& name : names) {
        const int64_t size = random.OneIn(20) ? random.Between(0, 20'000) : random.Between(0, 900);
        const std::string value(static_cast<std::size_t>(size), static_cast<char>(size));
        REQUIRE(transaction.PutRecord(3, name, value).ok());
      }
      REQUIRE(transaction.Commit().ok());
    }
    const ReadSession session = store.Session();
    for (int round = 0; round < 20; ++round) {
      std::vector<std::string> asked;
      for (int64_t n = random.Between(0, 50); n > 0; --n)
        asked.push_back(key_of(random.Between(-1, 2 * records + 1)));
      if (random.OneIn(5)) asked.emplace_back(larder::kRecordKeySizeMax + 1, 'k');
      const std::vector<std::string_view> keys(asked.begin(), asked.end());
      std::vector<std::optional<std::string_view>> values(keys.size());
      REQUIRE(session.GetRecords(3, keys, values).ok());
      for (std::size_t i = 0; i < keys.size(); ++i)
        REQUIRE(values[i] == *session.GetRecord(3, keys[i]));
    }
  }
}

TEST_CASE("records are listed in key order from where one asks", "[online][record]") {
  Store store;
  WriteTransaction transaction = Begin(store);
  for (const char* key : {"cherry", "apple", "banana", "appl", "bananas1"}) {
    REQUIRE(transaction.PutRecord(1, key, key).ok());
  }
  REQUIRE(transaction.PutRecord(0, "zero", "").ok());
  REQUIRE(transaction.PutRecord(2, "two", "").ok());
  std::string listed;
  REQUIRE(transaction
              .ListRecords(1,
                           [&](std::string_view key, std::string_view) {
                             listed.append(key).append(" ");
                             return true;
                           })
              .ok());
  CHECK(listed == "appl apple banana bananas1 cherry ");
  REQUIRE(transaction.Commit().ok());
  const ReadSession session = store.Session();
  listed.clear();
  REQUIRE(session
              .ListRecords(
                  1,
                  [&](std::string_view key, std::string_view value) {
                    CHECK(key == value);
                    listed.append(key).append(" ");
                    return listed.size() < 12;
                  },
                  "b")
              .ok());
  CHECK(listed == "banana bananas1 ");
}

TEST_CASE("a batch id is found until its commit is too long ago", "[online][record]") {
  Store store;
  {
    WriteTransaction transaction = Begin(store);
    CHECK_FALSE(*transaction.FindBatch("load-1"));
    REQUIRE(transaction.RememberBatch("load-1").ok());
    CHECK(transaction.RememberBatch("load-1").code() == absl::StatusCode::kAlreadyExists);
    CHECK_FALSE(transaction.RememberBatch("").ok());
    REQUIRE(transaction.Commit().ok());
  }
  WriteTransaction transaction = Begin(store);
  CHECK(*transaction.FindBatch("load-1") == 1);
}

TEST_CASE("an aborted batch leaves its id free", "[online][record]") {
  Store store;
  {
    WriteTransaction transaction = Begin(store);
    REQUIRE(transaction.RememberBatch("load-1").ok());
  }
  WriteTransaction transaction = Begin(store);
  CHECK_FALSE(*transaction.FindBatch("load-1"));
}

TEST_CASE("layout_seq moves only when a commit says so", "[online][session]") {
  Store store;
  store.Push({Numbered(10, 1)});
  CHECK(store.Session().layout_seq() == 0);
  WriteTransaction transaction = Begin(store);
  transaction.MarkLayoutChanged();
  REQUIRE(*transaction.Commit() == 2);
  store.Push({Numbered(10, 2)});
  CHECK(store.Session().layout_seq() == 2);
  CHECK(store.Session().commit_seq() == 3);
}

TEST_CASE("a session too old to keep says so until it is renewed", "[online][session]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.session_age_max = larder::Duration{20'000};
    return options;
  });
  store.Push({Numbered(10, 1)});
  ReadSession session = store.Session();
  CHECK(session.FindRow(Store::kView, store.layout, IntKey(1), {10}).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(larder::KindOf(session.FindRow(Store::kView, store.layout, IntKey(1), {10}).status()) ==
        ErrorKind::kSessionExpired);
  CHECK(larder::KindOf(session.GetRecord(1, "k").status()) == ErrorKind::kSessionExpired);
  REQUIRE(session.Renew().ok());
  CHECK(session.FindRow(Store::kView, store.layout, IntKey(1), {10}).ok());
}

TEST_CASE("a released session holds nothing and can be renewed", "[online][session]") {
  Store store;
  store.Push({Numbered(10, 1)});
  ReadSession session = store.Session();
  session.Release();
  CHECK(session.FindRow(Store::kView, store.layout, IntKey(1), {10}).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  CHECK(store.environment->Stats()->sessions_open == 0);
  REQUIRE(session.Renew().ok());
  CHECK((*session.FindRow(Store::kView, store.layout, IntKey(1), {10})).has_value());
}

TEST_CASE("sessions may move between objects and threads", "[online][session][thread]") {
  Store store;
  store.Push({Numbered(10, 1)});
  ReadSession first = store.Session();
  ReadSession second = std::move(first);
  first = std::move(second);
  bool found = false;
  std::thread([&] {
    found = (*first.FindRow(Store::kView, store.layout, IntKey(1), {10})).has_value();
    static_cast<void>(first.Renew());
  }).join();
  CHECK(found);
  CHECK((*first.FindRow(Store::kView, store.layout, IntKey(1), {10})).has_value());
}

TEST_CASE("columns that do not fit the layout are refused before anything is written",
          "[online][write]") {
  Store store;
  const larder::RowLayout other =
      larder_test::LayoutOf({larder::TypeId::kInt64, larder::TypeId::kInt64});
  WriteTransaction transaction = Begin(store);
  const auto result = larder_test::Write(transaction, Store::kView, other, {Numbered(10, 1)});
  CHECK(result.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(larder::MessageOf(result.status())),
             Catch::Matchers::ContainsSubstring("string"));
}

TEST_CASE("a thread cannot begin a second write transaction", "[online][write]") {
  Store store;
  const WriteTransaction transaction = Begin(store);
  CHECK(WriteTransaction::Begin(store.environment).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a writer that waits too long is told who writes", "[online][write][thread]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.write_lock_wait = larder::Duration{20'000};
    return options;
  });
  const WriteTransaction transaction = Begin(store);
  absl::Status status;
  std::thread([&] { status = WriteTransaction::Begin(store.environment).status(); }).join();
  CHECK(larder::KindOf(status) == ErrorKind::kBusy);
}

TEST_CASE("writers of many threads take turns and lose nothing", "[online][write][thread]") {
  Store store;
  constexpr int kThreads = 4;
  constexpr int kCommits = 25;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCommits; ++i) {
        Event event = Numbered(10, i);
        event.key = IntKey(t * 1000 + i);
        const auto status =
            larder::RunWriteTransaction(store.environment, [&](WriteTransaction& transaction) {
              return larder_test::Write(transaction, Store::kView, store.layout, {event}).status();
            });
        if (!status.ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(store.Session().commit_seq() == kThreads * kCommits);
  CHECK(store.environment->Stats()->row_count == kThreads * kCommits);
}

TEST_CASE("the map grows under readers and a change is applied exactly once",
          "[online][gate][thread]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.map_size_bytes = 1 << 20;
    return options;
  });
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      // Store::Session() makes assertions, which are not for threads.
      auto opened = ReadSession::Open(store.environment);
      if (!opened.ok()) {
        ++failures;
        return;
      }
      ReadSession session = *std::move(opened);
      while (!stop) {
        if (!session.Renew().ok()) {
          ++failures;
          continue;
        }
        std::size_t keys = 0;
        if (!session.ForEachKey(Store::kView, [&](std::string_view) { return ++keys < 200; }).ok())
          ++failures;
        session.Release();
      }
    });
  }
  for (int64_t commit = 0; commit < 40; ++commit) {
    std::vector<Event> events;
    for (int64_t i = 0; i < 100; ++i) {
      events.push_back(Numbered(10, i));
      events.back().key = IntKey(commit * 100 + i);
      events.back().text = std::string(3000, 't');
    }
    larder::RowsResult written;
    const auto committed =
        larder::RunWriteTransaction(store.environment, [&](WriteTransaction& transaction) {
          auto result = larder_test::Write(transaction, Store::kView, store.layout, events);
          if (result.ok()) written = *result;
          return result.status();
        });
    INFO(committed.status());
    REQUIRE(committed.ok());
    CHECK(written.written == 100);
  }
  stop = true;
  for (std::thread& thread : readers) thread.join();
  CHECK(failures == 0);
  const auto stats = store.environment->Stats();
  CHECK(stats->row_count == 4000);
  CHECK(stats->map_size_bytes > 12'000'000);
  CHECK(stats->reopen_count >= 4);
}

TEST_CASE("a full map is an error, not a signal, while a snapshot is held", "[online][gate]") {
  Store store([](const larder_test::FakeClock& clock) {
    larder::EnvironmentOptions options = larder_test::WritableOptions(clock);
    options.map_size_bytes = 1 << 20;
    options.drain_wait = larder::Duration{20'000};
    return options;
  });
  store.Push({Numbered(10, 1)});
  Event large = Numbered(10, 2);
  large.key = IntKey(2);
  std::vector<Event> events;
  for (int64_t i = 0; i < 30; ++i) {
    events.push_back(large);
    events.back().key = IntKey(100 + i);
    events.back().text = std::string(100'000, 't');
  }
  const auto write = [&](WriteTransaction& transaction) {
    return larder_test::Write(transaction, Store::kView, store.layout, events).status();
  };
  {
    const ReadSession held = store.Session();
    const auto row = held.FindRow(Store::kView, store.layout, IntKey(1), {10});
    const auto refused = larder::RunWriteTransaction(store.environment, write);
    CHECK(larder::KindOf(refused.status()) == ErrorKind::kBusy);
    CHECK((*row)->Get<int64_t>(0) == 1);
    WriteTransaction direct = Begin(store);
    CHECK(write(direct).code() == absl::StatusCode::kResourceExhausted);
  }
  CHECK(larder::RunWriteTransaction(store.environment, write).ok());
  CHECK(store.environment->Stats()->row_count == 31);
}

TEST_CASE("reopening under readers and writers costs them nothing but time",
          "[online][gate][thread]") {
  Store store;
  store.Push({Numbered(10, 1)});
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      // Store::Session() makes assertions, which are not for threads.
      auto opened = ReadSession::Open(store.environment);
      if (!opened.ok()) {
        ++failures;
        return;
      }
      ReadSession session = *std::move(opened);
      while (!stop) {
        const bool renewed = session.Renew().ok();
        const auto row = session.FindRow(Store::kView, store.layout, IntKey(1), {1000});
        if (!renewed || !row.ok() || !*row || (*row)->Get<int64_t>(0) < 1) ++failures;
        ++reads;
        session.Release();
      }
    });
  }
  threads.emplace_back([&] {
    for (int64_t i = 0; !stop; ++i) {
      const auto committed =
          larder::RunWriteTransaction(store.environment, [&](WriteTransaction& transaction) {
            return larder_test::Write(transaction, Store::kView, store.layout,
                                      {Numbered(11 + i % 100, 2 + i)})
                .status();
          });
      if (!committed.ok()) ++failures;
    }
  });
  larder::Environment::Impl& impl = store.environment->impl();
  for (int i = 0; i < 30; ++i) {
    const int before = reads;
    const absl::Status status = impl.Reopen(impl.epoch.load(), false);
    INFO(status);
    CHECK(status.ok());
    while (reads < before + 2) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(store.environment->Stats()->reopen_count >= 30);
}

TEST_CASE("a process that only writes goes on after a reopen that failed",
          "[online][gate][write]") {
  Store store;
  store.Push({Numbered(10, 1)});
  larder::Environment::Impl& impl = store.environment->impl();
  const std::string data = store.directory / "store/env-000001/data.mdb";
  const std::string away = store.directory / "away.mdb";
  std::filesystem::rename(data, away);
  CHECK(larder::KindOf(impl.Reopen(impl.epoch.load(), false)) == larder::ErrorKind::kStoreReplaced);
  REQUIRE(impl.home->env == nullptr);
  CHECK(larder::KindOf(WriteTransaction::Begin(store.environment).status()) ==
        larder::ErrorKind::kStoreReplaced);
  CHECK_FALSE(ReadSession::Open(store.environment).ok());
  std::filesystem::rename(away, data);
  store.Push({Numbered(11, 2)});
  CHECK(store.Number(1000) == 2);
}

TEST_CASE("another store's file is not opened in place of one a reopen lost",
          "[online][gate][write]") {
  Store store;
  Store other;
  store.Push({Numbered(10, 1)});
  other.Push({Numbered(10, 2)});
  other.environment.reset();
  larder::Environment::Impl& impl = store.environment->impl();
  const std::string data = store.directory / "store/env-000001/data.mdb";
  std::filesystem::rename(data, store.directory / "away.mdb");
  CHECK_FALSE(impl.Reopen(impl.epoch.load(), false).ok());
  std::filesystem::rename(other.directory / "store/env-000001/data.mdb", data);
  CHECK(larder::KindOf(WriteTransaction::Begin(store.environment).status()) ==
        larder::ErrorKind::kStoreReplaced);
  CHECK(larder::KindOf(ReadSession::Open(store.environment).status()) ==
        larder::ErrorKind::kStoreReplaced);
  CHECK(impl.home->env == nullptr);
}
