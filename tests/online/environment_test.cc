#include "larder/online/environment.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <thread>

#include "larder/base/hash.h"
#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "store_fixture.h"

namespace fs = std::filesystem;
using larder::Environment;
using larder::EnvironmentOptions;
using larder::ErrorKind;
using larder_test::Event;
using larder_test::OpenOrFail;
using larder_test::Store;
using larder_test::TemporaryDirectory;
using larder_test::WritableOptions;

namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}
unsigned ModeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777U;
}
ErrorKind OpenKind(const std::string& path, const EnvironmentOptions& options = WritableOptions()) {
  return larder::KindOf(Environment::Open(path, options).status());
}

// A closed store with some rows in it; its data file's path.
struct ClosedStore {
  ClosedStore() {
    Store store;
    std::vector<Event> events;
    for (int64_t id = 0; id < 300; ++id) {
      events.push_back({});
      events.back().key = larder_test::IntKey(id);
      events.back().number = id;
      events.back().text = std::string(static_cast<std::size_t>(id), 'x');
    }
    store.Push(events);
    store.Push({events[0]});
    store.environment.reset();
    fs::rename(store.directory / "store", directory / "store");
  }
  TemporaryDirectory directory;
  std::string path = directory / "store";
  std::string data = path + "/env-000001/data.mdb";
};

// Changes the stored format row wherever a copy of it lies in the file, its check made to fit.
void PatchFormat(const std::string& data, const std::function<void(larder::FormatRow*)>& change) {
  std::string bytes = ReadFile(data);
  const std::string magic("larder1\0", 8);
  int found = 0;
  for (std::size_t at = bytes.find(magic); at != std::string::npos; at = bytes.find(magic, at + 1)) {
    larder::FormatRow row;
    std::memcpy(&row, bytes.data() + at, sizeof(row));
    change(&row);
    const auto* raw = reinterpret_cast<const char*>(&row);
    row.check = static_cast<uint32_t>(larder::Hash64({raw + 12, sizeof(row) - 12}));
    std::memcpy(bytes.data() + at, &row, sizeof(row));
    ++found;
  }
  REQUIRE(found > 0);
  WriteFile(data, bytes);
}

}  // namespace

