// R3 and R4 over processes: rows of two views written together are read together, whole, while one process pushes and
// four read. LARDER_SECONDS sets how long (2 by default; 60 for a release).
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <new>

#include "store_fixture.h"

using larder::Timestamp;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Store;

namespace {

constexpr int kReaders = 4;
constexpr int64_t kKeys = 500;
constexpr uint32_t kViews[] = {7, 8};
constexpr int64_t kNow = 1'000'000'000;

struct Shared {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0};
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> commits{0};
};

std::vector<Event> RowsOf(int64_t generation) {
  std::vector<Event> events;
  for (int64_t id = 0; id < kKeys; ++id) {
    Event& event = events.emplace_back();
    event.key = IntKey(id);
    event.event_time = generation;
    event.number = generation;
    event.text = std::to_string(generation) + std::string(static_cast<std::size_t>(id % 60), 'x');
  }
  return events;
}

// Whether both features of a row and its event time come from one write.
bool IsWhole(const larder::RowView& row, int64_t id, int64_t* generation) {
  *generation = row.Get<int64_t>(0);
  return row.event_time().us == *generation &&
         row.Text(1) ==
             std::to_string(*generation) + std::string(static_cast<std::size_t>(id % 60), 'x');
}

void Read(const std::string& path, const larder::RowLayout& layout, uint64_t seed, Shared* shared) {
  larder::EnvironmentOptions options;
  options.read_only = true;
  const auto environment = larder::Environment::Open(path, options);
  if (!environment.ok()) {
    ++shared->wrong;
    return;
  }
  auto session = larder::ReadSession::Open(*environment);
  std::mt19937_64 random(seed);
  uint64_t last_commit = 0;
  while (!shared->stop && session.ok()) {
    if (!session->Renew().ok() || session->commit_seq() < last_commit) ++shared->wrong;
    last_commit = session->commit_seq();
    std::optional<int64_t> first;
    for (int i = 0; i < 50; ++i) {
      const auto id = static_cast<int64_t>(random() % kKeys);
      for (const uint32_t view : kViews) {
        const auto row = session->FindRow(view, layout, IntKey(id), {kNow});
        int64_t generation = 0;
        if (!row.ok() || !*row || !IsWhole(**row, id, &generation) ||
            (first && *first != generation)) {
          ++shared->wrong;
        }
        if (!first) first = generation;
        shared->reads.fetch_add(1, std::memory_order_relaxed);
      }
    }
  }
}

absl::Status WriteBoth(const std::shared_ptr<larder::Environment>& environment,
                       const larder::RowLayout& layout, int64_t generation) {
  return larder::RunWriteTransaction(
             environment,
             [&](larder::WriteTransaction& transaction) -> absl::Status {
               for (const uint32_t view : kViews) {
                 LARDER_RETURN_IF_ERROR(larder_test::Write(transaction, view, layout,
                                                           RowsOf(generation),
                                                           {.horizon = larder::Duration{10}})
                                            .status());
               }
               return absl::OkStatus();
             })
      .status();
}

}  // namespace

TEST_CASE("four reading processes never see a torn row or two commits at once",
          "[online][process][slow]") {
  larder_test::TemporaryDirectory directory;
  const std::string path = directory / "store";
  const larder::RowLayout layout = larder_test::LayoutOf(larder_test::kEventTypes);
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto* shared = new (memory) Shared;
  {
    const auto environment = larder_test::OpenOrFail(path, larder_test::WritableOptions());
    REQUIRE(WriteBoth(environment, layout, 1).ok());
  }
  std::vector<pid_t> children;
  for (int i = 0; i < kReaders; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      Read(path, layout, static_cast<uint64_t>(i), shared);
      _exit(0);
    }
    children.push_back(child);
  }
  {
    const auto environment = larder_test::OpenOrFail(path, larder_test::WritableOptions());
    const char* given = std::getenv("LARDER_SECONDS");
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::seconds(given != nullptr ? std::atoi(given) : 2);
    int64_t generation = 2;
    for (; std::chrono::steady_clock::now() < end; ++generation) {
      REQUIRE(WriteBoth(environment, layout, generation).ok());
      ++shared->commits;
    }
  }
  shared->stop = true;
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
  }
  WARN(shared->reads << " rows read by " << kReaders << " processes over " << shared->commits
                     << " commits, " << shared->wrong << " wrong");
  CHECK(shared->wrong == 0);
  CHECK(shared->reads > 10'000);
  CHECK(shared->commits > 10);
  munmap(memory, sizeof(Shared));
}
