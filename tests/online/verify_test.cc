#include "larder/online/verify.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "store_fixture.h"

namespace fs = std::filesystem;
using larder::ErrorKind;
using larder::WriteTransaction;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::OpenOrFail;
using larder_test::Store;

namespace {

void Fill(Store& store, int64_t from, int64_t count) {
  std::vector<Event> events;
  for (int64_t id = from; id < from + count; ++id) {
    events.push_back({});
    events.back().key = IntKey(id);
    events.back().number = id;
    events.back().text = std::string(static_cast<std::size_t>(id % 90), 'v');
    if (id % 50 == 0) events.back().text = std::string(20'000, 'w');
  }
  store.Push(events);
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}

}  // namespace

TEST_CASE("verify accounts for every page, record and row of a sound store", "[online][verify]") {
  Store store;
  for (int64_t i = 0; i < 20; ++i) Fill(store, i * 37, 60);
  auto transaction = WriteTransaction::Begin(store.environment);
  REQUIRE(transaction->PutRecord(1, "catalog", std::string(50'000, 'c')).ok());
  REQUIRE(transaction->Commit().ok());
  const auto report = larder::VerifyStore(store.directory / "store");
  REQUIRE(report.ok());
  INFO((report->problems.empty() ? std::string() : report->problems.front()));
  CHECK(report->ok());
  CHECK(report->commit_seq == 21);
  CHECK(report->rows == store.environment->Stats()->row_count);
  CHECK(report->records == 1);
  CHECK(report->views == 1);
  CHECK(report->pages_free > 0);
}

TEST_CASE("verify finds every damaged bit that any read could meet", "[online][verify][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  Store store;
  Fill(store, 0, 400);
  const std::string path = store.directory / "store";
  const std::string data = path + "/env-000001/data.mdb";
  const std::string dump = *larder::DumpContents(store.environment);
  store.environment.reset();
  const std::string whole = ReadFile(data);
  int found = 0;
  const int rounds = larder_test::Rounds(300);
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = whole;
    const std::size_t page = random() % (bytes.size() / 4096) * 4096;
    if (round % 3 == 0) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    } else if (round % 3 == 1) {
      bytes[page + random() % 64] ^= static_cast<char>(1 << random() % 8);
    } else {
      const std::size_t other = random() % (bytes.size() / 4096) * 4096;  // a misdirected write
      std::copy_n(whole.data() + other, 4096, bytes.data() + page);
      if (page == other) continue;
    }
    WriteFile(data, bytes);
    const auto report = larder::VerifyStore(path);
    if (!report.ok() || !report->ok()) {
      ++found;
      continue;
    }
    // Nothing found: then nothing that is read was damaged.
    CAPTURE(round);
    auto options = larder_test::WritableOptions();
    const auto environment = OpenOrFail(path, options);
    CHECK(*larder::DumpContents(environment) == dump);
  }
  CHECK(found > rounds / 4);
  WriteFile(data, whole);
  CHECK(larder::VerifyStore(path)->ok());
}

TEST_CASE("a damaged row is an error when it is read, not another value", "[online][verify]") {
  Store store;
  Event event;
  event.number = 1;
  event.text = "find me in the file";
  store.Push({event});
  const std::string path = store.directory / "store";
  const std::string data = path + "/env-000001/data.mdb";
  store.environment.reset();
  std::string bytes = ReadFile(data);
  for (std::size_t at = bytes.find("find me"); at != std::string::npos;
       at = bytes.find("find me", at))
    bytes[at] = 'F';
  WriteFile(data, bytes);
  store.environment = OpenOrFail(path, larder_test::WritableOptions());
  const auto session = store.Session();
  const auto row = session.FindRow(Store::kView, store.layout, IntKey(1), {10});
  CHECK(larder::KindOf(row.status()) == ErrorKind::kCorrupt);
  CHECK_FALSE(larder::VerifyStore(path)->ok());
}

TEST_CASE("a backup is a store of its own with the same contents, private and checked",
          "[online][backup]") {
  Store store;
  Fill(store, 0, 300);
  Fill(store, 100, 300);
  const std::string target = store.directory / "backup";
  const absl::Status status = larder::BackupStore(store.environment, target);
  INFO(status);
  REQUIRE(status.ok());
  struct stat info {};
  REQUIRE(stat((target + "/env-000001/data.mdb").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(larder::VerifyStore(target)->ok());
  const auto copy = OpenOrFail(target, larder_test::WritableOptions());
  CHECK(copy != store.environment);
  CHECK(*larder::HashContents(copy) == *larder::HashContents(store.environment));
  CHECK(larder::ReadSession::Open(copy)->commit_seq() == 2);
  CHECK(larder::BackupStore(store.environment, target).code() == absl::StatusCode::kAlreadyExists);
  CHECK(larder::VerifyStore(target)->ok());
}

TEST_CASE("backups made while a thread writes are whole", "[online][backup][thread]") {
  Store store;
  Fill(store, 0, 200);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int64_t i = 0; !stop; ++i) {
      static_cast<void>(
          larder::RunWriteTransaction(store.environment, [&](WriteTransaction& transaction) {
            Event event;
            event.key = IntKey(i % 200);
            event.event_time = i;
            return larder_test::Write(transaction, Store::kView, store.layout, {event}).status();
          }));
    }
  });
  for (int i = 0; i < 20; ++i) {
    const std::string target = store.directory / ("backup" + std::to_string(i));
    const absl::Status status = larder::BackupStore(store.environment, target);
    INFO(status);
    CHECK(status.ok());
  }
  stop = true;
  writer.join();
}

TEST_CASE("contents hash alike for stores filled in another order, and otherwise not",
          "[online][verify]") {
  Store a;
  Store b;
  Fill(a, 0, 100);
  Fill(a, 100, 100);
  Fill(b, 100, 100);
  CHECK(*larder::HashContents(a.environment) != *larder::HashContents(b.environment));
  Fill(b, 0, 100);
  CHECK(*larder::HashContents(a.environment) == *larder::HashContents(b.environment));
}