TEST_CASE("every code of LMDB and the system has its row in the table", "[online][environment]") {
  struct Expected {
    int code;
    absl::StatusCode status;
    ErrorKind kind;
  };
  using Code = absl::StatusCode;
  const Expected cases[] = {
      {MDB_KEYEXIST, Code::kInternal, ErrorKind::kNone},
      {MDB_NOTFOUND, Code::kInternal, ErrorKind::kNone},
      {MDB_PAGE_NOTFOUND, Code::kDataLoss, ErrorKind::kCorrupt},
      {MDB_CORRUPTED, Code::kDataLoss, ErrorKind::kCorrupt},
      {MDB_PANIC, Code::kUnavailable, ErrorKind::kIoError},
      {MDB_VERSION_MISMATCH, Code::kFailedPrecondition, ErrorKind::kVersion},
      {MDB_INVALID, Code::kFailedPrecondition, ErrorKind::kForeign},
      {MDB_MAP_FULL, Code::kResourceExhausted, ErrorKind::kNone},
      {MDB_DBS_FULL, Code::kInternal, ErrorKind::kNone},
      {MDB_READERS_FULL, Code::kResourceExhausted, ErrorKind::kReadersFull},
      {MDB_TLS_FULL, Code::kResourceExhausted, ErrorKind::kNone},
      {MDB_TXN_FULL, Code::kResourceExhausted, ErrorKind::kTooLarge},
      {MDB_CURSOR_FULL, Code::kDataLoss, ErrorKind::kCorrupt},
      {MDB_PAGE_FULL, Code::kInternal, ErrorKind::kNone},
      {MDB_MAP_RESIZED, Code::kUnavailable, ErrorKind::kBusy},
      {MDB_INCOMPATIBLE, Code::kFailedPrecondition, ErrorKind::kForeign},
      {MDB_BAD_RSLOT, Code::kInternal, ErrorKind::kNone},
      {MDB_BAD_TXN, Code::kInternal, ErrorKind::kNone},
      {MDB_BAD_VALSIZE, Code::kInvalidArgument, ErrorKind::kTooLarge},
      {MDB_BAD_DBI, Code::kInternal, ErrorKind::kNone},
      {ENOSPC, Code::kResourceExhausted, ErrorKind::kDiskFull},
      {EDQUOT, Code::kResourceExhausted, ErrorKind::kDiskFull},
      {EFBIG, Code::kResourceExhausted, ErrorKind::kDiskFull},
      {EIO, Code::kUnavailable, ErrorKind::kIoError},
      {ENOMEM, Code::kResourceExhausted, ErrorKind::kNone},
      {EACCES, Code::kPermissionDenied, ErrorKind::kIoError},
      {EPERM, Code::kPermissionDenied, ErrorKind::kIoError},
      {EROFS, Code::kPermissionDenied, ErrorKind::kIoError},
      {ENOENT, Code::kNotFound, ErrorKind::kIoError},
      {ENOTDIR, Code::kNotFound, ErrorKind::kIoError},
      {ELOOP, Code::kFailedPrecondition, ErrorKind::kForeign},
      {EEXIST, Code::kAlreadyExists, ErrorKind::kIoError},
      {EAGAIN, Code::kUnavailable, ErrorKind::kBusy},
      {EBUSY, Code::kUnavailable, ErrorKind::kBusy},
      {EINVAL, Code::kInternal, ErrorKind::kNone},
      {EMFILE, Code::kResourceExhausted, ErrorKind::kIoError},
      {ENFILE, Code::kResourceExhausted, ErrorKind::kIoError},
      {EXDEV, Code::kUnavailable, ErrorKind::kIoError},  // not in the table
  };
  for (const Expected& expected : cases) {
    const absl::Status status = larder::LmdbError(expected.code, "doing it");
    CAPTURE(expected.code, status.ToString());
    CHECK(status.code() == expected.status);
    CHECK(larder::KindOf(status) == expected.kind);
    CHECK(larder::MessageOf(status).substr(0, 9) == "doing it:");
    CHECK((expected.code == EXDEV || larder::FindLmdbCode(expected.code).code == expected.code));
  }
}

TEST_CASE("a new store is private to its owner", "[online][environment]") {
  Store store;
  const std::string path = store.directory / "store";
  CHECK(ModeOf(path) == 0700);
  CHECK(ModeOf(path + "/env-000001") == 0700);
  for (const char* name :
       {"/CURRENT", "/writer.lock", "/env-000001/data.mdb", "/env-000001/lock.mdb"}) {
    CAPTURE(name);
    CHECK(ModeOf(path + name) == 0600);
  }
  CHECK(ReadFile(path + "/CURRENT") == "env-000001\n");
}

TEST_CASE("opening nothing is an error unless a store is to be made", "[online][environment]") {
  TemporaryDirectory directory;
  EnvironmentOptions options = WritableOptions();
  options.create_if_missing = false;
  CHECK(Environment::Open(directory / "store", options).status().code() ==
        absl::StatusCode::kNotFound);
  CHECK(Environment::Open(directory.path(), options).status().code() == absl::StatusCode::kNotFound);
  CHECK_FALSE(fs::exists(directory / "store"));
  options.create_if_missing = true;
  options.clock = nullptr;
  CHECK(Environment::Open(directory / "store", options).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK_FALSE(fs::exists(directory / "store"));
}

TEST_CASE("what was written is there after closing and opening again", "[online][environment]") {
  ClosedStore closed;
  const auto environment = OpenOrFail(closed.path, WritableOptions());
  const auto session = larder::ReadSession::Open(environment);
  REQUIRE(session.ok());
  CHECK(session->commit_seq() == 2);
  const larder::RowLayout layout = larder_test::LayoutOf(larder_test::kEventTypes);
  const auto row = session->FindRow(Store::kView, layout, larder_test::IntKey(299), {0});
  REQUIRE(row.ok());
  CHECK((*row)->Text(1).size() == 299);
}

TEST_CASE("a creation cut short before CURRENT starts over", "[online][environment]") {
  ClosedStore closed;
  fs::remove(closed.path + "/CURRENT");
  const auto environment = OpenOrFail(closed.path, WritableOptions());
  CHECK(larder::ReadSession::Open(environment)->commit_seq() == 0);
}

TEST_CASE("a directory of other things is never taken for a store", "[online][environment]") {
  TemporaryDirectory directory;
  WriteFile(directory / "notes.txt", "mine");
  CHECK(OpenKind(directory.path()) == ErrorKind::kForeign);
  WriteFile(directory / "file", "x");
  CHECK(OpenKind(directory / "file") == ErrorKind::kForeign);
  ClosedStore closed;
  for (const char* text : {"", "../../etc", "env-1\n", "env-00000x\n", "env-000001/../..\n"}) {
    CAPTURE(text);
    WriteFile(closed.path + "/CURRENT", text);
    CHECK_FALSE(Environment::Open(closed.path, WritableOptions()).ok());
  }
}

TEST_CASE("an empty data file is a lost store, not a new one", "[online][environment]") {
  ClosedStore closed;
  WriteFile(closed.data, "");
  CHECK(OpenKind(closed.path) == ErrorKind::kTruncated);
  CHECK(fs::file_size(closed.data) == 0);
}

TEST_CASE("foreign files are refused and stay as they are", "[online][environment]") {
  ClosedStore closed;
  std::mt19937_64 random(7);
  std::string noise(20'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  const std::string files[] = {std::string("hello\n"),
                               std::string("SQLite format 3\0", 16) + std::string(8000, '\1'),
                               std::string(8192, '\0'), std::string(1, 'x'), noise};
  for (const std::string& bytes : files) {
    WriteFile(closed.data, bytes);
    CHECK(OpenKind(closed.path) == ErrorKind::kForeign);
    CHECK(ReadFile(closed.data) == bytes);
  }
}

TEST_CASE("a truncated file is an error at open, wherever it was cut",
          "[online][environment][random]") {
  ClosedStore closed;
  const std::string whole = ReadFile(closed.data);
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  int refused = 0;
  const int rounds = larder_test::Rounds(200);
  for (int round = 0; round < rounds; ++round) {
    const std::size_t size =
        round < 40 ? static_cast<std::size_t>(round) * 512 : random() % whole.size();
    WriteFile(closed.data, whole.substr(0, size));
    const auto environment = Environment::Open(closed.path, WritableOptions());
    if (!environment.ok()) {
      ++refused;
      continue;
    }
    // Only pages that nothing refers to were cut off.
    const auto report = larder::VerifyStore(closed.path);
    REQUIRE(report.ok());
    CHECK(report->ok());
    CHECK(report->rows == 300);
  }
  CHECK(refused > rounds / 2);
}

TEST_CASE("one damaged meta page is noticed, not silently an older commit",
          "[online][environment]") {
  ClosedStore closed;
  const std::string whole = ReadFile(closed.data);
  for (const std::size_t page : {0U, 4096U}) {
    std::string bytes = whole;
    bytes[page + 16 + 24 + 96 + 8] ^= 0x10;  // the commit number
    WriteFile(closed.data, bytes);
    CHECK(OpenKind(closed.path) == ErrorKind::kCorrupt);
    bytes = whole;
    bytes[page + 16] ^= 0x01;  // the magic number
    WriteFile(closed.data, bytes);
    CHECK(OpenKind(closed.path) == ErrorKind::kForeign);
  }
}

TEST_CASE("other formats are refused with their number", "[online][environment][format]") {
  ClosedStore closed;
  const std::string whole = ReadFile(closed.data);
  EnvironmentOptions read_only = WritableOptions();
  read_only.read_only = true;

  PatchFormat(closed.data, [](larder::FormatRow* row) { row->format_version = 99; });
  const auto status = Environment::Open(closed.path, WritableOptions()).status();
  CHECK(larder::KindOf(status) == ErrorKind::kVersion);
  CHECK_THAT(std::string(larder::MessageOf(status)), Catch::Matchers::ContainsSubstring("99"));

  WriteFile(closed.data, whole);
  PatchFormat(closed.data, [](larder::FormatRow* row) { row->features_incompatible = 4; });
  CHECK(OpenKind(closed.path, read_only) == ErrorKind::kVersion);

  WriteFile(closed.data, whole);
  PatchFormat(closed.data, [](larder::FormatRow* row) { row->features_read_only_compatible = 4; });
  CHECK(OpenKind(closed.path) == ErrorKind::kVersion);
  CHECK(Environment::Open(closed.path, read_only).ok());

  WriteFile(closed.data, whole);
  PatchFormat(closed.data, [](larder::FormatRow* row) { row->features_compatible = 4; });
  CHECK(Environment::Open(closed.path, WritableOptions()).ok());

  WriteFile(closed.data, whole);
  PatchFormat(closed.data, [](larder::FormatRow* row) { row->byte_order = 0x04030201; });
  CHECK(OpenKind(closed.path) == ErrorKind::kVersion);
}

TEST_CASE("symbolic links inside a store are not followed", "[online][environment]") {
  ClosedStore closed;
  fs::rename(closed.data, closed.directory / "elsewhere.mdb");
  fs::create_symlink(closed.directory / "elsewhere.mdb", closed.data);
  CHECK(OpenKind(closed.path) == ErrorKind::kForeign);
  ClosedStore linked_folder;
  fs::rename(linked_folder.path + "/env-000001", linked_folder.directory / "folder");
  fs::create_directory_symlink(linked_folder.directory / "folder",
                               linked_folder.path + "/env-000001");
  CHECK(OpenKind(linked_folder.path) == ErrorKind::kForeign);
  ClosedStore linked_current;
  fs::rename(linked_current.path + "/CURRENT", linked_current.directory / "current");
  fs::create_symlink(linked_current.directory / "current", linked_current.path + "/CURRENT");
  CHECK(OpenKind(linked_current.path) == ErrorKind::kForeign);
}

TEST_CASE("a store every user may write is refused", "[online][environment]") {
  ClosedStore closed;
  fs::permissions(closed.path + "/env-000001", fs::perms::all);
  CHECK(Environment::Open(closed.path, WritableOptions()).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("one process opens a store once, however it is reached", "[online][environment]") {
  Store store;
  const std::string path = store.directory / "store";
  fs::create_directory_symlink(path, store.directory / "link");
  CHECK(OpenOrFail(path, WritableOptions()) == store.environment);
  CHECK(OpenOrFail(store.directory / "link", WritableOptions()) == store.environment);
  CHECK(OpenOrFail(store.directory / "./store/../link", WritableOptions()) == store.environment);
  fs::rename(path, store.directory / "moved");
  CHECK(OpenOrFail(store.directory / "moved", WritableOptions()) == store.environment);
  fs::rename(store.directory / "moved", path);

  EnvironmentOptions other = WritableOptions();
  other.durability = larder::Durability::kDurable;
  CHECK(Environment::Open(path, other).status().code() == absl::StatusCode::kFailedPrecondition);
  EnvironmentOptions read_only;
  read_only.read_only = true;
  CHECK(OpenOrFail(path, read_only) == store.environment);
}

TEST_CASE("a hard link to the data file in another folder shares the environment too",
          "[online][environment]") {
  Store store;
  const std::string path = store.directory / "store";
  const std::string copy = store.directory / "copy";
  fs::create_directories(copy + "/env-000001");
  fs::copy_file(path + "/CURRENT", copy + "/CURRENT");
  fs::create_hard_link(path + "/env-000001/data.mdb", copy + "/env-000001/data.mdb");
  CHECK(OpenOrFail(copy, WritableOptions()) == store.environment);
}

TEST_CASE("threads that open and close one store at once never hold it twice",
          "[online][environment][thread]") {
  ClosedStore closed;
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const auto environment = Environment::Open(closed.path, WritableOptions());
        if (!environment.ok() || !larder::ReadSession::Open(*environment).ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
}

TEST_CASE("threads that make one store at once share it", "[online][environment][thread]") {
  for (int round = 0; round < 20; ++round) {
    const TemporaryDirectory directory;
    std::vector<std::shared_ptr<Environment>> opened(4);
    std::vector<std::thread> threads;
    for (auto& environment : opened) {
      threads.emplace_back([&directory, &environment] {
        auto got = Environment::Open(directory / "store", WritableOptions());
        if (got.ok()) environment = *std::move(got);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& environment : opened) {
      REQUIRE(environment != nullptr);
      CHECK(environment == opened[0]);
    }
  }
}

TEST_CASE("a store opened read-only is not written and not made", "[online][environment]") {
  ClosedStore closed;
  EnvironmentOptions read_only;
  read_only.read_only = true;
  const auto environment = OpenOrFail(closed.path, read_only);
  CHECK(larder::ReadSession::Open(environment)->commit_seq() == 2);
  CHECK(larder::WriteTransaction::Begin(environment).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  CHECK(Environment::Open(closed.path, WritableOptions()).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  read_only.create_if_missing = true;
  CHECK_FALSE(Environment::Open(closed.directory / "none", read_only).ok());
}

TEST_CASE("a write to a store that was removed or replaced is refused", "[online][environment]") {
  for (const char* victim : {"data.mdb", "lock.mdb"}) {
    for (const bool replace : {false, true}) {
      CAPTURE(victim, replace);
      Store store;
      store.Push({Event{}});
      const std::string file = store.directory / "store/env-000001/" + victim;
      const std::string bytes = ReadFile(store.directory / "store/env-000001/data.mdb");
      fs::rename(file, store.directory / "gone");
      if (replace) WriteFile(file, bytes);
      if (!replace) fs::remove(store.directory / "gone");
      const auto transaction = larder::WriteTransaction::Begin(store.environment);
      CHECK(larder::KindOf(transaction.status()) == ErrorKind::kStoreReplaced);
      CHECK(store.Session().commit_seq() == 1);
    }
  }
}

TEST_CASE("every store has an identity and a seed of its own", "[online][environment]") {
  Store a;
  Store b;
  CHECK(a.environment->store_id() != b.environment->store_id());
  CHECK(a.environment->hash_seed() != b.environment->hash_seed());
}

TEST_CASE("when all reader slots are taken the error names who holds them",
          "[online][environment]") {
  Store store([](const larder_test::FakeClock& clock) {
    EnvironmentOptions options = WritableOptions(clock);
    options.readers_max = 3;
    return options;
  });
  std::vector<larder::ReadSession> sessions;
  for (int i = 0; i < 3; ++i) sessions.push_back(store.Session());
  const auto refused = larder::ReadSession::Open(store.environment);
  CHECK(larder::KindOf(refused.status()) == ErrorKind::kReadersFull);
  CHECK_THAT(std::string(larder::MessageOf(refused.status())),
             Catch::Matchers::ContainsSubstring("process " + std::to_string(getpid()) + " holds 3"));
  sessions.pop_back();
  CHECK(larder::ReadSession::Open(store.environment).ok());
}

TEST_CASE("statistics count what is there", "[online][environment]") {
  Store store;
  store.Push({Event{}});
  const larder::ReadSession held = store.Session();
  for (int i = 0; i < 5; ++i) store.Push({Event{}});
  const auto stats = store.environment->Stats();
  REQUIRE(stats.ok());
  CHECK(stats->row_count == 1);
  CHECK(stats->sessions_open == 1);
  CHECK(stats->oldest_reader_lag == 5);
  CHECK(stats->readers_max == 1024);
  CHECK(stats->map_size_bytes == uint64_t{1} << 40);
  CHECK(stats->file_size_bytes >= stats->used_size_bytes);
}
